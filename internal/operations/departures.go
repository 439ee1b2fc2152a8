package operations

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/models"
)

// Reschedule is the command of [BringForward].
type Reschedule struct {
	DepartureID    uuid.UUID                `json:"departure_id"`
	RequestedDates departure.RequestedDates `json:"wish"`
}

// Withdrawal is the command of [WithdrawUnlinked].
type Withdrawal struct {
	DepartureID    uuid.UUID `json:"departure_id"`
	Reason         string    `json:"reason"`
	CompanyConsent bool      `json:"company_consent"`
}

// Annulment is the command of [Annul].
type Annulment struct {
	DepartureID uuid.UUID `json:"departure_id"`
	Reason      string    `json:"reason"`
}

// departureTarget is a departure by what people judge it by: not by where its accounts are.
func departureTarget(d models.Departure) approval.Target {
	asked := ""
	if d.AnnulmentAskedBy != nil {
		asked = d.AnnulmentAskedBy.String()
	}
	return approval.Target{Kind: "departure", ID: d.ID, Version: approval.Version(d.Stage, d.NoticeReceivedOn, d.LastWorkingDay,
		d.EmploymentEndDate, d.AccessCutoffAt, d.EmploymentEndedAt, d.TimeZone, asked)}
}

// gone says that what does not exist any more is no mistake of the approver's.
func gone(err error, absent ...error) error {
	for _, a := range absent {
		if errors.Is(err, a) {
			return errors.Join(approval.ErrGone, err)
		}
	}
	return err
}

func (d Deps) beginImmediately() approval.Operation {
	return approval.Define(approval.Spec[departure.Notice]{
		Complete: func(tx *database.Tx, _ models.Actor, n departure.Notice) (departure.Notice, error) {
			return departure.Complete(tx, n)
		},
		Judge: func(tx *database.Tx, n departure.Notice) (approval.Review, error) {
			employee, employment, err := archive.LatestFile(tx, n.EmployeeID)
			if err != nil {
				return approval.Review{}, gone(err, database.ErrNotFound)
			}
			deadlines, rules, err := firstDeadlines(tx, employment, n.RequestedDates)
			if err != nil {
				return approval.Review{}, err
			}
			return approval.Review{
				Subjects: []uuid.UUID{employee.ID},
				Targets: []approval.Target{
					{Kind: "employee", ID: employee.ID, Version: approval.Version(employee.Revision, employee.Status)},
					employmentTarget(employment),
				},
				Changes: slices.Concat([]approval.Change{
					shown("person", employee.EmployeeNo+" "+employee.Name),
					word("stage", "status", string(employee.Status), string(models.StatusDeparted)),
					word("kind", "kind", "", string(n.Kind)),
				}, firstDates(n.RequestedDates), deadlines),
				Rules: rules,
			}, nil
		},
		Check: func(tx *database.Tx, by models.Actor, n departure.Notice) error {
			n.Approved = true
			return refusal(departure.Prepare(tx, by, n))
		},
		Run: func(tx *database.Tx, by approval.By, n departure.Notice) (models.Ref, error) {
			n.Approved = true
			dep, err := departure.Begin(tx, d.Vault, by.Requester, n)
			return models.Ref{Kind: models.RefDeparture, ID: dep.ID}, err
		},
	})
}

// firstDates are those of a departure that would begin.
func firstDates(w departure.RequestedDates) []approval.Change {
	atOnce := func(field string) approval.Change { return word(field, "approval.when", "", "immediate") }
	if w.Immediate {
		return []approval.Change{atOnce("employment_end_date"), atOnce("access_cutoff_at"), shown("time_zone", w.TimeZone)}
	}
	cutoff := atOnce("access_cutoff_at")
	if w.AccessCutoffAt != nil {
		cutoff = instant("access_cutoff_at", w.TimeZone, time.Time{}, *w.AccessCutoffAt)
	}
	return []approval.Change{
		shown("last_working_day", dayText(*w.LastWorkingDay)), shown("employment_end_date", dayText(*w.EmploymentEndDate)),
		cutoff, shown("time_zone", w.TimeZone),
	}
}

func (d Deps) bringForward() approval.Operation {
	return approval.Define(approval.Spec[Reschedule]{
		Complete: completeDates,
		Judge: func(tx *database.Tx, c Reschedule) (approval.Review, error) {
			dep, err := departure.Lock(tx, c.DepartureID)
			if err != nil {
				return approval.Review{}, gone(err, departure.ErrNotFound)
			}
			w := c.RequestedDates
			changes, err := datesChanges(tx, dep, w)
			if err != nil {
				return approval.Review{}, err
			}
			deadlines, rules, err := deadlineChanges(tx, dep, w)
			return approval.Review{
				Subjects: []uuid.UUID{dep.EmployeeID}, Targets: []approval.Target{departureTarget(dep)},
				Changes: append(changes, deadlines...), Rules: rules,
			}, err
		},
		Check: func(tx *database.Tx, by models.Actor, c Reschedule) error {
			return refusal(departure.PrepareApproved(tx, by, c.DepartureID, c.RequestedDates))
		},
		Run: func(tx *database.Tx, by approval.By, c Reschedule) (models.Ref, error) {
			return models.Ref{Kind: models.RefDeparture, ID: c.DepartureID}, departure.RescheduleApproved(tx, by.Requester, c.DepartureID, c.RequestedDates)
		},
	})
}

// completeDates makes what is agreed to what is shown.
func completeDates(tx *database.Tx, _ models.Actor, c Reschedule) (_ Reschedule, err error) {
	c.RequestedDates, err = departure.CompleteDates(tx, c.DepartureID, c.RequestedDates)
	return c, err
}

func datesChanges(tx *database.Tx, dep models.Departure, w departure.RequestedDates) ([]approval.Change, error) {
	who, err := person(tx, dep.EmployeeID)
	if err != nil {
		return nil, fmt.Errorf("naming whom a change of dates is about: %w", err)
	}
	changes := []approval.Change{who}
	if w.Immediate {
		return append(changes,
			approval.Change{Field: "employment_end_date", Before: dayText(dep.EmploymentEndDate), After: "immediate", Words: "approval.when"},
			approval.Change{Field: "access_cutoff_at", Before: instantText(dep.AccessCutoffAt), After: "immediate", Words: "approval.when", Zone: dep.TimeZone}), nil
	}
	cutoff := dep.AccessCutoffAt
	if w.AccessCutoffAt != nil {
		cutoff = *w.AccessCutoffAt
	}
	return append(changes, differing(
		day("last_working_day", dep.LastWorkingDay, *w.LastWorkingDay),
		day("employment_end_date", dep.EmploymentEndDate, *w.EmploymentEndDate),
		instant("access_cutoff_at", w.TimeZone, dep.AccessCutoffAt, cutoff),
		approval.Change{Field: "time_zone", Before: dep.TimeZone, After: w.TimeZone},
	)...), nil
}

// deadlineChanges simulates what the dates would do to the deadlines of every category (I6).
func deadlineChanges(tx *database.Tx, dep models.Departure, w departure.RequestedDates) ([]approval.Change, []string, error) {
	if !w.Immediate {
		loc, err := clock.LoadZone(w.TimeZone)
		if err != nil {
			return nil, nil, departure.ErrUnknownZone
		}
		return simulated(tx, dep.EmploymentID, &counted{dep.EventAt(), dep.TimeZone}, counted{clock.EndOfDay(*w.EmploymentEndDate, loc).UTC(), w.TimeZone})
	}
	changes, rules, err := simulated(tx, dep.EmploymentID, &counted{dep.EventAt(), dep.TimeZone}, counted{dep.EventAt(), dep.TimeZone})
	for i := range changes {
		changes[i].After, changes[i].Words = "earlier", "approval.when"
	}
	return changes, rules, err
}

// ruleVersions names the rules that something was judged by.
func ruleVersions(rules []models.RetentionRule) []string {
	versions := make([]string, len(rules))
	for i, rule := range rules {
		versions[i] = fmt.Sprintf("%s/%s/%d", rule.Jurisdiction, rule.Category, rule.Version)
	}
	return versions
}

func (d Deps) withdrawUnlinked() approval.Operation {
	return approval.Define(approval.Spec[Withdrawal]{
		Judge: func(tx *database.Tx, c Withdrawal) (approval.Review, error) {
			return departureReview(tx, c.DepartureID, models.StageWithdrawn, c.Reason)
		},
		Check: func(tx *database.Tx, by models.Actor, c Withdrawal) error {
			return departure.CheckWithdrawal(tx, by, c.DepartureID, c.Reason, c.CompanyConsent)
		},
		Run: func(tx *database.Tx, by approval.By, c Withdrawal) (models.Ref, error) {
			return models.Ref{Kind: models.RefDeparture, ID: c.DepartureID}, departure.WithdrawApproved(tx, d.Vault, by.Requester, c.DepartureID, c.Reason, c.CompanyConsent)
		},
	})
}

func (d Deps) annul() approval.Operation {
	return approval.Define(approval.Spec[Annulment]{
		Judge: func(tx *database.Tx, c Annulment) (approval.Review, error) {
			return departureReview(tx, c.DepartureID, models.StageAnnulled, c.Reason)
		},
		Asked: func(tx *database.Tx, by models.Actor, c Annulment) error {
			return departure.AskAnnulment(tx, d.Vault, by, c.DepartureID, c.Reason)
		},
		Dropped: func(tx *database.Tx, by models.Actor, id uuid.UUID, _ models.ApprovalState) error {
			return departure.DropAnnulment(tx, by, id)
		},
		Run: func(tx *database.Tx, by approval.By, c Annulment) (models.Ref, error) {
			return models.Ref{Kind: models.RefDeparture, ID: c.DepartureID}, departure.ConfirmAnnulment(tx, by.Approver, c.DepartureID)
		},
	})
}

// departureReview is a departure that would be taken back.
func departureReview(tx *database.Tx, id uuid.UUID, after models.Stage, reason string) (approval.Review, error) {
	dep, err := departure.Lock(tx, id)
	if err != nil {
		return approval.Review{}, gone(err, departure.ErrNotFound)
	}
	who, err := person(tx, dep.EmployeeID)
	if err != nil {
		return approval.Review{}, fmt.Errorf("naming whose departure it is: %w", err)
	}
	return approval.Review{
		Subjects: []uuid.UUID{dep.EmployeeID}, Targets: []approval.Target{departureTarget(dep)},
		Changes: []approval.Change{
			who, word("stage", "stage", string(dep.Stage), string(after)),
			word("accounts", "accounts_state", "", string(models.AccountsRelinked)),
			{Field: "reason", After: reason, Sealed: true},
		},
	}, nil
}
