package database_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// insertDeparture inserts a departure in its first state, which ends tomorrow.
func insertDeparture(t *testing.T, env *databasetest.Env, employment models.Employment) uuid.UUID {
	t.Helper()
	now, err := env.Facts.Now(t.Context())
	must(t, err)
	id, err := uuid.NewV7()
	must(t, err)
	today := clock.DateOf(now)
	dep := models.Departure{
		ID: id, EmployeeID: employment.EmployeeID, EmploymentID: employment.ID, Kind: models.KindResignation,
		Stage: models.StagePendingDeparture, AccountsState: models.AccountsLinked, NoticeReceivedOn: today,
		LastWorkingDay: today, EmploymentEndDate: today, AccessCutoffAt: now.Add(24 * time.Hour), EmploymentEndedAt: now.Add(24 * time.Hour),
		TimeZone: "Asia/Shanghai", CountsFrom: now.Add(24 * time.Hour), Driven: models.Driven{Revision: 1},
	}
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		return errors.Join(database.Hide(tx.DB().Create(&dep).Error), databasetest.Told(tx, id))
	}))
	return id
}

func TestRun_CommitsOrRollsBack(t *testing.T) {
	env := databasetest.New(t)
	failed := errors.New("failed")
	insert := func(tx *database.Tx, code string) error {
		return tx.DB().Exec("INSERT INTO legal_entities VALUES (gen_random_uuid(), ?, '', '', '', '')", code).Error
	}
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error { return insert(tx, "kept") }))
	wantError(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		must(t, insert(tx, "lost"))
		return failed
	}), failed)
	func() {
		defer func() { _ = recover() }()
		_ = database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
			must(t, insert(tx, "lost in a panic"))
			panic("bug")
		})
	}()
	var codes []string
	must(t, env.Facts.Read(t.Context()).Raw("SELECT code FROM legal_entities").Scan(&codes).Error)
	if diff := cmp.Diff([]string{"kept"}, codes); diff != "" {
		t.Error(diff)
	}
}

// TestRun_RetriesADeadlock makes two transactions lock two rows crosswise: the database ends one of
// them, which runs again and commits.
func TestRun_RetriesADeadlock(t *testing.T) {
	env := databasetest.New(t)
	one, two := env.Hire(t, "CN"), env.Hire(t, "CN")
	var both, all sync.WaitGroup
	both.Add(2)
	var mu sync.Mutex
	tries := 0
	cross := func(first, second uuid.UUID) {
		met := false
		err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
			mu.Lock()
			tries++
			mu.Unlock()
			for _, id := range []uuid.UUID{first, second} {
				if err := tx.DB().Exec("UPDATE employments SET post = post || '+' WHERE id = ?", id).Error; err != nil {
					return database.Hide(err)
				}
				if !met {
					met = true
					both.Done()
					both.Wait()
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	all.Go(func() { cross(one.ID, two.ID) })
	all.Go(func() { cross(two.ID, one.ID) })
	all.Wait()
	if tries < 3 { // more if the victim is back before the other one went on
		t.Errorf("%d tries, want at least 3: two, and the victim once more", tries)
	}
	for _, id := range []uuid.UUID{one.ID, two.ID} {
		row, err := database.First[models.Employment](env.Facts.Read(t.Context()).Where("id = ?", id))
		must(t, err)
		if row.Post != "工程师++" {
			t.Errorf("post is %q: an update was lost or done twice", row.Post)
		}
	}
}

func TestRun_RetriesOnlyWhatMayPass(t *testing.T) {
	env := databasetest.New(t)
	for code, want := range map[string]int{"40P01": 4, "40001": 4, "23505": 1, "LT001": 1} {
		tries := 0
		err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
			tries++
			return database.Hide(tx.DB().Exec("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '" + code + "'; END $$").Error)
		})
		if database.Code(err) != code || tries != want {
			t.Errorf("%s: %d tries, want %d; error %v", code, tries, want, err)
		}
	}
}

// TestNudge: after the commit, once for each row, and never for what was rolled back or only seen.
func TestNudge(t *testing.T) {
	env := databasetest.New(t)
	a, b := insertDeparture(t, env, env.Hire(t, "CN")), insertDeparture(t, env, env.Hire(t, "CN"))
	var nudged []models.DrivenRef
	env.Facts.OnNudge(func(_ context.Context, refs []models.DrivenRef) {
		var committed int64
		must(t, env.Facts.Read(t.Context()).Model(&models.Departure{}).Where("id = ?", a).Pluck("revision", &committed).Error)
		if committed != 3 {
			t.Errorf("revision %d is visible to the hook, want 3: nudged before the commit", committed)
		}
		nudged = append(nudged, refs...)
	})
	failed := errors.New("failed")
	wantError(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		must(t, tx.Touch(models.DrivenDeparture, b))
		return failed
	}), failed)
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		for _, id := range []uuid.UUID{a, b, a} {
			must(t, tx.Touch(models.DrivenDeparture, id))
		}
		return tx.Seen(models.DrivenDeparture, b, nil)
	}))
	if diff := cmp.Diff([]models.DrivenRef{{Kind: models.DrivenDeparture, ID: a}}, nudged); diff != "" {
		t.Error(diff)
	}
	for _, err := range []error{
		database.Run(t.Context(), env.Facts, func(tx *database.Tx) error { return tx.Touch(models.DrivenPurge, uuid.New()) }),
		database.Run(t.Context(), env.Facts, func(tx *database.Tx) error { return tx.Seen(models.DrivenPurge, uuid.New(), nil) }),
	} {
		wantError(t, err, database.ErrNotFound)
	}
}

// TestI17_TouchBesideSeenIsNeverLost: a command that touches a row while a facts activity reads it
// either is part of what was read, or leaves the row unseen.
func TestI17_TouchBesideSeenIsNeverLost(t *testing.T) {
	env := databasetest.New(t)
	id := insertDeparture(t, env, env.Hire(t, "CN"))
	lock := func(tx *database.Tx) (note string, err error) {
		err = tx.DB().Raw("SELECT time_zone FROM departures WHERE id = ? FOR NO KEY UPDATE", id).Scan(&note).Error
		return note, err
	}
	before, err := database.First[models.Departure](env.Facts.Read(t.Context()).Where("id = ?", id))
	must(t, err)
	zone := before.TimeZone
	var read string
	var all sync.WaitGroup
	const rounds = 40
	all.Go(func() {
		for range rounds {
			err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
				if _, err := lock(tx); err != nil {
					return err
				}
				if err := tx.DB().Exec("UPDATE departures SET time_zone = time_zone || '+' WHERE id = ?", id).Error; err != nil {
					return err
				}
				if err := databasetest.Told(tx, id); err != nil {
					return err
				}
				return tx.Touch(models.DrivenDeparture, id)
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
	all.Go(func() {
		for range rounds {
			err := database.Run(t.Context(), env.Facts, func(tx *database.Tx) (err error) {
				if read, err = lock(tx); err != nil {
					return err
				}
				return tx.Seen(models.DrivenDeparture, id, nil)
			})
			if err != nil {
				t.Error(err)
			}
			row, err := database.First[models.Departure](env.Facts.Read(t.Context()).Where("id = ?", id))
			if err != nil {
				t.Error(err)
				return
			}
			if row.Revision == row.SeenRevision && row.TimeZone != read {
				t.Errorf("revision %d counts as seen, %d changes of %d were read", row.Revision, len(read), len(row.TimeZone))
			}
		}
	})
	all.Wait()
	row, err := database.First[models.Departure](env.Facts.Read(t.Context()).Where("id = ?", id))
	must(t, err)
	if row.Revision != rounds+1 || len(row.TimeZone) != len(zone)+rounds {
		t.Errorf("revision %d after %d touches", row.Revision, rounds)
	}
	// A touch that commits after the facts were read leaves the row unseen.
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error { return tx.Seen(models.DrivenDeparture, id, &row.AccessCutoffAt) }))
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error { return tx.Touch(models.DrivenDeparture, id) }))
	row, err = database.First[models.Departure](env.Facts.Read(t.Context()).Where("id = ?", id))
	must(t, err)
	if row.SeenRevision != rounds+1 || row.Revision != rounds+2 || row.WakeAt == nil || !row.WakeAt.Equal(row.AccessCutoffAt) {
		t.Errorf("revision %d, seen %d, wake at %v", row.Revision, row.SeenRevision, row.WakeAt)
	}
}

// TestI4_HoldsLock: intents share it, a hold takes it alone.
func TestI4_HoldsLock(t *testing.T) {
	env := databasetest.New(t)
	free := func(lock func(tx *database.Tx) error) bool {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		return database.Run(ctx, env.Facts, lock) == nil
	}
	shared, alone := (*database.Tx).LockHoldsShared, (*database.Tx).LockHolds
	for _, test := range []struct {
		name       string
		held, asks func(tx *database.Tx) error
		want       bool
	}{
		{"two intents", shared, shared, true}, {"a hold beside an intent", shared, alone, false},
		{"an intent beside a hold", alone, shared, false}, {"two holds", alone, alone, false},
	} {
		must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
			if err := test.held(tx); err != nil {
				return err
			}
			if got := free(test.asks); got != test.want {
				t.Errorf("%s: granted is %v, want %v", test.name, got, test.want)
			}
			return nil
		}))
	}
}

func TestUpdateOne(t *testing.T) {
	env := databasetest.New(t)
	employment := env.Hire(t, "CN")
	g := env.Facts.Read(t.Context())
	must(t, database.UpdateOne(g.Exec("UPDATE employments SET post = 'x' WHERE id = ?", employment.ID)))
	wantError(t, database.UpdateOne(g.Exec("UPDATE employments SET post = 'x' WHERE id = ?", uuid.New())), database.ErrChanged)
	if err := database.UpdateOne(g.Exec("UPDATE employments SET post = NULL")); database.Code(err) != "23502" {
		t.Errorf("got %v, want the database's refusal", err)
	}
	_, err := database.First[models.Employment](g.Where("id = ?", uuid.New()))
	wantError(t, err, database.ErrNotFound)
}
