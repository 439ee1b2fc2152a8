package successions_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/api/holds"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/api/successions"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/reasons"
	"lethe/internal/succession"
	"lethe/models"
)

// world is somebody who looks after one thing of several kinds, and colleagues.
type world struct {
	*apitest.Fixture
	t      *testing.T
	leaver uuid.UUID
	hold   uuid.UUID
	purge  uuid.UUID
	look   uuid.UUID
	asked  string // the address of an undecided request
}

func newWorld(t *testing.T) *world {
	w := &world{Fixture: apitest.New(t), t: t}
	w.leaver = w.employ("L-1", httpkit.HR, httpkit.Reviewer)
	w.head(w.A, w.leaver)
	placing := w.FreshSession(w.leaver, httpkit.HR)
	var hold, other holds.HoldView
	placing.Ask("POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "matter": "M-1"}`, w.Hire("E-1", w.A))).Into(t, &hold)
	w.Ask(httpkit.HR, "POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "matter": "M-2"}`, w.Hire("E-2", w.A))).Into(t, &other)
	w.hold, w.purge = hold.ID, w.PurgeInReview(w.Resign(w.Hire("E-3", w.A)))
	w.FreshSession(w.leaver, httpkit.Reviewer).Ask("POST", "/api/v1/purges/"+w.purge.String()+"/decision", `{"decision": "rejected"}`)
	w.asked = placing.Ask("POST", httpkit.AddressOf(models.RefHold, other.ID)+"/release", `{}`).Header.Get("Location")
	w.look = w.untold(w.leaver, w.Hire("E-4", w.A))
	return w
}

// untold is a look whose outcome somebody has not told.
func (w *world) untold(by, about uuid.UUID) (id uuid.UUID) {
	id = uuid.New()
	w.Run(func(tx *database.Tx) error {
		statement, err := reasons.Seal(tx, reasons.Cell("disclosures.statement_sealed", id), "{}")
		if err != nil {
			return err
		}
		return database.Hide(tx.DB().Exec(`INSERT INTO disclosures (id, employee_id, employment_id, actor_id, actor_role, fields, purpose, status, state, rule, statement_sealed, shown_at, shown_times, open_until, ledger_entry_id)
			SELECT ?, e.employee_id, e.id, ?, 'hr_admin', '{mobile}', 'unreachable', 'active', 'shown', 'granted', ?, lethe_now(), 1, lethe_now(), ? FROM employments e WHERE e.employee_id = ?`,
			id, by, statement, w.Entry(tx), about).Error)
	})
	return id
}

// employ hires somebody with roles.
func (w *world) employ(no string, roles ...models.Role) uuid.UUID {
	id := w.Hire(no, w.B)
	for _, role := range roles {
		w.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, id, role); return err })
	}
	return id
}

func (w *world) head(department, who uuid.UUID) {
	w.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", who, department)
}

func (w *world) headOf(department uuid.UUID) (head *uuid.UUID) {
	w.Run(func(tx *database.Tx) error {
		d, err := database.First[models.Department](tx.DB().Where("id = ?", department))
		head = d.HeadEmployeeID
		return err
	})
	return head
}

// name names successors: who for everything, then by kind.
func (w *world) name(who uuid.UUID, base int, all *uuid.UUID, by map[models.Holding]uuid.UUID) apitest.Reply {
	w.t.Helper()
	body := map[string]any{"base_version": base}
	if all != nil {
		body["successor_id"] = *all
	}
	kinds := []map[string]any{}
	for k, id := range by {
		kinds = append(kinds, map[string]any{"kind": k, "successor_id": id})
	}
	body["by_kind"] = kinds
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.Ask(httpkit.HR, "PUT", "/api/v1/employees/"+who.String()+"/successors", string(text))
}

func (w *world) sweep() int {
	w.t.Helper()
	n, err := succession.Sweep(w.t.Context(), w.App)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) holdings(who uuid.UUID) (v successions.Holdings) {
	w.t.Helper()
	w.Ask(httpkit.HR, "GET", "/api/v1/employees/"+who.String()+"/holdings", "").Into(w.t, &v)
	return v
}

func (w *world) open() (page httpkit.Page[successions.Succession]) {
	w.t.Helper()
	w.Ask(httpkit.HR, "GET", "/api/v1/successions?open=true", "").Into(w.t, &page)
	return page
}

func (w *world) disable(who uuid.UUID) {
	w.Run(func(tx *database.Tx) error { return identity.EndAll(tx, who) })
}

// begin begins a departure.
func (w *world) begin(who uuid.UUID) (v departures.DepartureView) {
	w.t.Helper()
	w.Ask(httpkit.HR, "POST", "/api/v1/departures", w.Notice(who, 3)).Into(w.t, &v)
	return v
}

// cutoff lets a departure come to its cutoff.
func (w *world) cutoff(d departures.DepartureView) {
	w.t.Helper()
	w.AdvanceTo(d.AccessCutoffAt.Add(time.Minute))
	w.Run(func(tx *database.Tx) error { _, err := departure.Advance(tx, d.ID, w.Systems); return err })
}

// TestI32_WhatALeaverLooksAfterPassesOn: at the cutoff, and not before, to whom each kind names; requests end.
func TestI32_WhatALeaverLooksAfterPassesOn(t *testing.T) {
	w := newWorld(t)
	heir, head, second := w.employ("S-1", httpkit.HR), w.Hire("S-2", w.A), w.employ("S-3", httpkit.Reviewer)
	v := w.holdings(w.leaver)
	got := map[models.Holding]int{}
	for _, k := range v.Kinds {
		got[k.Kind] = len(k.Things)
	}
	for _, kind := range []models.Holding{models.HoldingDepartment, models.HoldingHold, models.HoldingRejection, models.HoldingLook, models.HoldingRequest} {
		if got[kind] != 1 {
			t.Errorf("%d of %s", got[kind], kind)
		}
	}
	if v.Missing != 4 || v.Version != 0 {
		t.Fatalf("missing %d of version %d", v.Missing, v.Version)
	}
	for range 2 { // repeated: one effect
		if r := w.name(w.leaver, 0, &heir, map[models.Holding]uuid.UUID{models.HoldingDepartment: head, models.HoldingRejection: second}); r.Status != 200 {
			t.Fatal(r.Status, string(r.Body))
		}
	}
	if v = w.holdings(w.leaver); v.Missing != 0 || v.Version != 1 || v.Successor == nil || v.Successor.EmployeeID != heir {
		t.Fatalf("%+v", v)
	}
	if r := w.name(w.leaver, 0, &second, nil); r.Status != 409 {
		t.Error("made from an older version:", r.Status)
	}
	d := w.begin(w.leaver)
	if n := w.sweep(); n != 0 {
		t.Error("passed on before the cutoff:", n)
	}
	w.Ask(httpkit.HR, "POST", httpkit.AddressOf(models.RefDeparture, d.ID)+"/withdrawal", `{"reason": "stays", "company_consent": true}`)
	w.AdvanceTo(d.AccessCutoffAt.Add(time.Minute))
	if n := w.sweep(); n != 0 {
		t.Error("passed on though withdrawn:", n)
	}
	w.cutoff(w.begin(w.leaver))
	if n := w.sweep(); n != 4 {
		t.Fatal("passed on:", n)
	}
	if n := w.sweep(); n != 0 {
		t.Error("passed on twice:", n)
	}
	if _, err := w.Approvals.EndLeft(t.Context(), w.App); err != nil {
		t.Fatal(err)
	}
	var hold holds.HoldView
	w.Ask(httpkit.Auditor, "GET", httpkit.AddressOf(models.RefHold, w.hold), "").Into(t, &hold)
	if hold.PassedToPerson == nil || hold.PassedToPerson.EmployeeID != heir || hold.PassedTo != nil || hold.ReleasedAt != nil {
		t.Errorf("the hold: %+v", hold)
	}
	var rejected purges.PurgeView
	w.Ask(httpkit.Auditor, "GET", "/api/v1/purges/"+w.purge.String(), "").Into(t, &rejected)
	if rejected.PassedToPerson == nil || rejected.PassedToPerson.EmployeeID != second || rejected.State != models.PurgeRejected {
		t.Errorf("the rejection: %+v", rejected)
	}
	if h := w.headOf(w.A); h == nil || *h != head {
		t.Error("the department is headed by", h)
	}
	var request approvals.ApprovalView
	w.Session(httpkit.Auditor).Ask("GET", w.asked, "").Into(t, &request)
	if request.VoidReason != models.VoidRequesterEnded {
		t.Errorf("the request is %s %s", request.State, request.VoidReason)
	}
	told := w.FreshSession(heir, httpkit.HR).Ask("POST", "/api/v1/disclosures/"+w.look.String()+"/outcome", `{"outcome": "person_contacted"}`)
	if told.Status != 200 {
		t.Error("the successor tells what came of the look:", told.Status, string(told.Body))
	}
	var page httpkit.Page[successions.Succession]
	w.Ask(httpkit.HR, "GET", "/api/v1/successions", "").Into(t, &page)
	if len(page.Items) != 4 || page.Items[0].Cause != models.SuccessionLeft || len(w.open().Items) != 0 {
		t.Errorf("%+v", page.Items)
	}
}

// TestI32_WithoutSuccessorItFallsToTheRole: shown, and taken by whom HR says; nobody waits for that.
func TestI32_WithoutSuccessorItFallsToTheRole(t *testing.T) {
	w := newWorld(t)
	heir, second := w.employ("S-1", httpkit.HR), w.employ("S-3", httpkit.Reviewer)
	w.cutoff(w.begin(w.leaver))
	w.sweep()
	page := w.open()
	if len(page.Items) != 4 || w.headOf(w.A) != nil {
		t.Fatalf("%+v, headed by %v", page.Items, w.headOf(w.A))
	}
	var seen httpkit.Page[successions.Succession]
	w.Ask(httpkit.Reviewer, "GET", "/api/v1/successions?open=true", "").Into(t, &seen)
	if len(seen.Items) != 1 || seen.Items[0].Kind != models.HoldingRejection {
		t.Errorf("a reviewer sees %+v", seen.Items)
	}
	if r := w.Ask(httpkit.Reviewer, "GET", httpkit.AddressOf(models.RefSuccession, page.Items[0].ID), ""); (r.Status == 200) != (page.Items[0].Kind == models.HoldingRejection) {
		t.Error("a reviewer reads one of", page.Items[0].Kind, r.Status)
	}
	about := w.employ("S-9", httpkit.HR) // a hold on HR itself falls to the role
	var onHR holds.HoldView
	w.FreshSession(heir, httpkit.HR).Ask("POST", "/api/v1/holds", fmt.Sprintf(`{"employee_id": %q, "matter": "M-9"}`, w.People[httpkit.HR])).Into(t, &onHR)
	w.Exec("INSERT INTO successions (id, kind, thing_id, turn, from_id, role, cause, ledger_entry_id) VALUES (gen_random_uuid(), 'hold', ?, 1, ?, 'hr_admin', 'left', @entry)", onHR.ID, about)
	if got := w.open(); len(got.Items) != 4 {
		t.Error("somebody learns of a hold on themselves:", len(got.Items))
	}
	var overview struct{ Waiting struct{ Untaken int } }
	w.Ask(httpkit.HR, "GET", "/api/v1/overview", "").Into(t, &overview)
	if overview.Waiting.Untaken != 4 {
		t.Errorf("the overview counts %d", overview.Waiting.Untaken)
	}
	for _, s := range page.Items {
		take := func(who uuid.UUID) apitest.Reply {
			return w.Ask(httpkit.HR, "POST", httpkit.AddressOf(models.RefSuccession, s.ID)+"/taking", fmt.Sprintf(`{"employee_id": %q}`, who))
		}
		if r := take(w.leaver); r.Status != 422 {
			t.Error("who is gone takes", s.Kind, r.Status)
		}
		who := heir
		if s.Kind == models.HoldingRejection {
			who = second
		}
		for range 2 { // repeated: one effect
			if r := take(who); r.Status != 201 {
				t.Error("taking", s.Kind, r.Status, string(r.Body))
			}
		}
	}
	if h := w.headOf(w.A); h == nil || *h != heir || len(w.open().Items) != 0 || w.sweep() != 0 {
		t.Error("not everything was taken:", h, w.open().Items)
	}
}

// TestI32_SuccessorsWhoAreGone: what they would have taken goes to whom they name themselves, round in a circle to the role.
func TestI32_SuccessorsWhoAreGone(t *testing.T) {
	w := newWorld(t)
	b, c := w.employ("S-1", httpkit.HR), w.employ("S-2", httpkit.HR)
	second := w.untold(b, w.Hire("E-5", w.A))
	w.name(w.leaver, 0, &b, nil)
	w.name(b, 0, &w.leaver, nil)
	w.disable(b)
	w.disable(w.leaver)
	w.sweep() // A to B, B to A, both gone at once
	if open := w.open(); len(open.Items) != 5 {
		t.Errorf("%d fell to roles: %+v", len(open.Items), open.Items)
	}
	_ = second
	d, e := w.employ("S-4", httpkit.HR), w.employ("S-5", httpkit.HR)
	third := w.untold(d, w.Hire("E-6", w.A))
	w.name(d, 0, &e, nil)
	w.name(e, 0, &c, nil)
	w.disable(e)
	w.disable(d)
	w.sweep()
	holders, err := succession.Holders(t.Context(), w.App, models.HoldingLook, []uuid.UUID{third})
	if err != nil || holders[third] == nil || *holders[third] != c {
		t.Errorf("along the chain: %v %v", holders, err)
	}
}

// TestWhoCannotSucceed: each reason is told at the field that names them, and nothing is written.
func TestWhoCannotSucceed(t *testing.T) {
	w := newWorld(t)
	plain, gone, leaving := w.Hire("S-1", w.B), w.employ("S-2", httpkit.HR), w.employ("S-3", httpkit.HR)
	w.disable(gone)
	w.begin(leaving)
	w.begin(w.leaver)
	me := w.People[httpkit.HR]
	for name, o := range map[string]struct {
		kind models.Holding
		who  uuid.UUID
		rule succession.Unfit
	}{
		"the person":          {"", w.leaver, succession.UnfitSame},
		"disabled":            {"", gone, succession.UnfitGone},
		"leaves no later":     {"", leaving, succession.UnfitLeaving},
		"without the role":    {models.HoldingHold, plain, succession.UnfitRole},
		"oneself as head":     {models.HoldingDepartment, me, succession.UnfitNamer},
		"nothing that passes": {models.HoldingRequest, plain, succession.UnfitKind},
		"nobody":              {"", uuid.New(), succession.UnfitGone},
	} {
		t.Run(name, func(t *testing.T) {
			all, by := &o.who, map[models.Holding]uuid.UUID{}
			if o.kind != "" {
				all, by = nil, map[models.Holding]uuid.UUID{o.kind: o.who}
			}
			var p httpkit.Problem
			r := w.name(w.leaver, 0, all, by)
			if err := json.Unmarshal(r.Body, &p); err != nil || r.Status != 422 || p.Rule != string(o.rule) || len(p.Errors) != 1 {
				t.Errorf("%d %s, want %s", r.Status, r.Body, o.rule)
			}
		})
	}
	if v := w.holdings(w.leaver); v.Version != 0 {
		t.Error("something was written:", v.Version)
	}
	if r := w.Ask(httpkit.HR, "GET", "/api/v1/employees/"+me.String()+"/holdings", ""); r.Status != 403 {
		t.Error("one's own:", r.Status)
	}
}

// TestI27_AnUntoldCutChangesNothingThatOthersSee: the department keeps its head until the person was told.
func TestI27_AnUntoldCutChangesNothingThatOthersSee(t *testing.T) {
	w := newWorld(t)
	heir := w.employ("S-1", httpkit.HR)
	head := w.Hire("S-2", w.B)
	w.name(w.leaver, 0, &heir, map[models.Holding]uuid.UUID{models.HoldingDepartment: head})
	w.employ("S-3", httpkit.HR, httpkit.Reviewer)
	w.employ("S-4", httpkit.HR, httpkit.Reviewer)
	session := w.FreshSession(w.People[httpkit.HR], httpkit.HR)
	var cut struct{ ID uuid.UUID }
	session.Ask("POST", "/api/v1/access-cuts", fmt.Sprintf(`{"employee_id": %q, "reason": "X"}`, w.leaver)).Into(t, &cut)
	if h := w.headOf(w.A); h == nil || *h != w.leaver {
		t.Error("the head changed before the person was told:", h)
	}
	holders, err := succession.Holders(t.Context(), w.App, models.HoldingHold, []uuid.UUID{w.hold})
	if err != nil || holders[w.hold] == nil || *holders[w.hold] != heir {
		t.Error("the hold stays with whose access was cut:", holders, err)
	}
	session.Ask("POST", httpkit.AddressOf(models.RefCut, cut.ID)+"/telling", "")
	w.sweep()
	if h := w.headOf(w.A); h == nil || *h != head {
		t.Error("the head after the person was told:", h)
	}
}
