package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"lethe/internal/ledger/strict"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var (
	// ErrAhead says that a witness has cosigned a larger tree than the one that is offered: the ledger
	// was rolled back, restored from a backup or copied.
	ErrAhead      = errors.New("the witness has seen a larger ledger than this one: it was rolled back or restored")
	errCheckpoint = errors.New("malformed checkpoint")
	// ErrOtherLog says that what is to be offered is a checkpoint of another log.
	ErrOtherLog = errors.New("the checkpoint is of another log")
	// ErrForgot says that a witness does not remember what it cosigned.
	ErrForgot = errors.New("the witness forgot what it cosigned")
	// ErrNoSignature says that a witness answered without a valid cosignature by the key expected.
	ErrNoSignature = errors.New("the witness answered without its cosignature")
)

// Cosigner is a witness to ask, over HTTP ([Client]) or in this process ([Witness]).
type Cosigner interface {
	AddCheckpoint(ctx context.Context, body []byte) ([]byte, error)
}

// Source is the log that asks: its storage outside the database.
type Source interface {
	// Signed is the latest checkpoint with the log's own signature, nil before the first.
	Signed(ctx context.Context) ([]byte, error)
	// Witnessed is the latest checkpoint with enough cosignatures, nil before the first.
	Witnessed(ctx context.Context) ([]byte, error)
	// Prove gives the consistency proof between two sizes, 0 < older < newer.
	Prove(ctx context.Context, older, newer int64) (tlog.TreeProof, error)
	// Publish keeps a checkpoint with enough cosignatures, durably; an older one than the one kept
	// is dropped silently.
	Publish(ctx context.Context, signed []byte) error
}

// Member is one witness of a policy and the way to it.
type Member struct {
	Verifier Verifier
	Cosigner Cosigner
}

// Feeder offers every new checkpoint of a log to its witnesses.
type Feeder struct {
	source  Source
	origin  string
	members []Member
	quorum  int
	log     *slog.Logger
	state   *state
}

// NewFeeder offers the checkpoints of source, whose origin line is origin, to members; quorum of them
// make it a witnessed one.
func NewFeeder(source Source, origin string, members []Member, quorum int, log *slog.Logger) *Feeder {
	return &Feeder{source: source, origin: origin, members: members, quorum: quorum, log: log, state: newState(members)}
}

// Run offers checkpoints until ctx ends: a new one within interval, and after a failure again, ever
// more slowly, at most every ten seconds.
func (f *Feeder) Run(ctx context.Context, interval time.Duration) {
	wait := interval
	for ctx.Err() == nil {
		if err := f.Round(ctx); err == nil {
			wait = interval
		} else if wait = min(2*wait, 10*time.Second); ctx.Err() == nil {
			f.log.Error("the ledger's checkpoint is not witnessed", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// Round offers the latest checkpoint if it is not witnessed yet.
func (f *Feeder) Round(ctx context.Context) error {
	signed, err := f.source.Signed(ctx)
	if err != nil || signed == nil {
		return err
	}
	offered, ok := strict.CheckpointOf(signed)
	if !ok {
		return errCheckpoint
	}
	if offered.Origin != f.origin {
		return ErrOtherLog
	}
	witnessed, err := f.source.Witnessed(ctx)
	if err != nil {
		return err
	}
	if witnessed != nil {
		if last, ok := strict.CheckpointOf(witnessed); ok && last.Size >= offered.Size {
			f.state.caughtUp(last.Size)
			return nil
		}
	}
	f.state.behind(offered.Size)
	lines, err := f.ask(ctx, offered, signed)
	if len(lines) < f.quorum {
		if onlyQuicker(err) {
			return nil
		}
		return errors.Join(fmt.Errorf("%d of %d cosignatures", len(lines), f.quorum), err)
	}
	full := bytes.Clone(signed)
	for _, line := range lines {
		full = append(full, line...)
	}
	if err := f.source.Publish(ctx, full); err != nil {
		return fmt.Errorf("keeping a witnessed checkpoint: %w", err)
	}
	f.state.caughtUp(offered.Size)
	return nil
}

// ask asks all at once; what a witness had against it is in the joined error.
func (f *Feeder) ask(ctx context.Context, offered strict.Checkpoint, signed []byte) ([][]byte, error) {
	lines, errs := make([][]byte, len(f.members)), make([]error, len(f.members))
	var wg sync.WaitGroup
	for i, m := range f.members {
		wg.Go(func() {
			lines[i], errs[i] = f.cosignature(ctx, m, offered, signed)
			if errors.Is(errs[i], errQuicker) {
				return // the next round offers what is the latest then
			}
			f.state.answered(m.Verifier.Name(), errs[i])
			if errs[i] != nil && ctx.Err() == nil {
				f.log.Error("a witness did not cosign", "witness", m.Verifier.Name(), "size", offered.Size, "error", errs[i])
			}
		})
	}
	wg.Wait()
	var valid [][]byte
	for _, line := range lines {
		if line != nil {
			valid = append(valid, line)
		}
	}
	return valid, errors.Join(errs...)
}

// tries is how often a witness may correct our idea of what it cosigned last: several processes may
// feed the same one.
const tries = 4

func (f *Feeder) cosignature(ctx context.Context, m Member, offered strict.Checkpoint, signed []byte) ([]byte, error) {
	name := m.Verifier.Name()
	for range tries {
		old := min(f.state.known(name), offered.Size)
		var proof tlog.TreeProof
		if 0 < old && old < offered.Size {
			var err error
			if proof, err = f.source.Prove(ctx, old, offered.Size); err != nil {
				return nil, err
			}
		}
		answer, err := m.Cosigner.AddCheckpoint(ctx, FormatRequest(old, proof, signed))
		var r *RefusedError
		switch {
		case err == nil:
			f.state.cosigned(name, offered.Size)
			return ownLine(m.Verifier, signed, answer)
		case !errors.As(err, &r) || r.Status != http.StatusConflict:
			return nil, err
		case r.Size == 0 && old > 0:
			f.state.forgot(name)
			f.log.Error("a witness forgot the ledger; it protects only what comes from now on", "witness", name, "error", ErrForgot)
		case r.Size > offered.Size:
			return nil, f.ahead(ctx, r.Size)
		}
		f.state.cosigned(name, r.Size)
	}
	return nil, ErrUnavailable
}

// ahead tells another process that was quicker from a ledger that was rolled back.
func (f *Feeder) ahead(ctx context.Context, seen int64) error {
	signed, err := f.source.Signed(ctx)
	if err != nil {
		return err
	}
	if now, ok := strict.CheckpointOf(signed); ok && now.Size >= seen {
		return errQuicker
	}
	return ErrAhead
}

// errQuicker says that another process that feeds the same witness offered a larger checkpoint.
var errQuicker = errors.New("another process was quicker")

// onlyQuicker says that nothing else went wrong.
func onlyQuicker(err error) bool {
	joined, ok := err.(interface{ Unwrap() []error }) // what errors.Join made, not what it wraps
	if !ok {
		return false
	}
	for _, e := range joined.Unwrap() {
		if !errors.Is(e, errQuicker) {
			return false
		}
	}
	return true
}

// ownLine is the valid cosignature by the key expected among those that came back; others are ignored.
func ownLine(v Verifier, signed, answer []byte) ([]byte, error) {
	text := signed[:bytes.LastIndex(signed, []byte("\n\n"))+2]
	opened, err := note.Open(slices.Concat(text, answer), note.VerifierList(v))
	if err != nil || len(opened.Sigs) != 1 {
		return nil, ErrNoSignature
	}
	s := opened.Sigs[0]
	return []byte("— " + s.Name + " " + s.Base64 + "\n"), nil
}
