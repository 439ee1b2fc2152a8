package succession

import (
	"context"
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/models"
)

// Held is a thing with who takes it over as things are.
type Held struct {
	Thing
	Successor *uuid.UUID
}

// Group are the things of one kind that somebody looks after.
type Group struct {
	Kind
	Things []Held
	// Missing is how many would fall to the role, or leave a role without anybody.
	Missing   int
	Proposals []Proposal
}

// Reason is why somebody is proposed.
type Reason string

// The reasons.
const (
	ReasonAbove Reason = "above" // heads the department above
	ReasonLoad  Reason = "load"  // holds the role, and looks after the least
)

// Reasons lists them all.
var Reasons = closed.Of("successor_reason", ReasonAbove, ReasonLoad)

// Proposal is somebody who could take things over.
type Proposal struct {
	EmployeeID uuid.UUID
	Reason     Reason
	// Load is how much they look after already.
	Load int
}

// Holdings are what somebody looks after, without what is about the reader's own data, and who would take it over.
type Holdings struct {
	Plan   Plan
	Cutoff *time.Time // when the person's access ends, if somebody said so
	Groups []Group
}

// Missing is how many things would be without successor.
func (h Holdings) Missing() (n int) {
	for _, g := range h.Groups {
		n += g.Missing
	}
	return n
}

// Of reads what somebody looks after. proposals: with who could take over what nobody would.
func Of(tx *database.Tx, reader, who uuid.UUID, proposals bool) (h Holdings, err error) {
	chain := newChain(tx)
	if h.Plan, err = chain.plan(who); err != nil {
		return h, err
	}
	if h.Cutoff, err = cutoffOf(tx, who); err != nil {
		return h, err
	}
	h.Groups, err = chain.groups(reader, who, h.Cutoff, func(Kind) bool { return true })
	if err != nil || !proposals {
		return h, err
	}
	for i, g := range h.Groups {
		if g.Effect == models.EffectPasses {
			if h.Groups[i].Proposals, err = chain.propose(g, who, h.Cutoff); err != nil {
				return h, err
			}
		}
	}
	return h, nil
}

func (c *chain) groups(reader, who uuid.UUID, until *time.Time, wanted func(Kind) bool) (groups []Group, err error) {
	for _, k := range Kinds {
		if !wanted(k) {
			continue
		}
		rows, err := things(c.tx.DB(), k, "holder = @who AND about IS DISTINCT FROM @reader AND NOT (@many AND @reader = ANY (barred))", map[string]any{"who": who, "reader": reader, "many": k.Name == models.HoldingRequest})
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			continue
		}
		g := Group{Kind: k, Things: make([]Held, len(rows))}
		for i, t := range rows {
			g.Things[i].Thing = t
			if k.Effect == models.EffectPasses {
				if g.Things[i].Successor, err = c.successor(k, t, who, until); err != nil {
					return nil, err
				}
			}
			if k.Effect == models.EffectVacant || k.Effect == models.EffectPasses && g.Things[i].Successor == nil {
				g.Missing++
			}
		}
		groups = append(groups, g)
	}
	return groups, nil
}

const maxProposals = 3

// propose is who could take a kind of thing over: of departments the heads of those above, nearest first; else who holds
// the role and looks after the least.
func (c *chain) propose(g Group, from uuid.UUID, until *time.Time) (proposals []Proposal, err error) {
	var rows []Proposal
	if g.Name == models.HoldingDepartment {
		err = c.tx.DB().Raw(`WITH RECURSIVE up AS (SELECT d.id, d.parent_id, d.head_employee_id, 0 AS far FROM departments d WHERE d.head_employee_id = @from
				UNION ALL SELECT p.id, p.parent_id, p.head_employee_id, up.far + 1 FROM departments p JOIN up ON p.id = up.parent_id WHERE up.far < 50)
			SELECT head_employee_id AS employee_id, 'above' AS reason FROM up WHERE head_employee_id IS NOT NULL AND head_employee_id <> @from
			GROUP BY head_employee_id ORDER BY min(far), head_employee_id LIMIT 20`, map[string]any{"from": from}).Scan(&rows).Error
	} else {
		// How much somebody looks after counts by the kind itself: what is alike is work alike.
		err = c.tx.DB().Raw(`SELECT u.employee_id, 'load' AS reason, (SELECT count(*) FROM (`+g.held+`) x WHERE x.holder = u.employee_id) AS load
			FROM (SELECT DISTINCT u.employee_id FROM users u JOIN user_roles r ON r.user_id = u.id WHERE u.state = 'active' AND r.role = @needs AND r.revoked_at IS NULL
				AND u.employee_id <> @from LIMIT 200) u ORDER BY load, u.employee_id LIMIT 20`, map[string]any{"from": from, "needs": string(g.Needs)}).Scan(&rows).Error
	}
	if err != nil {
		return nil, database.Wrap("looking for successors", err)
	}
	for _, p := range rows {
		fits := 0
		for _, t := range g.Things {
			why, err := c.unfit(g.Kind, &t.Thing, p.EmployeeID, uuid.Nil, until)
			if err != nil {
				return nil, err
			}
			if why == "" {
				fits++
			}
		}
		if fits == len(g.Things) && len(proposals) < maxProposals {
			proposals = append(proposals, p)
		}
	}
	return proposals, nil
}

// Upcoming is somebody whose access ends soon and who looks after something that nobody takes over.
type Upcoming struct {
	DepartureID, EmployeeID uuid.UUID
	AccessCutoffAt          time.Time
	Groups                  []Group `gorm:"-"`
}

// Soon is how far [Ahead] looks.
const Soon = 7 * 24 * time.Hour

// Ahead are those, the soonest first, without the reader.
func Ahead(ctx context.Context, db *database.DB, reader uuid.UUID) (rows []Upcoming, err error) {
	err = database.Run(ctx, db, func(tx *database.Tx) error {
		rows = nil
		var leaving []Upcoming
		err := tx.DB().Raw(`SELECT d.id AS departure_id, d.employee_id, d.access_cutoff_at FROM departures d WHERE d.stage = 'pending_departure' AND d.employee_id <> @reader
			AND d.access_cutoff_at > lethe_now() AND d.access_cutoff_at <= lethe_now() + make_interval(secs => @soon) AND d.employee_id IN (`+holders()+`)
			ORDER BY d.access_cutoff_at, d.id LIMIT 200`, map[string]any{"reader": reader, "soon": Soon.Seconds()}).Scan(&leaving).Error
		if err != nil {
			return database.Wrap("looking who leaves soon", err)
		}
		chain := newChain(tx)
		for _, u := range leaving {
			groups, err := chain.groups(reader, u.EmployeeID, &u.AccessCutoffAt, missable)
			if err != nil {
				return err
			}
			for _, g := range groups {
				if g.Missing > 0 {
					u.Groups = append(u.Groups, g)
				}
			}
			if len(u.Groups) > 0 {
				rows = append(rows, u)
			}
		}
		return nil
	})
	return rows, err
}

// Untaken is how many things wait at a role for somebody to take them, at most limit.
func Untaken(ctx context.Context, db *database.DB, f Filter, limit int) (n int, err error) {
	f.Open, f.Limit = true, limit-1
	err = db.Read(ctx).Raw("SELECT count(*) FROM (SELECT FROM successions s WHERE "+f.where()+" LIMIT @most) x", f.args()).Scan(&n).Error
	return n, database.Wrap("counting what nobody took", err)
}

// missable are the kinds that can be without successor.
func missable(k Kind) bool {
	return k.Effect == models.EffectPasses || k.Effect == models.EffectVacant
}

// holders selects who looks after anything that can be without successor.
func holders() (sql string) {
	for _, k := range Kinds {
		if !missable(k) {
			continue
		}
		if sql != "" {
			sql += " UNION "
		}
		sql += "SELECT holder FROM (" + k.held + ") x WHERE holder IS NOT NULL"
	}
	return sql
}
