package corpus

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "write docs/ledger-corpus")

const published = "../../../docs/ledger-corpus"

// TestI19_ThePublishedCorpusIsWhatIsMade: the generator makes exactly what lies beside the page, and
// whoever unpacks it gets what was made.
func TestI19_ThePublishedCorpusIsWhatIsMade(t *testing.T) {
	made := Build()
	if n := len(made.Cases); n < 500 {
		t.Errorf("%d cases", n)
	}
	verdicts := map[string]int{}
	for _, x := range made.Cases {
		verdicts[x.Mode+" "+x.Verdict]++
	}
	t.Log(len(made.Cases), verdicts)
	page, err := os.ReadFile("../../../docs/ledger-format.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range made.Cases {
		if !bytes.Contains(page, []byte("# "+x.Section+"\n")) {
			t.Fatalf("%s: the page has no section %q", x.Name, x.Section)
		}
	}
	if !bytes.Contains(page, fmt.Appendf(nil, "%d,%03d packs, folders, proofs", len(made.Cases)/1000, len(made.Cases)%1000)) {
		t.Errorf("the page speaks of another number than %d cases", len(made.Cases))
	}
	files := made.Files()
	read, err := Read(files["cases.jsonl"], files["blobs.jsonl"])
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read.Cases, made.Cases) || len(read.Blobs) != len(made.Blobs) {
		t.Error("what is read is not what was made")
	}
	for i := range read.Blobs {
		if !bytes.Equal(read.Blobs[i], made.Blobs[i]) {
			t.Errorf("blob %d is another", i)
		}
	}
	for name, content := range files {
		path := filepath.Join(published, name)
		if *update {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if there, err := os.ReadFile(path); err != nil || !bytes.Equal(there, content) {
			t.Errorf("%s is not what is made: go test ./internal/ledger/corpus -update (%v)", name, err)
		}
	}
}
