package departure_test

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/retention"
	"lethe/internal/vault"
	"lethe/models"
)

// purger destroys keys, and keeps its tombstones for as long as the test.
func (s *stand) purger(t *testing.T) *retention.Purger {
	t.Helper()
	tombstones, err := vault.OpenTombstones(filepath.Join(t.TempDir(), "tombstones"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tombstones.Close() })
	return retention.NewPurger(s.Facts, s.vault, tombstones)
}

// leave ends the employment at once.
func (s *stand) leave(t *testing.T, employee uuid.UUID) uuid.UUID {
	t.Helper()
	dep, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: departure.RequestedDates{Immediate: true}})
	if err != nil {
		t.Fatal(err)
	}
	s.advance(t, dep.ID)
	return dep.ID
}

// demo lets what is left of the current employment be due within minutes of its end.
func (s *stand) demo(t *testing.T, employee uuid.UUID) {
	t.Helper()
	err := databasetest.Exec(t, s.Facts, "UPDATE employments SET jurisdiction = 'DEMO', basis_entry_id = @entry WHERE employee_id = ? AND ended_at IS NULL", employee)
	if err != nil {
		t.Fatal(err)
	}
}

// purgeAll destroys everything of a departure that is due.
func (s *stand) purgeAll(t *testing.T, purger *retention.Purger, id uuid.UUID) {
	t.Helper()
	s.purgeAndCertify(t, purger, id, func(purge uuid.UUID) error {
		_, err := purger.Certify(t.Context(), purge, departure.CategoriesPurged)
		return err
	})
}

func (s *stand) purgeAndCertify(t *testing.T, purger *retention.Purger, id uuid.UUID, certify func(purge uuid.UUID) error) {
	t.Helper()
	ctx := t.Context()
	for range 5 {
		s.Advance(t, time.Minute)
		s.run(t, func(tx *database.Tx) error { _, err := retention.Look(tx, id, retention.Spread{}); return err })
		purges, _, err := retention.Purges(ctx, s.Facts, retention.PurgeFilter{Departures: []uuid.UUID{id}, State: models.PurgeClaimed})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range purges {
			s.run(t, func(tx *database.Tx) error {
				intent, err := retention.CommitIntent(tx, p.ID)
				if err == nil && intent.First {
					err = departure.PurgingBegan(tx, id)
				}
				return err
			})
			for _, step := range []func() error{
				func() error { return purger.Tombstone(ctx, p.ID) },
				func() error { return purger.DestroyKeys(ctx, p.ID) },
				func() error { return purger.Clear(ctx, p.ID, departure.ClearFile) },
				func() error { return purger.Probe(ctx, p.ID) },
				func() error { return certify(p.ID) },
			} {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if stage := s.read(t, id).Stage; stage != models.StagePurged {
		t.Fatalf("the departure is %s, want purged", stage)
	}
}

// TestI8_APurgeLeavesTheStatusOfWhoCameBack: the last purge of a former employment shows the person as
// purged only if no other employment of theirs has anything left, whatever that one is at.
func TestI8_APurgeLeavesTheStatusOfWhoCameBack(t *testing.T) {
	s := newStand(t)
	purger := s.purger(t)
	for name, c := range map[string]struct {
		then func(employee uuid.UUID)
		want models.EmployeeStatus
	}{
		"never came back": {nil, models.StatusPurged},
		"employed":        {func(uuid.UUID) {}, models.StatusActive},
		"leaving again": {func(e uuid.UUID) {
			if _, err := s.begin(t, departure.Notice{EmployeeID: e, RequestedDates: planned(s.inDays(t, 30))}); err != nil {
				t.Fatal(err)
			}
		}, models.StatusPendingDeparture},
		"left again, kept": {func(e uuid.UUID) { s.leave(t, e) }, models.StatusDeparted},
	} {
		employee := s.hire(t)
		s.demo(t, employee)
		former := s.leave(t, employee)
		if c.then != nil {
			person, err := database.First[models.Employee](s.Facts.Read(t.Context()).Where("id = ?", employee))
			if err != nil {
				t.Fatal(err)
			}
			s.rehire(t, person)
			c.then(employee)
		}
		s.purgeAll(t, purger, former)
		if got := s.status(t, employee); got != c.want {
			t.Errorf("%s: shown as %s, want %s", name, got, c.want)
		}
		if c.want != models.StatusPurged {
			continue
		}
		var exists *departure.ExistsError
		if _, err := s.begin(t, departure.Notice{EmployeeID: employee, RequestedDates: departure.RequestedDates{Immediate: true}}); !errors.As(err, &exists) || exists.Stage != models.StagePurged || exists.ID != former {
			t.Errorf("%s: leaving again: %v", name, err)
		}
	}
}

func (s *stand) rehire(t testing.TB, person models.Employee) {
	t.Helper()
	s.run(t, func(tx *database.Tx) error {
		_, _, err := archive.Create(tx, s.vault, archive.NewEmployee{
			EmployeeNo: person.EmployeeNo, Name: person.Name, DepartmentID: s.department.ID, HiredOn: *s.inDays(t, 0),
		})
		return err
	})
}

// TestI8_AFormerDepartureIsNotAnnulledOnceTheLaterEmploymentBegan: nor when that one has ended too, asked
// for before the person came back or after.
func TestI8_AFormerDepartureIsNotAnnulledOnceTheLaterEmploymentBegan(t *testing.T) {
	s := newStand(t)
	ask := func(id uuid.UUID) error {
		return s.try(t, func(tx *database.Tx) error { return departure.AskAnnulment(tx, s.vault, s.hr, id, "a mistake") })
	}
	var former []uuid.UUID
	for i := range 2 {
		employee := s.hire(t)
		former = append(former, s.leave(t, employee))
		if err := ask(former[i]); err != nil {
			t.Fatal(err)
		}
		person, err := database.First[models.Employee](s.Facts.Read(t.Context()).Where("id = ?", employee))
		if err != nil {
			t.Fatal(err)
		}
		s.rehire(t, person)
		if i == 1 {
			s.leave(t, employee)
		}
	}
	// That two people set the later hiring back before the former one changes nothing.
	if err := databasetest.Exec(t, s.Facts, "UPDATE employments SET hired_on = '2015-01-01', basis_entry_id = @entry WHERE hired_on > '2020-03-01'"); err != nil {
		t.Fatal(err)
	}
	for i, id := range former {
		confirmed := s.try(t, func(tx *database.Tx) error { return departure.ConfirmAnnulment(tx, s.second, id) })
		if asked := ask(id); !errors.Is(confirmed, departure.ErrRehired) || !errors.Is(asked, departure.ErrRehired) {
			t.Errorf("%d: confirmed: %v, asked: %v", i, confirmed, asked)
		}
	}
}

// TestARenameAndTheLastPurgeLockInOneOrder: a new name is copied to former departures too, and the last purge of one of
// them shows the person as purged. Neither waits for the other in a circle, so that none has to begin again.
func TestARenameAndTheLastPurgeLockInOneOrder(t *testing.T) {
	s := newStand(t)
	purger := s.purger(t)
	employee := s.hire(t)
	s.demo(t, employee)
	former := s.leave(t, employee)
	person, err := database.First[models.Employee](s.Facts.Read(t.Context()).Where("id = ?", employee))
	if err != nil {
		t.Fatal(err)
	}
	s.rehire(t, person)
	s.demo(t, employee)
	s.purgeAll(t, purger, s.leave(t, employee))
	const rounds = 5
	undone := errors.New("undone")
	s.purgeAndCertify(t, purger, former, func(purge uuid.UUID) error {
		var purges, renames atomic.Int32
		for i := range rounds {
			locked := make(chan struct{})
			var both sync.WaitGroup
			both.Go(func() {
				_, err := purger.Certify(t.Context(), purge, func(tx *database.Tx, c models.DestructionCertificate, categories []models.Category) error {
					if purges.Add(1) == int32(i+1) {
						close(locked)
						s.waiting(t)
					}
					return cmp.Or(departure.CategoriesPurged(tx, c, categories), undone)
				})
				if !errors.Is(err, undone) {
					t.Errorf("the purge: %v", err)
				}
			})
			both.Go(func() {
				name := fmt.Sprintf("Name %d", i)
				<-locked
				err := s.try(t, func(tx *database.Tx) error {
					renames.Add(1)
					return archive.Update(tx, s.vault, employee, archive.Patch{Name: &name})
				})
				if err != nil {
					t.Errorf("the rename: %v", err)
				}
			})
			both.Wait()
		}
		if purges.Load() != rounds || renames.Load() != rounds {
			t.Errorf("%d rounds took %d purges and %d renames", rounds, purges.Load(), renames.Load())
		}
		_, err := purger.Certify(t.Context(), purge, departure.CategoriesPurged)
		return err
	})
	if got := s.status(t, employee); got != models.StatusPurged {
		t.Errorf("shown as %s", got)
	}
}

// waiting returns once a transaction waits for another one's lock.
func (s *stand) waiting(t *testing.T) {
	for range 500 {
		var n int
		err := s.Facts.Read(t.Context()).Raw("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&n).Error
		if err != nil || n > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("nobody waits")
}
