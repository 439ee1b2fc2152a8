package operations

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/retention"
	"lethe/models"
)

// counted is what deadlines count from: an instant, on the calendar of a zone.
type counted struct {
	at   time.Time
	zone string
}

func (c counted) deadline(rule models.RetentionRule) (time.Time, error) {
	loc, err := clock.LoadZone(c.zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("loading a zone: %w", err)
	}
	deadline, _, err := retention.Deadline(rule, c.at, loc)
	return deadline, err
}

// simulated says what counting from another instant does to the deadline of every category, which of
// them would be due at once, and by which rules that was judged (I6). Without a before nothing ran yet.
func simulated(tx *database.Tx, employmentID uuid.UUID, before *counted, after counted) ([]approval.Change, []string, error) {
	employment, err := database.First[models.Employment](tx.DB().Where("id = ?", employmentID))
	if err != nil {
		return nil, nil, fmt.Errorf("reading an employment: %w", err)
	}
	rules, err := retention.Rules(tx, employment.Jurisdiction)
	if err != nil {
		return nil, nil, err
	}
	now, err := tx.Now()
	if err != nil {
		return nil, nil, err
	}
	var changes []approval.Change
	var due []models.Category
	for _, rule := range rules {
		to, err := after.deadline(rule)
		if err != nil {
			return nil, nil, err
		}
		c := instant("category."+string(rule.Category), after.zone, time.Time{}, to)
		c.Rule = ruleVersions([]models.RetentionRule{rule})[0]
		if before != nil {
			from, err := before.deadline(rule)
			if err != nil {
				return nil, nil, err
			}
			c.Before = instantText(from)
		}
		changes = append(changes, c)
		if !to.After(now) {
			due = append(due, rule.Category)
		}
	}
	return append(changes, word("due_at_once", "category", "", categoryWords(due))), ruleVersions(rules), nil
}

// categoryWords are codes for [approval.Change.Words].
func categoryWords(categories []models.Category) string {
	texts := make([]string, len(categories))
	for i, c := range categories {
		texts[i] = string(c)
	}
	return strings.Join(texts, " ")
}

// firstDeadlines are those of a departure that would count from an end that is over.
func firstDeadlines(tx *database.Tx, employment models.Employment, w departure.RequestedDates) ([]approval.Change, []string, error) {
	if !w.CountFromEnd {
		return nil, nil, nil
	}
	loc, err := clock.LoadZone(w.TimeZone)
	if err != nil {
		return nil, nil, departure.ErrUnknownZone
	}
	return simulated(tx, employment.ID, nil, counted{clock.EndOfDay(*w.EmploymentEndDate, loc).UTC(), w.TimeZone})
}

// earlierDates lets the deadlines of a departure that runs already count from an end that one person
// may not give alone. The access is cut meanwhile.
func (d Deps) earlierDates() approval.Operation {
	return approval.Define(approval.Spec[Reschedule]{
		Complete: func(tx *database.Tx, by models.Actor, c Reschedule) (_ Reschedule, err error) {
			c.RequestedDates, err = departure.CompleteEarlier(tx, by, c.DepartureID, c.RequestedDates)
			return c, err
		},
		Judge: func(tx *database.Tx, c Reschedule) (approval.Review, error) {
			dep, dates, err := departure.LockEarlier(tx, models.Actor{}, c.DepartureID, c.RequestedDates)
			if errors.Is(err, departure.ErrNotFound) || errors.Is(err, departure.ErrStage) || errors.Is(err, departure.ErrPurgeBegan) {
				return approval.Review{}, errors.Join(approval.ErrGone, err)
			}
			if err != nil {
				return approval.Review{}, err
			}
			who, err := person(tx, dep.EmployeeID)
			if err != nil {
				return approval.Review{}, fmt.Errorf("naming whose dates they are: %w", err)
			}
			deadlines, rules, err := simulated(tx, dep.EmploymentID, &counted{dep.EventAt(), dep.TimeZone}, counted{dates.EmploymentEndedAt, dates.TimeZone})
			changes := append([]approval.Change{who}, differing(
				day("last_working_day", dep.LastWorkingDay, dates.LastWorkingDay),
				day("employment_end_date", dep.EmploymentEndDate, dates.EmploymentEndDate),
				instant("counts_from", dates.TimeZone, dep.EventAt(), dates.EmploymentEndedAt),
				approval.Change{Field: "time_zone", Before: dep.TimeZone, After: dates.TimeZone},
			)...)
			return approval.Review{
				Subjects: []uuid.UUID{dep.EmployeeID},
				// Not by its stage: that it took effect meanwhile changes nothing of what is agreed to.
				Targets: []approval.Target{{Kind: "departure", ID: dep.ID, Version: approval.Version(dep.LastWorkingDay,
					dep.EmploymentEndDate, dep.EmploymentEndedAt, dep.CountsFrom, dep.TimeZone)}},
				Changes: append(changes, deadlines...), Rules: rules,
			}, err
		},
		Check: func(tx *database.Tx, by models.Actor, c Reschedule) error {
			_, _, err := departure.LockEarlier(tx, by, c.DepartureID, c.RequestedDates)
			return err
		},
		Run: func(tx *database.Tx, by approval.By, c Reschedule) (models.Ref, error) {
			return models.Ref{Kind: models.RefDeparture, ID: c.DepartureID}, departure.CountEarlier(tx, by.Requester, c.DepartureID, c.RequestedDates)
		},
	})
}
