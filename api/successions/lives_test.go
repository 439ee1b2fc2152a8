package successions_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/succession"
	"lethe/models"
)

// life is what the model knows of a person, beside the database: whether they are there, and with which roles.
type life struct {
	id       uuid.UUID
	here     bool
	disabled bool
	roles    map[models.Role]bool
	leaves   *models.Departure
	names    *int // the index of the successor for everything
}

func (l *life) can(role models.Role) bool { return l.here && !l.disabled && l.roles[role] }

// TestI32_RandomLives: people leave, are disabled, lose roles and name successors in any order; after each round nothing is
// held by who cannot hold it, and each hold is with whom the model says, along the chain of successors, or the role's.
func TestI32_RandomLives(t *testing.T) {
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		if run++; run > 5 { // a world is slow
			return
		}
		w := newWorld(t)
		people, holder := w.lives(), map[uuid.UUID]*int{}
		for i := range people {
			hold := uuid.New()
			w.Exec("INSERT INTO holds (id, everybody, matter, placed_by, ledger_entry_id) VALUES (?, true, '', ?, @entry)", hold, people[i].id)
			holder[hold] = &i
		}
		for range rapid.IntRange(4, 10).Draw(r, "steps") {
			i := rapid.IntRange(0, len(people)-1).Draw(r, "who")
			w.live(r, people, i)
			if !rapid.Bool().Draw(r, "round") {
				continue
			}
			w.sweep()
			for hold, at := range holder {
				if at != nil {
					holder[hold] = passes(people, *at)
				}
			}
			w.compare(r, people, holder)
		}
	})
}

func (w *world) lives() []*life {
	people := make([]*life, 5)
	for i := range people {
		id := w.employ(fmt.Sprintf("V-%d", i), models.RoleHRAdmin)
		people[i] = &life{id: id, here: true, roles: map[models.Role]bool{models.RoleHRAdmin: true}}
	}
	return people
}

// live has one thing happen to somebody.
func (w *world) live(r *rapid.T, people []*life, i int) {
	p := people[i]
	switch rapid.SampledFrom([]string{"name", "disable", "lose", "depart", "withdraw", "cutoff"}).Draw(r, "event") {
	case "name":
		to := rapid.IntRange(0, len(people)-1).Draw(r, "to")
		if v := w.holdings(p.id); p.here && w.name(p.id, v.Version, &people[to].id, nil).Status == 200 {
			p.names = &to
		}
	case "disable":
		w.disable(p.id)
		p.disabled = true
	case "lose":
		if p.can(models.RoleHRAdmin) {
			w.Run(func(tx *database.Tx) error {
				return identity.RevokeRole(tx, w.User(p.id), models.RoleHRAdmin, models.System)
			})
			p.roles[models.RoleHRAdmin] = false
		}
	case "depart":
		if p.leaves == nil && p.here {
			d := models.Departure{ID: w.begin(p.id).ID}
			p.leaves = &d
		}
	case "withdraw":
		if p.leaves != nil && p.here {
			w.Run(func(tx *database.Tx) error {
				return departure.Withdraw(tx, w.Vault, models.System, p.leaves.ID, "stays", true)
			})
			p.leaves = nil
		}
	case "cutoff":
		w.Env.Advance(w.t, 4*24*time.Hour) // ten times at most: tokens live 41 days
		for _, l := range people {
			if l.leaves != nil && l.here {
				w.Run(func(tx *database.Tx) error { _, err := departure.Advance(tx, l.leaves.ID, w.Systems); return err })
				l.here = false
			}
		}
	}
}

// passes is who holds a thing after a round; nil: the role.
func passes(people []*life, at int) *int {
	if people[at].can(models.RoleHRAdmin) {
		return &at
	}
	seen := map[int]bool{at: true}
	for p := people[at]; p.names != nil; p = people[*p.names] {
		to := *p.names
		if seen[to] {
			return nil
		}
		if people[to].can(models.RoleHRAdmin) {
			return &to
		}
		seen[to] = true
	}
	return nil
}

func (w *world) compare(r *rapid.T, people []*life, holder map[uuid.UUID]*int) {
	var ids []uuid.UUID
	for hold := range holder {
		ids = append(ids, hold)
	}
	passed, err := succession.Holders(w.t.Context(), w.App, models.HoldingHold, ids)
	if err != nil {
		r.Fatal(err)
	}
	for hold, at := range holder {
		to, did := passed[hold]
		switch {
		case at == nil && (!did || to != nil):
			r.Fatalf("a hold is with %v, want the role", to)
		case at != nil && did && (to == nil || *to != people[*at].id):
			r.Fatalf("a hold is with %v, want %d", to, *at)
		case at != nil && !did && !people[*at].can(models.RoleHRAdmin):
			r.Fatal("a hold stays with somebody who is gone")
		}
	}
	if _, err := w.Approvals.EndLeft(w.t.Context(), w.App); err != nil {
		r.Fatal(err)
	}
	var left int
	w.Run(func(tx *database.Tx) error {
		return tx.DB().Raw("SELECT count(*) FROM approvals WHERE state = ? AND NOT lethe_requester_stands(requester_user_id, requester_id, requester_role, requested_at)", models.ApprovalPending).Scan(&left).Error
	})
	if left != 0 {
		r.Fatalf("%d requests of people who are gone", left)
	}
}
