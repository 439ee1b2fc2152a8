package stranger

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lethe/internal/ledger/corpus"
)

// TestI19_BothVerifiersKeepThePagesLimits: what is as long as the page allows is verified, and one byte
// more is not. These are too large for the published corpus.
func TestI19_BothVerifiersKeepThePagesLimits(t *testing.T) {
	needPython(t)
	u, them, dir := readCorpus(t), newBatch(t), t.TempDir()
	var plain question
	for i, x := range u.c.Cases {
		if x.Name == "a range over two tiles" {
			plain = u.question(i, x)
		}
	}
	padded := func(b []byte, at, to int) []byte {
		return bytes.Join([][]byte{b[:at], bytes.Repeat([]byte(" "), to-len(b)), b[at:]}, nil)
	}
	const mib = 1 << 20
	for more, verdicts := range []map[string]string{
		{"line": corpus.Verified, "manifest": corpus.Verified, "checkpoint": corpus.Verified, "policy": corpus.Verified},
		{"line": corpus.Wrong, "manifest": corpus.Wrong, "checkpoint": corpus.Wrong, "policy": corpus.Unusable},
	} {
		for what, want := range verdicts {
			q := plain
			content, err := corpus.Forge(mustRead(t, plain.target), func(members map[string][]byte) {
				switch what {
				case "line":
					first, rest, _ := bytes.Cut(members["entries.jsonl"], []byte("\n"))
					members["entries.jsonl"] = bytes.Join([][]byte{padded(first, len(first), 16*mib+more), rest}, []byte("\n"))
				case "manifest":
					members["manifest.json"] = padded(members["manifest.json"], 0, 16*mib+more)
				case "checkpoint":
					text, _, _ := strings.Cut(string(members["checkpoint.txt"]), "\n\n")
					signed := len(corpus.Checkpoint(text + "\nx\n"))
					members["checkpoint.txt"] = []byte(corpus.Checkpoint(text + "\n" + strings.Repeat("x", 1+mib+more-signed) + "\n"))
				}
			})
			must(t, err)
			q.target = filepath.Join(dir, fmt.Sprint(what, more))
			must(t, os.WriteFile(q.target, content, 0o600))
			if what == "policy" {
				q.policy = filepath.Join(dir, fmt.Sprint("policy.json", more))
				must(t, os.WriteFile(q.policy, padded(mustRead(t, plain.policy), 0, 16*mib+more), 0o600))
			}
			if verdict, said := q.ours(t); verdict != want {
				t.Errorf("%s, %d more: the page says %s, we say %s: %.300s", what, more, want, verdict, said)
			}
			if verdict, said := them.ask(q.args()...); verdict != want {
				t.Errorf("%s, %d more: the page says %s, they say %s: %.300s", what, more, want, verdict, said)
			}
		}
	}
}
