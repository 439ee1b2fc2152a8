package departure

import (
	"slices"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// Outlook is what a wish for other dates of a departure comes to.
type Outlook struct {
	// Now are its dates as they are, Then those that would hold.
	Now, Then Dates
	// Changes are the dates that differ, in the order in which people read them.
	Changes []DateChange
	// Causes are why it takes two people.
	Causes []models.Cause
	// CutAtOnce: the access ends with the command, whatever a second person says to the rest.
	CutAtOnce bool
}

// Foresee says what [PrepareDates] and what follows it would come to. It locks as they do, and changes nothing.
func Foresee(tx *database.Tx, by models.Actor, id uuid.UUID, w RequestedDates) (Outlook, error) {
	g, err := PrepareDates(tx, by, id, w)
	if err == nil && g.Earlier {
		_, g.dates, err = LockEarlier(tx, by, id, w)
	}
	if err != nil {
		return Outlook{}, err
	}
	o := Outlook{Now: datesOf(g.dep), Then: g.dates, Causes: g.Causes}
	details := moved(o.Now, o.Then)
	if g.Earlier {
		details["counts_from"], details["counts_from_before"] = instant(o.Then.EmploymentEndedAt), instant(g.dep.EventAt())
	}
	o.Changes = changesIn(details, append(slices.Clone(changeable), "employment_ended_at"))
	now, err := tx.Now()
	if err != nil {
		return o, err
	}
	switch {
	case g.Earlier:
	case len(g.Causes) > 0:
		_, o.CutAtOnce, err = cutNow(tx, g.dep, w)
	default:
		o.CutAtOnce = g.dep.AccessCutoffAt.After(now) && !g.dates.AccessCutoffAt.After(now)
	}
	return o, err
}
