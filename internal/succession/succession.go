// Package succession has what somebody looks after here by name pass on when that person leaves, is cut off, is disabled or
// loses the role: to a successor whom HR named, else to the role, where it is shown until somebody takes it (I32).
//
// That it has to pass is a fact of the database, not an event: whatever ended somebody's access, each round finds what is
// held by who cannot hold it. So nothing here can delay or hinder a cut, and what failed is tried again.
package succession

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"gorm.io/gorm"

	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// The ways in which a command about successions is refused.
var (
	ErrNotFound = errors.New("no such succession")
	// ErrOwn: nobody names the own successor, or sees whom others named.
	ErrOwn = errors.New("nobody names the own successor")
	// ErrChanged: somebody else named successors meanwhile.
	ErrChanged = errors.New("the successors were named anew meanwhile")
	// ErrTaken: somebody looks after it already, or it is over.
	ErrTaken = errors.New("somebody looks after it already, or it is over")
	// ErrNoPerson: whose successors they would be is unknown, has left or is purged.
	ErrNoPerson = errors.New("the person does not work here")
)

// Unfit is why somebody cannot succeed.
type Unfit string

// The reasons.
const (
	UnfitSame    Unfit = "same"    // the person itself
	UnfitGone    Unfit = "gone"    // does not work here, or has no access in use
	UnfitLeaving Unfit = "leaving" // leaves no later
	UnfitRole    Unfit = "role"    // does not hold the role that it needs
	UnfitNamer   Unfit = "namer"   // nobody makes themselves head of a department
	UnfitKind    Unfit = "kind"    // such things do not pass on
	UnfitBarred  Unfit = "barred"  // it is about that person, or that person decided about it, or is on duty then already
)

// Unfits lists them all.
var Unfits = closed.Of("successor_unfit", UnfitSame, UnfitGone, UnfitLeaving, UnfitRole, UnfitNamer, UnfitKind, UnfitBarred)

// UnfitError says why somebody cannot succeed, and for what; no kind: for everything.
type UnfitError struct {
	Kind models.Holding
	Why  Unfit
}

func (e *UnfitError) Error() string { return "cannot succeed: " + string(e.Why) }

const (
	actionNamed  = "succession.named"
	actionPassed = "succession.passed"
	actionFell   = "succession.fell_to_role"
	actionTaken  = "succession.taken"
)

var passed = promauto.NewCounterVec(prometheus.CounterOpts{
	Name: "lethe_successions_total", Help: "What passed on from who is gone, by kind and by whether a person or the role has it now.",
}, []string{"kind", "to"})

// Thing is something that somebody looks after.
type Thing struct {
	ThingID uuid.UUID
	Holder  *uuid.UUID
	Passed  bool
	Since   *time.Time
	About   *uuid.UUID
	Barred  models.IDs
	// Zh, En and Code are what it is called: a department; an operation or a role.
	Zh, En, Code string
}

// things are those of a kind for which a condition on the columns of [Kind.held] holds.
func things(g *gorm.DB, k Kind, which string, args map[string]any) (rows []Thing, err error) {
	err = g.Raw("SELECT * FROM ("+k.held+") x WHERE "+which+" ORDER BY since NULLS FIRST, thing_id LIMIT 1000", args).Scan(&rows).Error
	return rows, database.Wrap("reading what people look after", err)
}

// stranded are those whose holder cannot look after them, one of them or all.
const stranded = `holder IS NOT NULL AND (CAST(@thing AS uuid) IS NULL OR thing_id = @thing) AND holder IN (
	SELECT h.holder FROM (SELECT DISTINCT y.holder FROM (`

func strandedOf(g *gorm.DB, k Kind, thing *uuid.UUID) ([]Thing, error) {
	return things(g, k, stranded+k.held+`) y WHERE y.holder IS NOT NULL AND (CAST(@thing AS uuid) IS NULL OR y.thing_id = @thing)) h
		WHERE NOT lethe_can_hold(h.holder, @needs))`, map[string]any{"thing": thing, "needs": string(k.Needs)})
}

// Sweep has everything pass on whose holder cannot look after it any more, and says how much that was.
func Sweep(ctx context.Context, db *database.DB) (n int, err error) {
	var failed []error
	for _, k := range Kinds {
		if k.Effect != models.EffectPasses {
			continue
		}
		rows, err := strandedOf(db.Read(ctx), k, nil)
		failed = append(failed, err)
		for _, row := range rows {
			var s *models.Succession
			err := database.Run(ctx, db, func(tx *database.Tx) (err error) {
				s, err = pass(tx, k, row.ThingID)
				return err
			})
			if failed = append(failed, err); err == nil && s != nil {
				n++
				count(*s)
			}
		}
	}
	return n, errors.Join(failed...)
}

func count(s models.Succession) {
	to := "person"
	if s.ToID == nil {
		to = "role"
	}
	passed.WithLabelValues(string(s.Kind), to).Inc()
}

// pass has one thing pass on, if it still has to.
func pass(tx *database.Tx, k Kind, thing uuid.UUID) (*models.Succession, error) {
	if err := oneByOne(tx, k, thing); err != nil {
		return nil, err
	}
	rows, err := strandedOf(tx.DB(), k, &thing)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	from := *rows[0].Holder
	to, err := newChain(tx).successor(k, rows[0], from, nil)
	if err != nil {
		return nil, err
	}
	s := models.Succession{Kind: k.Name, ThingID: thing, FromID: &from, ToID: to, Role: k.FallsTo}
	if s.Cause, err = causeOf(tx, from); err != nil {
		return nil, err
	}
	return &s, write(tx, k, &s, from, models.System)
}

// oneByOne has successions of one thing wait for each other.
func oneByOne(tx *database.Tx, k Kind, thing uuid.UUID) error {
	return database.Wrap("waiting for a succession", tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", "succession "+string(k.Name)+" "+thing.String()).Error)
}

// causeOf is why somebody cannot look after things any more.
func causeOf(tx *database.Tx, who uuid.UUID) (cause models.SuccessionCause, err error) {
	err = tx.DB().Raw(`SELECT CASE
		WHEN NOT EXISTS (SELECT FROM employments m WHERE m.employee_id = @who AND m.ended_at IS NULL)
			OR EXISTS (SELECT FROM departures d JOIN employments m ON m.id = d.employment_id WHERE d.employee_id = @who AND m.ended_at IS NULL
				AND d.stage = 'pending_departure' AND d.access_cutoff_at <= lethe_now()) THEN 'left'
		WHEN EXISTS (SELECT FROM access_cuts WHERE employee_id = @who AND state IN ('unconfirmed', 'confirmed')) THEN 'cut'
		WHEN NOT EXISTS (SELECT FROM users WHERE employee_id = @who AND state IN ('active', 'enrolling')) THEN 'disabled'
		ELSE 'role_lost' END`, map[string]any{"who": who}).Scan(&cause).Error
	return cause, database.Wrap("reading why somebody is gone", err)
}

// write records that a thing passed on, and has it do so.
func write(tx *database.Tx, k Kind, s *models.Succession, from uuid.UUID, by models.Actor) (err error) {
	if err := tx.DB().Raw("SELECT count(*) + 1 FROM successions WHERE kind = ? AND thing_id = ?", s.Kind, s.ThingID).Scan(&s.Turn).Error; err != nil {
		return database.Wrap("reading how a thing passed on", err)
	}
	s.ID = models.NewID()
	e := ledger.Entry{
		Kind: ledger.KindArchive, Action: actionFell, Subject: s.FromID, Object: string(k.Name) + "/" + s.ThingID.String(),
		Details: map[string]string{"holding": string(k.Name), "succession_cause": string(s.Cause), "role": string(k.FallsTo)},
	}
	if s.ToID != nil {
		e.Action, e.Details["successor"] = actionPassed, s.ToID.String()
		delete(e.Details, "role")
	}
	if s.Cause == models.SuccessionTaken {
		e.Action, e.Subject = actionTaken, s.ToID
	}
	if s.LedgerEntryID, err = ledger.Append(tx, e.As(tx.Context(), by)); err != nil {
		return err
	}
	if err := tx.DB().Create(s).Error; err != nil {
		return database.Wrap("keeping a succession", err)
	}
	if k.apply == nil {
		return nil
	}
	return k.apply(tx, s.ThingID, from, s.ToID, s.LedgerEntryID)
}

// Take has somebody take what fell to a role. Who it is, whoever says so, is judged like a successor. The same again
// changes nothing.
func Take(tx *database.Tx, by models.Actor, id, who uuid.UUID) (models.Succession, error) {
	s, err := database.First[models.Succession](tx.DB().Where("id = ?", id))
	if err != nil {
		return s, database.Found("reading a succession", err, ErrNotFound)
	}
	k, known := KindOf(s.Kind)
	if !known || s.ToID != nil {
		return s, ErrTaken
	}
	if err := oneByOne(tx, k, s.ThingID); err != nil {
		return s, err
	}
	later, err := database.First[models.Succession](tx.DB().Where("kind = ? AND thing_id = ? AND turn > ?", s.Kind, s.ThingID, s.Turn).Order("turn"))
	switch {
	case err == nil && later.Turn == s.Turn+1 && later.ToID != nil && *later.ToID == who:
		return later, nil
	case err == nil:
		return s, ErrTaken
	case !errors.Is(err, database.ErrNotFound):
		return s, database.Wrap("reading a succession", err)
	}
	rows, err := things(tx.DB(), k, "holder IS NULL AND passed AND thing_id = @thing", map[string]any{"thing": s.ThingID})
	if err != nil {
		return s, err
	}
	if len(rows) == 0 {
		return s, ErrTaken
	}
	if rows[0].About != nil && *rows[0].About == by.EmployeeID {
		return s, ErrNotFound
	}
	if why, err := newChain(tx).unfit(k, &rows[0], who, by.EmployeeID, nil); err != nil || why != "" {
		if err == nil {
			err = &UnfitError{Why: why}
		}
		return s, err
	}
	taken := models.Succession{Kind: s.Kind, ThingID: s.ThingID, ToID: &who, Role: s.Role, Cause: models.SuccessionTaken, PassedBy: by.ID()}
	return taken, write(tx, k, &taken, uuid.Nil, by)
}

// openOnes says of successions s that the role still looks after the thing.
var openOnes = func() string {
	var parts []string
	for _, k := range Kinds {
		if k.Effect == models.EffectPasses {
			parts = append(parts, "s.kind = '"+string(k.Name)+"' AND s.thing_id IN (SELECT x.thing_id FROM ("+k.held+") x WHERE x.holder IS NULL AND x.passed AND x.about IS DISTINCT FROM @reader)")
		}
	}
	return "s.to_id IS NULL AND NOT EXISTS (SELECT FROM successions t WHERE t.kind = s.kind AND t.thing_id = s.thing_id AND t.turn > s.turn) AND (" + strings.Join(parts, " OR ") + ")"
}()

// Filter says which successions are listed.
type Filter struct {
	// Open: those that fell to a role that still looks after the thing.
	Open bool
	// Reader is who reads: of the own things, and those about the own data, they see none.
	Reader uuid.UUID
	// Roles, if not nil, are whose things the reader sees.
	Roles  []models.Role
	Before uuid.UUID // zero: from the newest
	Limit  int
}

// List is a page of them, newest first, and one more if there are more.
func List(ctx context.Context, db *database.DB, f Filter) (rows []models.Succession, err error) {
	err = db.Read(ctx).Raw("SELECT s.* FROM successions s WHERE "+f.where()+" ORDER BY s.id DESC LIMIT @most", f.args()).Scan(&rows).Error
	return rows, database.Wrap("listing what passed on", err)
}

// own says of successions s that they are of something about the reader's own data, which is not theirs to know (I27).
const own = `s.kind = 'hold' AND s.thing_id IN (SELECT id FROM holds WHERE employee_id = @reader)
	OR s.kind = 'request' AND s.thing_id IN (SELECT id FROM approvals WHERE @reader = ANY (subject_ids))
	OR s.kind = 'call' AND s.thing_id IN (SELECT id FROM emergency_calls WHERE employee_id = @reader)
	OR s.kind = 'case' AND s.thing_id IN (SELECT c.id FROM support_cases c JOIN account_operations o ON o.id = c.operation_id JOIN employments m ON m.id = o.employment_id WHERE m.employee_id = @reader)
	OR s.kind = 'look' AND s.thing_id IN (SELECT id FROM disclosures WHERE employee_id = @reader)
	OR s.kind = 'rejection' AND s.thing_id IN (SELECT p.id FROM purges p JOIN employments m ON m.id = p.employment_id WHERE m.employee_id = @reader)`

func (f Filter) where() string {
	parts := []string{"s.from_id IS DISTINCT FROM @reader AND NOT (" + own + ")"}
	if f.Open {
		parts = append(parts, openOnes)
	}
	if f.Roles != nil {
		parts = append(parts, "s.role IN @roles")
	}
	if f.Before != uuid.Nil {
		parts = append(parts, "s.id < @before")
	}
	return strings.Join(parts, " AND ")
}

func (f Filter) args() map[string]any {
	return map[string]any{"reader": f.Reader, "roles": append([]models.Role{""}, f.Roles...), "before": f.Before, "most": f.Limit + 1}
}

// Things are what some successions are about, as far as it is open still.
func Things(ctx context.Context, db *database.DB, rows []models.Succession) (map[uuid.UUID]Thing, error) {
	found := map[uuid.UUID]Thing{}
	for _, k := range Kinds {
		var ids models.IDs
		for _, r := range rows {
			if r.Kind == k.Name {
				ids = append(ids, r.ThingID)
			}
		}
		if len(ids) == 0 {
			continue
		}
		open, err := things(db.Read(ctx), k, "thing_id = ANY (@ids)", map[string]any{"ids": ids})
		if err != nil {
			return nil, err
		}
		for _, t := range open {
			found[t.ThingID] = t
		}
	}
	return found, nil
}

// Get is one of those that a filter lets see.
func Get(ctx context.Context, db *database.DB, f Filter, id uuid.UUID) (s models.Succession, err error) {
	args := f.args()
	args["id"] = id
	var rows []models.Succession
	if err := db.Read(ctx).Raw("SELECT s.* FROM successions s WHERE s.id = @id AND "+f.where(), args).Scan(&rows).Error; err != nil {
		return s, database.Wrap("reading a succession", err)
	}
	if len(rows) == 0 {
		return s, ErrNotFound
	}
	return rows[0], nil
}

// Holders are who looks after some things of a kind that passed on last to somebody or to the role: nil is the role. What
// never passed on is not there.
func Holders(ctx context.Context, db *database.DB, kind models.Holding, ids []uuid.UUID) (map[uuid.UUID]*uuid.UUID, error) {
	holders := map[uuid.UUID]*uuid.UUID{}
	if len(ids) == 0 {
		return holders, nil
	}
	var rows []models.Succession
	err := db.Read(ctx).Raw("SELECT DISTINCT ON (thing_id) * FROM successions WHERE kind = ? AND thing_id = ANY (?) ORDER BY thing_id, turn DESC", kind, models.IDs(ids)).Scan(&rows).Error
	for _, r := range rows {
		holders[r.ThingID] = r.ToID
	}
	return holders, database.Wrap("reading who looks after something", err)
}

const sweepEvery = 10 * time.Second

// Keep sweeps until ctx ends. Every process may: a thing passes on once.
func Keep(ctx context.Context, db *database.DB, log *slog.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if n, err := Sweep(ctx, db); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "what people who are gone look after stays with them for now", "passed", strconv.Itoa(n), "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
