package departure_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/message"
	"lethe/internal/subject"
	"lethe/models"
)

// TestI25_ConsentEndsWithThePersonsData, with the last of it and not before: what a second employment still has keeps it,
// and who comes back after that is asked anew.
func TestI25_ConsentEndsWithThePersonsData(t *testing.T) {
	s := newStand(t)
	purger := s.purger(t)
	agree := func(id uuid.UUID, agreed bool) error {
		return database.Run(t.Context(), s.Facts, func(tx *database.Tx) error {
			_, err := consent.Record(tx, models.Actor{EmployeeID: id, Role: models.RoleEmployee}, consent.Answers{
				EmployeeID: id, Version: 1, Answers: []consent.Answer{{Purpose: models.ConsentMessages, Agreed: agreed}},
			})
			return err
		})
	}
	state := func(id uuid.UUID) consent.State {
		st, err := consent.To(s.Facts.Read(t.Context()), id, models.ConsentMessages)
		if err != nil {
			t.Fatal(err)
		}
		return st.State
	}
	person := func(id uuid.UUID) models.Employee {
		e, err := database.First[models.Employee](s.Facts.Read(t.Context()).Where("id = ?", id))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	twice, once := s.hire(t), s.hire(t)
	for _, id := range []uuid.UUID{twice, once} {
		s.demo(t, id)
		if err := agree(id, true); err != nil {
			t.Fatal(err)
		}
	}
	s.run(t, func(tx *database.Tx) error {
		value := "private@mail.example"
		return archive.Update(tx, s.vault, once, archive.Patch{Fields: map[string]*string{"personal_email": &value}})
	})
	first, only := s.leave(t, twice), s.leave(t, once)
	s.rehire(t, person(twice))
	s.purgeAll(t, purger, first)
	if got := state(twice); got != consent.Given {
		t.Errorf("with a second employment that is kept: %s", got)
	}
	if got := state(once); got != consent.Given {
		t.Errorf("after leaving: %s", got)
	}
	asks := func(id uuid.UUID) (r models.SubjectRequest) {
		s.run(t, func(tx *database.Tx) (err error) {
			r, err = subject.Ask(tx, models.Actor{EmployeeID: id, Role: models.RoleEmployee}, subject.New{EmployeeID: id, Kind: models.SubjectErasure, Text: "请删除"})
			return err
		})
		return r
	}
	kept, ends := asks(twice), asks(once)
	var waits models.Message
	s.run(t, func(tx *database.Tx) (err error) {
		waits, err = message.Ask(tx, models.Actor{EmployeeID: s.hire(t), Role: models.RoleHRAdmin}, message.Request{EmployeeID: once, Configured: true})
		return err
	})
	s.purgeAll(t, purger, only)
	if m, err := message.Get(t.Context(), s.Facts, waits.ID); err != nil || m.State != models.MessageEnded || m.EndedAs != models.EndDeleted {
		t.Errorf("what was to be sent is %+v, %v", m, err)
	}
	if got := state(once); got != consent.Ended {
		t.Errorf("after the purge: %s", got)
	}
	if r, err := subject.Get(t.Context(), s.Facts, ends.ID); err != nil || r.State != models.SubjectEnded || !r.TextSealed.IsNull() {
		t.Errorf("what was asked for is %+v, %v", r, err)
	}
	if r, err := subject.Get(t.Context(), s.Facts, kept.ID); err != nil || r.State != models.SubjectOpen || r.TextSealed.IsNull() {
		t.Errorf("with a second employment what was asked for is %+v, %v", r, err)
	}
	if err := agree(once, true); !errors.Is(err, consent.ErrGone) {
		t.Errorf("answered after the purge: %v", err)
	}
	s.run(t, func(tx *database.Tx) error { return consent.End(tx, once) })
	var rows int64
	s.run(t, func(tx *database.Tx) error {
		return database.Hide(tx.DB().Model(&models.Consent{}).Where("employee_id = ?", once).Count(&rows).Error)
	})
	if rows != 2 {
		t.Errorf("%d rows after ending twice, want 2", rows)
	}
	s.rehire(t, person(once))
	open, err := consent.ToAnswer(s.Facts.Read(t.Context()), once)
	if err != nil || len(open) != len(models.ConsentPurposes) {
		t.Errorf("who came back is asked for %v, %v", open, err)
	}
	if err := agree(once, true); err != nil || state(once) != consent.Given {
		t.Errorf("answered anew: %v, %s", err, state(once))
	}
}
