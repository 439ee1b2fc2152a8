package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
)

// Held is what somebody keeps outside of the database: a checkpoint or a receipt, and where it is from.
type Held struct {
	File    string
	Content []byte
	folder  int // the epoch of the ledger's folder in which it lies, 0 for those from elsewhere
}

// Evidence is what a ledger is held against.
type Evidence struct {
	Policy *policy.Policy
	// Checkpoints that must be witnessed as the policy says, as witnesses or packs keep them.
	Checkpoints []Held
	// Signed are checkpoints that only the log need have signed, as the ledger's own folder keeps them.
	Signed   []Held
	Receipts []Held
	// Folders are those of the epochs, with their tiles; nil if the ledger's folder is not at hand.
	Folders map[int]string
	// Keys check who wrote what; without them nothing is known of entries that are in no tree.
	Keys *ledger.Keys
}

// Folder adds the checkpoints in the ledger's own folder. They come from those who run the ledger:
// they say nothing against them, but tell an outsider's change from their own.
func (e *Evidence) Folder(ctx context.Context, s *ledger.Storage) error {
	epochs, err := s.Epochs()
	if err != nil {
		return err
	}
	e.Folders = map[int]string{}
	for _, epoch := range epochs {
		log := s.Log(epoch)
		e.Folders[epoch] = log.Dir()
		witnessed, err := log.Witnessed(ctx) // before the newer one, which may grow
		if err != nil {
			return err
		}
		signed, err := log.Signed(ctx)
		if err != nil {
			return err
		}
		if witnessed != nil {
			e.Checkpoints = append(e.Checkpoints, Held{File: fmt.Sprintf("%d/%s", epoch, witnessedName), Content: witnessed, folder: epoch})
		}
		if signed != nil {
			e.Signed = append(e.Signed, Held{File: fmt.Sprintf("%d/%s", epoch, newestName), Content: signed, folder: epoch})
		}
	}
	return nil
}

// newChecker judges the evidence itself first. What it returns checks one ledger once; see again.
func newChecker(e Evidence) (*checker, error) {
	if e.Policy == nil {
		return nil, errors.New("a ledger is verified against a policy")
	}
	c := &checker{
		origin: e.Policy.Origin, quorum: e.Policy.Quorum, report: &Report{Origin: e.Policy.Origin, Problems: []Problem{}, MACs: e.Keys != nil},
		waiting: map[uuid.UUID]known{}, placed: map[uuid.UUID]placeRow{}, trees: map[int]*tree{}, marks: map[int][]mark{},
		held: map[uuid.UUID]tlog.Hash{}, covered: map[uuid.UUID]bool{}, begun: map[int]beginning{}, firsts: map[int]uuid.UUID{},
		own: map[uuid.UUID]ownEntry{}, seen: map[int]*Tree{},
		tiles: map[int]*tiles{}, without: map[string]bool{}, files: map[int]*beside{},
	}
	if e.Keys != nil {
		c.wrote = e.Keys.Wrote
	}
	for _, h := range e.Checkpoints {
		if c.checkpoint(h, e.Policy.Witnessed); h.folder > 0 {
			c.beside(h.folder).witnessed = true
		}
	}
	for _, h := range e.Signed {
		got, ok := c.checkpoint(h, e.Policy.Signed)
		if dir := e.Folders[got.Epoch]; ok && dir != "" {
			c.tiles[got.Epoch] = &tiles{dir: dir, size: got.Size, root: got.Root}
		}
		if h.folder > 0 {
			c.beside(h.folder).read = true
		}
		if ok && h.folder > 0 {
			c.beside(h.folder).newest = &got
		}
	}
	for epoch, dir := range e.Folders {
		c.beside(epoch).dir = dir
	}
	c.folders = e.Folders != nil
	if len(e.Checkpoints)+len(e.Signed)+len(e.Receipts) == 0 {
		c.report.add(Problem{Code: MissingCheckpoint})
	}
	for _, marks := range c.marks {
		slices.SortFunc(marks, func(a, b mark) int { return cmp.Compare(a.size, b.size) })
	}
	c.receipts(e)
	return c, nil
}

// checkpoint reads one, by the rule that it has to pass.
func (c *checker) checkpoint(h Held, accept func([]byte) (policy.Checkpoint, error)) (policy.Checkpoint, bool) {
	got, err := accept(h.Content)
	if err == nil && h.folder > 0 && got.Epoch != h.folder {
		err = policy.ErrOtherLog
	}
	if err != nil {
		c.report.add(Problem{Code: BadCheckpoint, File: h.File, Field: reason(err)})
		return got, false
	}
	c.marks[got.Epoch] = append(c.marks[got.Epoch], mark{got.Size, got.Root, h.File})
	t := c.seen[got.Epoch]
	if t == nil {
		t = &Tree{}
		c.seen[got.Epoch] = t
	}
	t.Signed = max(t.Signed, got.Size)
	if len(got.Cosigned) > 0 && len(got.Cosigned) >= c.quorum && got.Size >= t.Witnessed {
		t.Witnessed = got.Size
		for _, at := range got.Cosigned {
			if t.At == nil || at.After(*t.At) {
				t.At = &at
			}
		}
	}
	return got, true
}

// reason is why a checkpoint was not accepted, as a word.
func reason(err error) string {
	switch {
	case errors.Is(err, policy.ErrOtherLog):
		return "other_log"
	case errors.Is(err, policy.ErrNotSigned):
		return "not_signed"
	case errors.Is(err, policy.ErrNotWitnessed):
		return "not_witnessed"
	}
	return "malformed"
}
