package verify

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
	"lethe/internal/ledger/batchproof"
	"lethe/internal/ledger/policy"
)

// The members of an evidence pack that are evidence; the others are for people, and only the
// manifest vouches for them.
const (
	packFormat     = "lethe-evidence-pack/1"
	packManifest   = "manifest.json"
	packSignature  = "manifest.sig"
	packLines      = "entries.jsonl"
	packCheckpoint = "checkpoint.txt"
	packProof      = "proof.txt"
)

const (
	maxManifest = 16 << 20
	maxNote     = 1 << 20
	maxLine     = 4 << 20
)

// manifest is what is needed of manifest.json; the rest of it tells people about the pack.
type manifest struct {
	Format     string    `json:"format"`
	ExportID   uuid.UUID `json:"export_id"`
	CreatedAt  time.Time `json:"created_at"`
	Origin     string    `json:"origin"`
	Epoch      int       `json:"epoch"`
	TreeSize   int64     `json:"tree_size"`
	Root       []byte    `json:"root"`
	Count      int64     `json:"count"`
	FirstIndex *int64    `json:"first_index"`
	LastIndex  *int64    `json:"last_index"`
	Dropped    int64     `json:"dropped"`
	Selection  struct {
		Kind       string `json:"kind"`
		FirstIndex *int64 `json:"first_index"`
		EndIndex   *int64 `json:"end_index"`
	} `json:"selection"`
	Files []struct {
		Name   string `json:"name"`
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	} `json:"files"`
}

// pack is one that is being verified.
type pack struct {
	members  map[string]*zip.File
	manifest manifest
	digest   [sha256.Size]byte // of the manifest
	policy   *policy.Policy
	report   *Report
	head     policy.Checkpoint
	hash     hmac256
}

// Pack verifies an evidence pack offline, against the policy and checkpoints of e. A file that is no
// whole pack is a report with a problem, not an error; an error means that it could not be read.
func Pack(path string, e Evidence) (*Report, error) {
	if e.Policy == nil {
		return nil, errors.New("a pack is verified against a policy")
	}
	p := &pack{members: map[string]*zip.File{}, policy: e.Policy, report: &Report{Origin: e.Policy.Origin, Problems: []Problem{}, Pack: &PackInfo{First: -1, Last: -1}}}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the pack: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the pack: %w", err)
	}
	archive, err := zip.NewReader(f, info.Size())
	if err != nil {
		p.bad("", "zip")
		return p.report, nil
	}
	if p.list(archive) && p.describe() && p.checkpoint(e.Checkpoints) {
		p.evidence()
	}
	return p.report, nil
}

func (p *pack) bad(file, what string) { p.report.add(Problem{Code: BadPack, File: file, Field: what}) }

// list compares the members with the manifest, each of them byte for byte.
func (p *pack) list(archive *zip.Reader) bool {
	for _, f := range archive.File {
		if p.members[f.Name] != nil {
			p.bad(f.Name, "twice")
			return false
		}
		p.members[f.Name] = f
	}
	content, ok := p.read(packManifest, maxManifest)
	if !ok {
		return false
	}
	if json.Unmarshal(content, &p.manifest) != nil || p.manifest.Format != packFormat {
		p.bad(packManifest, "format")
		return false
	}
	p.digest = sha256.Sum256(content)
	listed := map[string]bool{packManifest: true, packSignature: true}
	for _, file := range p.manifest.Files {
		if listed[file.Name] {
			p.bad(file.Name, "listed twice")
		}
		listed[file.Name] = true
		p.sum(file.Name, file.Bytes, file.SHA256)
	}
	for name := range p.members {
		if !listed[name] {
			p.bad(name, "not in the manifest")
		}
	}
	for _, name := range []string{packLines, packCheckpoint, packProof} {
		if p.members[name] == nil {
			p.bad(name, "missing")
			ok = false
		}
	}
	return ok
}

// signature checks that the manifest is the log's own, by a key that counts at the pack's checkpoint.
func (p *pack) signature() {
	known, err := p.policy.ReceiptVerifiersAt(policy.Position{Epoch: p.head.Epoch, Size: p.head.Size})
	signed, ok := p.read(packSignature, maxNote)
	if ok && (err != nil || !ledger.CheckManifest(string(signed), p.manifest.Origin, p.manifest.ExportID, p.digest, known)) {
		p.bad(packSignature, "signature")
	}
}

// sum hashes one member.
func (p *pack) sum(name string, size int64, want string) {
	f := p.members[name]
	if f == nil {
		p.bad(name, "missing")
		return
	}
	r, err := f.Open()
	if err != nil {
		p.bad(name, "unreadable")
		return
	}
	defer func() { _ = r.Close() }()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, size+1))
	if err != nil || n != size || hex.EncodeToString(h.Sum(nil)) != want {
		p.bad(name, "sha256")
	}
}

func (p *pack) read(name string, most int64) ([]byte, bool) {
	f := p.members[name]
	if f == nil {
		p.bad(name, "missing")
		return nil, false
	}
	r, err := f.Open()
	if err != nil {
		p.bad(name, "unreadable")
		return nil, false
	}
	defer func() { _ = r.Close() }()
	content, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil || int64(len(content)) > most {
		p.bad(name, "unreadable")
		return nil, false
	}
	return content, true
}

// describe judges what the manifest claims by itself.
func (p *pack) describe() bool {
	m := p.manifest
	if m.Origin != p.policy.Origin {
		p.report.add(Problem{Code: BadCheckpoint, File: packManifest, Field: "other_log"})
		return false
	}
	if m.Selection.Kind != "filtered" && m.Selection.Kind != "contiguous" {
		p.bad(packManifest, "selection")
	}
	return true
}

// checkpoint accepts only one that the policy accepts, and the one that the manifest names.
func (p *pack) checkpoint(held []Held) bool {
	signed, ok := p.read(packCheckpoint, maxNote)
	if !ok {
		return false
	}
	var err error
	if p.head, err = p.policy.Signed(signed); err != nil {
		p.report.add(Problem{Code: BadCheckpoint, File: packCheckpoint, Field: reason(err)})
		return false
	}
	if _, err := p.policy.Witnessed(signed); err != nil {
		p.report.add(Problem{Code: BadCheckpoint, File: packCheckpoint, Field: reason(err)})
	}
	if p.head.Epoch != p.manifest.Epoch || p.head.Size != p.manifest.TreeSize || !bytes.Equal(p.head.Root[:], p.manifest.Root) {
		p.bad(packManifest, "tree_size")
	}
	t := Tree{Epoch: p.head.Epoch, Size: p.head.Size, Root: p.head.Root.String(), Signed: p.head.Size}
	for _, when := range p.head.Cosigned {
		t.Witnessed = p.head.Size
		if t.At == nil || when.After(*t.At) {
			t.At = &when
		}
	}
	p.report.Trees = []Tree{t}
	for _, h := range held {
		p.compare(h)
	}
	p.signature()
	return true
}

// compare holds a checkpoint that somebody kept against the pack's; they tell something about each
// other only if they are of one size.
func (p *pack) compare(h Held) {
	kept, err := p.policy.Witnessed(h.Content)
	if err != nil {
		p.report.add(Problem{Code: BadCheckpoint, File: h.File, Field: reason(err)})
		return
	}
	if kept.Epoch == p.head.Epoch && kept.Size == p.head.Size && kept.Root != p.head.Root {
		p.report.add(Problem{Code: ForkedFrom, Epoch: kept.Epoch, Size: &kept.Size, File: h.File})
	}
}

// evidence goes through the entries once, and computes the root from their leaves and the proof.
func (p *pack) evidence() {
	lines, err := p.members[packLines].Open()
	if err != nil {
		p.bad(packLines, "unreadable")
		return
	}
	defer func() { _ = lines.Close() }()
	proof, err := p.members[packProof].Open()
	if err != nil {
		p.bad(packProof, "unreadable")
		return
	}
	defer func() { _ = proof.Close() }()
	w := &packWalk{pack: p, lines: scanner(lines), proof: scanner(proof), last: -1}
	root, err := w.root()
	switch {
	case w.broken:
	case err != nil && w.err != nil:
		p.bad(w.file, "unreadable")
	case err != nil:
		p.bad(packProof, "proof")
	case root != p.head.Root:
		p.report.add(Problem{Code: ForkedFrom, Epoch: p.head.Epoch, Size: &p.head.Size, File: packCheckpoint})
	}
	w.finish()
}

func scanner(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), maxLine)
	s.Split(wholeLines)
	return s
}

// wholeLines is bufio.ScanLines without its leniency: each line ends with \n, and \r is a character.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, io.ErrUnexpectedEOF
	}
	return 0, nil, nil
}

// packWalk feeds the proof.
type packWalk struct {
	pack        *pack
	lines       *bufio.Scanner
	proof       *bufio.Scanner
	last        int64
	first, gaps int64
	count       int64
	file        string
	err         error
	broken      bool // a line's own problem was told: that the root differs too says nothing new
}

var errLine = errors.New("a line is malformed")

func (w *packWalk) root() (tlog.Hash, error) {
	return batchproof.Root(w.pack.head.Size, w.leaf, w.step)
}

func (w *packWalk) leaf() (batchproof.Leaf, bool, error) {
	if !w.lines.Scan() {
		w.file, w.err = packLines, w.lines.Err()
		return batchproof.Leaf{}, false, w.err
	}
	number := w.count
	l, ok := readLine(w.lines.Bytes())
	if !ok {
		w.pack.report.add(Problem{Code: Malformed, File: packLines, Index: &number, Field: "line"})
		w.broken = true
		return batchproof.Leaf{}, false, errLine
	}
	r := w.pack.report
	if code, field := l.check(&w.pack.hash, r.Origin, w.pack.head.Epoch, w.pack.manifest.CreatedAt); code != "" {
		r.add(Problem{Code: code, Epoch: l.Epoch, Index: &l.Index, EntryID: &l.ID, Field: field, File: packLines})
	}
	if l.Index <= w.last {
		r.add(Problem{Code: DuplicateIndex, Epoch: l.Epoch, Index: &l.Index, EntryID: &l.ID, File: packLines})
		w.broken = true
	}
	if w.count++; w.count == 1 {
		w.first = l.Index
	} else if l.Index != w.last+1 {
		w.gaps++
	}
	w.last = l.Index
	r.Entries++
	if l.Content != nil {
		r.Contents++
	} else {
		r.Pack.Dropped++
	}
	hash, _ := hashOf(l.LeafHash)
	return batchproof.Leaf{Index: l.Index, Hash: hash}, true, nil
}

func (w *packWalk) step() (h tlog.Hash, more bool, err error) {
	if !w.proof.Scan() {
		w.file, w.err = packProof, w.proof.Err()
		return h, false, w.err
	}
	b, err := base64.StdEncoding.Strict().DecodeString(w.proof.Text())
	hash, ok := hashOf(b)
	if err != nil || !ok {
		w.pack.bad(packProof, "hash")
		w.broken = true
		return h, false, errLine
	}
	return hash, true, nil
}

// finish compares what was read with what the manifest says of it.
func (w *packWalk) finish() {
	m, r := w.pack.manifest, w.pack.report
	if w.count > 0 {
		r.Pack.First, r.Pack.Last = w.first, w.last
	}
	r.Sequenced = r.Entries
	same := func(claimed *int64, found int64) bool {
		return claimed == nil && w.count == 0 || claimed != nil && *claimed == found
	}
	if m.Count != w.count || !same(m.FirstIndex, w.first) || !same(m.LastIndex, w.last) {
		w.pack.bad(packManifest, "count")
	}
	if m.Dropped != r.Pack.Dropped {
		w.pack.bad(packManifest, "dropped")
	}
	if m.Selection.Kind != "contiguous" {
		return
	}
	s := m.Selection
	r.Pack.Complete = w.gaps == 0 && s.FirstIndex != nil && s.EndIndex != nil &&
		(*s.EndIndex == *s.FirstIndex && w.count == 0 || *s.FirstIndex == w.first && *s.EndIndex == w.last+1)
	if !r.Pack.Complete {
		r.add(Problem{Code: MissingIndex, Epoch: m.Epoch, File: packLines})
	}
}
