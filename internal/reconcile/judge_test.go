package reconcile

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"lethe/internal/connector"
	"lethe/models"
)

var (
	now  = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	year = now.AddDate(-1, 0, 0)
)

const ninety = 90 * 24 * time.Hour

func kinds(found []Finding) (all []models.DriftKind) {
	for _, f := range found {
		all = append(all, f.Kind)
	}
	return all
}

func TestI12_WhatOneAccountIsJudgedToBe(t *testing.T) {
	here, gone := Person{ID: uuid.New(), EmployeeNo: "E-1", Employed: true, Since: &year}, Person{ID: uuid.New(), EmployeeNo: "E-2"}
	colleague := Person{ID: uuid.New(), EmployeeNo: "E-3", Employed: true, Since: &year}
	link := func(p Person, state models.AccountState, current bool) Link {
		return Link{ExternalID: "x", AccountID: uuid.New(), EmployeeID: p.ID, State: state, Current: current}
	}
	reported := link(gone, models.AccountStuck, false)
	reported.Reported = true
	busy, leaving, fresh := gone, here, here
	busy.Busy, leaving.Leaving, fresh.Since = true, true, &now
	long, lately := now.Add(-ninety-time.Hour), now.Add(-ninety+time.Hour)
	for name, c := range map[string]struct {
		no     string
		off    bool
		last   *time.Time
		links  []Link
		owner  *Person
		people []Person
		want   []models.DriftKind
	}{
		"somebody's who works here":                            {no: "e-1", links: []Link{link(here, models.AccountLinked, true)}, owner: &here},
		"with the number alone":                                {no: "E-1", owner: &here},
		"without a number, linked":                             {links: []Link{link(here, models.AccountLinked, true)}},
		"nobody's":                                             {no: "Z-9", want: []models.DriftKind{models.DriftOrphan}},
		"nobody's, without a number":                           {want: []models.DriftKind{models.DriftOrphan}},
		"a leaver's, off":                                      {no: "E-2", off: true, owner: &gone},
		"a leaver's number":                                    {no: "E-2", owner: &gone, want: []models.DriftKind{models.DriftActive}},
		"a leaver's, on again":                                 {no: "E-2", links: []Link{link(gone, models.AccountDisabled, false)}, owner: &gone, want: []models.DriftKind{models.DriftSwitchedOn}},
		"a leaver's, on again, without a number":               {links: []Link{link(gone, models.AccountDisabled, false)}, want: []models.DriftKind{models.DriftSwitchedOn}},
		"reported, and still on":                               {no: "E-2", links: []Link{reported}, owner: &gone, want: []models.DriftKind{models.DriftSwitchedOn}},
		"a leaver's that never went off":                       {no: "E-2", links: []Link{link(gone, models.AccountStuck, false)}, owner: &gone, want: []models.DriftKind{models.DriftActive}},
		"a leaver's that was not found then":                   {no: "E-2", links: []Link{link(gone, models.AccountNotFound, false)}, owner: &gone, want: []models.DriftKind{models.DriftActive}},
		"being taken away":                                     {no: "E-2", links: []Link{link(gone, models.AccountUnlinking, false)}, owner: &gone},
		"of somebody whose access is being ended":              {no: "E-2", owner: &busy},
		"waived by two people":                                 {no: "E-2", links: []Link{link(gone, models.AccountWaived, false)}, owner: &gone},
		"detached":                                             {no: "E-2", links: []Link{link(gone, models.AccountDetached, false)}, owner: &gone},
		"switched off while employed, on again":                {no: "E-1", links: []Link{link(here, models.AccountDisabled, true)}, owner: &here, want: []models.DriftKind{models.DriftSwitchedOn}},
		"switched off while employed, and so":                  {no: "E-1", off: true, links: []Link{link(here, models.AccountDisabled, true)}, owner: &here},
		"waived while employed":                                {no: "E-1", links: []Link{link(here, models.AccountWaived, true)}, owner: &here},
		"a case of it is open while employed":                  {no: "E-1", links: []Link{link(here, models.AccountStuck, true)}, owner: &here},
		"of somebody hired again":                              {no: "E-1", links: []Link{link(here, models.AccountDisabled, false)}, owner: &here},
		"of somebody hired again, linked anew":                 {no: "E-1", links: []Link{link(here, models.AccountDisabled, false), link(here, models.AccountLinked, true)}, owner: &here},
		"linked to two":                                        {links: []Link{link(here, models.AccountLinked, true), link(colleague, models.AccountLinked, true)}, want: []models.DriftKind{models.DriftTwoPeople}},
		"a leaver's, a colleague's now":                        {no: "E-3", links: []Link{link(gone, models.AccountDisabled, false), link(colleague, models.AccountLinked, true)}, owner: &colleague},
		"a leaver's, with a colleague's number":                {no: "E-3", links: []Link{link(gone, models.AccountDisabled, false)}, owner: &colleague},
		"waived while employed, not signed in":                 {no: "E-1", last: &long, links: []Link{link(here, models.AccountWaived, true)}, owner: &here},
		"one link of it is off, another in use":                {no: "E-1", links: []Link{link(here, models.AccountDisabled, true), link(here, models.AccountLinked, true)}, owner: &here},
		"a leaver's that never went off, and a colleague uses": {no: "E-3", links: []Link{link(gone, models.AccountStuck, false)}, owner: &colleague, want: []models.DriftKind{models.DriftOtherOwner}},
		"with a colleague's number":                            {no: "E-3", links: []Link{link(here, models.AccountLinked, true)}, owner: &colleague, want: []models.DriftKind{models.DriftOtherOwner}},
		"with a number that nobody has":                        {no: "Z-9", links: []Link{link(here, models.AccountLinked, true)}, want: []models.DriftKind{models.DriftOtherOwner}},
		"a leaver's, on, with a number of nobody":              {no: "Z-9", links: []Link{link(gone, models.AccountDisabled, false)}, want: []models.DriftKind{models.DriftOtherOwner, models.DriftSwitchedOn}},
		"not signed in for long":                               {no: "E-1", last: &long, links: []Link{link(here, models.AccountLinked, true)}, owner: &here, want: []models.DriftKind{models.DriftNoSignIn}},
		"not signed in for long, not linked":                   {no: "E-1", last: &long, owner: &here, want: []models.DriftKind{models.DriftNoSignIn}},
		"signed in lately":                                     {no: "E-1", last: &lately, links: []Link{link(here, models.AccountLinked, true)}, owner: &here},
		"not signed in, off":                                   {no: "E-1", off: true, last: &long, owner: &here},
		"not signed in, a departure is entered":                {no: "E-1", last: &long, owner: &leaving},
		"not signed in since before being hired":               {no: "E-1", last: &long, owner: &fresh},
	} {
		f := Facts{Links: c.links, Owner: c.owner, Now: now, NoSignIn: ninety, People: map[uuid.UUID]Person{here.ID: here, gone.ID: gone, colleague.ID: colleague}}
		got := Judge(connector.Listed{ExternalID: "x", EmployeeNo: c.no, Active: !c.off, LastSignInAt: c.last}, f)
		if diff := cmp.Diff(c.want, kinds(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// The model says it the other way round: from what may never be reported, and what has to be.
func TestI12_JudgementsAgreeWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var people []Person
		f := Facts{People: map[uuid.UUID]Person{}, Now: now, NoSignIn: ninety}
		for i := range 3 {
			p := Person{ID: uuid.New(), EmployeeNo: string(rune('A' + i)), Employed: rapid.Bool().Draw(t, "employed"), Busy: rapid.IntRange(0, 9).Draw(t, "busy") == 0}
			if p.Employed {
				p.Since = &year
			}
			people, f.People[p.ID] = append(people, p), p
		}
		a := connector.Listed{ExternalID: "x", Active: rapid.Bool().Draw(t, "active")}
		if i := rapid.IntRange(0, 4).Draw(t, "number"); i < 3 {
			a.EmployeeNo, f.Owner = people[i].EmployeeNo, &people[i]
		} else if i == 3 {
			a.EmployeeNo = "nobody's"
		}
		states := []models.AccountState{
			models.AccountLinked, models.AccountRelinked, models.AccountUnlinking, models.AccountAccepted, models.AccountRelinking,
			models.AccountDisabled, models.AccountDetached, models.AccountNotFound, models.AccountStuck, models.AccountWaived,
		}
		for range rapid.IntRange(0, 3).Draw(t, "links") {
			p := people[rapid.IntRange(0, 2).Draw(t, "whose")]
			f.Links = append(f.Links, Link{
				ExternalID: "x", AccountID: uuid.New(), EmployeeID: p.ID, State: rapid.SampledFrom(states).Draw(t, "state"),
				Current: p.Employed && rapid.Bool().Draw(t, "current"),
			})
		}
		got := Judge(a, f)
		seen := map[models.DriftKind]Finding{}
		for _, one := range got {
			if _, twice := seen[one.Kind]; twice {
				t.Fatalf("%s is said twice", one.Kind)
			}
			seen[one.Kind] = one
		}
		has := func(kind models.DriftKind) bool { _, ok := seen[kind]; return ok }
		// Who stands: links that are not severed, and not over.
		holders, known := map[uuid.UUID]bool{}, false
		for _, l := range f.Links {
			known = known || l.State != models.AccountDetached
			if l.State != models.AccountDetached && l.State != models.AccountNotFound && (l.Current || !l.State.Settled()) {
				holders[l.EmployeeID] = true
			}
		}
		if has(models.DriftTwoPeople) != (len(holders) > 1) {
			t.Fatalf("two people: %v, of %d holders", got, len(holders))
		}
		if has(models.DriftOrphan) != (len(f.Links) == 0 && f.Owner == nil) {
			t.Fatalf("nobody's: %v", got)
		}
		if (has(models.DriftActive) || has(models.DriftSwitchedOn)) && (!a.Active || has(models.DriftTwoPeople) || has(models.DriftOrphan)) {
			t.Fatalf("on, though it is off or nobody knows whose: %v", got)
		}
		if has(models.DriftActive) && f.People[*seen[models.DriftActive].EmployeeID].Employed {
			t.Fatalf("somebody employed is called a leaver: %v", got)
		}
		if has(models.DriftNoSignIn) {
			t.Fatalf("nobody told when it was signed in to: %v", got)
		}
		for _, one := range got {
			if one.EmployeeID == nil != (one.Kind == models.DriftOrphan) {
				t.Fatalf("whom it concerns: %+v", one)
			}
			for _, l := range f.Links {
				if one.AccountID != nil && l.AccountID == *one.AccountID && l.EmployeeID != *one.EmployeeID {
					t.Fatalf("the account of somebody else: %+v", one)
				}
			}
		}
		// I12: a leaver's account that is on, that nothing is being done about and nobody accepted, is never passed over.
		if a.Active && f.Owner != nil && !f.Owner.Employed && !f.Owner.Busy && len(holders) == 0 && (known || len(f.Links) == 0) {
			excused := false
			for _, l := range f.Links {
				excused = excused || l.EmployeeID == f.Owner.ID && l.State == models.AccountWaived
			}
			if !excused && !has(models.DriftActive) && !has(models.DriftSwitchedOn) {
				t.Fatalf("passed over: %+v, %+v", a, f)
			}
		}
	})
}
