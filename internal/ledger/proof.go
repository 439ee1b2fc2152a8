package ledger

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/database"
)

// Proof shows that an entry's leaf is in a signed tree.
type Proof struct {
	EntryID    uuid.UUID
	Epoch      int
	Index      int64
	Leaf       []byte
	Hashes     tlog.RecordProof // RFC 6962, section 2.1.1: from the leaf's sibling to the root's child
	Checkpoint []byte           // signed, and cosigned if a cosigned one covers the entry
	Witnessed  bool
}

// Text is the proof in the form of c2sp.org/tlog-proof.
func (p Proof) Text() string {
	var b strings.Builder
	b.WriteString("c2sp.org/tlog-proof@v1\nextra " + base64.StdEncoding.EncodeToString(p.Leaf) + "\n")
	b.WriteString("index " + strconv.FormatInt(p.Index, 10) + "\n")
	for _, h := range p.Hashes {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(p.Checkpoint)
	return b.String()
}

// ProofOf proves that an entry is in the newest cosigned tree, or else in the newest signed one. An
// entry that waits for its place is ErrNotSequenced, one that does not exist database.ErrNotFound,
// and one whose leaf is not what the tree says ErrTampered.
func ProofOf(ctx context.Context, db *database.DB, storage *Storage, id uuid.UUID) (Proof, error) {
	entries, err := fetch(ctx, db.Read(ctx), []uuid.UUID{id})
	if err != nil {
		return Proof{}, err
	}
	p := Proof{EntryID: id, Leaf: entries[0].leaf}
	if p.Leaf == nil {
		return Proof{}, fmt.Errorf("proving an entry: %w", database.ErrNotFound)
	}
	place, err := database.First[struct {
		Epoch int
		Index int64
	}](db.Read(ctx).Table("ledger_sequence").Select("epoch", "index").Where("entry_id = ?", id))
	if errors.Is(err, database.ErrNotFound) {
		return Proof{}, ErrNotSequenced
	}
	if err != nil {
		return Proof{}, fmt.Errorf("proving an entry: %w", err)
	}
	p.Epoch, p.Index = place.Epoch, place.Index
	if err := p.complete(ctx, storage.Log(p.Epoch)); err != nil {
		return Proof{}, err
	}
	return p, nil
}

// complete adds checkpoint and hashes.
func (p *Proof) complete(ctx context.Context, log *Log) error {
	head, err := p.choose(ctx, log)
	if err != nil {
		return err
	}
	p.Hashes, err = tlog.ProveRecord(head.Size, p.Index, log.Hashes(head.Size, head.Root))
	if err != nil {
		return fmt.Errorf("proving an entry: %w", errors.Join(ErrInconsistent, err))
	}
	if tlog.CheckRecord(p.Hashes, head.Size, head.Root, p.Index, LeafHash(p.Leaf)) != nil {
		return fmt.Errorf("proving an entry: %w", ErrTampered)
	}
	return nil
}

func (p *Proof) choose(ctx context.Context, log *Log) (Head, error) {
	for _, kind := range []struct {
		read      func(context.Context) ([]byte, error)
		witnessed bool
	}{{log.Witnessed, true}, {log.Signed, false}} {
		signed, err := kind.read(ctx)
		if err != nil {
			return Head{}, err
		}
		if signed == nil {
			continue
		}
		head, err := HeadOf(signed)
		if err != nil {
			return Head{}, err
		}
		if head.Size > p.Index {
			p.Checkpoint, p.Witnessed = signed, kind.witnessed
			return head, nil
		}
	}
	return Head{}, ErrNotSequenced
}

// Checkpoint is the newest signed checkpoint of the newest epoch, with the cosignatures if it is the
// one that the witnesses cosigned last. Before the first there is ErrNotSequenced.
func Checkpoint(ctx context.Context, storage *Storage) ([]byte, error) {
	return checkpointBy(ctx, storage, (*Log).Signed)
}

// WitnessedCheckpoint is the newest one with enough cosignatures.
func WitnessedCheckpoint(ctx context.Context, storage *Storage) ([]byte, error) {
	return checkpointBy(ctx, storage, (*Log).Witnessed)
}

func checkpointBy(ctx context.Context, storage *Storage, read func(*Log, context.Context) ([]byte, error)) ([]byte, error) {
	epochs, err := storage.Epochs()
	if err != nil {
		return nil, err
	}
	if len(epochs) == 0 {
		return nil, ErrNotSequenced
	}
	log := storage.Log(epochs[len(epochs)-1])
	signed, err := read(log, ctx)
	if err != nil {
		return nil, err
	}
	if signed == nil {
		return nil, ErrNotSequenced
	}
	if full, err := log.Witnessed(ctx); err == nil && full != nil {
		a, errA := HeadOf(signed)
		b, errB := HeadOf(full)
		if errA == nil && errB == nil && a == b {
			return full, nil
		}
	}
	return signed, nil
}
