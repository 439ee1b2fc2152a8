package approval

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/models"
)

// TestI25_NothingOfARequestCanBeGuessedFromIt: who knows operation and command, and what versions and
// hashes were made of before, finds none of it in the row. It decides about two kinds of requests: with
// a file, and without.
func TestI25_NothingOfARequestCanBeGuessedFromIt(t *testing.T) {
	w := newWorld(t)
	file := sha256.Sum256([]byte("employee_no\nE4711\n"))
	for _, order := range []Order{
		{Operation: opBump, Command: bump{Target: w.counter(t), Note: "4711"}},
		{Operation: opBump, Command: bump{Target: w.counter(t), Note: "4711"}, FileHash: file[:]},
	} {
		var row models.Approval
		w.tx(t, w.as(w.asker, models.RoleHRAdmin), func(tx *database.Tx) (err error) {
			row, err = w.registry.Request(tx, order)
			return err
		})
		command, err := canonical(order.Command)
		if err != nil {
			t.Fatal(err)
		}
		for name, guess := range map[string][]byte{
			"the fingerprint of 0.2": digest([]byte("lethe approval request 1"), []byte(opBump), command),
			"a plain hash":           digest([]byte(opBump), command), "the file's hash": file[:],
		} {
			for column, kept := range map[string][]byte{
				"fingerprint": row.Fingerprint, "command_hash": row.CommandHash, "state_digest": row.StateDigest, "file_hash": row.FileHash, "hash": row.Hash,
			} {
				if bytes.Equal(kept, guess) {
					t.Errorf("%s is %s", column, name)
				}
			}
		}
		if stored := w.get(t, row.ID); strings.Contains(stored.Targets, "version") {
			t.Errorf("the versions of the targets lie in clear: %s", stored.Targets)
		}
		if decided, err := w.decide(w.first, row.ID, models.ApprovalApproved); err != nil || decided.State != models.ApprovalApproved {
			t.Errorf("deciding: %s, %v", decided.State, err)
		}
	}
}

// TestTheSameRequestIsOpenOnceAcrossTheNextKey: the key that its fingerprint was made with is followed by
// another one.
func TestTheSameRequestIsOpenOnceAcrossTheNextKey(t *testing.T) {
	w := newWorld(t)
	row, target := w.ask(t)
	w.env.Digests.Follow(keyed.Approvals)
	if again := w.askFor(t, target); again.ID != row.ID {
		t.Error("the same person asking again got another request")
	}
	other := database.Run(w.as(w.second, models.RoleHRAdmin), w.env.Facts, func(tx *database.Tx) error {
		_, err := w.registry.Request(tx, Order{Operation: opBump, Command: bump{Target: target}})
		return err
	})
	var open *OpenError
	if !errors.As(other, &open) || open.ID != row.ID {
		t.Errorf("another person asking for the same: %v", other)
	}
	for range 2 {
		w.askAtOnce(t)
	}
}
