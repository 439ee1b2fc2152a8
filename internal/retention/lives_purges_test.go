package retention

import (
	"errors"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// What people do to the purges of a life: they decide, overrule, extend, and their workers die.

func (l *life) openPurges() []models.Purge {
	return query[[]models.Purge](l, l.w, `SELECT p.* FROM purges p JOIN departures d ON d.id = p.departure_id
		WHERE d.employee_id = ? AND p.state IN ('claimed', 'in_review', 'rejected', 'purging') ORDER BY p.id`, l.current().employee)
}

func (l *life) claimed(purge uuid.UUID) []models.Category {
	return query[[]models.Category](l, l.w, "SELECT category FROM purge_claims WHERE purge_id = ? AND state = 'open'", purge)
}

func (l *life) spellOf(p models.Purge) *spell {
	return l.spells[slices.IndexFunc(l.spells, func(s *spell) bool { return s.employment == p.EmploymentID })]
}

// decide lets one reviewer decide about each purge, or two about one that was rejected. They see
// what the relay has ordered.
func (l *life) decide() {
	l.relay()
	for _, p := range l.openPurges() {
		who := l.Perm(len(l.reviewers))
		first, second := l.reviewers[who[0]], l.reviewers[who[1]]
		switch {
		case p.State != models.PurgeRejected:
			l.alone(p, first, l.pick([]string{models.DecisionApproved, models.DecisionRejected}))
		case l.IntN(2) == 0:
			l.overrule(p, first, second)
		default:
			l.extend(p, first, second)
		}
	}
}

func (l *life) alone(p models.Purge, by models.Actor, decision string) {
	categories := l.claimed(p.ID)
	err := l.w.decide(p.ID, by, decision)
	switch {
	case p.State == models.PurgeRejected && !errors.Is(err, ErrRejected) && decision == models.DecisionApproved:
		l.fail("one person approved what was rejected: %v", err)
	case err != nil && !errors.Is(err, ErrNotInReview) && !errors.Is(err, ErrRejected):
		l.fail("deciding: %v", err)
	case err != nil:
		return
	}
	l.decisions[decision]++
	if decision == models.DecisionApproved {
		l.approved[p.ID] = append(l.approved[p.ID], categories...)
		return
	}
	l.rejected[p.ID] = by
	for _, c := range categories {
		l.spellOf(p).refused[c] = true
	}
}

// overrule is the approval by two people of what was rejected; neither of them rejected it.
func (l *life) overrule(p models.Purge, first, second models.Actor) {
	categories := l.claimed(p.ID)
	err := l.w.try(func(tx *database.Tx) error { return Overrule(tx, p.ID, first, second) })
	if rejecter := l.rejected[p.ID]; first == rejecter || second == rejecter {
		if !errors.Is(err, ErrSamePerson) {
			l.fail("who rejected it approved it after all: %v", err)
		}
		return
	}
	if err != nil {
		l.fail("overruling: %v", err)
	}
	l.decisions["overruled"]++
	l.approved[p.ID] = append(l.approved[p.ID], categories...)
}

// extend keeps what was rejected for up to four years more; then it falls due like anything else.
func (l *life) extend(p models.Purge, first, second models.Actor) {
	s, categories := l.spellOf(p), l.claimed(p.ID)
	loc := zone(l, zoneOf[s.jurisdiction])
	until := clock.Today(l.w.now(l), loc).AddDays(1 + l.IntN(1500))
	err := l.w.try(func(tx *database.Tx) error { return Extend(tx, p.ID, first, second, until) })
	if errors.Is(err, ErrAboveCeiling) {
		return
	}
	if err != nil {
		l.fail("extending: %v", err)
	}
	l.decisions[models.DecisionExtended]++
	for _, c := range categories {
		s.deadlines[c], s.refused[c] = clock.EndOfDay(until, loc), false
	}
}

// interrupted tries the first steps of a purge, whether its workflow would or not, and dies.
func (l *life) interrupted() {
	for _, p := range l.openPurges() {
		steps := l.w.steps(l.w.purger(), p.ID)
		for _, step := range steps[:1+l.IntN(len(steps))] {
			if err := step(); errors.Is(err, ErrOutOfOrder) || errors.Is(err, ErrNotPurgeable) {
				break
			} else if err != nil {
				l.fail("a step: %v", err)
			}
		}
	}
}
