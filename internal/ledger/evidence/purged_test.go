package evidence_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
	"lethe/internal/ledger/querylog"
)

// purge takes a person to the status purged, as the last of the purges does.
func (w *world) purge(person uuid.UUID) {
	w.t.Helper()
	for _, status := range []string{"pending_departure", "departed", "purged"} {
		w.run(func(tx *database.Tx) error {
			return tx.DB().Exec("UPDATE employees SET status = ? WHERE id = ?", status, person).Error
		})
	}
	departure := uuid.New()
	w.run(func(tx *database.Tx) error {
		//nolint:dupword // values in SQL
		err := tx.DB().Exec(`INSERT INTO departures (id, employee_id, employment_id, kind, notice_received_on, last_working_day,
			employment_end_date, access_cutoff_at, employment_ended_at, time_zone)
			SELECT ?, m.employee_id, m.id, 'resignation', t, t, t, t, t, m.time_zone
			FROM employments m, lethe_now() t WHERE m.employee_id = ?`, departure, person).Error
		return errors.Join(err, databasetest.Told(tx, departure))
	})
	for _, stage := range []string{"departed", "purging", "purged"} {
		w.run(func(tx *database.Tx) error {
			if err := databasetest.Told(tx, departure); err != nil {
				return err
			}
			return tx.DB().Exec(`UPDATE departures SET stage = ?, departed_at = coalesce(departed_at, lethe_now()),
				purged_at = CASE WHEN ? THEN lethe_now() END WHERE id = ?`, stage, stage == "purged", departure).Error
		})
	}
}

// TestI25_PacksThatShowAPurgedPersonEnd: with the purge, also before anybody has swept; the packs of
// others stay, and so does one that shows the purged person by a pseudonym.
func TestI25_PacksThatShowAPurgedPersonEnd(t *testing.T) {
	w := newWorld(t, 12)
	second := w.env.Hire(t, "CN").EmployeeID
	w.run(func(tx *database.Tx) error {
		_, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindDeparture, Action: "departure.started", Actor: &w.auditor, Subject: &second})
		return err
	})
	about := func(person uuid.UUID) evidence.Request {
		return evidence.Request{Filter: querylog.Filter{Subject: &person}}
	}
	shows, other := w.pack(about(w.person)), w.pack(about(second))
	if !slices.Contains(shows.export.People, w.person) || slices.Contains(other.export.People, w.person) {
		t.Fatalf("the packs show %v and %v", shows.export.People, other.export.People)
	}
	// Whom a pack of 0.2 shows is not known: any later purge ends it.
	unknown := w.pack(about(second))
	w.forgetPeople(unknown.export.ID)
	if err := w.maker.EndPurged(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, p := range []uuid.UUID{shows.export.ID, unknown.export.ID} {
		if err := evidence.Ended(t.Context(), w.env.Facts, p); err != nil {
			t.Errorf("before the purge: %v", err)
		}
	}
	w.purge(w.person)
	for name, err := range map[string]error{
		"a download that runs":   evidence.Ended(t.Context(), w.env.Facts, shows.export.ID),
		"a download that is new": func() error { _, err := evidence.Download(t.Context(), w.env.Facts, shows.export.ID); return err }(),
		"one of unknown people":  evidence.Ended(t.Context(), w.env.Facts, unknown.export.ID),
	} {
		if !errors.Is(err, evidence.ErrPurged) {
			t.Errorf("%s, right after the purge: %v", name, err)
		}
	}
	for range 2 { // the second finds nothing to do
		if err := w.maker.EndPurged(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ended, err := evidence.Get(t.Context(), w.env.Facts, shows.export.ID)
	if err != nil || ended.State != evidence.Purged || ended.File != "" || len(ended.People) != 0 {
		t.Errorf("the pack's row: %s, file %q, %d people, %v", ended.State, ended.File, len(ended.People), err)
	}
	if _, err := os.Stat(w.maker.Path(shows.export)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the pack's file: %v", err)
	}
	var entries int64
	err = w.env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM ledger_content WHERE action = ? AND object = ?",
		evidence.ActionPurged, evidence.Object(shows.export.ID)).Scan(&entries).Error
	if err != nil || entries != 1 {
		t.Errorf("%d entries, %v", entries, err)
	}
	if _, err := evidence.Download(t.Context(), w.env.Facts, other.export.ID); err != nil {
		t.Errorf("somebody else's pack: %v", err)
	}
	later := w.pack(about(second))
	w.forgetPeople(later.export.ID)
	if err := evidence.Ended(t.Context(), w.env.Facts, later.export.ID); err != nil {
		t.Errorf("a pack of unknown people from after the purge: %v", err)
	}
	again := w.pack(about(w.person))
	if err := w.maker.EndPurged(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := evidence.Download(t.Context(), w.env.Facts, again.export.ID); err != nil || slices.Contains(again.export.People, w.person) {
		t.Errorf("a pack from after the purge: %v", err)
	}
	var no string
	if err := w.env.Facts.Read(t.Context()).Raw("SELECT employee_no FROM employees WHERE id = ?", w.person).Scan(&no).Error; err != nil || no == "" {
		t.Fatal(err)
	}
	for member, content := range again.members {
		if strings.Contains(string(content), no) {
			t.Errorf("%s of a pack from after the purge shows the number", member)
		}
	}
}

func (w *world) forgetPeople(export uuid.UUID) {
	w.t.Helper()
	if err := w.env.Facts.Read(w.t.Context()).Exec("UPDATE query_log_exports SET people = NULL WHERE id = ?", export).Error; err != nil {
		w.t.Fatal(err)
	}
}
