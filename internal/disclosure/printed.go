package disclosure

import (
	"errors"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/vault"
	"lethe/models"
)

// readAll reads for a copy what the file holds, of each employment. What emergency calls alone may name is not printed.
func (j *judged) readAll(tx *database.Tx, r Request) error {
	_, fields, err := stored(tx, r.EmployeeID)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if !archive.ForCallsAlone(f.Key) {
			j.fields = append(j.fields, f)
			j.facts.asks(f)
		}
	}
	j.facts.EnteredAlone = r.Copy.EnteredAlone
	return nil
}

func keysOf(fields []archive.LookField) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.Key
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Agreed is the look for a printed copy to which a reviewer agreed, and which waits for who asked; ok is false without one.
func Agreed(tx *database.Tx, by models.Actor, request uuid.UUID) (id uuid.UUID, ok bool, err error) {
	row, err := database.First[models.Disclosure](tx.DB().Where("actor_id = ? AND subject_request_id = ? AND state = ? AND open_until > lethe_now()",
		by.EmployeeID, request, models.LookGranted).Order(database.Newest))
	if errors.Is(err, database.ErrNotFound) {
		return id, false, nil
	}
	return row.ID, err == nil, err
}

// PrintCopy opens what a printed copy shows, once. One that a reviewer agreed to is judged anew, and lapses if what it was
// judged by has changed, which the look says; one that nobody had to agree to was judged in the same transaction. The
// values must not leave before the transaction has committed.
func PrintCopy(tx *database.Tx, opener vault.Opener, by models.Actor, look *Look, language i18n.Language) ([]OwnEmployment, error) {
	if look.State == models.LookGranted {
		if err := look.print(tx, by); err != nil || look.State != models.LookShown {
			return nil, err
		}
	}
	return openAll(tx, opener, look.EmployeeID, language, func(f archive.LookField) bool { return slices.Contains(look.Fields, f.Key) })
}

// print notes that what a reviewer agreed to is printed, or lapses.
func (l *Look) print(tx *database.Tx, by models.Actor) error {
	if l.ActorID != by.EmployeeID || l.ActorRole != by.Role {
		return ErrNotLooker
	}
	person, err := database.First[models.Employee](tx.DB().Where("id = ?", l.EmployeeID))
	if err != nil {
		return err
	}
	permitted, err := stillPermitted(tx, l.Disclosure)
	if err != nil {
		return err
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	if !permitted || person.Status != l.Status || l.OpenUntil == nil || !l.OpenUntil.After(now) {
		return l.lapse(tx)
	}
	l.State, l.ShownAt, l.ShownTimes, l.OpenUntil = models.LookShown, &now, 1, nil
	return change(tx, &l.Disclosure, actionShown, nil, map[string]any{"state": l.State, "shown_at": now, "shown_times": 1, "open_until": nil})
}

// Printed is how often the copy was printed for each of some requests: each is a look of its own.
func Printed(db *gorm.DB, requests []uuid.UUID) (map[uuid.UUID]int, error) {
	times := map[uuid.UUID]int{}
	if len(requests) == 0 {
		return times, nil
	}
	var rows []struct {
		SubjectRequestID uuid.UUID
		Times            int
	}
	err := db.Model(&models.Disclosure{}).Select("subject_request_id, count(*) AS times").
		Where("subject_request_id IN ? AND shown_at IS NOT NULL", requests).Group("subject_request_id").Scan(&rows).Error
	for _, r := range rows {
		times[r.SubjectRequestID] = r.Times
	}
	return times, database.Wrap("counting printed copies", err)
}
