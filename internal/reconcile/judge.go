package reconcile

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/models"
)

// Link is one of our accounts with the id of a listed one.
type Link struct {
	ExternalID string
	AccountID  uuid.UUID
	EmployeeID uuid.UUID
	State      models.AccountState
	// Current: of an employment that goes on, and whose access nobody ended.
	Current bool
	// Reported: people were asked already since it had been switched on again.
	Reported bool
}

// Person is somebody whose number a listed account carries, or who is linked to it.
type Person struct {
	ID         uuid.UUID
	EmployeeNo string
	// Employed: some employment goes on, and nobody ended its access.
	Employed bool
	// Busy: the person's access is being ended or given back.
	Busy bool
	// Leaving: a departure is entered.
	Leaving bool
	// Accepted: of some account in the system two people accepted that it can be used, and its id was cleared with the data of
	// the person.
	Accepted bool
	// Since is when the employment that goes on was entered or began, whichever was later; nil: there is none.
	Since *time.Time
}

// Facts are what is known about one listed account.
type Facts struct {
	Links []Link
	// People are those of Links.
	People map[uuid.UUID]Person
	// Owner is whose number it carries; nil: nobody's, or it carries none.
	Owner *Person
	Now   time.Time
	// NoSignIn is after how long without a sign-in somebody employed is asked about; 0: never.
	NoSignIn time.Duration
}

// Finding is what one account has otherwise than the facts say.
type Finding struct {
	Kind       models.DriftKind
	EmployeeID *uuid.UUID
	AccountID  *uuid.UUID
}

// Grave findings are about somebody whose access was taken away: they are read back before anybody is told.
func (f Finding) Grave() bool {
	return f.Kind == models.DriftActive || f.Kind == models.DriftSwitchedOn
}

// Judge compares one account of a whole listing with the facts. Whose account it is comes first: where that is not clear,
// nothing else is concluded from it.
func Judge(a connector.Listed, f Facts) []Finding {
	live, former := parted(f.Links)
	if two := otherPerson(live); two != nil {
		return []Finding{{Kind: models.DriftTwoPeople, EmployeeID: &live[0].EmployeeID, AccountID: &live[0].AccountID}}
	}
	p, linked := f.person(live, former)
	if p == nil {
		if len(f.Links) > 0 {
			return nil // it was detached from whom we knew
		}
		return []Finding{{Kind: models.DriftOrphan}}
	}
	own := slices.DeleteFunc(slices.Concat(former, live), func(l Link) bool { return l.EmployeeID != p.ID })
	account := ours(own)
	var found []Finding
	if linked && a.EmployeeNo != "" && !connector.SameNumber(a.EmployeeNo, p.EmployeeNo) {
		found = append(found, Finding{Kind: models.DriftOtherOwner, EmployeeID: &p.ID, AccountID: account})
		if f.Owner != nil && f.Owner.Employed {
			return found // somebody else uses it now
		}
	}
	if kind := f.use(a, own, *p); kind != "" {
		found = append(found, Finding{Kind: kind, EmployeeID: &p.ID, AccountID: account})
	}
	return found
}

// parted are the links that stand and those that are over: taken away at the end of an employment, or found nowhere. What
// was severed is neither. An account whose links are all over may be somebody else's by now.
func parted(links []Link) (live, over []Link) {
	for _, l := range links {
		switch {
		case l.State == models.AccountDetached:
		case l.State == models.AccountNotFound, l.State.Settled() && !l.Current:
			over = append(over, l)
		default:
			live = append(live, l)
		}
	}
	return live, over
}

// otherPerson is a link of another person than the first; nil: all are of one.
func otherPerson(links []Link) *Link {
	for i := range links {
		if links[i].EmployeeID != links[0].EmployeeID {
			return &links[i]
		}
	}
	return nil
}

// person is whose account it is, and whether a link says so and not the number alone: whom it is linked to, else whose
// number it carries, else who had it last.
func (f Facts) person(live, over []Link) (_ *Person, linked bool) {
	of := func(l Link) *Person { p := f.People[l.EmployeeID]; return &p }
	switch {
	case len(live) > 0:
		return of(live[0]), true
	case f.Owner != nil && (len(over) > 0 || len(f.Links) == 0):
		return f.Owner, false
	case len(over) > 0:
		return of(over[len(over)-1]), true
	}
	return nil, false
}

// use is what is wrong with an account being on, or not used.
func (f Facts) use(a connector.Listed, links []Link, p Person) models.DriftKind {
	if !a.Active || p.Busy {
		return ""
	}
	var off, current, waived bool
	for _, l := range links {
		switch l.State {
		case models.AccountUnlinking, models.AccountAccepted, models.AccountRelinking:
			return "" // under way
		case models.AccountWaived:
			waived = waived || l.Current || !p.Employed
		case models.AccountDisabled:
			off = off || l.Current || !p.Employed
		case models.AccountLinked, models.AccountRelinked:
			current = current || l.Current
		case models.AccountStuck:
			if l.Reported {
				off = true
			} else if l.Current {
				return "" // a case of it is open
			}
		}
	}
	switch {
	case current && p.Employed:
	case waived:
		return "" // two people accepted it
	case off:
		return models.DriftSwitchedOn
	case !p.Employed && p.Accepted:
		return "" // which account it was is not known any more
	case !p.Employed:
		return models.DriftActive
	}
	if f.forgotten(a, p) {
		return models.DriftNoSignIn
	}
	return ""
}

// forgotten says whether somebody employed has not signed in for so long that a departure may have been forgotten.
func (f Facts) forgotten(a connector.Listed, p Person) bool {
	if f.NoSignIn <= 0 || a.LastSignInAt == nil || p.Leaving || p.Since == nil {
		return false
	}
	limit := f.Now.Add(-f.NoSignIn)
	return a.LastSignInAt.Before(limit) && p.Since.Before(limit)
}

// ours is the account of ours that a finding is about: that of the employment that goes on, else the last one.
func ours(links []Link) *uuid.UUID {
	for i := range links {
		if links[i].Current {
			return &links[i].AccountID
		}
	}
	if len(links) == 0 {
		return nil
	}
	return &links[len(links)-1].AccountID
}
