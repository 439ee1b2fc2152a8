package succession

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// Plan is who takes over what somebody looks after: by kind; without a kind, everything that names nobody else.
type Plan struct {
	models.SuccessionPlan
	Successors map[models.Holding]uuid.UUID
}

// of is who is named for a kind.
func (p Plan) of(kind models.Holding) (uuid.UUID, bool) {
	if who, named := p.Successors[kind]; named {
		return who, true
	}
	who, named := p.Successors[""]
	return who, named
}

// current is the newest version of somebody's plan. What was named in a former employment does not count in the next one.
func current(tx *database.Tx, employeeID uuid.UUID) (p Plan, err error) {
	p.SuccessionPlan, err = database.First[models.SuccessionPlan](tx.DB().Where(`employee_id = ? AND version = (SELECT max(version) FROM succession_plans v WHERE v.employee_id = succession_plans.employee_id)`, employeeID))
	if errors.Is(err, database.ErrNotFound) {
		return Plan{}, nil
	}
	if err != nil {
		return p, database.Wrap("reading who succeeds somebody", err)
	}
	var former bool
	err = tx.DB().Raw("SELECT EXISTS (SELECT FROM employments WHERE employee_id = ? AND created_at > ?)", employeeID, p.NamedAt).Scan(&former).Error
	if err != nil || former {
		return p, database.Wrap("reading when somebody was hired", err)
	}
	var choices []models.SuccessionChoice
	err = tx.DB().Where("plan_id = ?", p.ID).Find(&choices).Error
	p.Successors = make(map[models.Holding]uuid.UUID, len(choices))
	for _, c := range choices {
		p.Successors[c.Kind] = c.SuccessorID
	}
	return p, database.Wrap("reading who succeeds somebody", err)
}

// Order names successors: all of them, whoever was named before is named no more.
type Order struct {
	EmployeeID uuid.UUID
	// Base is the version that it was made from; 0: none.
	Base       int
	Successors map[models.Holding]uuid.UUID
}

// Name names somebody's successors. The same again, made from the version before, changes nothing.
func Name(tx *database.Tx, by models.Actor, o Order) (p Plan, err error) {
	if o.EmployeeID == by.EmployeeID {
		return p, ErrOwn
	}
	// Who is named takes turns, and so does who comes in.
	person, err := database.Lock[models.Employee](tx, "an employee", o.EmployeeID)
	if err != nil {
		return p, database.Found("locking an employee", err, ErrNoPerson)
	}
	if person.Status != models.StatusActive && person.Status != models.StatusPendingDeparture {
		return p, ErrNoPerson
	}
	before, err := current(tx, o.EmployeeID)
	switch {
	case err != nil:
		return p, err
	case before.Version == o.Base+1 && before.NamedBy == by.EmployeeID && same(before.Successors, o.Successors):
		return before, nil
	case before.Version != o.Base:
		return p, ErrChanged
	}
	if err := o.judge(tx, by); err != nil {
		return p, err
	}
	p = Plan{SuccessionPlan: models.SuccessionPlan{ID: models.NewID(), EmployeeID: o.EmployeeID, Version: o.Base + 1, NamedBy: by.EmployeeID}, Successors: o.Successors}
	details := map[string]string{"version": strconv.Itoa(p.Version)}
	choices := []models.SuccessionChoice{}
	for kind, who := range o.Successors {
		choices = append(choices, models.SuccessionChoice{PlanID: p.ID, Kind: kind, SuccessorID: who})
		name := "successor"
		if kind != "" {
			name += "_" + string(kind)
		}
		details[name] = who.String()
	}
	p.LedgerEntryID, err = ledger.Append(tx, ledger.Entry{Kind: ledger.KindArchive, Action: actionNamed, Subject: &o.EmployeeID, Object: "employee/" + o.EmployeeID.String(), Details: details}.As(tx.Context(), by))
	if err != nil {
		return p, err
	}
	if err := tx.DB().Create(&p.SuccessionPlan).Error; err != nil {
		return p, database.Wrap("naming successors", err)
	}
	if len(choices) > 0 {
		err = database.Wrap("naming successors", tx.DB().Create(&choices).Error)
	}
	return p, err
}

func same(a, b map[models.Holding]uuid.UUID) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || w != v {
			return false
		}
	}
	return true
}

// judge refuses who cannot succeed as things are. Whether they can is looked at again when something passes.
func (o Order) judge(tx *database.Tx, by models.Actor) error {
	until, err := cutoffOf(tx, o.EmployeeID)
	if err != nil {
		return err
	}
	chain := newChain(tx)
	for kind, who := range o.Successors {
		k, known := KindOf(kind)
		if kind == "" {
			known, k = true, Kind{Effect: models.EffectPasses}
		}
		var why Unfit
		switch {
		case !known || k.Effect != models.EffectPasses:
			why = UnfitKind
		case who == o.EmployeeID:
			why = UnfitSame
		default:
			if why, err = chain.unfit(k, nil, who, by.EmployeeID, until); err != nil {
				return err
			}
		}
		if why != "" {
			return &UnfitError{kind, why}
		}
	}
	return nil
}

// cutoffOf is when somebody's access ends; nil: nobody has said so.
func cutoffOf(tx *database.Tx, who uuid.UUID) (*time.Time, error) {
	var row struct{ At *time.Time }
	err := tx.DB().Raw("SELECT min(access_cutoff_at) AS at FROM departures WHERE employee_id = ? AND stage = 'pending_departure'", who).Scan(&row).Error
	return row.At, database.Wrap("reading when somebody leaves", err)
}

// chain looks for successors, and keeps what it read.
type chain struct {
	tx    *database.Tx
	plans map[uuid.UUID]Plan
	can   map[string]bool
}

func newChain(tx *database.Tx) *chain {
	return &chain{tx, map[uuid.UUID]Plan{}, map[string]bool{}}
}

func (c *chain) plan(who uuid.UUID) (Plan, error) {
	if p, read := c.plans[who]; read {
		return p, nil
	}
	p, err := current(c.tx, who)
	c.plans[who] = p
	return p, err
}

// successor is who takes a thing over from somebody: who is named, or, if that person cannot, whom that one's own plan
// names, and so on; nobody: nil. until, if given, is when that will be.
func (c *chain) successor(k Kind, t Thing, from uuid.UUID, until *time.Time) (*uuid.UUID, error) {
	seen := []uuid.UUID{from}
	for at := from; ; {
		p, err := c.plan(at)
		if err != nil {
			return nil, err
		}
		who, named := p.of(k.Name)
		if !named || slices.Contains(seen, who) {
			return nil, nil
		}
		why, err := c.unfit(k, &t, who, p.NamedBy, until)
		if err != nil {
			return nil, err
		}
		if why == "" {
			return &who, nil
		}
		seen, at = append(seen, who), who
	}
}

// unfit is why somebody cannot take something over that namer gave; nothing: they can.
func (c *chain) unfit(k Kind, t *Thing, who, namer uuid.UUID, until *time.Time) (Unfit, error) {
	can, err := c.canHold(who, k.Needs)
	switch {
	case err != nil:
		return "", err
	case !can && k.Needs != "":
		if employed, err := c.canHold(who, ""); err != nil || employed {
			return UnfitRole, err
		}
		return UnfitGone, nil
	case !can:
		return UnfitGone, nil
	case k.Name == models.HoldingDepartment && who == namer:
		return UnfitNamer, nil
	case t != nil && slices.Contains(t.Barred, who):
		return UnfitBarred, nil
	}
	if until != nil {
		leaves, err := cutoffOf(c.tx, who)
		if err != nil || leaves != nil && !leaves.After(*until) {
			return UnfitLeaving, err
		}
	}
	if t != nil && k.fits != nil {
		fits, err := k.fits(c.tx, t.ThingID, who)
		if err != nil || !fits {
			return UnfitBarred, err
		}
	}
	return "", nil
}

func (c *chain) canHold(who uuid.UUID, needs models.Role) (can bool, err error) {
	key := string(needs) + " " + who.String()
	if can, read := c.can[key]; read {
		return can, nil
	}
	err = c.tx.DB().Raw("SELECT lethe_can_hold(?, ?)", who, string(needs)).Scan(&can).Error
	c.can[key] = can
	return can, database.Wrap("looking whether somebody can look after something", err)
}

// History are the versions of somebody's plan, newest first.
func History(ctx context.Context, db *database.DB, employeeID uuid.UUID) (rows []models.SuccessionPlan, err error) {
	err = db.Read(ctx).Where("employee_id = ?", employeeID).Order(database.Newest).Limit(100).Find(&rows).Error
	return rows, database.Wrap("reading who was named", err)
}
