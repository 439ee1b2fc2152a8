package departure

import (
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// What the ledger says of a departure.
const (
	actionStarted            = "departure.started"
	actionEntered            = "departure.entered"
	actionRescheduled        = "departure.rescheduled"
	actionWithdrawn          = "departure.withdrawn"
	actionAnnulmentRequested = "departure.annulment_requested"
	actionAnnulmentDropped   = "departure.annulment_dropped"
	actionAnnulled           = "departure.annulled"
	actionDeparted           = "departure.departed"
	actionPurging            = "departure.purging"
	actionPurged             = "departure.purged"
	actionAccountsSettled    = "departure.accounts_settled"
	actionAccountsAttention  = "departure.accounts_need_attention"
	actionAccountsResumed    = "departure.accounts_resumed"
	actionAccountsRelinked   = "departure.accounts_relinked"
)

// actionOf is the ledger's name for what the timeline says. What is missing is told by the entry of
// what brought it about: an order to unlink or relink, a certificate.
var actionOf = map[string]string{
	EventStarted:            actionStarted,
	EventEntered:            actionEntered,
	EventDatesChanged:       actionRescheduled,
	EventWithdrawn:          actionWithdrawn,
	EventAnnulmentRequested: actionAnnulmentRequested,
	EventAnnulmentDropped:   actionAnnulmentDropped,
	EventAnnulled:           actionAnnulled,
	EventDeparted:           actionDeparted,
	EventPurgingBegan:       actionPurging,
	EventPurged:             actionPurged,
	EventAccountsSettled:    actionAccountsSettled,
	EventAccountsAttention:  actionAccountsAttention,
	EventAccountsResumed:    actionAccountsResumed,
	EventAccountsRelinked:   actionAccountsRelinked,
}

// record appends what happened to the ledger and to the departure's timeline.
func record(tx *database.Tx, dep models.Departure, what string, by models.Actor, details map[string]string) error {
	_, err := recordEntry(tx, dep, what, by, details)
	return err
}

// recordEntry is record for what else names the entry.
func recordEntry(tx *database.Tx, dep models.Departure, what string, by models.Actor, details map[string]string) (uuid.UUID, error) {
	return ledger.AppendWith(tx, ledger.Entry{
		Kind: ledger.KindDeparture, Action: actionOf[what], Subject: &dep.EmployeeID,
		Object: "departure/" + dep.ID.String(), Details: details,
	}.As(tx.Context(), by), `INSERT INTO departure_events (departure_id, what, actor_role, actor_id, ledger_entry_id)
		SELECT ?::uuid, ?::text, ?::text, ?::uuid, entry_id FROM pending`, dep.ID, what, string(by.Role), by.ID())
}

// agreed is the approval that the transaction carries out, nil if it carries out none. The database wants
// it where deadlines count from an earlier day.
func agreed(tx *database.Tx) *uuid.UUID {
	id := models.CallerOf(tx.Context()).ApprovalID
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// tell appends a line to the timeline, about something that the entry records; one for each category
// if there are any.
func tell(tx *database.Tx, id uuid.UUID, what string, by models.Actor, entry uuid.UUID, about ...models.Category) error {
	if len(about) == 0 {
		about = []models.Category{""}
	}
	lines := make([]models.DepartureEvent, len(about))
	for i, category := range about {
		lines[i] = models.DepartureEvent{
			DepartureID: id, What: what, ActorRole: string(by.Role), ActorID: by.ID(), Category: string(category), LedgerEntryID: &entry,
		}
	}
	return database.Wrap("telling of "+what, tx.DB().Omit("id").Create(&lines).Error)
}

// dates are what the ledger keeps of a departure's dates: part of the skeleton that stays.
func (d Dates) details() map[string]string {
	return map[string]string{
		"notice_received_on": d.NoticeReceivedOn.String(), "last_working_day": d.LastWorkingDay.String(),
		"employment_end_date": d.EmploymentEndDate.String(), "access_cutoff_at": instant(d.AccessCutoffAt),
		"employment_ended_at": instant(d.EmploymentEndedAt), "time_zone": d.TimeZone,
	}
}

func datesOf(dep models.Departure) Dates {
	return Dates{
		NoticeReceivedOn: dep.NoticeReceivedOn, LastWorkingDay: dep.LastWorkingDay, EmploymentEndDate: dep.EmploymentEndDate,
		AccessCutoffAt: dep.AccessCutoffAt, EmploymentEndedAt: dep.EmploymentEndedAt, TimeZone: dep.TimeZone,
	}
}

// started says which departure began. The legal ground, the reason code and the note are destroyed
// with the departure's file and are no part of it.
func started(dep models.Departure) map[string]string {
	details := datesOf(dep).details()
	details["departure_kind"], details["initiator"] = string(dep.Kind), string(dep.Initiator)
	if dep.BegunBatchID != nil {
		details["departure_batch"] = dep.BegunBatchID.String()
	}
	details["employment"], details["immediate"] = dep.EmploymentID.String(), strconv.FormatBool(dep.Immediate)
	return details
}

// moved lists the dates that differ, before and after.
func moved(before, after Dates) map[string]string {
	details, former := after.details(), before.details()
	for name, value := range former {
		if details[name] == value {
			delete(details, name)
		} else {
			details[name+"_before"] = value
		}
	}
	return details
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
