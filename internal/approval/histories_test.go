package approval

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/launch/launchtest"
	"lethe/internal/ledger"
	"lethe/models"
)

// histories plays what happens to people between request, decision and effect on the real thing and on the
// model: four persons of whom two have a second account, two roles, and requests about nobody or about one
// of them.
type histories struct {
	*world
	t       *testing.T
	random  *rand.Rand
	persons []uuid.UUID
	users   []uuid.UUID
	rows    []models.Approval
	targets []uuid.UUID
	model   model
	settled map[models.ApprovalState]int
	log     []string
}

// act is one thing that somebody does: to the model, and for real. Both say what was answered.
type act struct {
	name  string
	model func(m *model) string
	real  func() (string, error)
}

func TestI21_I32_RandomHistoriesOfAuthority(t *testing.T) {
	steps, seed := launchtest.Steps(t, 1000), launchtest.Seed(t)
	h := &histories{world: newWorld(t), t: t, random: rand.New(rand.NewPCG(seed, seed)), settled: map[models.ApprovalState]int{}}
	for i, p := range []person{h.asker, h.first, h.second, h.subject} {
		h.persons = append(h.persons, p.actor)
		h.join(i, p.user)
	}
	for i, p := range h.persons[:2] {
		h.join(i, h.secondAccount(p))
	}
	counted := map[string]int{}
	for step := range steps {
		if h.random.IntN(5) == 0 && len(h.rows) > 0 {
			counted["two at once"]++
			h.race(h.decision(), h.event())
		} else {
			a := h.any()
			counted[a.name]++
			h.play(a)
		}
		if step%50 == 49 {
			h.compare()
		}
		if t.Failed() {
			t.Fatalf("step %d: the last ones were %q", step, h.log[max(0, len(h.log)-12):])
		}
	}
	h.compare()
	states := h.settled
	for _, r := range h.model.requests {
		states[r.state]++
	}
	t.Logf("%v; requests: %v", counted, states)
	for _, state := range []models.ApprovalState{models.ApprovalApproved, models.ApprovalRejected, models.ApprovalVoid} {
		if states[state] == 0 && steps >= 10_000 { // a short one may miss one by chance
			t.Errorf("nothing was %s: the histories are too tame", state)
		}
	}
}

func (h *histories) secondAccount(of uuid.UUID) (id uuid.UUID) {
	h.tx(h.t, context.Background(), func(tx *database.Tx) error {
		user, err := identity.EnsureUser(tx, of, "alias-"+of.String())
		id = user.ID
		return errors.Join(err, identity.Grant(tx, id, models.RoleHRAdmin, models.System), identity.Grant(tx, id, models.RoleReviewer, models.System))
	})
	return id
}

func (h *histories) join(person int, user uuid.UUID) {
	h.users = append(h.users, user)
	h.model.users = append(h.model.users, modelUser{
		person: person, state: models.UserActive, setBy: -1, halves: map[int]bool{},
		roles: map[models.Role]int{models.RoleHRAdmin: 0, models.RoleReviewer: 0},
	})
}

func (h *histories) user() int { return h.random.IntN(len(h.users)) }

func (h *histories) role() models.Role {
	return []models.Role{models.RoleHRAdmin, models.RoleReviewer}[h.random.IntN(2)]
}

func (h *histories) any() act {
	switch n := h.random.IntN(10); {
	case n < 3 || len(h.rows) == 0:
		return h.request()
	case n < 6:
		return h.decision()
	}
	return h.event()
}

func (h *histories) person(user int) person {
	return person{h.persons[h.model.users[user].person], h.users[user]}
}

func (h *histories) request() act {
	user, role, subject := h.user(), h.role(), h.random.IntN(2*len(h.persons))-len(h.persons)
	if subject < 0 {
		subject = -1
	}
	return act{
		"request", func(m *model) string { return m.ask(user, role, subject) },
		func() (string, error) {
			target := uuid.New()
			ctx := models.WithCaller(context.Background(), h.bearer(h.person(user), role).Caller("test"))
			var row models.Approval
			err := database.Run(ctx, h.env.Facts, func(tx *database.Tx) (err error) {
				if err := tx.DB().Exec("INSERT INTO counters (id, subject) VALUES (?, ?)", target, h.subjectOf(subject)).Error; err != nil {
					return database.Hide(err)
				}
				row, err = h.registry.Request(tx, Order{Operation: opBump, Command: bump{Target: target}})
				return err
			})
			if err == nil {
				h.rows, h.targets = append(h.rows, row), append(h.targets, target)
			}
			return said(err)
		},
	}
}

func (h *histories) subjectOf(subject int) *uuid.UUID {
	if subject < 0 {
		return nil
	}
	return &h.persons[subject]
}

// decision is about one of the last requests, most of which are open; now and then the session has ended
// by the time that it arrives.
func (h *histories) decision() act {
	user, live := h.user(), h.random.IntN(12) > 0
	request := len(h.rows) - 1 - h.random.IntN(min(6, len(h.rows)))
	decision := []models.ApprovalState{models.ApprovalApproved, models.ApprovalApproved, models.ApprovalRejected}[h.random.IntN(3)]
	return act{
		"decision", func(m *model) string { return m.decide(user, request, decision, live) },
		func() (string, error) {
			b := h.bearer(h.person(user), models.RoleReviewer)
			if !live {
				h.exec(h.t, "UPDATE sessions SET revoked_at = lethe_now() WHERE id = ? AND revoked_at IS NULL", b.SessionID)
			}
			ctx := models.WithCaller(context.Background(), b.Caller("test"))
			_, err := h.registry.Decide(ctx, h.env.Facts, b, h.rows[request].ID, decision, "")
			return said(err)
		},
	}
}

// event is what happens to people.
func (h *histories) event() act {
	user, role := h.user(), h.role()
	first := h.random.IntN(len(h.persons))
	second := (first + 1 + h.random.IntN(len(h.persons)-1)) % len(h.persons)
	silent := func(do func(m *model)) func(m *model) string {
		return func(m *model) string { do(m); return saidDone }
	}
	in := func(do func(tx *database.Tx) error) func() (string, error) {
		return func() (string, error) { return said(database.Run(context.Background(), h.env.Facts, do)) }
	}
	switch h.random.IntN(12) {
	case 0:
		return act{"disabled", silent(func(m *model) { m.disable(user) }), in(func(tx *database.Tx) error {
			return identity.Disable(tx, h.users[user], models.System)
		})}
	case 1:
		person := h.model.users[user].person
		return act{"left", silent(func(m *model) { m.leave(person) }), in(func(tx *database.Tx) error { return identity.EndAll(tx, h.persons[person]) })}
	case 2, 3:
		return act{"reset", silent(func(m *model) { m.reset(user, first, second) }), in(func(tx *database.Tx) error { return h.reset(tx, user, first, second) })}
	case 4, 5, 6, 7:
		return act{"came back", silent(func(m *model) { h.enrolAny(m, user, first, second) }), in(func(tx *database.Tx) error { return h.back(tx, user, first, second) })}
	case 8:
		return act{"confirmed", silent(func(m *model) { m.confirm(user) }), in(func(tx *database.Tx) error {
			return database.Hide(tx.DB().Exec(`UPDATE enrolment_halves SET confirmed_at = lethe_now(), ledger_entry_id = ? WHERE user_id = ? AND confirmed_at IS NULL
				AND EXISTS (SELECT FROM users WHERE id = user_id AND state = 'active')`, databasetest.Entry(h.t, tx), h.users[user]).Error)
		})}
	case 9:
		return act{"lost a role", silent(func(m *model) { m.revoke(user, role) }), in(func(tx *database.Tx) error {
			return unless(identity.RevokeRole(tx, h.users[user], role, models.System), identity.ErrRoleNotGranted)
		})}
	case 10:
		return act{"got a role", silent(func(m *model) { m.grant(user, role) }), in(func(tx *database.Tx) error {
			return unless(identity.Grant(tx, h.users[user], role, models.System), identity.ErrUserDisabled)
		})}
	}
	return act{"swept", silent(func(m *model) { m.sweep() }), func() (string, error) {
		_, err := h.registry.EndLeft(context.Background(), h.env.Facts)
		return said(err)
	}}
}

// enrolAny brings somebody back: who is disabled is reset first, and everybody has both roles again.
func (h *histories) enrolAny(m *model, user, first, second int) {
	if m.users[user].state == models.UserDisabled {
		m.reset(user, first, second)
	}
	m.enrol(user)
	m.grant(user, models.RoleHRAdmin)
	m.grant(user, models.RoleReviewer)
}

func (h *histories) reset(tx *database.Tx, user, first, second int) error {
	if _, err := h.identity().Reset(tx, models.Actor{EmployeeID: h.persons[first], Role: models.RoleHRAdmin}, h.users[user]); err != nil {
		return err
	}
	for _, holder := range []int{first, second} {
		entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindIdentity, Action: "enrolment_code.delivered"})
		if err != nil {
			return err
		}
		half := models.EnrolmentHalf{ID: uuid.New(), UserID: h.users[user], GivenTo: h.persons[holder], LedgerEntryID: &entry}
		if err := tx.DB().Create(&half).Error; err != nil {
			return database.Hide(err)
		}
	}
	return nil
}

func (h *histories) back(tx *database.Tx, user, first, second int) error {
	locked, _, err := identity.LockUser(tx, h.users[user])
	if err != nil {
		return err
	}
	if locked.State == models.UserDisabled {
		if err := h.reset(tx, user, first, second); err != nil {
			return err
		}
	}
	err = tx.DB().Exec("UPDATE users SET state = 'active', credentials_set_by = NULL, ledger_entry_id = ? WHERE id = ? AND state = 'enrolling'",
		databasetest.Entry(h.t, tx), h.users[user]).Error
	if err != nil {
		return database.Hide(err)
	}
	return errors.Join(identity.Grant(tx, h.users[user], models.RoleHRAdmin, models.System), identity.Grant(tx, h.users[user], models.RoleReviewer, models.System))
}

func unless(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// said is an answer by its name; what is none of them fails the history.
func said(err error) (string, error) {
	var over *EndedError
	switch {
	case err == nil:
		return saidDone, nil
	case errors.Is(err, identity.ErrSessionUnknown):
		return saidNoSession, nil
	case errors.Is(err, ErrSamePerson):
		return saidSame, nil
	case errors.Is(err, ErrSubject):
		return saidSubject, nil
	case errors.Is(err, ErrMadeByRequester):
		return saidMade, nil
	case errors.Is(err, ErrOwnerUnconfirmed):
		return saidHalf, nil
	case errors.As(err, &over):
		return saidEnded, nil
	}
	return "", err
}

func (h *histories) play(a act) {
	h.t.Helper()
	h.model.now++
	want := a.model(&h.model)
	got, err := a.real()
	h.log = append(h.log, fmt.Sprintf("%s: %s", a.name, got))
	if err != nil || got != want {
		h.t.Errorf("%s: answered %q, %v, want %q", a.name, got, err, want)
	}
}

// race lets two happen at once: what comes of it is what one after the other would, in one of both orders.
func (h *histories) race(a, b act) {
	h.t.Helper()
	h.model.now += 2
	orders := make([]model, 2)
	var wanted [2][2]string
	for i := range orders {
		orders[i] = h.model.clone()
		if i == 0 {
			wanted[i][0] = a.model(&orders[i])
			wanted[i][1] = b.model(&orders[i])
		} else {
			wanted[i][1] = b.model(&orders[i])
			wanted[i][0] = a.model(&orders[i])
		}
	}
	type answer struct {
		said string
		err  error
	}
	other := make(chan answer, 1)
	go func() {
		got, err := b.real()
		other <- answer{got, err}
	}()
	got, err := a.real()
	second := <-other
	if err != nil || second.err != nil {
		h.t.Errorf("%s and %s at once: %v, %v", a.name, b.name, err, second.err)
		return
	}
	h.log = append(h.log, fmt.Sprintf("%s with %s: %s", a.name, b.name, got))
	for i, m := range orders {
		if wanted[i] == [2]string{got, second.said} && h.agrees(m) {
			h.model = m
			return
		}
	}
	h.t.Errorf("%s and %s at once: %q and %q, in neither order (%q)", a.name, b.name, got, second.said, wanted)
}

// agrees compares the requests that could still change with a model.
func (h *histories) agrees(m model) bool {
	for i := max(0, len(h.rows)-6); i < len(h.rows); i++ {
		if h.get(h.t, h.rows[i].ID).State != m.requests[i].state {
			return false
		}
	}
	return true
}

// compare reads everything back: the states, and that what was approved, and nothing else, has its effect.
func (h *histories) compare() {
	h.t.Helper()
	for i, r := range h.model.requests {
		got := h.get(h.t, h.rows[i].ID)
		if got.State != r.state {
			h.t.Errorf("request %d is %s, want %s", i, got.State, r.state)
		}
		if n := h.effects(h.t, h.targets[i]); (n == 1) != (r.state == models.ApprovalApproved) || n > 1 {
			h.t.Errorf("request %d is %s with %d effects", i, r.state, n)
		}
	}
	// What is settled needs no second look.
	var rows []models.Approval
	var targets []uuid.UUID
	var requests []modelRequest
	for i, r := range h.model.requests {
		if r.state == models.ApprovalPending || i >= len(h.rows)-6 {
			rows, targets, requests = append(rows, h.rows[i]), append(targets, h.targets[i]), append(requests, r)
		} else {
			h.settled[r.state]++
		}
	}
	h.rows, h.targets, h.model.requests = rows, targets, requests
}
