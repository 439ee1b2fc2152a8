package stranger

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lethe/internal/ledger/corpus"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/verify"
)

// verdicts are the page's, by the exit status of their program.
var verdicts = map[string]string{"0": corpus.Verified, "2": corpus.Unusable, "3": corpus.Wrong}

// batch is their program while it answers one question after the other.
type batch struct {
	t       testing.TB
	in      io.WriteCloser
	answers *bufio.Reader
}

func newBatch(t testing.TB) *batch {
	t.Helper()
	program := exec.Command(theirs, "--batch")
	in, err := program.StdinPipe()
	must(t, err)
	out, err := program.StdoutPipe()
	must(t, err)
	program.Stderr = os.Stderr
	must(t, program.Start())
	t.Cleanup(func() {
		_ = in.Close()
		must(t, program.Wait())
	})
	return &batch{t, in, bufio.NewReader(out)}
}

// ask gives their verdict, and what they said.
func (b *batch) ask(args ...string) (verdict, said string) {
	b.t.Helper()
	if _, err := fmt.Fprintln(b.in, strings.Join(args, "\t")); err != nil {
		b.t.Fatal(err)
	}
	line, err := b.answers.ReadString('\n')
	if err != nil {
		b.t.Fatalf("the stranger's verifier broke: %v", err)
	}
	status, said, _ := strings.Cut(line, " ")
	return verdicts[status], said
}

// question is a case whose files lie in a folder.
type question struct {
	mode, target, policy         string
	checkpoints, receipts, packs []string
}

// args are those of their program.
func (q question) args() []string {
	args := map[string][]string{"pack": {q.target}, "folder": {"--tree", q.target}, "proof": {"--proof", q.target}}[q.mode]
	args = append(args, "--policy", q.policy)
	for option, files := range map[string][]string{"--checkpoint": q.checkpoints, "--receipt": q.receipts, "--pack": q.packs} {
		for _, file := range files {
			args = append(args, option, file)
		}
	}
	return args
}

// ours is our verdict, and what we say.
func (q question) ours(t testing.TB) (verdict, said string) {
	t.Helper()
	e := verify.Evidence{Checkpoints: heldFiles(t, q.checkpoints), Receipts: heldFiles(t, q.receipts)}
	var err error
	if e.Policy, err = policy.Load(q.policy); err != nil {
		return corpus.Unusable, err.Error()
	}
	var report *verify.Report
	switch q.mode {
	case "pack":
		report, err = verify.Pack(q.target, e)
	case "folder":
		report, err = verify.Folder(q.target, e, q.packs...)
	default:
		var content []byte
		if content, err = os.ReadFile(q.target); err == nil {
			report = verify.Proof(content, verify.Claim{}, e.Policy)
		}
	}
	if err != nil {
		return corpus.Unusable, err.Error()
	}
	return string(report.Verdict()), report.Text("en")
}

func heldFiles(t testing.TB, files []string) (held []verify.Held) {
	t.Helper()
	for _, file := range files {
		held = append(held, verify.Held{File: file, Content: mustRead(t, file)})
	}
	return held
}

// unpacked puts the corpus's blobs into a folder; folders are links to them.
type unpacked struct {
	t    testing.TB
	c    *corpus.Corpus
	dir  string
	done map[int]bool
}

func (u *unpacked) blob(n int) string {
	path := filepath.Join(u.dir, fmt.Sprint(n))
	if !u.done[n] {
		must(u.t, os.WriteFile(path, u.c.Blobs[n], 0o600))
		u.done[n] = true
	}
	return path
}

func (u *unpacked) blobs(all []int) (paths []string) {
	for _, n := range all {
		paths = append(paths, u.blob(n))
	}
	return paths
}

func (u *unpacked) question(number int, x corpus.Case) question {
	q := question{mode: x.Mode, policy: u.blob(x.Policy), checkpoints: u.blobs(x.Checkpoints), receipts: u.blobs(x.Receipts), packs: u.blobs(x.Packs)}
	if x.File != nil {
		q.target = u.blob(*x.File)
		return q
	}
	q.target = filepath.Join(u.dir, fmt.Sprintf("folder-%d", number))
	for name, n := range x.Folder {
		path := filepath.Join(q.target, filepath.FromSlash(name))
		must(u.t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(u.t, os.Link(u.blob(n), path))
	}
	return q
}

func readCorpus(t testing.TB) *unpacked {
	t.Helper()
	const published = "../../docs/ledger-corpus/"
	c, err := corpus.Read(mustRead(t, published+"cases.jsonl"), mustRead(t, published+"blobs.jsonl"))
	must(t, err)
	return &unpacked{t, c, t.TempDir(), map[int]bool{}}
}

// TestI19_BothVerifiersGiveThePagesVerdict: on each of the published packs, folders and proofs, without
// an exception.
func TestI19_BothVerifiersGiveThePagesVerdict(t *testing.T) {
	needPython(t)
	u, them := readCorpus(t), newBatch(t)
	if len(u.c.Cases) < 500 {
		t.Errorf("%d cases", len(u.c.Cases))
	}
	for i, x := range u.c.Cases {
		q := u.question(i, x)
		if verdict, said := q.ours(t); verdict != x.Verdict {
			t.Errorf("%s: the page says %s, we say %s: %s", x.Name, x.Verdict, verdict, said)
		}
		if verdict, said := them.ask(q.args()...); verdict != x.Verdict {
			t.Errorf("%s: the page says %s, they say %s: %s", x.Name, x.Verdict, verdict, said)
		}
	}
}
