package holders

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/models"
)

// world is a company whose people are given roles and lose them, and a model that is written down beside.
type world struct {
	*testing.T
	env     *databasetest.Env
	people  []uuid.UUID
	users   map[uuid.UUID]*kept
	version int
	past    []snapshot
	changes []Change
	cuts    map[uuid.UUID]bool // those that stand, by their people: the person was told
}

// kept is what the model knows of a user.
type kept struct {
	Person uuid.UUID
	State  models.UserState
	Roles  map[models.Role]role
}

type role struct {
	Since      time.Time
	By, Agreed uuid.UUID
}

type snapshot struct {
	at      time.Time
	users   map[uuid.UUID]kept
	version int
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, env: databasetest.New(t), users: map[uuid.UUID]*kept{}, cuts: map[uuid.UUID]bool{}}
	for range 5 {
		w.people = append(w.people, w.env.Hire(t, "CN").EmployeeID)
	}
	return w
}

func (w *world) now() time.Time {
	w.Helper()
	at, err := w.env.Facts.Now(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return at
}

// act lets two people do something.
func (w *world) act(asks, agrees uuid.UUID, do func(tx *database.Tx, by models.Actor) error) {
	w.Helper()
	by := models.Actor{EmployeeID: asks, Role: models.RoleHRAdmin}
	ctx := models.WithCaller(w.Context(), models.Caller{
		Actor: models.Actor{EmployeeID: agrees, Role: models.RoleReviewer}, Authenticated: models.ByTOTP, Requester: &models.Requester{Actor: by, Authenticated: models.ByTOTP},
	})
	if err := database.Run(ctx, w.env.Facts, func(tx *database.Tx) error { return do(tx, by) }); err != nil {
		w.Fatal(err)
	}
}

// changed notes what an entry or a row says happened now.
func (w *world) changed(what What, person uuid.UUID, in models.Role) {
	w.changes = append(w.changes, Change{At: w.now(), What: what, Employee: &person, Role: in})
}

// note keeps what holds from now on.
func (w *world) note() {
	users := make(map[uuid.UUID]kept, len(w.users))
	for id, k := range w.users {
		one := *k
		one.Roles = maps.Clone(k.Roles)
		users[id] = one
	}
	w.past = append(w.past, snapshot{w.now(), users, w.version})
}

func pick[T any](from []T) T { return from[rand.N(len(from))] }

// step does one thing that may happen to somebody.
func (w *world) step() {
	w.Helper()
	asks, agrees, person := w.people[0], w.people[1], pick(w.people)
	ids := slices.SortedFunc(maps.Keys(w.users), func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	if _, stands := w.cuts[person]; !stands && (len(ids) < 3 || rand.N(8) == 0 && len(ids) < 9) {
		w.create(asks, agrees, person)
		return
	}
	id := pick(ids)
	u, r := w.users[id], pick(models.Roles)
	if _, stands := w.cuts[u.Person]; stands {
		w.over(u.Person)
		return
	}
	_, held := u.Roles[r]
	switch rand.N(9) {
	case 0, 1, 2:
		if u.State != models.UserDisabled && !held {
			w.act(asks, agrees, func(tx *database.Tx, by models.Actor) error { return identity.Grant(tx, id, r, by) })
			u.Roles[r] = role{w.now(), asks, agrees}
			w.changed(RoleGiven, u.Person, r)
		}
	case 3, 4:
		if held {
			w.act(asks, agrees, func(tx *database.Tx, by models.Actor) error { return identity.RevokeRole(tx, id, r, by) })
			delete(u.Roles, r)
			w.changed(RoleTaken, u.Person, r)
		}
	case 5:
		if u.State != models.UserDisabled {
			w.act(asks, agrees, func(tx *database.Tx, by models.Actor) error { return identity.Disable(tx, id, by) })
			u.State = models.UserDisabled
			w.changed(Ended, u.Person, "")
		}
	case 6:
		if u.Person != asks && u.Person != agrees {
			w.cut(u.Person, rand.N(2) == 0)
		}
	case 7:
		if u.State == models.UserActive || u.State == models.UserDisabled {
			w.act(asks, agrees, func(tx *database.Tx, by models.Actor) error {
				_, err := (&identity.Service{}).Reset(tx, by, id)
				return err
			})
			u.State = models.UserEnrolling
			w.changed(Ended, u.Person, "")
		} else if u.State == models.UserEnrolling {
			w.oneUser(id, u, "user.enrolled", models.UserActive, Began)
		}
	case 8:
		w.permissions(asks, agrees)
	}
}

func (w *world) create(asks, agrees, person uuid.UUID) {
	w.Helper()
	var user models.User
	if rand.N(2) == 0 { // for tokens: active, and given by nobody
		w.act(asks, agrees, func(tx *database.Tx, _ models.Actor) (err error) {
			user, err = identity.EnsureUser(tx, person, "t-"+uuid.NewString()[:8])
			return err
		})
		w.users[user.ID] = &kept{person, models.UserActive, map[models.Role]role{}}
		return
	}
	first := pick(models.Roles)
	w.act(asks, agrees, func(tx *database.Tx, by models.Actor) (err error) {
		user, err = identity.CreateUser(tx, by, identity.NewUser{EmployeeID: person, Login: "u-" + uuid.NewString()[:8], Roles: []models.Role{first}})
		return err
	})
	w.users[user.ID] = &kept{person, models.UserEnrolling, map[models.Role]role{first: {w.now(), asks, agrees}}}
	w.changed(RoleGiven, person, first)
}

// oneUser changes a user as its package does: there the owner's codes, or an emergency cut, come before.
func (w *world) oneUser(id uuid.UUID, u *kept, action string, to models.UserState, what What) {
	w.Helper()
	w.act(u.Person, u.Person, func(tx *database.Tx, by models.Actor) error {
		entry, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindIdentity, Action: action, Actor: &by, Subject: &u.Person, Object: "user/" + id.String()})
		if err != nil {
			return err
		}
		return tx.DB().Exec("UPDATE users SET state = ?, ledger_entry_id = ? WHERE id = ?", to, entry, id).Error
	})
	u.State = to
	w.changed(what, u.Person, "")
}

// cut takes somebody's access away at once. Of one that the person was not told of the model knows nothing.
func (w *world) cut(person uuid.UUID, told bool) {
	w.Helper()
	asks, agrees := w.people[0], w.people[1]
	w.exec(`INSERT INTO access_cuts (id, employee_id, state, holder_of, ordered_by, ordered_role, ordered_at, confirm_due_at, told_at, told_by, ledger_entry_id)
		VALUES (gen_random_uuid(), ?, 'unconfirmed', '{}', ?, 'hr_admin', lethe_now(), lethe_now(), CASE WHEN ? THEN lethe_now() END, CASE WHEN ? THEN CAST(? AS uuid) END, @entry)`,
		person, asks, told, told, agrees)
	w.act(asks, agrees, func(tx *database.Tx, by models.Actor) error {
		_, err := identity.Suspend(tx, person, by)
		return err
	})
	w.cuts[person] = told
	if told {
		w.each(person, map[models.UserState]models.UserState{models.UserActive: models.UserSuspended, models.UserEnrolling: models.UserDisabled})
	}
}

// over lifts a cut, or ends it with the employment: who had yet to set the credentials stays disabled.
func (w *world) over(person uuid.UUID) {
	w.Helper()
	asks, agrees := w.people[0], w.people[1]
	told := w.cuts[person]
	delete(w.cuts, person)
	to := map[models.UserState]models.UserState{models.UserSuspended: models.UserActive}
	if !told {
		to = map[models.UserState]models.UserState{models.UserEnrolling: models.UserDisabled}
	}
	if rand.N(2) == 0 {
		w.exec("UPDATE access_cuts SET state = 'lifted', lifted_at = lethe_now(), lifted_by = ?, lifted_with = ?, ledger_entry_id = @entry WHERE employee_id = ? AND state = 'unconfirmed'", asks, agrees, person)
		w.act(asks, agrees, func(tx *database.Tx, by models.Actor) error { return identity.Resume(tx, person, by) })
	} else {
		w.exec("UPDATE access_cuts SET state = 'ended', ended_at = lethe_now(), ledger_entry_id = @entry WHERE employee_id = ? AND state = 'unconfirmed'", person)
		closed := models.UserActive
		if told {
			closed = models.UserSuspended
		}
		for id, u := range w.users {
			if u.Person == person && u.State == closed {
				w.act(asks, agrees, func(tx *database.Tx, by models.Actor) error { return identity.Disable(tx, id, by) })
			}
		}
		to[closed] = models.UserDisabled
	}
	w.each(person, to)
}

// each brings a person's users from one state to another in the model.
func (w *world) each(person uuid.UUID, to map[models.UserState]models.UserState) {
	for _, u := range w.users {
		if next, moves := to[u.State]; moves && u.Person == person {
			u.State = next
			what := Ended
			if next == models.UserActive {
				what = Began
			}
			w.changed(what, person, "")
		}
	}
}

// permissions are changed; the protected list tells which version it is.
func (w *world) permissions(asks, agrees uuid.UUID) {
	w.Helper()
	w.version++
	m := *access.Builtin()
	m.Version, m.Protected = w.version, []uuid.UUID{w.people[w.version%len(w.people)]}
	document, err := json.Marshal(m)
	if err != nil {
		w.Fatal(err)
	}
	w.exec("INSERT INTO permission_versions (version, document, changed_by, approved_by, ledger_entry_id) VALUES (?, CAST(? AS jsonb), ?, ?, @entry)", w.version, string(document), asks, agrees)
	w.changes = append(w.changes, Change{At: w.now(), What: Permissions})
}

func (w *world) exec(sql string, args ...any) {
	w.Helper()
	if err := databasetest.Exec(w, w.env.Facts, sql, args...); err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
}

// held is somebody in a role, as the model and the report say it.
type held struct {
	Person uuid.UUID
	Role   models.Role
	Since  int64
	By     uuid.UUID
	Agreed uuid.UUID
}

// wanted is what held at an instant, by the model alone.
func (w *world) wanted(at time.Time) (all []held, waiting, version int) {
	i := len(w.past) - 1
	for i >= 0 && !w.past[i].at.Before(at) {
		i--
	}
	if i < 0 {
		return nil, 0, 0
	}
	first := map[uuid.UUID]map[models.Role]role{}
	waits := map[uuid.UUID]bool{}
	for _, u := range w.past[i].users {
		if u.State == models.UserEnrolling && len(u.Roles) > 0 {
			waits[u.Person] = true
		}
		if u.State != models.UserActive {
			continue
		}
		for r, k := range u.Roles {
			if first[u.Person] == nil {
				first[u.Person] = map[models.Role]role{}
			}
			if before, known := first[u.Person][r]; !known || k.Since.Before(before.Since) {
				first[u.Person][r] = k
			}
		}
	}
	for person, roles := range first {
		delete(waits, person)
		for r, k := range roles {
			all = append(all, held{person, r, k.Since.Unix() / 60, k.By, k.Agreed})
		}
	}
	return all, len(waits), w.past[i].version
}

func sorted(all []held) []held {
	slices.SortFunc(all, func(a, b held) int {
		return cmp.Or(slices.Compare(a.Person[:], b.Person[:]), cmp.Compare(a.Role, b.Role))
	})
	return all
}

// TestWhoHeldWhichRoleOnEachDay: random lives, told at the end for each of their days.
func TestWhoHeldWhichRoleOnEachDay(t *testing.T) {
	w := newWorld(t)
	w.step()
	w.note()
	begun := w.now()
	for range 150 {
		w.env.Advance(t, time.Duration(2+rand.N(16*60))*time.Minute)
		w.step()
		w.note()
	}
	w.env.Advance(t, time.Hour)
	zone, err := clock.LoadZone(pick([]string{"Asia/Shanghai", "America/Los_Angeles", "Pacific/Kiritimati", "UTC"}))
	if err != nil {
		t.Fatal(err)
	}
	said := 0
	for on := clock.Today(begun, zone); !clock.Today(w.now(), zone).Before(on); on = on.AddDays(1) {
		d, err := DayOf(t.Context(), w.env.Facts, on, zone, w.now())
		if err != nil {
			t.Fatal(err)
		}
		s, err := On(t.Context(), w.env.Facts, d)
		if err != nil {
			t.Fatal(err)
		}
		want, waiting, version := w.wanted(d.End)
		var got []held
		for _, h := range s.Holders {
			one := held{h.Employee, h.Role, h.Since.Unix() / 60, uuid.Nil, uuid.Nil}
			if h.GivenBy != nil {
				one.By = *h.GivenBy
			}
			if h.AgreedBy != nil {
				one.Agreed = *h.AgreedBy
			}
			got = append(got, one)
		}
		if diff := gocmp.Diff(sorted(want), sorted(got)); diff != "" || s.Waiting != waiting || s.Permissions.Matrix.Version != version || d.Today != (on == clock.Today(w.now(), zone)) {
			t.Fatalf("on %s in %s: %s, %d waiting (%d), version %d (%d)", on, zone, diff, s.Waiting, waiting, s.Permissions.Matrix.Version, version)
		}
		if version > 0 && !slices.Equal(s.Permissions.Protected, []uuid.UUID{w.people[version%len(w.people)]}) {
			t.Errorf("on %s protected are %v", on, s.Permissions.Protected)
		}
		said += len(got)
		w.wantChanges(d, s.Changes)
	}
	if said == 0 {
		t.Error("nobody held a role on any day")
	}
}

// wantChanges: each change of the day is told once, and none of another.
func (w *world) wantChanges(d Day, got []Change) {
	w.Helper()
	count := func(all []Change) map[string]int {
		n := map[string]int{}
		for _, c := range all {
			if c.At.Before(d.Begin) || !c.At.Before(d.End) {
				continue
			}
			key := string(c.What) + " " + string(c.Role)
			if c.Employee != nil {
				key += c.Employee.String()
			}
			n[key]++
		}
		return n
	}
	if diff := gocmp.Diff(count(w.changes), count(got)); diff != "" || len(got) != sum(count(got)) {
		w.Errorf("changes of %s: %s", d.On, diff)
	}
}

func sum(n map[string]int) (all int) {
	for _, one := range n {
		all += one
	}
	return all
}

// TestI27_AnEmergencyCutShowsOnceThePersonWasTold, neither in who held roles nor in what changed.
func TestI27_AnEmergencyCutShowsOnceThePersonWasTold(t *testing.T) {
	w := newWorld(t)
	users := map[models.UserState]uuid.UUID{}
	for state, person := range map[models.UserState]uuid.UUID{models.UserActive: w.people[2], models.UserEnrolling: w.people[3]} {
		w.act(w.people[0], w.people[1], func(tx *database.Tx, by models.Actor) error {
			user, err := identity.CreateUser(tx, by, identity.NewUser{EmployeeID: person, Login: "cut-" + string(state), Roles: []models.Role{models.RoleHRAdmin}})
			users[state] = user.ID
			return err
		})
	}
	w.oneUser(users[models.UserActive], &kept{Person: w.people[2]}, "user.enrolled", models.UserActive, Began)
	w.env.Advance(t, 24*time.Hour)
	for _, person := range w.people[2:4] {
		w.exec(`INSERT INTO access_cuts (id, employee_id, state, holder_of, ordered_by, ordered_role, ordered_at, confirm_due_at, ledger_entry_id)
			VALUES (gen_random_uuid(), ?, 'unconfirmed', '{}', ?, 'hr_admin', lethe_now(), lethe_now(), @entry)`, person, w.people[0])
		w.act(w.people[0], w.people[1], func(tx *database.Tx, by models.Actor) error {
			_, err := identity.Suspend(tx, person, by)
			return err
		})
	}
	w.env.Advance(t, time.Minute)
	today := func() State {
		d, err := DayOf(t.Context(), w.env.Facts, clock.Today(w.now(), time.UTC), time.UTC, w.now())
		if err != nil {
			t.Fatal(err)
		}
		s, err := On(t.Context(), w.env.Facts, d)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := today(); len(s.Holders) != 1 || s.Waiting != 1 || len(s.Changes) != 0 {
		t.Errorf("before they were told: %+v", s)
	}
	w.exec("UPDATE access_cuts SET told_at = lethe_now(), told_by = ?, ledger_entry_id = @entry", w.people[0])
	if s := today(); len(s.Holders) != 0 || s.Waiting != 0 || len(s.Changes) != 2 {
		t.Errorf("once they were told: %+v", s)
	}
}

// TestI27_EachCutIsHiddenForItself: of two cuts of one person, one told and one not, in either order.
func TestI27_EachCutIsHiddenForItself(t *testing.T) {
	for _, first := range []bool{false, true} {
		w := newWorld(t)
		person := w.people[2]
		var user uuid.UUID
		w.act(w.people[0], w.people[1], func(tx *database.Tx, by models.Actor) error {
			u, err := identity.CreateUser(tx, by, identity.NewUser{EmployeeID: person, Login: "twice-cut", Roles: []models.Role{models.RoleHRAdmin}})
			user = u.ID
			return err
		})
		w.oneUser(user, &kept{Person: person}, "user.enrolled", models.UserActive, Began)
		said := func() [2]int {
			w.env.Advance(t, 3*time.Second)
			d, err := DayOf(t.Context(), w.env.Facts, clock.Today(w.now(), time.UTC), time.UTC, w.now())
			if err != nil {
				t.Fatal(err)
			}
			s, err := On(t.Context(), w.env.Facts, d)
			if err != nil {
				t.Fatal(err)
			}
			w.env.Advance(t, 24*time.Hour)
			return [2]int{len(s.Holders), len(s.Changes)}
		}
		said()
		for _, told := range []bool{first, !first} {
			w.cut(person, told)
			want := map[bool][2]int{true: {0, 1}, false: {1, 0}}[told]
			if got := said(); got != want {
				t.Errorf("told %t, the first %t: %v holders and changes, want %v", told, first, got, want)
			}
			w.exec("UPDATE access_cuts SET state = 'lifted', lifted_at = lethe_now(), lifted_by = ?, lifted_with = ?, ledger_entry_id = @entry WHERE state = 'unconfirmed'", w.people[0], w.people[1])
			w.act(w.people[0], w.people[1], func(tx *database.Tx, by models.Actor) error { return identity.Resume(tx, person, by) })
			if got := said(); got != [2]int{1, want[1]} {
				t.Errorf("lifted, told %t, the first %t: %v holders and changes", told, first, got)
			}
		}
	}
}

// TestADayOfWhichNothingCanBeSaid: before the first user, and to come.
func TestADayOfWhichNothingCanBeSaid(t *testing.T) {
	w := newWorld(t)
	day := func(days int) error {
		_, err := DayOf(context.Background(), w.env.Facts, clock.Today(w.now(), time.UTC).AddDays(days), time.UTC, w.now())
		return err
	}
	if err := day(0); err != ErrBefore {
		t.Errorf("without a user: %v", err)
	}
	w.create(w.people[0], w.people[1], w.people[2])
	w.env.Advance(t, 48*time.Hour)
	for days, want := range map[int]error{1: ErrFuture, 0: nil, -1: nil, -2: nil, -3: ErrBefore} {
		if err := day(days); err != want {
			t.Errorf("%d days from now: %v, want %v", days, err, want)
		}
	}
}
