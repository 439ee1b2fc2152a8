package sheet

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDefuse(t *testing.T) {
	const blank = " "
	for cell, want := range map[string]string{
		"": "", "text": "text", "1-2": "1-2", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@A1": "'@A1", "\tx": "'\tx", "\rx": "'\rx",
		blank + "=1": "' =1", "＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠A": "'＠A", "\u200b=1": "'\u200b=1", "\uFEFF=1": "'\uFEFF=1",
		"'text": "''text", "张三": "张三", "|cmd": "'|cmd", "\u00a0=1": "'\u00a0=1",
	} {
		if got := Defuse(cell); got != want {
			t.Errorf("%q becomes %q, want %q", cell, got, want)
		}
	}
}

// Whatever is in a cell, no formula begins it, and the original is found again.
func TestDefuse_IsSafeAndCanBeUndone(t *testing.T) {
	alphabet := []rune("=+-@\t\r\n ＝＋－＠'|%a1张\u200b\uFEFF\u00a0\"")
	rapid.Check(t, func(t *rapid.T) {
		cell := string(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 8).Draw(t, "cell"))
		got := Defuse(cell)
		if got != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first(got)) {
			t.Fatalf("%q becomes %q", cell, got)
		}
		if strings.TrimPrefix(got, "'") != cell {
			t.Fatalf("%q becomes %q, from which it is not found again", cell, got)
		}
	})
}
