package departure

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/internal/textform"
	"lethe/internal/vault"
	"lethe/models"
)

// Notice is a command to begin a departure.
type Notice struct {
	EmployeeID        uuid.UUID
	Kind              models.DepartureKind
	LegalGround       string
	Initiator         models.Initiator
	ReasonCode        string
	Note              string
	ConfidentialUntil *clock.Date
	// Approved says that two people agreed to what one may not begin alone.
	Approved bool
	// BatchID is the file by which it begins, with others; nil: alone.
	BatchID *uuid.UUID `json:"-"`
	RequestedDates
}

// MaxText is the longest free text of a departure, in characters.
const MaxText = 2000

// codes is what a reason code is made of: nothing that could describe a person fits in ("relocation").
// The legal ground cites a law in words.
var codes = regexp.MustCompile(`^[a-z0-9_.-]{0,100}$`)

const maxLegalGround = 100 // characters

// Beginning is a departure as it would begin. Whether one person may begin it is known before anything is written.
type Beginning struct {
	// Causes are why one person may not: of a head or an administrator it would end the access or the employment
	// at once.
	Causes []models.Cause
	// Entry is with which dates it would run.
	Entry
	Employment models.Employment

	notice Notice
}

// Prepare locks the employment and judges a notice. An open departure of the same employment is an
// *ExistsError; nobody begins the own, which is ErrSubject. What is wished beyond one person's word ([Remains]) is for
// the caller to ask a second person; the departure runs meanwhile.
func Prepare(tx *database.Tx, by models.Actor, n Notice) (b Beginning, err error) {
	if err = n.check(); err != nil {
		return b, err
	}
	if n.EmployeeID == by.EmployeeID {
		return b, ErrSubject
	}
	b.notice = n
	b.Employment, err = archive.CurrentEmployment(tx, n.EmployeeID)
	if errors.Is(err, database.ErrNotFound) {
		return b, notCurrent(tx, n.EmployeeID)
	}
	if err != nil {
		return b, err
	}
	if err = refuseSecond(tx, b.Employment.ID); err != nil {
		return b, err
	}
	c, err := circumstancesOf(tx, b.Employment)
	if err != nil {
		return b, err
	}
	if b.Entry, err = Enter(n.RequestedDates, c, n.Approved); err != nil {
		return b, err
	}
	if !n.Approved {
		if b.Causes, err = suddenly(tx, n.EmployeeID, b.Dates); err != nil {
			return b, err
		}
	}
	known, err := retention.HasRules(tx, b.Employment.Jurisdiction)
	if err == nil && !known {
		err = ErrNoRules
	}
	return b, err
}

// Begin starts the departure in the transaction in which it was prepared. Its workflow is started by the relay
// from the committed row. What one person may not begin alone is ErrApprovalRequired.
func (b Beginning) Begin(tx *database.Tx, seal vault.Sealer, by models.Actor) (models.Departure, error) {
	if len(b.Causes) > 0 {
		return models.Departure{}, ErrApprovalRequired
	}
	n := b.notice
	dep := n.row(b.Employment, b.Entry, by)
	if dep.Advanced {
		dep.AdvancedBy = agreed(tx)
	}
	var err error
	if dep.NoteSealed, err = sealText(tx, seal, dep, "note_sealed", n.Note); err != nil {
		return models.Departure{}, err
	}
	if err := sealCodes(tx, seal, &dep, Codes{LegalGround: n.LegalGround, ReasonCode: n.ReasonCode}); err != nil {
		return models.Departure{}, err
	}
	return dep, insert(tx, dep, by)
}

// Begin is [Prepare] and [Beginning.Begin] at once.
func Begin(tx *database.Tx, seal vault.Sealer, by models.Actor, n Notice) (models.Departure, error) {
	b, err := Prepare(tx, by, n)
	if err != nil {
		return models.Departure{}, err
	}
	return b.Begin(tx, seal, by)
}

// Complete fills in what a notice leaves to be derived, so that who agrees to it agrees to what will be.
// "At once", and a cutoff that is over, stay what they are: when that will be is known when it begins.
func Complete(tx *database.Tx, n Notice) (Notice, error) {
	if err := n.check(); err != nil {
		return n, err
	}
	employment, err := archive.CurrentEmployment(tx, n.EmployeeID)
	if errors.Is(err, database.ErrNotFound) {
		return n, notCurrent(tx, n.EmployeeID)
	}
	if err != nil {
		return n, err
	}
	dates, err := derive(tx, employment, n.RequestedDates)
	if err != nil {
		return n, err
	}
	now, err := tx.Now()
	if err != nil {
		return n, err
	}
	if n.Initiator == "" {
		n.Initiator = defaultInitiator(n.Kind)
	}
	today := clock.DateOf(now) // within a day of any zone's: whoever agrees is shown what it means, or it counts from now
	n.CountFromEnd = n.CountFromEnd || !n.Immediate && dates.EmploymentEndDate.DaysUntil(today) >= OneWord
	n.RequestedDates = n.RequestedDates.completed(dates, now)
	return n, nil
}

func (n Notice) check() error {
	switch {
	case !slices.Contains(models.DepartureKinds, n.Kind):
		return ErrUnknownKind
	case n.Kind == models.KindGroupTransfer, n.ConfidentialUntil != nil:
		return ErrNotSupportedYet
	case n.Initiator != "" && !slices.Contains(models.Initiators, n.Initiator):
		return ErrUnknownInitiator
	}
	if !codes.MatchString(n.ReasonCode) {
		return ErrNotACode
	}
	if err := textform.Optional(&n.LegalGround, maxLegalGround); err != nil {
		return err
	}
	return textform.Optional(&n.Note, MaxText)
}

func (n Notice) row(employment models.Employment, d Entry, by models.Actor) models.Departure {
	id := models.NewID()
	initiator := n.Initiator
	if initiator == "" {
		initiator = defaultInitiator(n.Kind)
	}
	return models.Departure{
		ID: id, EmployeeID: employment.EmployeeID, EmploymentID: employment.ID, Kind: n.Kind,
		Initiator: initiator,
		Stage:     models.StagePendingDeparture, AccountsState: models.AccountsLinked,
		NoticeReceivedOn: d.NoticeReceivedOn, LastWorkingDay: d.LastWorkingDay,
		EmploymentEndDate: d.EmploymentEndDate, AccessCutoffAt: d.AccessCutoffAt,
		EmploymentEndedAt: d.EmploymentEndedAt, TimeZone: d.TimeZone, Immediate: n.Immediate,
		CountsFrom: d.CountsFrom, Advanced: d.Advanced, BegunBatchID: n.BatchID, CreatedBy: by.ID(), Driven: models.Driven{Revision: 1},
	}
}

// defaultInitiator is who ends the employment by the nature of the kind.
func defaultInitiator(k models.DepartureKind) models.Initiator {
	switch k {
	case models.KindResignation:
		return models.InitiatorEmployee
	case models.KindDismissal:
		return models.InitiatorEmployer
	case models.KindMutualAgreement:
		return models.InitiatorBoth
	}
	return models.InitiatorLaw
}

func insert(tx *database.Tx, dep models.Departure, by models.Actor) error {
	err := tx.DB().Create(&dep).Error
	if err = database.Hide(err); database.Violates(err, "departures_one_open") {
		return refuseSecond(tx, dep.EmploymentID)
	}
	if err != nil {
		return fmt.Errorf("inserting a departure: %w", err)
	}
	if err := archive.SetStatus(tx, dep.EmployeeID, models.StatusPendingDeparture); err != nil {
		return err
	}
	tx.Nudge(models.DrivenDeparture, dep.ID)
	return record(tx, dep, EventStarted, by, started(dep))
}

// refuseSecond is safe because every caller holds the employment's lock.
func refuseSecond(tx *database.Tx, employmentID uuid.UUID) error {
	open, err := database.First[models.Departure](tx.DB().
		Where("employment_id = ? AND stage NOT IN ('withdrawn', 'annulled')", employmentID))
	if errors.Is(err, database.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for an open departure: %w", err)
	}
	return &ExistsError{open.ID, open.Stage}
}

// notCurrent explains why an employee has no current employment: unknown, or departed already.
func notCurrent(tx *database.Tx, employeeID uuid.UUID) error {
	last, err := database.First[models.Departure](tx.DB().
		Where("employee_id = ? AND stage NOT IN ('withdrawn', 'annulled')", employeeID).
		Order(database.Newest))
	if err != nil {
		return database.Found("looking for the last departure", err, ErrEmployeeNotFound)
	}
	return &ExistsError{last.ID, last.Stage}
}

func derive(tx *database.Tx, employment models.Employment, w RequestedDates) (Dates, error) {
	c, err := circumstancesOf(tx, employment)
	if err != nil {
		return Dates{}, err
	}
	return Derive(w, c)
}

func circumstancesOf(tx *database.Tx, employment models.Employment) (Circumstances, error) {
	entity, err := database.First[models.LegalEntity](tx.DB().Where("id = ?", employment.LegalEntityID))
	if err != nil {
		return Circumstances{}, fmt.Errorf("reading the legal entity: %w", err)
	}
	cutoff, err := clock.ParseTimeOfDay(entity.CutoffTime)
	if err != nil {
		return Circumstances{}, fmt.Errorf("reading the legal entity's cutoff: %w", err)
	}
	c := Circumstances{HiredOn: employment.HiredOn, TimeZone: employment.TimeZone, CutoffTime: cutoff}
	if c.Exempt, err = retention.Exempt(tx, employment.Jurisdiction); err != nil {
		return c, err
	}
	c.Now, err = tx.Now()
	return c, err
}

// sealText seals a free text of the departure; no text is NULL.
func sealText(tx *database.Tx, seal vault.Sealer, dep models.Departure, column, text string) (models.Sealed, error) {
	if text == "" {
		return models.Sealed{}, nil
	}
	sealed, _, err := seal.Seal(tx, placeOf(dep, column), []byte(text))
	if err != nil {
		return models.Sealed{}, fmt.Errorf("sealing a departure's text: %w", err)
	}
	return sealed, nil
}

func placeOf(dep models.Departure, column string) vault.Cell {
	return vault.Cell{
		Table: "departures", Row: dep.ID, Employment: dep.EmploymentID,
		Category: models.CategoryDepartureFile, Field: column,
	}
}

// CompleteDates fills in what a request for other dates of a pending departure leaves to be derived, as
// [Complete] does.
func CompleteDates(tx *database.Tx, id uuid.UUID, w RequestedDates) (RequestedDates, error) {
	dep, err := Lock(tx, id)
	if err != nil {
		return w, err
	}
	if dep.Stage != models.StagePendingDeparture {
		return w, notPending(dep.Stage)
	}
	employment, err := archive.LockEmployment(tx, dep.EmploymentID)
	if err != nil {
		return w, err
	}
	if w.TimeZone == "" {
		w.TimeZone = dep.TimeZone
	}
	w.keepNotice(dep)
	if w.AccessCutoffAt == nil && dep.AccountsState != models.AccountsLinked {
		w.AccessCutoffAt = &dep.AccessCutoffAt // it is behind, and stays what it was
	}
	dates, err := derive(tx, employment, w)
	if err != nil {
		return w, err
	}
	now, err := tx.Now()
	if err != nil {
		return w, err
	}
	return w.completed(dates, now), nil
}
