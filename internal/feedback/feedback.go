// Package feedback keeps what people say about the screens that they work with, and what they are answered. It is about the
// program, not about people: the form asks for no names, whoever answers does not see who wrote, and it ends after two years,
// or with the data of who wrote.
package feedback

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/reasons"
	"lethe/internal/textform"
	"lethe/models"
)

// The ways in which a command is refused.
var (
	ErrNotFound = errors.New("no such feedback")
	// ErrAnswered: it was answered otherwise.
	ErrAnswered = errors.New("it was answered already")
	// ErrTooMany: the same person said much within a day.
	ErrTooMany = errors.New("too much feedback of one person within a day")
)

const (
	maxText = 2000 // characters
	// most pieces of one person within a day.
	most = 30
	// kept is how long feedback stays: four half-yearly reviews.
	kept = 2 * 365 * 24 * time.Hour
	// The sealed columns: their names are part of what they are sealed for.
	columnDoing  = "doing_sealed"
	columnText   = "text_sealed"
	columnAnswer = "answer_sealed"
)

func cell(column string, id uuid.UUID) string { return reasons.Cell("feedback."+column, id) }

// screenName is how the console calls its screens.
var screenName = regexp.MustCompile(`^[a-z]{1,40}$`)

// New is what somebody says.
type New struct {
	Kind                         models.FeedbackKind
	Screen, Version, Doing, Text string
}

func (n *New) check() error {
	found := &invalid.ValuesError{}
	if !slices.Contains(models.FeedbackKinds, n.Kind) {
		found.Problems = append(found.Problems, invalid.Value{Location: "kind", Code: invalid.Unknown})
	}
	if !screenName.MatchString(n.Screen) {
		found.Problems = append(found.Problems, invalid.Value{Location: "screen", Code: invalid.Unknown})
	}
	var fault textform.Fault
	n.Text, fault = textform.Paragraphs(n.Text, maxText)
	found.Add("text", invalid.Text(fault))
	if n.Doing, fault = textform.Paragraphs(n.Doing, maxText); fault == textform.Empty {
		n.Doing, fault = "", ""
	}
	found.Add("doing", invalid.Text(fault))
	if len(found.Problems) > 0 {
		return found
	}
	return nil
}

// Say keeps what somebody says.
func Say(tx *database.Tx, by models.Actor, n New) (f models.Feedback, err error) {
	if err := n.check(); err != nil {
		return f, err
	}
	now, err := tx.Now()
	if err != nil {
		return f, err
	}
	// So that many at once do not get past what is counted.
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "feedback/"+by.EmployeeID.String()).Error; err != nil {
		return f, database.Wrap("waiting for other feedback", err)
	}
	var lately int64
	if err := tx.DB().Model(&f).Where("employee_id = ? AND said_at > ?", by.EmployeeID, now.Add(-24*time.Hour)).Count(&lately).Error; err != nil {
		return f, database.Wrap("counting feedback", err)
	}
	if lately >= most {
		return f, ErrTooMany
	}
	f = models.Feedback{ID: models.NewID(), EmployeeID: by.EmployeeID, Role: by.Role, Kind: n.Kind, Screen: n.Screen, Version: n.Version, SaidAt: now}
	if f.DoingSealed, err = reasons.Seal(tx, cell(columnDoing, f.ID), n.Doing); err != nil {
		return f, err
	}
	if f.TextSealed, err = reasons.Seal(tx, cell(columnText, f.ID), n.Text); err != nil {
		return f, err
	}
	return f, database.Wrap("keeping feedback", tx.DB().Create(&f).Error)
}

// crowd is how many people have a role before it may stand beside what one of them wrote.
const crowd = 5

// CommonRoles are those that so many people have that nobody is told by them.
func CommonRoles(ctx context.Context, db *database.DB) (roles []models.Role, err error) {
	err = db.Read(ctx).Raw("SELECT role FROM user_roles WHERE revoked_at IS NULL GROUP BY role HAVING count(*) >= ?", crowd).Scan(&roles).Error
	return roles, database.Wrap("counting who has which role", err)
}

// Answer is for who said it, once. The same again changes nothing.
func Answer(tx *database.Tx, by models.Actor, id uuid.UUID, text string) error {
	text, fault := textform.Paragraphs(text, maxText)
	found := &invalid.ValuesError{}
	if found.Add("text", invalid.Text(fault)); len(found.Problems) > 0 {
		return found
	}
	f, err := database.Lock[models.Feedback](tx, "feedback", id)
	if err != nil {
		return database.Found("locking feedback", err, ErrNotFound)
	}
	if f.AnsweredAt != nil {
		written, err := WrittenFor(tx.Context(), tx, f)
		if err == nil && written[0].Answer != text {
			err = ErrAnswered
		}
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	sealed, err := reasons.Seal(tx, cell(columnAnswer, id), text)
	if err != nil {
		return err
	}
	return database.UpdateOne(tx.DB().Model(&f).Where("id = ?", id).Updates(map[string]any{"answered_by": by.EmployeeID, "answered_at": now, columnAnswer: sealed}))
}

// Filter says what is listed.
type Filter struct {
	// EmployeeID: only what this person said.
	EmployeeID *uuid.UUID
	Kind       models.FeedbackKind
	// Answered, if given: only what was answered, or was not.
	Answered *bool
	From, To *time.Time
	Before   uuid.UUID // newest first
	Limit    int
}

// List is a page of feedback, newest first, and one more if there is more.
func List(ctx context.Context, db *database.DB, f Filter) (rows []models.Feedback, err error) {
	q := db.Read(ctx)
	if f.EmployeeID != nil {
		q = q.Where("employee_id = ?", *f.EmployeeID)
	}
	if f.Kind != "" {
		q = q.Where("kind = ?", f.Kind)
	}
	if f.Answered != nil {
		q = q.Where("(answered_at IS NOT NULL) = ?", *f.Answered)
	}
	if f.From != nil {
		q = q.Where("said_at >= ?", *f.From)
	}
	if f.To != nil {
		q = q.Where("said_at < ?", *f.To)
	}
	if f.Before != uuid.Nil {
		q = q.Where("id < ?", f.Before)
	}
	err = q.Order(database.Newest).Limit(f.Limit + 1).Find(&rows).Error
	return rows, database.Wrap("listing feedback", err)
}

// Get is one piece of feedback.
func Get(ctx context.Context, db *database.DB, id uuid.UUID) (models.Feedback, error) {
	f, err := database.First[models.Feedback](db.Read(ctx).Where("id = ?", id))
	return f, database.Found("reading feedback", err, ErrNotFound)
}

// Written is what was written.
type Written struct{ Doing, Text, Answer string }

// WrittenFor opens what was written, in the order of the rows.
func WrittenFor(ctx context.Context, c reasons.Carrier, rows ...models.Feedback) ([]Written, error) {
	var texts []reasons.Text
	for _, f := range rows {
		texts = append(texts, reasons.Text{Cell: cell(columnDoing, f.ID), Sealed: f.DoingSealed}, reasons.Text{Cell: cell(columnText, f.ID), Sealed: f.TextSealed},
			reasons.Text{Cell: cell(columnAnswer, f.ID), Sealed: f.AnswerSealed})
	}
	opened, err := reasons.Open(ctx, c, texts...)
	if err != nil {
		return nil, err
	}
	written := make([]Written, len(rows))
	for i := range rows {
		written[i] = Written{opened[3*i], opened[3*i+1], opened[3*i+2]}
	}
	return written, nil
}

// End removes what somebody said whose data is deleted.
func End(tx *database.Tx, person uuid.UUID) error {
	return database.Wrap("removing feedback", tx.DB().Exec("DELETE FROM feedback WHERE employee_id = ?", person).Error)
}

// sweepBatch rows are removed at once.
const sweepBatch = 1000

// Sweep removes what is kept long enough.
func Sweep(ctx context.Context, db *database.DB) error {
	return database.Run(ctx, db, func(tx *database.Tx) error {
		return database.Wrap("removing old feedback", tx.DB().Exec(`DELETE FROM feedback WHERE id IN (SELECT id FROM feedback
			WHERE said_at < lethe_now() - make_interval(secs => ?) ORDER BY said_at LIMIT ? FOR UPDATE SKIP LOCKED)`, kept.Seconds(), sweepBatch).Error)
	})
}

// Keep sweeps until ctx ends. Every process may.
func Keep(ctx context.Context, db *database.DB, log *slog.Logger) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		if err := Sweep(ctx, db); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "old feedback is left for now", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
