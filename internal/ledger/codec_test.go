package ledger_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"lethe/internal/ledger"
)

// TestTilePath has the examples of c2sp.org/tlog-tiles.
func TestTilePath(t *testing.T) {
	for want, got := range map[string]string{
		"tile/0/x001/x234/067":           ledger.TilePath(0, 1234067, 256),
		"tile/0/000":                     ledger.TilePath(0, 0, 256),
		"tile/0/273.p/112":               ledger.TilePath(0, 273, 112),
		"tile/1/001.p/17":                ledger.TilePath(1, 1, 17),
		"tile/63/x001/000":               ledger.TilePath(63, 1000, 256),
		"tile/entries/x999/999":          ledger.TilePath(ledger.EntriesLevel, 999999, 256),
		"tile/entries/x001/001.p/1":      ledger.TilePath(ledger.EntriesLevel, 1001, 1),
		"tile/2/x123/x456/x789/012":      ledger.TilePath(2, 123456789012, 256),
		"tile/0/x100/x000/x000/x000/001": ledger.TilePath(0, 100000000000001, 256),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestTilePath_IsThatOfTheLibrary: golang.org/x/mod writes the height besides, and is else the same.
func TestTilePath_IsThatOfTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tile := tlog.Tile{H: 8, L: rapid.IntRange(0, 7).Draw(t, "level"), N: rapid.Int64Range(0, 1<<40).Draw(t, "n"), W: rapid.IntRange(1, 256).Draw(t, "width")}
		if got, want := ledger.TilePath(tile.L, tile.N, tile.W), strings.Replace(tile.Path(), "tile/8/", "tile/", 1); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func TestBundle_RoundTripsAndRefusesWhatIsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		leaves := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 600), 1, 20).Draw(t, "leaves")
		data := ledger.MarshalBundle(leaves)
		back, err := ledger.ParseBundle(data)
		if err != nil || !cmp.Equal(leaves, back) {
			t.Fatalf("%v, %v", back, err)
		}
		cut := rapid.IntRange(1, len(data)-1).Draw(t, "cut")
		if back, err := ledger.ParseBundle(data[:cut]); err == nil && len(back) == len(leaves) {
			t.Error("a bundle that was cut is whole")
		}
	})
	if _, err := ledger.ParseBundle([]byte{0, 3, 'a', 'b'}); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("a bundle cut within a leaf: %v", err)
	}
	if got := ledger.MarshalBundle([][]byte{[]byte("ab"), []byte("c")}); !bytes.Equal(got, []byte{0, 2, 'a', 'b', 0, 1, 'c'}) {
		t.Errorf("%x", got)
	}
}

// TestLeaf_HasOneForm: any other byte, and any other length, is another leaf or none.
func TestLeaf_HasOneForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := ledger.Leaf{
			Origin: rapid.StringMatching(`[a-z./-]{1,255}`).Draw(t, "origin"), Epoch: rapid.IntRange(1, 1<<31-1).Draw(t, "epoch"),
			ID: uuid.Must(uuid.NewV7()), Kind: ledger.Kind(rapid.StringMatching(`[a-z]{1,40}`).Draw(t, "kind")),
		}
		for i := range l.Commitments {
			copy(l.Commitments[i][:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "commitment"))
		}
		data := l.Marshal()
		back, err := ledger.ParseLeaf(data)
		if err != nil || back != l {
			t.Fatalf("%+v, %v", back, err)
		}
		for _, other := range [][]byte{data[:len(data)-1], append(bytes.Clone(data), 0), data[1:], nil} {
			if _, err := ledger.ParseLeaf(other); !errors.Is(err, ledger.ErrMalformed) {
				t.Errorf("%x is read as a leaf", other)
			}
		}
		for name, make := range map[string]func(o *ledger.Leaf){
			"no time in its id": func(o *ledger.Leaf) { o.ID = uuid.New() }, "epoch 0": func(o *ledger.Leaf) { o.Epoch = 0 },
			"no origin": func(o *ledger.Leaf) { o.Origin = "" }, "no kind": func(o *ledger.Leaf) { o.Kind = "" },
		} {
			other := l
			make(&other)
			if _, err := ledger.ParseLeaf(other.Marshal()); !errors.Is(err, ledger.ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		at := rapid.IntRange(0, len(data)-1).Draw(t, "at")
		data[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "flip"))
		if back, err := ledger.ParseLeaf(data); err == nil && back == l {
			t.Errorf("byte %d does not matter", at)
		}
	})
}

func TestParseHead_RefusesWhatIsNoCheckpoint(t *testing.T) {
	root := tlog.RecordHash([]byte("x")).String()
	good := "example.com/behind-the-sofa\n20852163\n" + root + "\n"
	head, err := ledger.ParseHead(good)
	must(t, err)
	if head.Text() != good {
		t.Errorf("%q is written %q", good, head.Text())
	}
	if _, err := ledger.ParseHead(good + "an extension\n"); err != nil {
		t.Errorf("extension lines are allowed: %v", err)
	}
	for _, bad := range []string{
		"", "\n", good[:len(good)-1], "\n1\n" + root + "\n", "a\n01\n" + root + "\n", "a\n-1\n" + root + "\n", "a\n+1\n" + root + "\n", "a\n1 \n" + root + "\n",
		"a\n1\n" + root[:40] + "\n", "a\n1\n" + strings.TrimRight(root, "=") + "\n", "a\n1\n" + root + "\n\n", "a\n9223372036854775808\n" + root + "\n",
		"a\n1\n" + root[:42] + "5=\n", "a\n1\n" + root + "\r\n", "a\n1\n" + root[:20] + "\r" + root[20:] + "\n", good + "\nan extension\n",
		good + "an extension\n\nanother\n", good + "an extension",
	} {
		if _, err := ledger.ParseHead(bad); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%q is read as a checkpoint: %v", bad, err)
		}
	}
}

// TestI19_CheckpointsOfOthersAreRefused: another log, another epoch, another key, no key.
func TestI19_CheckpointsOfOthersAreRefused(t *testing.T) {
	const origin = "ledger.example/a"
	keys := ledger.NewKeys()
	signed := func(keys *ledger.Keys, origin string, epoch int, text string) []byte {
		storage, err := ledger.OpenStorage(t.TempDir())
		must(t, err)
		head, err := ledger.ParseHead(text + "\n7\n" + tlog.RecordHash(nil).String() + "\n")
		must(t, err)
		must(t, ledger.SignForTest(storage.Log(epoch), t.Context(), origin, keys, head))
		out, err := storage.Log(epoch).Signed(t.Context())
		must(t, err)
		return out
	}
	known := verifiers(t, keys.LogVerifiers(origin, 1))
	good := signed(keys, origin, 1, origin+"/1")
	if _, err := ledger.OpenCheckpoint(good, origin+"/1", known); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"another key":      signed(ledger.NewKeys(), origin, 1, origin+"/1"),
		"another epoch":    signed(keys, origin, 2, origin+"/2"),
		"another log":      signed(keys, "ledger.example/b", 1, "ledger.example/b/1"),
		"signed as ours":   signed(keys, origin, 1, origin+"/2"),
		"a byte changed":   bytes.Replace(good, []byte("\n7\n"), []byte("\n8\n"), 1),
		"without the line": good[:bytes.Index(good, []byte("\n\n"))+2],
		"half":             good[:len(good)/2],
		"nothing":          nil,
	} {
		if _, err := ledger.OpenCheckpoint(bad, origin+"/1", known); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReceipt_OpensOnlyAsWhatItIs.
func TestReceipt_OpensOnlyAsWhatItIs(t *testing.T) {
	const origin = "ledger.example/a"
	keys, leaf, id := ledger.NewKeys(), []byte("a leaf"), uuid.Must(uuid.NewV7())
	receipt, err := ledger.ReceiptForTest(origin, keys.Writer(), id, leaf)
	must(t, err)
	known := verifiers(t, keys.ReceiptVerifiers(origin))
	gotID, hash, err := ledger.OpenReceipt(receipt, origin, known)
	if err != nil || gotID != id || hash != ledger.LeafHash(leaf) {
		t.Fatalf("%v %v %v", gotID, hash, err)
	}
	other, err := ledger.ReceiptForTest("ledger.example/b", keys.Writer(), id, leaf)
	must(t, err)
	forged, err := ledger.ReceiptForTest(origin, ledger.NewKeys().Writer(), id, leaf)
	must(t, err)
	good := strings.Split(receipt, "\n")[:3]
	signed := func(lines ...string) string {
		text, err := ledger.SignReceiptForTest(origin, keys.Writer(), strings.Join(lines, "\n")+"\n")
		must(t, err)
		return text
	}
	if signed(good...) != receipt {
		t.Fatal("the same text is another receipt")
	}
	for name, bad := range map[string]string{
		"another ledger": other, "another key": forged, "cut": receipt[:60], "nothing": "",
		"signed, about something else": signed("manifest", good[1], good[2]),
		"signed, its id in capitals":   signed(good[0], strings.ToUpper(good[1]), good[2]),
		"signed, with a line more":     signed(good[0], good[1], good[2], "more"),
		"signed, a hash too short":     signed(good[0], good[1], good[2][:20]),
		"another entry":                strings.Replace(receipt, id.String(), uuid.Must(uuid.NewV7()).String(), 1),
	} {
		if _, _, err := ledger.OpenReceipt(bad, origin, known); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStorage_TheNewestEpochIsTheHighest: folders come in the order of their names, 10 before 2.
func TestStorage_TheNewestEpochIsTheHighest(t *testing.T) {
	dir := t.TempDir()
	storage, err := ledger.OpenStorage(dir)
	must(t, err)
	for _, name := range []string{"1", "2", "9", "10", "notes"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	must(t, os.WriteFile(filepath.Join(dir, "11"), nil, 0o600))
	if epochs, err := storage.Epochs(); err != nil || !slices.Equal(epochs, []int{1, 2, 9, 10}) {
		t.Errorf("epochs %v, %v", epochs, err)
	}
}

// TestTree_IsThatOfRFC6962 grows a tree batch by batch through the files, and compares roots and
// proofs with the definition.
func TestTree_IsThatOfRFC6962(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batches := rapid.SliceOfN(rapid.IntRange(1, 400), 1, 6).Draw(t, "batches")
		tree, err := ledger.GrowForTest(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		var leaves []tlog.Hash
		for _, n := range batches {
			for range n {
				leaf := ledger.LeafHash([]byte(fmt.Sprint(len(leaves))))
				leaves = append(leaves, leaf)
				if err := tree.Add(leaf); err != nil {
					t.Fatal(err)
				}
			}
			root, err := tree.Root()
			if err != nil || root != naiveRoot(leaves) {
				t.Fatalf("the root of %d leaves: %v, %v", len(leaves), root, err)
			}
			edge, err := tree.Edge()
			if err != nil {
				t.Fatal(err)
			}
			// Whoever goes on knows the frontier alone.
			if tree, err = ledger.GrowForTest(int64(len(leaves)), edge); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ledger.GrowForTest(int64(len(leaves)), nil); !errors.Is(err, ledger.ErrInconsistent) {
			t.Errorf("a tree without its frontier: %v", err)
		}
	})
}

// TestSigning_WithTwoKeys is a rotation: both sign, either one suffices, and what the old writer key
// wrote is still known.
func TestSigning_WithTwoKeys(t *testing.T) {
	const origin = "ledger.example/a"
	keys := ledger.NewKeys()
	old := verifiers(t, keys.LogVerifiers(origin, 1))
	keys.RotateForTest()
	storage, err := ledger.OpenStorage(t.TempDir())
	must(t, err)
	head := ledger.Head{Origin: ledger.TreeName(origin, 1), Size: 7, Root: tlog.RecordHash(nil)}
	must(t, ledger.SignForTest(storage.Log(1), t.Context(), origin, keys, head))
	signed, err := storage.Log(1).Signed(t.Context())
	must(t, err)
	for name, known := range map[string]note.Verifiers{"old": old, "new": verifiers(t, keys.LogVerifiers(origin, 1)[1:])} {
		if got, err := ledger.OpenCheckpoint(signed, head.Origin, known); err != nil || got != head {
			t.Errorf("with the %s key: %+v, %v", name, got, err)
		}
	}
	must(t, ledger.SignForTest(storage.Log(1), t.Context(), origin, keys, ledger.Head{Origin: head.Origin, Size: 6}))
	if again, err := storage.Log(1).Signed(t.Context()); err != nil || !bytes.Equal(again, signed) {
		t.Errorf("a smaller checkpoint replaced a larger one: %s, %v", again, err)
	}
}

// TestCommitment_IsAnHMAC compares with the library.
func TestCommitment_IsAnHMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		salt := rapid.SliceOfN(rapid.Byte(), ledger.SaltSize, ledger.SaltSize).Draw(t, "salt")
		value := rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "value")
		field := rapid.IntRange(0, 13).Draw(t, "field")
		h := hmac.New(sha256.New, salt)
		h.Write(append(append([]byte("lethe/ledger/field\n"), byte(field)), value...))
		if got := ledger.CommitForTest(field, salt, value); !bytes.Equal(got[:], h.Sum(nil)) {
			t.Errorf("%x", got)
		}
	})
}
