package approval

import (
	"maps"
	"slices"

	"lethe/models"
)

// What somebody is answered.
const (
	saidDone      = "done"
	saidNoSession = "no session"
	saidSame      = "same person"
	saidSubject   = "own matter"
	saidMade      = "made by requester"
	saidHalf      = "owner unconfirmed"
	saidEnded     = "ended"
)

// modelUser is a user as the rules see it: nothing of how it is stored.
type modelUser struct {
	person int
	state  models.UserState
	// since is when the present access began: what was asked for before is nothing to it any more.
	since  int
	roles  map[models.Role]int // since when
	setBy  int                 // the person who reset it, until its owner enrolled; -1: nobody
	halves map[int]bool        // the persons towards whom its owner is unconfirmed
}

type modelRequest struct {
	user, at int
	role     models.Role
	subject  int // a person, or -1
	state    models.ApprovalState
	by       int // the person who decided
}

// model is who may decide about what, as DESIGN says it, in memory.
type model struct {
	now      int
	users    []modelUser
	requests []modelRequest
}

func (m model) clone() model {
	m.users, m.requests = slices.Clone(m.users), slices.Clone(m.requests)
	for i := range m.users {
		m.users[i].roles, m.users[i].halves = maps.Clone(m.users[i].roles), maps.Clone(m.users[i].halves)
	}
	return m
}

func (m *model) holds(user int, role models.Role) bool {
	_, ok := m.users[user].roles[role]
	return ok && m.users[user].state == models.UserActive
}

// stands: the requester could have asked at any moment since.
func (m *model) stands(r modelRequest) bool {
	u := m.users[r.user]
	return m.holds(r.user, r.role) && u.since <= r.at && u.roles[r.role] <= r.at
}

func (m *model) ask(user int, role models.Role, subject int) string {
	switch {
	case !m.holds(user, role):
		return saidNoSession
	case m.users[user].person == subject:
		return saidSubject
	}
	m.requests = append(m.requests, modelRequest{user: user, role: role, at: m.now, subject: subject, state: models.ApprovalPending, by: -1})
	return saidDone
}

func (m *model) decide(user, request int, decision models.ApprovalState, live bool) string {
	r := &m.requests[request]
	u, asker := m.users[user], m.users[r.user]
	switch {
	case !live || !m.holds(user, models.RoleReviewer):
		return saidNoSession
	case u.person == asker.person:
		return saidSame
	case u.person == r.subject:
		return saidSubject
	case u.setBy == asker.person:
		return saidMade
	case u.halves[asker.person], asker.halves[u.person]:
		return saidHalf
	case r.state == decision && r.by == u.person:
		return saidDone
	case r.state != models.ApprovalPending:
		return saidEnded
	case !m.stands(*r):
		r.state = models.ApprovalVoid
		return saidDone
	}
	r.state, r.by = decision, u.person
	return saidDone
}

func (m *model) disable(user int) {
	m.users[user].state = models.UserDisabled
}

func (m *model) leave(person int) {
	for i := range m.users {
		if m.users[i].person == person {
			m.disable(i)
		}
	}
}

func (m *model) reset(user, first, second int) {
	u := &m.users[user]
	u.state, u.setBy = models.UserEnrolling, first
	u.halves[first], u.halves[second] = true, true
}

func (m *model) enrol(user int) {
	if u := &m.users[user]; u.state == models.UserEnrolling {
		u.state, u.since, u.setBy = models.UserActive, m.now, -1
	}
}

func (m *model) confirm(user int) {
	if m.users[user].state == models.UserActive {
		clear(m.users[user].halves)
	}
}

func (m *model) grant(user int, role models.Role) {
	if _, held := m.users[user].roles[role]; !held && m.users[user].state != models.UserDisabled {
		m.users[user].roles[role] = m.now
	}
}

func (m *model) revoke(user int, role models.Role) { delete(m.users[user].roles, role) }

func (m *model) sweep() {
	for i, r := range m.requests {
		if r.state == models.ApprovalPending && !m.stands(r) {
			m.requests[i].state = models.ApprovalVoid
		}
	}
}
