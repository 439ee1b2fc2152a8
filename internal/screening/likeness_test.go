package screening

import (
	"bytes"
	"testing"
)

// It moves what is ok to a reviewer, and nothing else: what is refused, or goes to one, stays what it was.
func TestLikenessOnlyMovesToAReviewer(t *testing.T) {
	like := "我们想比一比谁的年终奖多"
	var examples []Example
	for range 20 {
		examples = append(examples, Example{Text: like, Purpose: "payroll", Refused: true}, Example{Text: "银行退票，需核对账号", Purpose: "payroll"})
	}
	pack := Builtin()
	trained := pack.Train(examples)
	if again := pack.Train(examples); !bytes.Equal(trained.Bytes(), again.Bytes()) {
		t.Error("the same examples give other weights")
	}
	read, err := ParseLikeness(trained.Bytes())
	if err != nil || !bytes.Equal(read.Bytes(), trained.Bytes()) {
		t.Fatalf("what is written is read as another: %v", err)
	}
	for text, want := range map[string]bool{like: true, "银行退票，需核对账号": false} {
		if read.likens(pack.features(pack.read(text, nil), text, "payroll")) != want {
			t.Errorf("%q was not learned", text)
		}
	}
	none, all := Builtin().With(nil), Builtin().With(&Likeness{scale: 1, weights: bytesOf(1)})
	for _, text := range []string{"银行退票，需核对账号", "他欠我钱不还", "。", "工作需要", ""} {
		before, after := none.Screen(text, "payroll"), all.Screen(text, "payroll")
		if before.Verdict == OK {
			before.Verdict, before.Doubt = Review, Unclear
		}
		if after.Verdict != before.Verdict || after.Doubt != before.Doubt {
			t.Errorf("%q: %+v, with likeness %+v", text, before, after)
		}
	}
	for _, faulty := range []string{"", "1 x\nAA==", "1 0.5\nAA==", "1 0.5\n%"} {
		if _, err := ParseLikeness([]byte(faulty)); err == nil {
			t.Errorf("%q is read", faulty)
		}
	}
}

func bytesOf(weight int8) []int8 {
	weights := make([]int8, buckets)
	for i := range weights {
		weights[i] = weight
	}
	return weights
}
