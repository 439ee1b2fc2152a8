package departure

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/internal/subject"
	"lethe/internal/textform"
	"lethe/internal/vault"
	"lethe/models"
)

// Dating is a departure with the dates that it would get. Whether one person may give them is known before
// anything is written.
type Dating struct {
	// Causes are why one person may not: whatever ends the employment earlier than was planned brings every deadline
	// forward (I6), and the access of a head or an administrator is not ended at once by one person.
	Causes []models.Cause
	// Earlier: the employment is over, and what is wished is for [CountEarlier].
	Earlier bool

	dep        models.Departure
	requested  RequestedDates
	employment models.Employment
	dates      Dates
	forward    bool
}

// PrepareDates locks a pending departure and judges other dates for it. One whose employment is over has them
// changed by two people only, if they are to count from its end.
func PrepareDates(tx *database.Tx, by models.Actor, id uuid.UUID, w RequestedDates) (g Dating, err error) {
	if g.dep, err = Lock(tx, id); err != nil {
		return g, err
	}
	now, err := tx.Now()
	if err != nil {
		return g, err
	}
	pending := g.dep.Stage == models.StagePendingDeparture
	over := !g.dep.EmploymentEndedAt.After(now)
	switch {
	case w.CountFromEnd && (!pending || over):
		g.Earlier, g.Causes = true, []models.Cause{models.CauseEarlier}
		return g, nil
	case g.dep.EmployeeID == by.EmployeeID:
		return g, ErrSubject
	case !pending:
		return g, notPending(g.dep.Stage)
	case over:
		return g, ErrEnded
	}
	if g.employment, err = archive.LockEmployment(tx, g.dep.EmploymentID); err != nil {
		return g, err
	}
	if w.TimeZone == "" {
		w.TimeZone = g.dep.TimeZone
	}
	w.keepNotice(g.dep)
	g.requested = w
	if g.dates, err = derive(tx, g.employment, w); err != nil {
		return g, err
	}
	if g.dep.AccountsState != models.AccountsLinked && w.AccessCutoffAt != nil && !w.AccessCutoffAt.Equal(g.dep.AccessCutoffAt) {
		return g, ErrCutoffPassed
	}
	if g.dep.AccountsState != models.AccountsLinked {
		g.dates.AccessCutoffAt = earliest(g.dep.AccessCutoffAt, g.dates.EmploymentEndedAt)
	}
	return g, g.assess(tx)
}

func (g *Dating) assess(tx *database.Tx) error {
	shortens, err := shortens(tx, g.employment, g.dep, g.dates)
	if err != nil {
		return err
	}
	if g.forward = shortens || g.dates.EmploymentEndedAt.Before(g.dep.EmploymentEndedAt); g.forward {
		g.Causes = append(g.Causes, models.CauseForward)
	}
	if g.dep.AccountsState != models.AccountsLinked || !g.dates.AccessCutoffAt.Before(g.dep.AccessCutoffAt) {
		return nil // the cutoff is behind already, or comes no sooner
	}
	sudden, err := suddenly(tx, g.dep.EmployeeID, g.dates)
	g.Causes = append(g.Causes, sudden...)
	return err
}

// PrepareApproved is [PrepareDates] for what two people agree to.
func PrepareApproved(tx *database.Tx, by models.Actor, id uuid.UUID, w RequestedDates) (Dating, error) {
	g, err := PrepareDates(tx, by, id, w)
	if err == nil && g.Earlier {
		err = ErrStage
	}
	return g, err
}

// RescheduleApproved changes the dates of a pending departure as two people agreed.
func RescheduleApproved(tx *database.Tx, by models.Actor, id uuid.UUID, w RequestedDates) error {
	g, err := PrepareApproved(tx, by, id, w)
	if err != nil {
		return err
	}
	return g.set(tx, by, true)
}

// Set changes the dates on one person's word, in the transaction in which they were prepared.
func (g Dating) Set(tx *database.Tx, by models.Actor) error {
	if len(g.Causes) > 0 {
		return ErrApprovalRequired
	}
	return g.set(tx, by, false)
}

func (g Dating) set(tx *database.Tx, by models.Actor, approved bool) (err error) {
	dep, w, dates := g.dep, g.requested, g.dates
	counts := counting{dep.CountsFrom, dep.Advanced, dep.AdvancedBy}
	if approved && g.forward {
		if counts, err = counts.by(tx, g.employment, dates); err != nil {
			return err
		}
	}
	changes := moved(datesOf(dep), dates)
	if len(changes) == 0 {
		return nil // they are so already: nothing happened that could be told
	}
	err = update(tx, dep, map[string]any{
		"notice_received_on": dates.NoticeReceivedOn, "last_working_day": dates.LastWorkingDay,
		"employment_end_date": dates.EmploymentEndDate, "access_cutoff_at": dates.AccessCutoffAt,
		"employment_ended_at": dates.EmploymentEndedAt, "time_zone": dates.TimeZone, "immediate": w.Immediate,
		"counts_from": counts.from, "advanced": counts.advanced, "advanced_by": counts.approval,
	})
	if err != nil {
		return err
	}
	if err := record(tx, dep, EventDatesChanged, by, changes); err != nil {
		return err
	}
	return tx.Touch(models.DrivenDeparture, dep.ID)
}

// keepNotice leaves the day on which a departure's notice was received as it is, if nothing else is wished;
// it is no later than the wished end of the employment.
func (w *RequestedDates) keepNotice(dep models.Departure) {
	if w.NoticeReceivedOn != nil {
		return
	}
	notice := dep.NoticeReceivedOn
	for _, end := range []*clock.Date{w.EmploymentEndDate, w.LastWorkingDay} {
		if end != nil {
			notice = earlier(notice, *end)
			break
		}
	}
	w.NoticeReceivedOn = &notice
}

// shortens says whether the dates would bring any deadline forward; a zone further west can do so
// though the employment ends no earlier, by ending it in another calendar year.
func shortens(tx *database.Tx, employment models.Employment, dep models.Departure, d Dates) (bool, error) {
	rules, err := retention.Rules(tx, employment.Jurisdiction)
	if err != nil {
		return false, err
	}
	before, err := clock.LoadZone(dep.TimeZone)
	if err != nil {
		return false, fmt.Errorf("loading the departure's zone: %w", err)
	}
	after, err := clock.LoadZone(d.TimeZone)
	if err != nil {
		return false, ErrUnknownZone
	}
	return retention.Shortens(
		retention.Inputs{EndedAt: dep.EventAt(), Zone: before, Rules: rules},
		retention.Inputs{EndedAt: latest(dep.CountsFrom, d.EmploymentEndedAt), Zone: after, Rules: rules}), nil
}

// AssessWithdrawal is why one person may not take a departure back: once unlinking has begun it gives access
// back. A withdrawal that is refused whoever asks is refused here.
func AssessWithdrawal(tx *database.Tx, by models.Actor, id uuid.UUID, companyConsent bool) ([]models.Cause, error) {
	dep, err := Lock(tx, id)
	if err != nil || dep.Stage == models.StageWithdrawn && dep.EmployeeID != by.EmployeeID {
		return nil, err
	}
	now, err := tx.Now()
	if err != nil {
		return nil, err
	}
	return withdrawable(dep, by, now, companyConsent)
}

// notPending is why a departure in another stage than pending is neither moved nor taken back: it took
// effect, or there is none any more.
func notPending(stage models.Stage) error {
	switch stage {
	case models.StageDeparted, models.StagePurging, models.StagePurged:
		return ErrEnded
	}
	return ErrStage
}

// withdrawable is pure.
func withdrawable(dep models.Departure, by models.Actor, now time.Time, companyConsent bool) ([]models.Cause, error) {
	switch {
	case dep.EmployeeID == by.EmployeeID:
		return nil, ErrSubject
	case dep.Stage != models.StagePendingDeparture:
		return nil, notPending(dep.Stage)
	case !dep.EmploymentEndedAt.After(now):
		return nil, ErrEnded
	case !companyConsent: // a notice never lies in the future (Derive), so it has been received
		return nil, ErrConsentRequired
	case dep.AccountsState != models.AccountsLinked:
		return []models.Cause{models.CauseGivesBack}, nil
	}
	return nil, nil
}

// Withdraw takes a departure back before the employment has ended. Once the notice was received it
// needs the company's consent, since a received notice binds. What needs two people is ErrApprovalRequired. A
// second call changes nothing.
func Withdraw(tx *database.Tx, seal vault.Sealer, by models.Actor, id uuid.UUID, reason string, companyConsent bool) error {
	return withdraw(tx, seal, by, id, reason, companyConsent, false)
}

// WithdrawApproved is [Withdraw] for what two people agreed to.
func WithdrawApproved(tx *database.Tx, seal vault.Sealer, by models.Actor, id uuid.UUID, reason string, companyConsent bool) error {
	return withdraw(tx, seal, by, id, reason, companyConsent, true)
}

// CheckWithdrawal is what [WithdrawApproved] would refuse.
func CheckWithdrawal(tx *database.Tx, by models.Actor, id uuid.UUID, reason string, companyConsent bool) error {
	_, err := AssessWithdrawal(tx, by, id, companyConsent)
	return cmp.Or(textform.Optional(&reason, MaxText), err)
}

func withdraw(tx *database.Tx, seal vault.Sealer, by models.Actor, id uuid.UUID, reason string, companyConsent, approved bool) error {
	if err := textform.Optional(&reason, MaxText); err != nil {
		return err
	}
	causes, err := AssessWithdrawal(tx, by, id, companyConsent)
	if err != nil {
		return err
	}
	dep, err := Lock(tx, id)
	if err != nil || dep.Stage == models.StageWithdrawn {
		return err
	}
	if len(causes) > 0 && !approved {
		return ErrApprovalRequired
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	sealed, err := sealText(tx, seal, dep, "withdrawal_reason_sealed", reason)
	if err != nil {
		return err
	}
	err = update(tx, dep, map[string]any{
		"stage": models.StageWithdrawn, "withdrawn_at": now,
		"company_consent": companyConsent, "withdrawal_reason_sealed": sealed,
	})
	if err != nil {
		return err
	}
	details := map[string]string{"company_consent": strconv.FormatBool(companyConsent)}
	if err := record(tx, dep, EventWithdrawn, by, details); err != nil {
		return err
	}
	return reactivate(tx, by, dep, models.OriginWithdrawal)
}

// AskAnnulment asks to undo a departure that was a mistake. A second person confirms it.
func AskAnnulment(tx *database.Tx, seal vault.Sealer, by models.Actor, id uuid.UUID, reason string) error {
	if err := textform.Optional(&reason, MaxText); err != nil {
		return err
	}
	dep, err := Lock(tx, id)
	if err != nil {
		return err
	}
	if err := annullable(tx, dep); err != nil {
		return err
	}
	if dep.AnnulmentAskedAt != nil && by.ID() != nil && *dep.AnnulmentAskedBy == by.EmployeeID {
		return nil
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	sealed, err := sealText(tx, seal, dep, "annulment_reason_sealed", reason)
	if err != nil {
		return err
	}
	err = update(tx, dep, map[string]any{
		"annulment_asked_at": now, "annulment_asked_by": by.ID(), "annulment_reason_sealed": sealed,
	})
	if err != nil {
		return err
	}
	return record(tx, dep, EventAnnulmentRequested, by, nil)
}

// DropAnnulment takes back what a person asked for with AskAnnulment: the request was refused, taken
// back or not decided in time. What somebody else asked for since, or two people confirmed, stays.
func DropAnnulment(tx *database.Tx, by models.Actor, id uuid.UUID) error {
	dep, err := Lock(tx, id)
	if err != nil {
		return err
	}
	if dep.Stage == models.StageAnnulled || dep.AnnulmentAskedBy == nil || *dep.AnnulmentAskedBy != by.EmployeeID {
		return nil
	}
	err = update(tx, dep, map[string]any{
		"annulment_asked_at": nil, "annulment_asked_by": nil, "annulment_reason_sealed": nil,
	})
	if err != nil {
		return err
	}
	return record(tx, dep, EventAnnulmentDropped, by, nil)
}

// Annullable says which departures can be undone still, as far as anybody can tell without a lock.
func Annullable(ctx context.Context, db *database.DB, rows []models.Departure) (map[uuid.UUID]bool, error) {
	var open models.IDs
	for _, dep := range rows {
		if dep.Stage == models.StagePendingDeparture || dep.Stage == models.StageDeparted {
			open = append(open, dep.ID)
		}
	}
	var ids []uuid.UUID
	err := db.Read(ctx).Model(&models.Departure{}).Where("id = ANY (?) AND NOT "+employedAnew, open).Pluck("id", &ids).Error
	if err != nil {
		return nil, database.Wrap("looking for later employments", err)
	}
	annullable := make(map[uuid.UUID]bool, len(ids))
	for _, id := range ids {
		annullable[id] = true
	}
	return annullable, nil
}

// employedAnew says of a departure that its person has an employment that was entered later.
const employedAnew = `EXISTS (SELECT FROM employments o JOIN employments m ON m.id = departures.employment_id
	WHERE o.employee_id = m.employee_id AND (o.created_at, o.id) > (m.created_at, m.id))`

// annullable: nothing was destroyed, and the person has not been employed anew since.
func annullable(tx *database.Tx, dep models.Departure) error {
	switch dep.Stage {
	case models.StagePendingDeparture, models.StageDeparted:
		var later int64
		err := tx.DB().Model(&models.Departure{}).Where("id = ? AND "+employedAnew, dep.ID).Count(&later).Error
		if err == nil && later > 0 {
			return ErrRehired
		}
		return database.Hide(err)
	case models.StagePurging, models.StagePurged:
		return ErrPurgeBegan
	}
	return ErrStage
}

// ConfirmAnnulment undoes the departure on the word of a second person: the employee is active
// again, deadlines and claims are cancelled, accounts are relinked. A second call changes nothing.
func ConfirmAnnulment(tx *database.Tx, by models.Actor, id uuid.UUID) error {
	dep, err := Lock(tx, id)
	if err != nil {
		return err
	}
	switch {
	case dep.Stage == models.StageAnnulled:
		return nil
	case dep.AnnulmentAskedAt == nil:
		return ErrNoAnnulment
	case by.ID() == nil || *dep.AnnulmentAskedBy == by.EmployeeID:
		return ErrSamePerson
	case dep.EmployeeID == by.EmployeeID:
		return ErrSubject
	}
	if err := annullable(tx, dep); err != nil {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	details := map[string]string{"stage_before": string(dep.Stage)}
	if dep.AnnulmentAskedBy != nil {
		details["asked_by"] = dep.AnnulmentAskedBy.String()
	}
	entry, err := recordEntry(tx, dep, EventAnnulled, by, details)
	if err != nil {
		return err
	}
	if dep.Stage == models.StageDeparted {
		if err := reopen(tx, dep, by, entry); err != nil {
			return err
		}
	}
	err = update(tx, dep, map[string]any{
		"stage": models.StageAnnulled, "annulled_at": now, "annulled_by": by.ID(),
	})
	if err != nil {
		return err
	}
	if err := subject.EndRelatives(tx, dep.EmployeeID); err != nil {
		return err
	}
	return reactivate(tx, by, dep, models.OriginAnnulment)
}

// reactivate sets the employee back to active and orders the relink of what was unlinked.
func reactivate(tx *database.Tx, by models.Actor, dep models.Departure, origin models.OperationOrigin) error {
	if err := archive.SetStatus(tx, dep.EmployeeID, models.StatusActive); err != nil {
		return err
	}
	if dep.AccountsState != models.AccountsLinked {
		op, created, err := account.OrderRelink(tx, account.RelinkOrder{
			EmployeeID: dep.EmployeeID, EmploymentID: dep.EmploymentID, DepartureID: &dep.ID, Origin: origin, By: by, Superseded: tellOthers(dep.ID),
		})
		if err != nil {
			return fmt.Errorf("ordering the relink: %w", err)
		}
		state, what := models.AccountsRelinking, EventRelinkingStarted
		if !created {
			state, what = models.AccountsRelinked, EventAccountsRelinked
		}
		if err := setAccounts(tx, dep.ID, dep.AccountsState, state, nil); err != nil {
			return err
		}
		if op.LedgerEntryID != nil {
			err = tell(tx, dep.ID, what, by, *op.LedgerEntryID)
		} else {
			err = record(tx, dep, what, by, nil)
		}
		if err != nil {
			return err
		}
	}
	return tx.Touch(models.DrivenDeparture, dep.ID)
}

// setAccounts moves the accounts track; the trigger refuses what is not legal or not proven.
func setAccounts(tx *database.Tx, id uuid.UUID, from, to models.AccountsState, settledAt *time.Time) error {
	err := database.UpdateOne(tx.DB().Model(&models.Departure{}).Where("id = ? AND accounts_state = ?", id, from).
		Updates(map[string]any{"accounts_state": to, "accounts_settled_at": settledAt}))
	return database.Wrap("moving the accounts track to "+string(to), err)
}
