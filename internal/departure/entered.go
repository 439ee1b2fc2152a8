package departure

import (
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/imports"
	"lethe/internal/ledger"
	"lethe/internal/retention"
	"lethe/models"
)

// Leavers enters people who left before a file brought them in: it is an [imports.Leavers].
type Leavers struct {
	// LookUps is about how many of them connected systems are asked at most within a second.
	LookUps int
}

// EnterableKinds are the kinds of departure that a file may name: a transfer goes on in another employment.
var EnterableKinds = slices.DeleteFunc(slices.Clone(models.DepartureKinds), func(k models.DepartureKind) bool { return k == models.KindGroupTransfer })

// Calendar is an [imports.Calendar].
func (Leavers) Calendar(tx *database.Tx) imports.Calendar { return retention.NewCalendar(tx) }

// Known is how the employments ended, or will, of those that have an open departure.
func (Leavers) Known(tx *database.Tx, employments []uuid.UUID) (map[uuid.UUID]imports.End, error) {
	if len(employments) == 0 {
		return nil, nil
	}
	rows, err := database.Find[models.Departure](tx.DB().Select("id", "employment_id", "kind", "employment_end_date"), "open departures",
		"employment_id = ANY (?) AND stage NOT IN ('withdrawn', 'annulled')", models.IDs(employments))
	if err != nil {
		return nil, err
	}
	known := make(map[uuid.UUID]imports.End, len(rows))
	for _, dep := range rows {
		known[dep.EmploymentID] = imports.End{Kind: dep.Kind, Day: dep.EmploymentEndDate}
	}
	return known, nil
}

// Enter writes the departures of people whom the same transaction enters as departed, by the approval of the file: their
// deadlines count from the end that the file names, and each purge of what is due waits for its review. Who is asked
// about their accounts, and when Retention looks first, follows at a set rate, whatever becomes of the file.
func (l Leavers) Enter(tx *database.Tx, batch models.Batch, left []imports.Left) error {
	if len(left) == 0 {
		return nil
	}
	if batch.ApprovalID == nil {
		return ErrApprovalRequired
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	turns, err := l.turns(tx, now, len(left))
	if err != nil {
		return err
	}
	all, entries := make([]retention.Entered, len(left)), make([]ledger.Entry, len(left))
	for i, one := range left {
		all[i] = retention.Entered{Departure: entered(batch, one, turns[i]), Jurisdiction: one.Employment.Jurisdiction, LookAt: turns[i]}
		dep := all[i].Departure
		details := started(dep)
		details["import"] = batch.ID.String()
		entries[i] = ledger.Entry{
			Kind: ledger.KindDeparture, Action: actionEntered, Subject: &dep.EmployeeID, Object: "departure/" + dep.ID.String(), Details: details,
		}
	}
	recorded, err := ledger.AppendAll(tx, entries)
	if err != nil {
		return err
	}
	if err := insertEntered(tx, batch, all, recorded, now); err != nil {
		return err
	}
	return retention.ScheduleAll(tx, all)
}

func entered(batch models.Batch, one imports.Left, turn time.Time) models.Departure {
	m, end := one.Employment, one.End
	actor := batch.Actor()
	return models.Departure{
		ID: models.NewID(), EmployeeID: m.EmployeeID, EmploymentID: m.ID, Kind: end.Kind, Initiator: defaultInitiator(end.Kind),
		Stage: models.StagePendingDeparture, AccountsState: models.AccountsLinked,
		NoticeReceivedOn: end.Day, LastWorkingDay: end.Day, EmploymentEndDate: end.Day,
		AccessCutoffAt: *m.EndedAt, EmploymentEndedAt: *m.EndedAt, TimeZone: m.TimeZone,
		CountsFrom: *m.EndedAt, Advanced: true, AdvancedBy: batch.ApprovalID, BatchID: &batch.ID,
		CreatedBy: actor.ID(), Driven: models.Driven{Revision: 1, SeenRevision: 1, WakeAt: &turn},
	}
}

func insertEntered(tx *database.Tx, batch models.Batch, all []retention.Entered, recorded []uuid.UUID, now time.Time) error {
	actor := batch.Actor()
	rows, events, ids := make([]models.Departure, len(all)), make([]models.DepartureEvent, len(all)), make(models.IDs, len(all))
	for i, e := range all {
		rows[i], ids[i] = e.Departure, e.ID
		events[i] = models.DepartureEvent{DepartureID: e.ID, What: EventEntered, ActorRole: string(actor.Role), ActorID: actor.ID(), LedgerEntryID: &recorded[i]}
	}
	if err := tx.DB().CreateInBatches(&rows, enteredAtOnce).Error; err != nil {
		return database.Wrap("inserting departures", err)
	}
	met, err := database.Exec(tx, "letting departures take effect", "UPDATE departures SET stage = 'departed', departed_at = $1 WHERE id = ANY ($2::uuid[])", now, []uuid.UUID(ids))
	if err == nil && met != int64(len(ids)) {
		err = database.ErrChanged
	}
	if err != nil {
		return err
	}
	return database.Wrap("telling of departures", tx.DB().Omit("id").Create(&events).Error)
}

// enteredAtOnce bounds one INSERT: a statement takes 65,535 arguments.
const enteredAtOnce = 1000

// turns are when people's turn comes, behind everybody who waits for theirs. Whoever gives turns does so alone until they
// are committed.
func (l Leavers) turns(tx *database.Tx, now time.Time, n int) ([]time.Time, error) {
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended('lethe turns of leavers', 0))").Error; err != nil {
		return nil, database.Wrap("locking the turns", err)
	}
	var last sql.NullTime
	err := tx.DB().Raw("SELECT max(wake_at) FROM departures WHERE stage = 'departed' AND accounts_state = 'linked'").Row().Scan(&last)
	if err != nil {
		return nil, database.Wrap("looking who waits to be asked about", err)
	}
	next := now
	if last.Time.After(next) {
		next = last.Time
	}
	turns := make([]time.Time, n)
	for i := range turns {
		next = next.Add(time.Second / time.Duration(max(l.LookUps, 1)))
		turns[i] = next
	}
	return turns, nil
}
