package account

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/models"
)

// Inspector looks at what systems have of a person now, for people who think of taking it away. It changes nothing, here or
// there, and keeps nothing of what it saw.
type Inspector struct {
	DB      *database.DB
	Systems *connector.Registry
	// Limit bounds how long one system is waited for.
	Limit time.Duration

	slots sync.Map // of systems: how many are asked at once
}

// inspectedAtOnce is how many look at one system at the same time; others wait, within their limit.
const inspectedAtOnce = 8

// Inspected is what one system has.
type Inspected struct {
	System, Kind string
	// Trouble is why it could not be asked, one of Reasons; empty: it was.
	Trouble  string
	Accounts []InspectedAccount
}

// InspectedAccount is one account there.
type InspectedAccount struct {
	ExternalID string
	// Carries: it was found by the number of the person.
	Carries bool
	Seen    connector.Inspection // Exists is false of what is not there, or could not be read
	Remarks []models.LookRemark

	failed error
}

// linkedAs is an account of ours by which a system's is judged.
type linkedAs struct {
	System       string
	Kind         string
	ExternalID   *string
	EmployeeID   uuid.UUID
	EmploymentID uuid.UUID
	State        models.AccountState
	Current      bool // of an employment that goes on
}

// Inspect asks every connected system, side by side, and judges what it has. Systems of registered accounts that are not
// connected any more are named too. The accounts of a system come in the order of their ids.
func (i *Inspector) Inspect(ctx context.Context, employeeID, employmentID uuid.UUID) ([]Inspected, error) {
	var no string
	err := i.DB.Read(ctx).Raw("SELECT employee_no FROM employees WHERE id = ?", employeeID).Scan(&no).Error
	if err != nil {
		return nil, database.Wrap("reading a number", err)
	}
	var own []linkedAs
	err = i.DB.Read(ctx).Raw(inspectedLinks+" WHERE m.employee_id = ? ORDER BY a.id", employeeID).Scan(&own).Error
	if err != nil {
		return nil, database.Wrap("reading accounts", err)
	}
	systems := i.named(own)
	var asked sync.WaitGroup
	for n := range systems {
		asked.Go(func() { i.ask(ctx, &systems[n], no, registered(own, systems[n].System, employmentID)) })
	}
	asked.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	var rows []linkedAs
	if names, ids := seenIDs(systems); len(ids) > 0 {
		err := i.DB.Read(ctx).Raw(inspectedLinks+" WHERE a.system = ANY (?) AND a.external_id = ANY (?) ORDER BY a.id", names, ids).Scan(&rows).Error
		if err != nil {
			return nil, database.Wrap("reading links", err)
		}
	}
	for n := range systems {
		systems[n].judge(no, employeeID, employmentID, rows)
	}
	return systems, nil
}

const inspectedLinks = `SELECT a.system, a.kind, a.external_id, a.state, m.employee_id, a.employment_id, m.ended_at IS NULL AS current
	FROM linked_accounts a JOIN employments m ON m.id = a.employment_id`

// named are the systems that are connected, and those where the person has an account all the same.
func (i *Inspector) named(own []linkedAs) []Inspected {
	var systems []Inspected
	for _, name := range i.Systems.Names() {
		s, _ := i.Systems.Get(name)
		systems = append(systems, Inspected{System: name, Kind: s.Kind})
	}
	for _, a := range own {
		if a.ExternalID != nil && a.Current && !a.State.Settled() && !slices.ContainsFunc(systems, func(s Inspected) bool { return s.System == a.System }) {
			systems = append(systems, Inspected{System: a.System, Kind: a.Kind, Trouble: ReasonUnknownSystem})
		}
	}
	return systems
}

// registered are the ids of a system's accounts that an order about the employment would take.
func registered(own []linkedAs, system string, employment uuid.UUID) (ids []string) {
	for _, a := range own {
		if a.System == system && a.EmploymentID == employment && a.ExternalID != nil && a.State != models.AccountDetached {
			ids = append(ids, *a.ExternalID)
		}
	}
	return ids
}

func seenIDs(systems []Inspected) (names, ids models.Names) {
	for _, s := range systems {
		names = append(names, s.System)
		for _, a := range s.Accounts {
			ids = append(ids, a.ExternalID)
		}
	}
	return names, ids
}

// ask asks one system for whatever carries the number and for what is registered.
func (i *Inspector) ask(ctx context.Context, s *Inspected, no string, registered []string) {
	system, ok := i.Systems.Get(s.System)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, i.Limit)
	defer cancel()
	slot, _ := i.slots.LoadOrStore(s.System, make(chan struct{}, inspectedAtOnce))
	select {
	case slot.(chan struct{}) <- struct{}{}:
		defer func() { <-slot.(chan struct{}) }()
	case <-ctx.Done():
		s.Trouble = string(connector.CodeTimeout)
		return
	}
	carrying, err := system.Connector.Find(ctx, no)
	if err != nil {
		s.Trouble = trouble(err)
		return
	}
	ids := slices.Concat(carrying, registered)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		seen, err := inspect(ctx, system.Connector, id)
		if ctx.Err() != nil {
			s.Trouble = string(connector.CodeTimeout)
		}
		s.Accounts = append(s.Accounts, InspectedAccount{ExternalID: id, Carries: slices.Contains(carrying, id), Seen: seen, failed: err})
	}
}

// trouble is the code of why a system could not be asked. Its texts stop here.
func trouble(err error) string {
	var remote *remoteError
	if errors.As(remoteFailure(err), &remote) {
		return remote.code
	}
	return string(connector.CodeBadAnswer)
}

func inspect(ctx context.Context, c connector.Connector, id string) (connector.Inspection, error) {
	if all, ok := c.(connector.Inspector); ok {
		return all.Inspect(ctx, id)
	}
	state, err := c.ReadBack(ctx, id)
	unclear := connector.CodeOf(err) == connector.CodeBadAnswer && state.Exists
	if err != nil && !unclear {
		return connector.Inspection{}, err
	}
	seen := connector.Inspection{State: state, Unclear: unclear, GroupsUntold: true}
	left, err := c.Residue(ctx, id)
	if err != nil {
		return seen, nil
	}
	seen.GroupsUntold = false
	for _, r := range left {
		switch r.Kind {
		case connector.ResidueGroups:
			seen.MoreGroups = r.Count
		case connector.ResidueSessions:
			seen.Sessions = &r.Count
		case connector.ResidueTokens:
			seen.Tokens = &r.Count
		case connector.ResidueDelegations:
			seen.Delegations = &r.Count
		}
	}
	return seen, nil
}

// judge says of each account what people should know of it.
func (s *Inspected) judge(no string, employee, employment uuid.UUID, rows []linkedAs) {
	unknown, carriers := 0, 0
	for n := range s.Accounts {
		a := &s.Accounts[n]
		link := a.link(s.System, employee, employment, rows)
		if link != "" {
			a.Remarks = append(a.Remarks, link)
		}
		if a.Carries && (link == "" || link == models.RemarkUnregistered || link == models.RemarkOtherPerson) {
			carriers++
			if link != "" {
				unknown++
			}
		}
		a.Remarks = append(a.Remarks, a.looks(no)...)
	}
	for n := range s.Accounts {
		a := &s.Accounts[n]
		if unknown > 0 && carriers > 1 && a.Carries && slices.Contains(a.Remarks, models.RemarkUnregistered) {
			a.Remarks = append(slices.DeleteFunc(a.Remarks, func(r models.LookRemark) bool { return r == models.RemarkUnregistered }), models.RemarkSeveral)
		}
		slices.SortFunc(a.Remarks, func(x, y models.LookRemark) int {
			return slices.Index(models.LookRemarks, x) - slices.Index(models.LookRemarks, y)
		})
	}
}

// link is how the account is linked here, if that is otherwise than registered for this employment.
func (a *InspectedAccount) link(system string, employee, employment uuid.UUID, rows []linkedAs) models.LookRemark {
	remark := models.RemarkUnregistered
	for _, r := range rows {
		if r.System != system || r.ExternalID == nil || *r.ExternalID != a.ExternalID {
			continue
		}
		switch {
		case r.EmployeeID != employee:
			if r.State != models.AccountDetached && r.State != models.AccountNotFound && (r.Current || !r.State.Settled()) && remark == models.RemarkUnregistered {
				remark = models.RemarkOtherPerson
			}
		case r.EmploymentID == employment && r.State != models.AccountDetached:
			return ""
		case r.State == models.AccountDetached:
			remark = models.RemarkDetached
		case r.Current:
			remark = models.RemarkOtherEmployment
		}
	}
	return remark
}

// looks is what the account itself shows.
func (a *InspectedAccount) looks(no string) (remarks []models.LookRemark) {
	add := func(when bool, r models.LookRemark) {
		if when && !slices.Contains(remarks, r) {
			remarks = append(remarks, r)
		}
	}
	switch {
	case connector.CodeOf(a.failed) == connector.CodeNotFound:
		return []models.LookRemark{models.RemarkGone}
	case a.failed != nil:
		return []models.LookRemark{models.RemarkNotRead}
	}
	add(a.Seen.EmployeeNo != "" && !connector.SameNumber(a.Seen.EmployeeNo, no), models.RemarkOtherNumber)
	add(a.Seen.Unclear, models.RemarkUnclear)
	add(!a.Seen.Unclear && !a.Seen.Active, models.RemarkOff)
	add(a.Seen.GroupsUntold, models.RemarkGroupsUntold)
	for _, g := range a.Seen.Groups {
		add(g.Owner == connector.SeatOnly, models.RemarkOnlyOwner)
		add(g.Member == connector.SeatOnly, models.RemarkOnlyMember)
	}
	return remarks
}
