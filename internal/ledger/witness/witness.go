// Package witness is the other administration's side of the ledger: it remembers the largest
// checkpoint of a log that it has seen, cosigns only what extends it, and so notices a ledger that
// was rolled back or rewritten by those who hold its keys. The HTTP protocol is c2sp.org/tlog-witness,
// the signatures are c2sp.org/tlog-cosignature; other witnesses of that kind serve as well.
package witness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"lethe/internal/ledger/strict"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// RefusedError is why a checkpoint was not cosigned. Its texts quote nothing that was submitted.
type RefusedError struct {
	Status int    // the HTTP status that c2sp.org/tlog-witness gives this refusal
	Size   int64  // with 409: the size of the latest checkpoint cosigned
	Why    string // for whoever reads the log of either side
}

func (r *RefusedError) Error() string {
	return fmt.Sprintf("the witness refused (%d): %s", r.Status, r.Why)
}

func refuse(status int, why string) error { return &RefusedError{Status: status, Why: why} }

// Logs are the logs that a witness knows: the keys that may sign a checkpoint of that origin and
// size, and whether the origin is known at all.
type Logs func(origin string, size int64) (keys []note.Verifier, known bool)

// Witness is the state machine: it cosigns a checkpoint only if it extends the last one of its log.
type Witness struct {
	signer *Signer
	logs   Logs
	store  *Store
}

// New is a witness of logs whose state is in store.
func New(signer *Signer, logs Logs, store *Store) *Witness {
	return &Witness{signer: signer, logs: logs, store: store}
}

// Verifier checks what this witness signs.
func (w *Witness) Verifier() Verifier { return w.signer.Verifier }

// AddCheckpoint takes the body of an add-checkpoint request and answers with signature lines, or a
// [RefusedError]. The state is on disk before it answers: a witness that dies in between has signed
// nothing that it does not remember.
func (w *Witness) AddCheckpoint(_ context.Context, body []byte) ([]byte, error) {
	r, err := parseRequest(body)
	if err != nil {
		return nil, err
	}
	keys, known := w.logs(r.checkpoint.Origin, r.checkpoint.Size)
	if !known {
		return nil, refuse(http.StatusNotFound, "unknown origin")
	}
	opened, err := note.Open(r.note, note.VerifierList(keys...))
	if err != nil {
		return nil, refuseSignature(err)
	}
	if r.old > r.checkpoint.Size {
		return nil, refuse(http.StatusBadRequest, "the old size is larger than the checkpoint's")
	}
	var lines []byte
	err = w.store.update(r.checkpoint.Origin, func(last []byte) ([]byte, error) {
		if err := w.check(r, last); err != nil {
			return nil, err
		}
		signed, line, err := w.cosign(opened)
		lines = line
		return signed, err
	})
	if err != nil {
		return nil, err
	}
	return lines, nil
}

func refuseSignature(err error) error {
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified):
		return refuse(http.StatusForbidden, "no signature by a key of this log")
	case errors.As(err, &invalid):
		return refuse(http.StatusForbidden, "invalid signature")
	}
	return refuse(http.StatusBadRequest, "malformed note")
}

// emptyRoot is the root of a tree without leaves (RFC 6962, section 2.1).
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

// check is the promise of a witness. last is the note cosigned before, nil if there was none.
func (w *Witness) check(r request, last []byte) error {
	stored := strict.Checkpoint{Root: emptyRoot}
	if last != nil {
		var err error
		if stored, err = w.remembered(last, r.checkpoint.Origin); err != nil {
			return err
		}
	}
	switch {
	case r.old != stored.Size:
		return &RefusedError{Status: http.StatusConflict, Size: stored.Size, Why: "the old size is not the latest cosigned one"}
	case r.checkpoint.Size == 0 && r.checkpoint.Root != emptyRoot:
		return refuse(http.StatusUnprocessableEntity, "the root of an empty tree is another")
	case r.old == 0 && len(r.proof) > 0:
		return refuse(http.StatusUnprocessableEntity, "a consistency proof from the empty tree has no hashes")
	case r.old == 0:
		return nil
	case tlog.CheckTree(r.proof, r.checkpoint.Size, r.checkpoint.Root, stored.Size, stored.Root) != nil:
		return refuse(http.StatusUnprocessableEntity, "the checkpoint does not extend the latest cosigned one")
	}
	return nil
}

// remembered reads back what this witness wrote; anything but its own signature on it means that
// its memory was tampered with or damaged, and then it signs nothing.
func (w *Witness) remembered(last []byte, origin string) (strict.Checkpoint, error) {
	opened, err := note.Open(last, note.VerifierList(w.signer.Verifier))
	if err != nil {
		return strict.Checkpoint{}, ErrState
	}
	c, ok := strict.ParseCheckpoint(opened.Text)
	if !ok || c.Origin != origin {
		return strict.Checkpoint{}, ErrState
	}
	return c, nil
}

// cosign gives the note as it is remembered and served, and this witness's line alone.
func (w *Witness) cosign(opened *note.Note) (signed, line []byte, err error) {
	own, err := note.Sign(&note.Note{Text: opened.Text}, w.signer)
	if err != nil {
		return nil, nil, fmt.Errorf("cosigning: %w", err)
	}
	line = own[len(opened.Text)+1:]
	log, err := note.Sign(&note.Note{Text: opened.Text, Sigs: opened.Sigs})
	if err != nil {
		return nil, nil, fmt.Errorf("cosigning: %w", err)
	}
	return append(log, line...), line, nil
}

// Latest is the note last cosigned for an origin, with the log's and this witness's signature; nil
// if there is none.
func (w *Witness) Latest(origin string) ([]byte, error) {
	return w.store.latest(OriginHash(origin))
}

// request is the body of an add-checkpoint call.
type request struct {
	old        int64
	proof      tlog.TreeProof
	checkpoint strict.Checkpoint
	note       []byte
}

// maxProof is the number of hashes that c2sp.org/tlog-witness allows.
const maxProof = 63

func parseRequest(body []byte) (request, error) {
	malformed := func(why string) (request, error) { return request{}, refuse(http.StatusBadRequest, why) }
	head, signed, found := bytes.Cut(body, []byte("\n\n"))
	if !found {
		return malformed("no empty line before the checkpoint")
	}
	lines := strings.Split(string(head), "\n")
	digits, isOld := strings.CutPrefix(lines[0], "old ")
	old, ok := strict.Decimal(digits)
	if !isOld || !ok {
		return malformed("malformed old size")
	}
	if len(lines)-1 > maxProof {
		return malformed("too many hashes")
	}
	r := request{old: old, note: signed}
	for _, line := range lines[1:] {
		h, ok := strict.Base64(line)
		if !ok || len(h) != tlog.HashSize {
			return malformed("malformed hash")
		}
		r.proof = append(r.proof, tlog.Hash(h))
	}
	if r.checkpoint, ok = strict.CheckpointOf(signed); !ok {
		return malformed("malformed checkpoint")
	}
	return r, nil
}

// FormatRequest is the body of an add-checkpoint request for a signed checkpoint.
func FormatRequest(old int64, proof tlog.TreeProof, signed []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range proof {
		b.WriteString(h.String() + "\n")
	}
	b.WriteByte('\n')
	b.Write(signed)
	return b.Bytes()
}
