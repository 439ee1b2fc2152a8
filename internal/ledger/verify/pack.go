package verify

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger/batchproof"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/strict"
)

// The members of an evidence pack that are evidence; the others are for people, and only the
// manifest vouches for them.
const (
	packFormat     = "lethe-evidence-pack/1"
	packReadme     = "README.txt"
	packSummary    = "summary.pdf"
	packManifest   = "manifest.json"
	packSignature  = "manifest.sig"
	packLines      = "entries.jsonl"
	packCheckpoint = "checkpoint.txt"
	packProof      = "proof.txt"
)

// The limits of the page, in bytes; a line's without its end.
const (
	maxManifest = 16 << 20
	maxNote     = strict.LargestNote
	maxLine     = 16 << 20
)

// pack is one that is being verified.
type pack struct {
	members  map[string]*member
	manifest manifest
	digest   [sha256.Size]byte // of the manifest
	policy   *policy.Policy
	report   *Report
	head     policy.Checkpoint
	hash     hmac256
	begun    *beginning // what the first entry of its epoch says of the one before
}

// Pack verifies an evidence pack offline, against the policy and checkpoints of e. A file that is no
// whole pack is a report with a problem, not an error; an error means that it could not be read.
func Pack(path string, e Evidence) (*Report, error) {
	p, err := openPack(path, e)
	if err != nil {
		return nil, err
	}
	return p.report, nil
}

func openPack(path string, e Evidence) (*pack, error) {
	if e.Policy == nil {
		return nil, errors.New("a pack is verified against a policy")
	}
	p := &pack{members: map[string]*member{}, policy: e.Policy, report: &Report{Origin: e.Policy.Origin, Problems: []Problem{}, Pack: &PackInfo{First: -1, Last: -1}}}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening the pack: %w", err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening the pack: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("opening the pack: %w", syscall.EISDIR)
	}
	archive, err := openZip(f, info.Size())
	if err != nil {
		p.bad("", "zip")
		return p, nil
	}
	if p.list(archive) && p.checkpoint() && p.signature() && p.files() {
		p.evidence()
		for _, h := range e.Checkpoints {
			p.compare(h)
		}
	}
	return p, nil
}

func (p *pack) bad(file, what string) { p.report.add(Problem{Code: BadPack, File: file, Field: what}) }

// list reads the manifest, and compares the members' names with it.
func (p *pack) list(archive []*member) bool {
	for _, m := range archive {
		if p.members[m.name] != nil {
			p.bad(m.name, "twice")
			return false
		}
		p.members[m.name] = m
	}
	ok := true
	for _, name := range packMembers[:mandatoryMembers] {
		if p.members[name] == nil {
			p.bad(name, "missing")
			ok = false
		}
	}
	if !ok {
		return false
	}
	content, ok := p.read(packManifest, maxManifest)
	if !ok {
		return false
	}
	var wrong string
	if p.manifest, wrong = readManifest(content); wrong != "" {
		p.bad(packManifest, wrong)
		return false
	}
	p.digest = sha256.Sum256(content)
	if p.manifest.origin != p.policy.Origin {
		p.report.add(Problem{Code: BadCheckpoint, File: packManifest, Field: "other_log"})
		return false
	}
	for _, file := range p.manifest.files {
		if p.members[file.name] == nil || file.name == packManifest || file.name == packSignature {
			p.bad(file.name, "missing")
			ok = false
		}
	}
	if ok && len(p.manifest.files) != len(p.members)-2 {
		for name := range p.members {
			if name != packManifest && name != packSignature && !slices.ContainsFunc(p.manifest.files, func(f packFile) bool { return f.name == name }) {
				p.bad(name, "not in the manifest")
			}
		}
		ok = false
	}
	return ok
}

// signature checks that the manifest is the log's own, by a key that counts at the pack's checkpoint.
func (p *pack) signature() bool {
	signed, ok := p.read(packSignature, maxNote)
	if ok && !p.policy.Manifest(signed, policy.Position{Epoch: p.head.Epoch, Size: p.head.Size}, p.manifest.export, p.digest) {
		p.bad(packSignature, "signature")
		ok = false
	}
	return ok
}

// files compares each member with the manifest, byte for byte.
func (p *pack) files() bool {
	ok := true
	for _, file := range p.manifest.files {
		m := p.members[file.name]
		h := sha256.New()
		if m.unpacked != uint64(file.bytes) {
			p.bad(file.name, "bytes")
			ok = false
		} else if _, err := io.Copy(h, m.open()); err != nil || hex.EncodeToString(h.Sum(nil)) != file.sha256 {
			p.bad(file.name, "sha256")
			ok = false
		}
	}
	return ok
}

func (p *pack) read(name string, most int64) ([]byte, bool) {
	content, err := io.ReadAll(io.LimitReader(p.members[name].open(), most+1))
	if err != nil || int64(len(content)) > most {
		p.bad(name, "unreadable")
		return nil, false
	}
	return content, true
}

// checkpoint accepts only one that the policy accepts, and the one that the manifest names.
func (p *pack) checkpoint() bool {
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
	if m := p.manifest; p.head.Epoch != m.epoch || p.head.Size != m.treeSize || p.head.Root != m.root {
		p.bad(packManifest, "tree_size")
		return false
	}
	t := Tree{Epoch: p.head.Epoch, Size: p.head.Size, Root: p.head.Root.String(), Signed: p.head.Size}
	for _, when := range p.head.Cosigned {
		t.Witnessed = p.head.Size
		if t.At == nil || when.After(*t.At) {
			t.At = &when
		}
	}
	p.report.Trees = []Tree{t}
	return true
}

// compare holds a checkpoint that somebody kept against the pack. They tell something about each other
// if they are of one size, or if the pack says how the epoch of the checkpoint ended.
func (p *pack) compare(h Held) {
	kept, err := p.policy.Witnessed(h.Content)
	switch {
	case err != nil:
		p.report.add(Problem{Code: BadCheckpoint, File: h.File, Field: reason(err)})
	case kept.Epoch == p.head.Epoch && kept.Size == p.head.Size && kept.Root != p.head.Root:
		p.report.add(Problem{Code: ForkedFrom, Epoch: kept.Epoch, Size: &kept.Size, File: h.File})
	case kept.Epoch == p.head.Epoch-1 && p.begun != nil:
		p.report.ended(*p.begun, kept, h.File)
	}
}

// evidence goes through the entries once, and computes the root from their leaves and the proof.
func (p *pack) evidence() {
	w := &packWalk{pack: p, lines: scanner(p.members[packLines].open()), proof: scanner(p.members[packProof].open()), last: -1}
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
	s.Buffer(make([]byte, 64<<10), maxLine+1)
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
	tampered    int64
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
	code, field := l.check(&w.pack.hash, r.Origin, w.pack.head.Epoch, w.pack.manifest.createdAt)
	if code == "" && l.Index == 0 && w.pack.head.Epoch > 1 {
		code, field = w.pack.begins(l)
	}
	if code != "" {
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
	if l.State == "tampered" {
		w.tampered++
	}
	if l.Content != nil {
		r.Contents++
	} else if l.State == "dropped" {
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
	b, decoded := strict.Base64(w.proof.Text())
	hash, ok := hashOf(b)
	if !decoded || !ok {
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
	if m.count != w.count || !same(m.firstIndex, w.first) || !same(m.lastIndex, w.last) {
		w.pack.bad(packManifest, "count")
	}
	if m.dropped != r.Pack.Dropped {
		w.pack.bad(packManifest, "dropped")
	}
	if m.tampered != w.tampered {
		w.pack.bad(packManifest, "tampered_count")
	}
	if !m.contiguous {
		return
	}
	r.Pack.Complete = w.gaps == 0 && m.end <= m.treeSize && (m.end == m.first && w.count == 0 || w.count > 0 && m.first == w.first && m.end == w.last+1)
	if !r.Pack.Complete {
		r.add(Problem{Code: MissingIndex, Epoch: m.epoch, File: packLines})
	}
}
