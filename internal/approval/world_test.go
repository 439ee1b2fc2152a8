package approval

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// bump is the command of the tests: raise a counter, which is the effect.
type bump struct {
	Target uuid.UUID `json:"target"`
	Note   string    `json:"note,omitempty"`
}

const opBump = "test.bump"

// world is a registry with one operation on a table of counters, and four people.
type world struct {
	env      *databasetest.Env
	registry *Registry
	// asker and the others are different persons.
	asker, first, second, subject person
}

type person struct{ actor, user uuid.UUID }

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{env: databasetest.New(t)}
	w.exec(t, "CREATE TABLE counters (id uuid PRIMARY KEY, version int NOT NULL DEFAULT 1, subject uuid, noted boolean NOT NULL DEFAULT false)")
	w.exec(t, "CREATE TABLE effects (target uuid NOT NULL, version int NOT NULL, requester uuid, approver uuid, approval uuid)")
	for _, p := range []*person{&w.asker, &w.first, &w.second, &w.subject} {
		*p = w.person(t)
	}
	w.registry = newRegistry(t, Options{})
	return w
}

func newRegistry(t testing.TB, o Options) *Registry {
	t.Helper()
	r, err := NewRegistry(plainBoxes{}, o, bumping())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func bumping() Operation {
	op := Define(Spec[bump]{
		Judge: func(tx *database.Tx, c bump) (Review, error) {
			var rows []struct {
				Version int
				Subject *uuid.UUID
			}
			if err := tx.DB().Raw("SELECT version, subject FROM counters WHERE id = ? FOR UPDATE", c.Target).Scan(&rows).Error; err != nil {
				return Review{}, database.Hide(err)
			}
			if len(rows) == 0 {
				return Review{}, ErrGone
			}
			m := Review{
				Targets: []Target{{Kind: "counter", ID: c.Target}},
				Changes: []Change{{Field: "version", Before: string(rune('0' + rows[0].Version)), After: "more"}},
			}
			if rows[0].Subject != nil {
				m.Subjects = []uuid.UUID{*rows[0].Subject}
			}
			return m, nil
		},
		Asked: func(tx *database.Tx, _ models.Actor, c bump) error {
			return database.Hide(tx.DB().Exec("UPDATE counters SET noted = true WHERE id = ?", c.Target).Error)
		},
		Dropped: func(tx *database.Tx, _ models.Actor, target uuid.UUID, _ models.ApprovalState) error {
			return database.Hide(tx.DB().Exec("UPDATE counters SET noted = false WHERE id = ?", target).Error)
		},
		Run: func(tx *database.Tx, by By, c bump) (models.Ref, error) {
			err := tx.DB().Exec(`INSERT INTO effects (target, version, requester, approver, approval)
				SELECT id, version, ?, ?, ? FROM counters WHERE id = ?`, by.Requester.EmployeeID, by.Approver.EmployeeID, by.Approval, c.Target).Error
			return models.Ref{Kind: "counter", ID: c.Target}, database.Hide(err)
		},
	})
	op.Name, op.Floor, op.Approvers = opBump, true, []models.Role{models.RoleReviewer}
	return op
}

// plainBoxes seals nothing: what the vault does is tested there.
type plainBoxes struct{}

var boxHead = append([]byte("LSL1"), make([]byte, 60)...)

func (plainBoxes) SealLoose(_ context.Context, _ string, plain []byte) (models.Sealed, error) {
	return models.NewSealed(append(bytes.Clone(boxHead), plain...)), nil
}

func (plainBoxes) OpenLoose(_ context.Context, _ string, s models.Sealed) ([]byte, error) {
	return s.Box()[len(boxHead):], nil
}

func (b plainBoxes) OpenLooseAll(ctx context.Context, values []vault.LooseValue) ([]vault.LooseOpened, error) {
	opened := make([]vault.LooseOpened, len(values))
	for i, v := range values {
		opened[i].Plain, opened[i].Err = b.OpenLoose(ctx, v.Cell, v.Sealed)
	}
	return opened, nil
}

func (plainBoxes) ShredLoose(context.Context, models.Sealed) error { return nil }

func (w *world) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if err := databasetest.Exec(t, w.env.Facts, sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (w *world) person(t testing.TB) person {
	t.Helper()
	employment := w.env.Hire(t, "CN")
	var user models.User
	w.tx(t, context.Background(), func(tx *database.Tx) (err error) {
		if user, err = identity.EnsureUser(tx, employment.EmployeeID, ""); err != nil {
			return err
		}
		return errors.Join(identity.Grant(tx, user.ID, models.RoleHRAdmin, models.System), identity.Grant(tx, user.ID, models.RoleReviewer, models.System))
	})
	return person{employment.EmployeeID, user.ID}
}

func (w *world) tx(t testing.TB, ctx context.Context, do func(tx *database.Tx) error) {
	t.Helper()
	if err := database.Run(ctx, w.env.Facts, do); err != nil {
		t.Fatal(err)
	}
}

// as is a context with a person behind it.
func (w *world) as(p person, role models.Role) context.Context {
	return models.WithCaller(context.Background(), w.bearer(p, role).Caller("test"))
}

// bearer is a session that stepped up a moment ago.
func (w *world) bearer(p person, role models.Role) identity.Bearer {
	return w.session(p, role, models.ByTOTP, time.Second)
}

// session is one that stepped up so long ago.
func (w *world) session(p person, role models.Role, how models.Authentication, ago time.Duration) identity.Bearer {
	now, err := w.env.Facts.Now(context.Background())
	if err != nil {
		panic(err)
	}
	at := now.Add(-ago)
	b := identity.Bearer{
		Actor: models.Actor{EmployeeID: p.actor, Role: role}, UserID: p.user, SessionID: uuid.New(),
		Authenticated: how, SteppedUpAt: &at, BreakGlass: how == models.ByBreakGlass,
	}
	err = database.Run(context.Background(), w.env.Facts, func(tx *database.Tx) error {
		entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindSession, Action: "session.opened"})
		if err != nil {
			return err
		}
		return database.Hide(tx.DB().Exec(`INSERT INTO sessions (id, data, user_id, role, authenticated, stepped_up_at, break_glass, idle_expires_at, expires_at, ledger_entry_id)
			VALUES (?, '', ?, ?, ?, ?, ?, ?, ?, ?)`, b.SessionID, p.user, role, how, at, b.BreakGlass, now.Add(30*24*time.Hour), now.Add(60*24*time.Hour), entry).Error)
	})
	if err != nil {
		panic(err)
	}
	return b
}

func (w *world) counter(t testing.TB) uuid.UUID {
	t.Helper()
	id := uuid.New()
	w.exec(t, "INSERT INTO counters (id) VALUES (?)", id)
	return id
}

// ask requests a bump of a new counter.
func (w *world) ask(t testing.TB) (models.Approval, uuid.UUID) {
	t.Helper()
	target := w.counter(t)
	return w.askFor(t, target), target
}

func (w *world) askFor(t testing.TB, target uuid.UUID) (row models.Approval) {
	t.Helper()
	w.tx(t, w.as(w.asker, models.RoleHRAdmin), func(tx *database.Tx) (err error) {
		row, err = w.registry.Request(tx, Order{Operation: opBump, Command: bump{Target: target}, Reason: "it is time"})
		return err
	})
	return row
}

func (w *world) decide(p person, id uuid.UUID, decision models.ApprovalState) (models.Approval, error) {
	b := w.bearer(p, models.RoleReviewer)
	return w.registry.Decide(models.WithCaller(context.Background(), b.Caller("test")), w.env.Facts, b, id, decision, "")
}

func (w *world) get(t testing.TB, id uuid.UUID) models.Approval {
	t.Helper()
	row, err := Get(context.Background(), w.env.Facts, id)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func (w *world) count(t testing.TB, sql string, args ...any) (n int) {
	t.Helper()
	if err := w.env.Facts.Read(context.Background()).Raw(sql, args...).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *world) effects(t testing.TB, target uuid.UUID) int {
	t.Helper()
	return w.count(t, "SELECT count(*) FROM effects WHERE target = ?", target)
}

// actions are what the ledger says about a request, in order.
func (w *world) actions(t testing.TB, id uuid.UUID) (actions []string) {
	t.Helper()
	err := w.env.Facts.Read(context.Background()).Raw("SELECT action FROM ledger_content WHERE object = ? ORDER BY at, entry_id", "approval/"+id.String()).Scan(&actions).Error
	if err != nil {
		t.Fatal(err)
	}
	return actions
}
