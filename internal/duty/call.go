package duty

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/message"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/internal/vault"
	"lethe/models"
)

// The ways in which a command about an emergency call is refused.
var (
	ErrCallNotFound = errors.New("no such emergency call")
	// ErrTooOften: the caller has called as often within an hour as somebody may.
	ErrTooOften = errors.New("the caller has called often within an hour")
	// ErrOwn: nobody looks after an emergency of their own.
	ErrOwn = errors.New("nobody looks after an emergency of their own")
	// ErrTaken: somebody else looks after it.
	ErrTaken = errors.New("somebody else looks after it")
	// ErrNotTaken: nobody looks after it yet.
	ErrNotTaken = errors.New("nobody looks after it yet")
	// ErrClosed: what came of it was told already, and something else.
	ErrClosed = errors.New("what came of it was told already")
)

const (
	// mostCalls is how often somebody may call within an hour.
	mostCalls = 6
	hour      = time.Hour

	maxWhat = 1000
	maxWho  = 200
	maxNote = 500
)

// What the ledger says about an emergency call.
const (
	actionCalled    = "emergency_call.made"
	actionNumber    = "emergency_call.number_shown"
	actionTaken     = "emergency_call.taken"
	actionGivenBack = "emergency_call.given_back"
	actionClosed    = "emergency_call.closed"
	actionEscalated = "emergency_call.escalated"
	actionRead      = "emergency_call.read"
)

const (
	columnStatement = "statement_sealed"
	columnNote      = "note_sealed"
)

func cell(column string, id uuid.UUID) string { return reasons.Cell("emergency_calls."+column, id) }

var (
	calls = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "lethe_emergency_calls_total", Help: "Emergency calls, by whether somebody on duty could be called.",
	}, []string{"on_duty"})
	escalations = promauto.NewCounter(prometheus.CounterOpts{
		Name: "lethe_emergency_escalations_total", Help: "Emergency calls that nobody of HR took within ten minutes.",
	})
)

// Request is an emergency about which somebody calls HR: about a colleague, or somebody whom the caller describes.
type Request struct {
	EmployeeID *uuid.UUID
	Who, What  string
	// Mail: there is a mail server, by which who is on duty is told.
	Mail bool
}

// Statement is what was written for a call; it is kept sealed.
type Statement struct {
	What string `json:"what"`
	Who  string `json:"who,omitempty"`
	// Nonce keeps the digest of it that the ledger holds from being guessed.
	Nonce string `json:"nonce"`
}

// Call is a call with whom the caller is given.
type Call struct {
	models.EmergencyCall
	// OnDutyNow are on duty; Others are given where nobody is. The numbers must not leave before the transaction has committed.
	OnDutyNow, Others []Reached
	Receipt           string
}

func (r *Request) check() error {
	var found []invalid.Value
	text, fault := textform.Paragraphs(r.What, maxWhat)
	if fault != "" {
		found = append(found, invalid.Value{Location: "what", Code: invalid.Text(fault)})
	}
	r.What = text
	switch {
	case r.EmployeeID == nil && r.Who == "":
		found = append(found, invalid.Value{Location: "who", Code: invalid.Required})
	case r.EmployeeID != nil && r.Who != "":
		found = append(found, invalid.Value{Location: "who", Code: invalid.OneOfTwo})
	case r.Who != "":
		text, fault := textform.Line(r.Who, maxWho)
		if fault != "" {
			found = append(found, invalid.Value{Location: "who", Code: invalid.Text(fault)})
		}
		r.Who = text
	}
	if len(found) > 0 {
		return &invalid.ValuesError{Problems: found}
	}
	return nil
}

// Make records a call, tells who is on duty by mail, and gives the caller whom to call. Whom the caller may not know of
// is database.ErrNotFound, like nobody and like somebody whose data is deleted: describing them always goes.
func Make(tx *database.Tx, opener vault.Opener, by models.Actor, r Request) (c Call, err error) {
	if err := r.check(); err != nil {
		return c, err
	}
	if err := alone(tx, by); err != nil {
		return c, err
	}
	if err := r.find(tx, by); err != nil {
		return c, err
	}
	now, err := tx.Now()
	if err != nil {
		return c, err
	}
	duty, err := onDuty(tx)
	if err != nil {
		return c, err
	}
	c.EmergencyCall = models.EmergencyCall{
		ID: models.NewID(), CallerID: by.EmployeeID, CallerRole: by.Role, EmployeeID: r.EmployeeID, State: models.EmergencyOpen, CalledAt: now, OnDuty: ids(duty),
	}
	written, _ := json.Marshal(Statement{r.What, r.Who, rand.Text()}) // strings
	if c.StatementSealed, err = reasons.SealAt(tx.Context(), tx, now, cell(columnStatement, c.ID), string(written)); err != nil {
		return c, err
	}
	digest := sha256.Sum256(written)
	entry := entryOf(c.EmergencyCall, actionCalled, map[string]string{"statement": hex.EncodeToString(digest[:]), "on_duty": strconv.Itoa(len(duty))})
	if c.LedgerEntryID, c.Receipt, err = ledger.AppendWithReceipt(tx, entry, ""); err != nil {
		return c, err
	}
	if err := tx.DB().Create(&c.EmergencyCall).Error; err != nil {
		return c, database.Wrap("keeping an emergency call", err)
	}
	if err := c.give(tx, opener, duty); err != nil {
		return c, err
	}
	calls.WithLabelValues(strconv.FormatBool(len(duty) > 0)).Inc()
	if !r.Mail {
		return c, nil
	}
	return c, c.alert(tx, ids(duty))
}

// Again gives the caller of a call whom to call as it stands by now.
func Again(tx *database.Tx, opener vault.Opener, by models.Actor, id uuid.UUID) (c Call, err error) {
	if c.EmergencyCall, err = lock(tx, id); err != nil {
		return c, err
	}
	if c.CallerID != by.EmployeeID {
		return c, ErrCallNotFound
	}
	duty, err := onDuty(tx)
	if err != nil {
		return c, err
	}
	return c, c.give(tx, opener, duty)
}

// give opens the numbers of whom the caller is given, each recorded.
func (c *Call) give(tx *database.Tx, opener vault.Opener, duty []reachedRow) (err error) {
	rows, to := duty, &c.OnDutyNow
	if len(duty) == 0 {
		if rows, err = others(tx); err != nil {
			return err
		}
		to = &c.Others
	}
	for _, r := range rows {
		if r.Employment == nil {
			continue
		}
		e := entryOf(c.EmergencyCall, actionNumber, map[string]string{"fields": phoneField})
		e.Subject = &r.ID
		if _, err := ledger.Append(tx, e); err != nil {
			return err
		}
	}
	*to, err = open(tx, opener, rows)
	return err
}

// alert has those told by mail who are to look after a call, once each, but for the caller and whom it is about.
func (c *Call) alert(tx *database.Tx, people models.IDs) error {
	for _, id := range people {
		if id == c.CallerID || c.EmployeeID != nil && id == *c.EmployeeID {
			continue
		}
		if err := message.Alert(tx, c.EmergencyCall, id); err != nil {
			return err
		}
	}
	return nil
}

// alone has the calls of one person made one after the other, and counts them.
func alone(tx *database.Tx, by models.Actor) error {
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "emergency calls/"+by.EmployeeID.String()).Error; err != nil {
		return database.Wrap("waiting for the caller's other calls", err)
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	var n int
	err = tx.DB().Raw("SELECT count(*) FROM emergency_calls WHERE caller_id = ? AND called_at > ?", by.EmployeeID, now.Add(-hour)).Scan(&n).Error
	if err == nil && n >= mostCalls {
		return ErrTooOften
	}
	return database.Wrap("counting the caller's calls", err)
}

// find looks for about whom it is: whom the caller may see, and for everybody the colleagues of the own department.
func (r *Request) find(tx *database.Tx, by models.Actor) error {
	if r.EmployeeID == nil {
		return nil
	}
	seen, err := archive.SeenBy(tx.DB(), by)
	if err != nil {
		return err
	}
	visible := tx.DB().Table("employees").Select("employees.id").Scopes(seen)
	var there bool
	err = tx.DB().Raw(`SELECT EXISTS (SELECT FROM employees WHERE id = ? AND status <> 'purged'
		AND (id IN (?) OR department_id = (SELECT department_id FROM employees WHERE id = ?)))`, *r.EmployeeID, visible.Where("employees.id = ?", *r.EmployeeID), by.EmployeeID).Scan(&there).Error
	if err == nil && !there {
		return database.ErrNotFound
	}
	return database.Wrap("looking about whom it is", err)
}

func lock(tx *database.Tx, id uuid.UUID) (models.EmergencyCall, error) {
	c, err := database.Lock[models.EmergencyCall](tx, "an emergency call", id)
	return c, database.Found("locking an emergency call", err, ErrCallNotFound)
}

// entryOf is an entry about a call. Whom it is about is its subject.
func entryOf(c models.EmergencyCall, action string, details map[string]string) ledger.Entry {
	return ledger.Entry{Kind: ledger.KindDisclosure, Action: action, Subject: c.EmployeeID, Object: "emergency_call/" + c.ID.String(), Details: details}
}

// change writes columns of a call, with the entry that says so.
func change(tx *database.Tx, c *models.EmergencyCall, e ledger.Entry, columns map[string]any) (err error) {
	if c.LedgerEntryID, err = ledger.Append(tx, e); err != nil {
		return err
	}
	columns["ledger_entry_id"] = c.LedgerEntryID
	return database.UpdateOne(tx.DB().Model(&models.EmergencyCall{}).Where("id = ?", c.ID).Updates(columns))
}

// Take has somebody of HR look after a call. The same again changes nothing.
func Take(tx *database.Tx, by models.Actor, id uuid.UUID) (models.EmergencyCall, error) {
	c, err := lock(tx, id)
	switch {
	case err != nil:
		return c, err
	case c.EmployeeID != nil && *c.EmployeeID == by.EmployeeID:
		return c, ErrOwn
	case c.TakenBy != nil && *c.TakenBy == by.EmployeeID:
		return c, nil
	case c.State != models.EmergencyOpen:
		return c, ErrTaken
	}
	now, err := tx.Now()
	if err != nil {
		return c, err
	}
	c.State, c.TakenBy, c.TakenAt = models.EmergencyTaken, by.ID(), &now
	return c, change(tx, &c, entryOf(c, actionTaken, nil), map[string]any{"state": c.State, "taken_by": by.ID(), "taken_at": now})
}

// emergencies are the purposes of looks that are made for a call.
var emergencies = func() (all []access.Purpose) {
	for _, p := range disclosure.Purposes() {
		if p.Reviewed {
			all = append(all, p.Purpose)
		}
	}
	return all
}()

// fits refuses a look that is missing, or is not one that was made for this call: for an emergency, shown, and not before
// the call; of the person, if it is known who that is, else by who looks after the call, or closes it.
func (o Closing) fits(tx *database.Tx, by models.Actor, c models.EmergencyCall) error {
	switch {
	case o.Outcome == models.EmergencyLooked && o.DisclosureID == nil:
		return invalid.At("disclosure_id", invalid.Required)
	case o.Outcome != models.EmergencyLooked && o.DisclosureID != nil:
		return invalid.At("disclosure_id", CodeOnlyLook)
	case o.DisclosureID == nil:
		return nil
	}
	var fits bool
	err := tx.DB().Raw(`SELECT EXISTS (SELECT FROM disclosures WHERE id = ? AND shown_at IS NOT NULL AND shown_at >= ? AND purpose IN ? AND NOT compares
			AND (employee_id = ? OR (CAST(? AS uuid) IS NULL AND actor_id IN (?, ?))))`,
		*o.DisclosureID, c.CalledAt, emergencies, c.EmployeeID, c.EmployeeID, c.TakenBy, by.EmployeeID).Scan(&fits).Error
	if err == nil && !fits {
		return invalid.At("disclosure_id", invalid.Unknown)
	}
	return database.Wrap("looking for the look of an emergency call", err)
}

// closedAs lets the same be told again.
func closedAs(tx *database.Tx, c models.EmergencyCall, o Closing, note string) error {
	_, before, err := Texts(tx.Context(), tx, c)
	if err != nil {
		return err
	}
	look := func(id *uuid.UUID) uuid.UUID {
		if id == nil {
			return uuid.Nil
		}
		return *id
	}
	if c.Outcome != o.Outcome || look(c.DisclosureID) != look(o.DisclosureID) || before != note {
		return ErrClosed
	}
	return nil
}

// Closing is what came of a call.
type Closing struct {
	Outcome models.EmergencyOutcome
	// DisclosureID is the look that was made for it.
	DisclosureID *uuid.UUID
	Note         string
}

// Close tells what came of a call that somebody looks after, once. Anybody of HR may, but whom it is about.
func Close(tx *database.Tx, by models.Actor, id uuid.UUID, o Closing) (models.EmergencyCall, error) {
	c, err := lock(tx, id)
	if err != nil {
		return c, err
	}
	note, fault := textform.Paragraphs(o.Note, maxNote)
	switch {
	case c.EmployeeID != nil && *c.EmployeeID == by.EmployeeID:
		return c, ErrOwn
	case c.State == models.EmergencyClosed:
		return c, closedAs(tx, c, o, note)
	case c.State != models.EmergencyTaken:
		return c, ErrNotTaken
	case fault != "" && fault != textform.Empty:
		return c, invalid.At("note", invalid.Text(fault))
	}
	if err := o.fits(tx, by, c); err != nil {
		return c, err
	}
	now, err := tx.Now()
	if err != nil {
		return c, err
	}
	if c.NoteSealed, err = reasons.Seal(tx, cell(columnNote, id), note); err != nil {
		return c, err
	}
	c.State, c.Outcome, c.DisclosureID, c.ClosedBy, c.ClosedAt = models.EmergencyClosed, o.Outcome, o.DisclosureID, by.ID(), &now
	details := map[string]string{"emergency_outcome": string(o.Outcome)}
	if o.DisclosureID != nil {
		details["disclosure"] = o.DisclosureID.String()
	}
	return c, change(tx, &c, entryOf(c, actionClosed, details), map[string]any{
		"state": c.State, "outcome": o.Outcome, "disclosure_id": o.DisclosureID, columnNote: c.NoteSealed, "closed_by": by.ID(), "closed_at": now,
	})
}
