package vault_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/reasons"
	"lethe/internal/vault"
	"lethe/models"
)

// TestI25_ReasonsEndWithTheLog: what was written in a month opens until the database lets the log's
// content of that month go, and not a moment longer; what was written in the next one opens then. Ten
// years are written out here.
func TestI25_ReasonsEndWithTheLog(t *testing.T) {
	b := newBench(t)
	reasons.Attach(b.Facts, b.vault)
	now, err := b.Facts.Now(t.Context())
	must(t, err)
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	write := func(text string) reasons.Text {
		place := reasons.Cell("approvals.reason_sealed", uuid.New())
		var sealed models.Sealed
		must(t, database.Run(t.Context(), b.Facts, func(tx *database.Tx) (err error) {
			sealed, err = reasons.Seal(tx, place, text)
			return err
		}))
		return reasons.Text{Cell: place, Sealed: sealed}
	}
	old, same := write("private debt"), write("of the same month")
	b.Advance(t, first.AddDate(0, 1, 0).Sub(now)+time.Hour)
	young := write("of the next month")
	opened := func(want ...string) {
		t.Helper()
		got, err := reasons.Open(t.Context(), b.Facts, old, young, same)
		must(t, err)
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("text %d opens as %q, want %q", i, got[i], want[i])
			}
		}
	}
	end := func(want int) {
		t.Helper()
		if n, err := b.vault.EndReasons(t.Context(), b.Facts); err != nil || n != want {
			t.Errorf("%d keys ended, want %d: %v", n, want, err)
		}
	}
	drop := func() error {
		return database.Hide(b.Facts.Read(t.Context()).Exec("SELECT ledger_drop_content(?)", first.Format(time.DateOnly)).Error)
	}
	now, err = b.Facts.Now(t.Context())
	must(t, err)
	b.Advance(t, time.Date(first.Year()+10, first.Month()+1, 1, 0, 0, 0, 0, time.UTC).Sub(now)-time.Hour)
	if err := drop(); database.Code(err) != database.CodeTooEarly {
		t.Errorf("the log's content may be dropped already: %v", err)
	}
	end(0)
	opened("private debt", "of the next month", "of the same month")
	b.Advance(t, 2*time.Hour)
	must(t, drop())
	must(t, b.vault.Housekeep(t.Context(), b.Facts))
	opened("", "of the next month", "")
	end(0)
	var entries int64
	must(t, b.Facts.Read(t.Context()).Table("ledger_content").Where("action = 'reasons.ended' AND details ->> 'months' = ?", first.Format("2006-01")).Count(&entries).Error)
	if entries != 1 {
		t.Errorf("%d entries say that they ended", entries)
	}
	// A month that ended gets no other key.
	if _, err := b.vault.SealReason(t.Context(), first, "p", "late"); !errors.Is(err, vault.ErrPurged) {
		t.Errorf("sealing for a month that ended: %v", err)
	}
}

// TestI25_AReasonOpensAtItsPlaceOnly: moved to another row or column it does not open, and two that write
// the first text of a month at once share its key.
func TestI25_AReasonOpensAtItsPlaceOnly(t *testing.T) {
	b := newBench(t)
	at, err := b.Facts.Now(t.Context())
	must(t, err)
	type made struct {
		sealed models.Sealed
		err    error
	}
	both := make(chan made, 2)
	for _, v := range []*vault.Vault{b.vault, b.again(t)} {
		go func() {
			s, err := v.SealReason(t.Context(), at, "here", "text")
			both <- made{s, err}
		}()
	}
	var sealed []models.Sealed
	for range 2 {
		m := <-both
		must(t, m.err)
		sealed = append(sealed, m.sealed)
	}
	var keys int64
	must(t, b.Keys.Read(t.Context()).Table("loose_keys").Count(&keys).Error)
	if keys != 1 {
		t.Errorf("%d keys of one month", keys)
	}
	opened, err := b.vault.OpenReasons(t.Context(), []reasons.Text{{Cell: "here", Sealed: sealed[0]}, {Cell: "here", Sealed: sealed[1]}})
	if err != nil || opened[0] != "text" || opened[1] != "text" {
		t.Errorf("opened as %v: %v", opened, err)
	}
	if _, err := b.vault.OpenReasons(t.Context(), []reasons.Text{{Cell: "there", Sealed: sealed[0]}}); !errors.Is(err, vault.ErrDamaged) {
		t.Errorf("at another place: %v", err)
	}
}
