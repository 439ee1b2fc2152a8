package api

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/database"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/models"
)

// trial is one call of a dangerous step, and what shows that it was carried out.
type trial struct {
	role         models.Role // who calls
	method, path string
	body         string
	second       models.Role // who agrees
	done         string      // SQL that counts 1 once it was carried out
	args         []any
}

// steps prepares a call of every operation in the table, each about a person of its own.
func (f *fixture) steps() map[string]trial {
	no := 0
	person := func() uuid.UUID { no++; return f.hire("S"+uuid.NewString()[:8], f.a) }
	leaving := func() DepartureView { return f.resign(person()) }
	hrRole, reviewerRole := models.RoleHRAdmin, models.RoleReviewer
	newcomer := "N" + uuid.NewString()[:8]
	moved, sooner, unlinked, mistaken := person(), leaving(), leaving(), leaving()
	f.run(func(tx *database.Tx) error {
		_, created, err := account.OrderUnlink(tx, account.UnlinkOrder{
			EmploymentID: f.employment(unlinked.EmployeeID), DepartureID: &unlinked.ID, Mode: models.ModeDisable,
			Origin: models.OriginDeparture, By: models.System,
		})
		if err == nil && created {
			err = database.Hide(tx.DB().Exec("UPDATE departures SET accounts_state = 'unlinking' WHERE id = ?", unlinked.ID).Error)
		}
		return err
	})
	head := person()
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.a)
	var hold models.Hold
	kept := person()
	f.run(func(tx *database.Tx) (err error) {
		hold, _, err = retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: kept, Matter: "M-1", By: models.System})
		return err
	})
	kase := f.stuckCase(person())
	purge := f.purgeInReview(leaving())
	overruled, extended, late := f.rejectedPurge(person()), f.rejectedPurge(person()), f.leftLongAgo(person(), -20, false)
	user := f.user(person())
	detached, headOfB, administers, disabled, demoted := person(), person(), person(), person(), person()
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", headOfB, f.b)
	var unlinking models.AccountOperation
	f.run(func(tx *database.Tx) (err error) {
		for role, who := range map[models.Role][]uuid.UUID{models.RoleITOps: {administers}, models.RoleReviewer: {disabled, demoted}} {
			for _, p := range who {
				if _, err := identity.GrantTo(tx, p, role); err != nil {
					return err
				}
			}
		}
		unlinking, _, err = account.OrderUnlink(tx, account.UnlinkOrder{
			EmploymentID: f.employment(administers), Mode: models.ModeDisable, Origin: models.OriginStandalone, By: models.System,
		})
		return err
	})
	future, forgetful := person(), f.user(person())
	f.logged(exportLimit + 1)
	return map[string]trial{
		operations.ExportLog: {models.RoleAuditor, "POST", "/api/v1/query-log/exports", `{"filters": {"action": "hold.placed"}, "reason": "r"}`, reviewerRole,
			"SELECT count(*) FROM query_log_exports", nil},
		operations.CreateEmployee: {hrRole, "POST", "/api/v1/employees", f.newcomer(newcomer, f.a, `"id_number": "110101199003070000"`), hrRole,
			"SELECT count(*) FROM employees WHERE employee_no = ?", []any{newcomer}},
		operations.ChangeBasis: {hrRole, "PATCH", addressOf(models.RefEmployee, moved), `{"time_zone": "Europe/Berlin"}`, reviewerRole,
			"SELECT count(*) FROM employments WHERE employee_id = ? AND time_zone = 'Europe/Berlin'", []any{moved}},
		operations.BeginImmediately: {hrRole, "POST", "/api/v1/departures", `{"employee_id": "` + head.String() + `", "kind": "dismissal", "immediate": true}`, reviewerRole,
			"SELECT count(*) FROM departures WHERE employee_id = ?", []any{head}},
		operations.BringForward: {hrRole, "PUT", addressOf(models.RefDeparture, sooner.ID) + "/dates", `{"last_working_day": "` + f.day(10) + `"}`, hrRole,
			"SELECT count(*) FROM departures WHERE id = ? AND last_working_day = ?", []any{sooner.ID, f.day(10)}},
		operations.WithdrawUnlinked: {hrRole, "POST", addressOf(models.RefDeparture, unlinked.ID) + "/withdrawal", `{"reason": "stays", "company_consent": true}`, reviewerRole,
			"SELECT count(*) FROM departures WHERE id = ? AND stage = 'withdrawn'", []any{unlinked.ID}},
		operations.Annul: {hrRole, "POST", addressOf(models.RefDeparture, mistaken.ID) + "/annulment", `{"reason": "wrong person"}`, reviewerRole,
			"SELECT count(*) FROM departures WHERE id = ? AND stage = 'annulled'", []any{mistaken.ID}},
		operations.Waive: {models.RoleITOps, "POST", "/api/v1/support-cases/" + kase.String() + "/resolution", `{"action": "waive"}`, reviewerRole,
			"SELECT count(*) FROM support_cases WHERE id = ? AND resolution = 'waive' AND confirmed_by IS NOT NULL", []any{kase}},
		operations.Detach: {hrRole, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + detached.String() + `", "mode": "detach"}`, reviewerRole,
			"SELECT count(*) FROM account_operations WHERE employment_id = ? AND mode = 'detach'", []any{f.employment(detached)}},
		operations.Unlink: {models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + headOfB.String() + `"}`, reviewerRole,
			"SELECT count(*) FROM account_operations WHERE employment_id = ? AND mode = 'disable'", []any{f.employment(headOfB)}},
		operations.Relink: {hrRole, "POST", "/api/v1/account-relinkings", `{"unlinking_id": "` + unlinking.ID.String() + `"}`, reviewerRole,
			"SELECT count(*) FROM account_operations WHERE id = ? AND state = 'superseded'", []any{unlinking.ID}},
		operations.DisableUser: {models.RoleITOps, "POST", "/api/v1/users/" + f.user(disabled).String() + "/disabling", "", hrRole,
			"SELECT count(*) FROM users WHERE employee_id = ? AND state = 'disabled'", []any{disabled}},
		operations.RevokeRole: {hrRole, "DELETE", "/api/v1/users/" + f.user(demoted).String() + "/roles/reviewer", "", reviewerRole,
			"SELECT count(*) FROM user_roles r JOIN users u ON u.id = r.user_id WHERE u.employee_id = ? AND r.role = 'reviewer' AND r.revoked_at IS NOT NULL", []any{demoted}},
		operations.ReleaseHold: {hrRole, "POST", addressOf(models.RefHold, hold.ID) + "/release", `{}`, reviewerRole,
			"SELECT count(*) FROM holds WHERE id = ? AND released_at IS NOT NULL", []any{hold.ID}},
		operations.HoldEverybody: {hrRole, "POST", "/api/v1/holds", `{"everybody": true, "matter": "M-2"}`, reviewerRole,
			"SELECT count(*) FROM holds WHERE everybody", nil},
		operations.HoldOwn: {hrRole, "POST", "/api/v1/holds", `{"query": {"department_id": "` + f.b.String() + `"}, "matter": "M-3"}`, reviewerRole,
			"SELECT count(*) FROM holds WHERE department_id = ?", []any{f.b}},
		operations.DecidePurge: {reviewerRole, "POST", "/api/v1/purges/" + purge.String() + "/decision", `{"decision": "approved"}`, reviewerRole,
			"SELECT count(*) FROM purges WHERE id = ? AND decision = 'approved'", []any{purge}},
		operations.EarlierDates: {hrRole, "PUT", addressOf(models.RefDeparture, late.ID) + "/dates", `{"count_from_end": true}`, hrRole,
			"SELECT count(*) FROM departures WHERE id = ? AND advanced AND counts_from = employment_ended_at", []any{late.ID}},
		operations.OverrulePurge: {reviewerRole, "POST", "/api/v1/purges/" + overruled.String() + "/decision", `{"decision": "approved"}`, reviewerRole,
			"SELECT count(*) FROM purges WHERE id = ? AND decision = 'approved' AND confirmed_by IS NOT NULL", []any{overruled}},
		operations.ExtendPurge: {reviewerRole, "POST", "/api/v1/purges/" + extended.String() + "/decision",
			`{"decision": "extended", "until": "` + f.day(90) + `", "reason": "an audit"}`, reviewerRole,
			"SELECT count(*) FROM purges WHERE id = ? AND decision = 'extended' AND state = 'cancelled'", []any{extended}},
		operations.CreateUser: {hrRole, "POST", "/api/v1/users", `{"employee_id": "` + future.String() + `", "login": "new-` + future.String() + `", "roles": ["employee"]}`, hrRole,
			"SELECT count(*) FROM users WHERE employee_id = ? AND state = 'enrolling'", []any{future}},
		operations.GrantRole: {hrRole, "POST", "/api/v1/users/" + user.String() + "/roles", `{"role": "auditor"}`, reviewerRole,
			"SELECT count(*) FROM user_roles WHERE user_id = ? AND role = 'auditor'", []any{user}},
		operations.ResetUser: {hrRole, "POST", "/api/v1/users/" + forgetful.String() + "/reset", `{}`, hrRole,
			"SELECT count(*) FROM enrolments WHERE first_by IS NOT NULL AND second_by IS NOT NULL AND user_id = ?", []any{forgetful}},
		operations.LinkLogin: {hrRole, "POST", "/api/v1/users/" + user.String() + "/logins", `{"issuer": "https://login.example", "subject": "s-1"}`, hrRole,
			"SELECT count(*) FROM oidc_links WHERE subject = 's-1' AND user_id = ?", []any{user}},
	}
}

// TestI21_I22_EveryDangerousStep walks the whole table: a session that did not step up is refused;
// alone, and by a token, nothing happens but a request; nobody agrees to the own one, by a token, or
// without a step-up; the second person's agreement carries it out, once.
func TestI21_I22_EveryDangerousStep(t *testing.T) {
	f := newFixture(t)
	colleague := f.hire("R-second", f.b)
	steps := f.steps()
	for _, op := range f.server.Approvals.Operations() {
		t.Run(op.Name, func(t *testing.T) {
			s, ok := steps[op.Name]
			if !ok {
				t.Fatal("the table has a row without a test")
			}
			done := func() int64 {
				var n int64
				f.run(func(tx *database.Tx) error { return database.Hide(tx.DB().Raw(s.done, s.args...).Scan(&n).Error) })
				return n
			}
			stale := f.plainSession(f.people[s.role], s.role)
			if got := stale.ask(s.method, s.path, s.body); got.status != 403 || got.problem.Code != codeStepUpRequired {
				t.Fatalf("without a step-up: %d %s", got.status, got.body)
			}
			var waits ApprovalView
			got := f.ask(s.role, s.method, s.path, s.body)
			if op.Name == operations.DisableUser || op.Name == operations.RevokeRole {
				// What one person may do to most people never was a token's.
				if got.status != 403 || got.problem.Code != codeSessionRequired {
					t.Errorf("by a token: %d %s", got.status, got.body)
				}
				got = f.session(s.role).ask(s.method, s.path, s.body)
			}
			if got.status != 202 || got.header.Get("Content-Type") != "application/json" {
				t.Fatalf("by a token: %d %s", got.status, got.body)
			}
			got.into(t, &waits)
			address := got.header.Get("Location")
			if waits.Operation != op.Name || waits.State != models.ApprovalPending || address != addressOf(models.RefApproval, waits.ID) || len(waits.Changes) == 0 || len(waits.Because) == 0 {
				t.Errorf("the request is %s", got.body)
			}
			if op.Floor {
				// A session alone comes no further than the token did.
				again := f.session(s.role).ask(s.method, s.path, s.body)
				if again.status != 202 || again.header.Get("Location") != address {
					t.Errorf("by a session alone: %d %s, want the open request", again.status, again.body)
				}
			}
			agree := `{"decision": "approved", "comment": "seen"}`
			for who, k := range map[string]struct {
				got  reply
				code string
			}{
				"a token":     {f.ask(s.second, "POST", address+"/decision", agree), codeSessionRequired},
				"no step-up":  {f.plainSession(colleague, s.second).ask("POST", address+"/decision", agree), codeStepUpRequired},
				"the same":    {f.freshSession(f.people[s.role], s.second).ask("POST", address+"/decision", agree), codeSamePerson},
				"the subject": {f.subjectDecides(t, waits.ID, s.second, agree), codeOwnMatter},
			} {
				if who == "the subject" && k.got.status == 0 {
					continue // there is nobody whose matter it could be
				}
				if k.got.status != 403 || k.got.problem.Code != k.code {
					t.Errorf("%s: %d %s, want %s", who, k.got.status, k.got.body, k.code)
				}
			}
			if done() != 0 {
				t.Fatal("it was carried out without a second person")
			}
			var decided ApprovalView
			f.freshSession(colleague, s.second).ask("POST", address+"/decision", agree).into(t, &decided)
			if decided.State != models.ApprovalApproved || decided.DecidedBy == nil || decided.DecidedBy.EmployeeID != colleague || decided.Comment != "seen" {
				t.Errorf("decided: %+v", decided)
			}
			if done() != 1 {
				t.Error("it was not carried out")
			}
			var kept ApprovalView
			f.session(s.role).ask("GET", address, "").into(t, &kept)
			if diff := cmp.Diff(waits.Because, kept.Because); diff != "" || len(kept.Changes) != len(waits.Changes) || kept.Changes[0] != waits.Changes[0] {
				t.Errorf("of what was approved is kept: %+v %s", kept.Changes, diff)
			}
			if got := f.session(s.role).ask("GET", decided.ResultLocation, ""); s.role != models.RoleITOps && got.status != 200 {
				t.Errorf("the result at %s: %d", decided.ResultLocation, got.status)
			}
		})
	}
}

// A purge's decision needs one person who has stepped up; a setting makes it two.
func TestI22_ADecisionAboutAPurgeNeedsAStepUp(t *testing.T) {
	f := newFixture(t)
	purge := f.purgeInReview(f.resign(f.hire("E1", f.a)))
	var view PurgeView
	f.session(models.RoleReviewer).ask("POST", "/api/v1/purges/"+purge.String()+"/decision", `{"decision": "rejected"}`).into(t, &view)
	if view.Decision != models.DecisionRejected {
		t.Errorf("decided %q", view.Decision)
	}
}

func TestI22_AStepUpLastsFiveMinutes(t *testing.T) {
	f := newFixture(t)
	v := f.session(models.RoleHRAdmin)
	d, other := f.resign(f.hire("E1", f.a)), f.resign(f.hire("E2", f.a))
	f.env.Advance(t, 4*time.Minute+30*time.Second) // the rest is for a slow machine
	if got := v.ask("POST", addressOf(models.RefDeparture, d.ID)+"/annulment", `{"reason": "x"}`); got.status != 202 {
		t.Errorf("before five minutes are over: %d %s", got.status, got.body)
	}
	f.env.Advance(t, 30*time.Second)
	if got := v.ask("POST", addressOf(models.RefDeparture, other.ID)+"/annulment", `{"reason": "x"}`); got.problem.Code != codeStepUpRequired {
		t.Errorf("after five minutes: %d %s", got.status, got.body)
	}
}

func TestApprovalIsShownToWhomItConcerns(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	got := f.ask(models.RoleHRAdmin, "POST", addressOf(models.RefDeparture, d.ID)+"/annulment", `{"reason": "wrong person", "approval_reason": "mistaken"}`)
	address := got.header.Get("Location")
	var view ApprovalView
	f.ask(models.RoleReviewer, "GET", address, "", "Accept-Language", "zh").into(t, &view)
	if view.OperationText != "撤销误操作的离职" || view.StateText != "待双人审核" || view.Reason != "mistaken" {
		t.Errorf("the reviewer sees %+v", view)
	}
	found := false
	for _, c := range view.Changes {
		found = found || c.Label == "状态" && c.Before == "待离职" && c.After != ""
	}
	if !found {
		t.Errorf("what changes is told as %+v", view.Changes)
	}
	f.ask(models.RoleAuditor, "GET", address, "").into(t, &view)
	if len(view.Changes) != 0 {
		t.Errorf("an auditor sees %+v", view.Changes)
	}
	if got := f.ask(models.RoleITOps, "GET", address, ""); got.status != 404 {
		t.Errorf("IT operations see it: %d", got.status)
	}
	var page Page[ApprovalView]
	f.ask(models.RoleITOps, "GET", "/api/v1/approvals", "").into(t, &page)
	if len(page.Items) != 0 {
		t.Errorf("IT operations list %+v", page.Items)
	}
	f.ask(models.RoleReviewer, "GET", "/api/v1/approvals?state=pending", "").into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != view.ID {
		t.Errorf("the reviewer lists %+v", page.Items)
	}
}

// An administrator who is to lose access at once does not read it in the list of what waits.
func TestARequestIsNotShownToWhomItIsAbout(t *testing.T) {
	f := newFixture(t)
	for _, role := range []models.Role{models.RoleReviewer, models.RoleAuditor} {
		body := `{"employee_id": "` + f.people[role].String() + `", "kind": "dismissal", "immediate": true}`
		f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", f.people[role], f.a)
		asked := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", body)
		if asked.status != 202 || !strings.Contains(asked.header.Get("Location"), "/approvals/") {
			t.Fatalf("%d %s", asked.status, asked.body)
		}
		if got := f.ask(role, "GET", asked.header.Get("Location"), ""); got.status != 404 {
			t.Errorf("the %s it is about reads it: %d", role, got.status)
		}
		var page Page[ApprovalView]
		f.ask(role, "GET", "/api/v1/approvals", "").into(t, &page)
		for _, item := range page.Items {
			if addressOf(models.RefApproval, item.ID) == asked.header.Get("Location") {
				t.Errorf("the %s it is about lists it", role)
			}
		}
		if role == models.RoleAuditor && len(page.Items) != 1 {
			t.Errorf("an auditor sees %d others", len(page.Items))
		}
	}
}

// The reason of an annulment is sealed at the departure: a request shows it to nobody unrecorded.
func TestI18_ASealedReasonIsShownWithItsEntry(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	got := f.ask(models.RoleHRAdmin, "POST", addressOf(models.RefDeparture, d.ID)+"/annulment", `{"reason": "wrong-person-marker"}`)
	if strings.Contains(string(got.body), "marker") {
		t.Errorf("the answer to the request repeats it: %s", got.body)
	}
	if list := f.ask(models.RoleReviewer, "GET", "/api/v1/approvals", ""); strings.Contains(string(list.body), "marker") {
		t.Errorf("the list shows it: %s", list.body)
	}
	address := got.header.Get("Location")
	for range 2 {
		if one := f.ask(models.RoleReviewer, "GET", address, ""); !strings.Contains(string(one.body), "wrong-person-marker") {
			t.Errorf("who may decide does not see why: %s", one.body)
		}
	}
	f.wantEntries("approval.read", 2)
	f.exec("ALTER TABLE ledger_pending ADD CHECK (false) NOT VALID")
	if one := f.ask(models.RoleReviewer, "GET", address, ""); one.status < 500 || strings.Contains(string(one.body), "marker") {
		t.Errorf("shown without its entry: %d %s", one.status, one.body)
	}
}

// Who agrees to a departure sees its days, those that were derived too: one that ended years ago would
// make everything due for deletion.
func TestI21_TheSecondPersonSeesTheDatesOfADeparture(t *testing.T) {
	f := newFixture(t)
	head := f.hire("E1", f.a)
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.a)
	got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", `{"employee_id": "`+head.String()+`", "kind": "dismissal",
		"last_working_day": "`+f.day(-40)+`", "confirm_past": true}`)
	var view ApprovalView
	f.ask(models.RoleReviewer, "GET", got.header.Get("Location"), "").into(t, &view)
	shown := map[string]string{}
	for _, c := range view.Changes {
		shown[c.Field] = c.After
	}
	if shown["last_working_day"] != f.day(-40) || shown["employment_end_date"] != f.day(-40) || shown["access_cutoff_at"] == "" || shown["time_zone"] == "" {
		t.Errorf("the reviewer sees %v", shown)
	}
	// The zone from which the days were derived is part of what was judged.
	f.exec("UPDATE employments SET time_zone = 'Pacific/Kiritimati', basis_entry_id = @entry WHERE employee_id = ?", head)
	got = f.session(models.RoleReviewer).ask("POST", addressOf(models.RefApproval, view.ID)+"/decision", `{"decision": "approved"}`)
	if got.status != 409 || got.problem.Code != codeApprovalVoid {
		t.Errorf("after the employment changed: %d %s", got.status, got.body)
	}
}

func TestApprovalIsWithdrawnRejectedAndVoid(t *testing.T) {
	f := newFixture(t)
	second := f.session(models.RoleReviewer)
	ask := func(no string) (string, DepartureView) {
		d := f.resign(f.hire(no, f.a))
		got := f.ask(models.RoleHRAdmin, "POST", addressOf(models.RefDeparture, d.ID)+"/annulment", `{"reason": "x"}`)
		if got.status != 202 {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return got.header.Get("Location"), d
	}
	waiting := func(d DepartureView) int {
		var view DepartureView
		f.ask(models.RoleHRAdmin, "GET", addressOf(models.RefDeparture, d.ID), "").into(t, &view)
		return len(view.Waiting)
	}
	var view ApprovalView
	withdrawn, d := ask("E1")
	f.ask(models.RoleHRAdmin, "POST", withdrawn+"/withdrawal", "").into(t, &view)
	if view.State != models.ApprovalWithdrawn || waiting(d) != 0 {
		t.Errorf("withdrawn: %s, %d wait", view.State, waiting(d))
	}
	rejected, d := ask("E2")
	second.ask("POST", rejected+"/decision", `{"decision": "rejected"}`).into(t, &view)
	if view.State != models.ApprovalRejected || waiting(d) != 0 {
		t.Errorf("rejected: %s, %d wait", view.State, waiting(d))
	}
	void, d := ask("E3")
	f.ask(models.RoleHRAdmin, "PUT", addressOf(models.RefDeparture, d.ID)+"/dates", `{"last_working_day": "`+f.day(50)+`"}`)
	got := second.ask("POST", void+"/decision", `{"decision": "approved"}`)
	if got.status != 409 || got.problem.Code != codeApprovalVoid || got.problem.Location != void {
		t.Errorf("void: %d %s", got.status, got.body)
	}
	f.ask(models.RoleHRAdmin, "GET", void, "").into(t, &view)
	if view.State != models.ApprovalVoid || view.VoidReason != models.VoidChanged || view.VoidReasonText == "" {
		t.Errorf("void: %+v", view)
	}
	expired, _ := ask("E4")
	f.env.Advance(t, 73*time.Hour)
	second = f.session(models.RoleReviewer)
	if got := second.ask("POST", expired+"/decision", `{"decision": "approved"}`); got.problem.Code != codeApprovalExpired {
		t.Errorf("expired: %d %s", got.status, got.body)
	}
	if got := second.ask("POST", rejected+"/decision", `{"decision": "approved"}`); got.problem.Code != codeApprovalEnded {
		t.Errorf("rejected before: %d %s", got.status, got.body)
	}
}

func TestI26_ARepeatedRequestIsTheSameApproval(t *testing.T) {
	f := newFixture(t)
	body := f.newcomer("N1", f.a, "")
	key := []string{"Idempotency-Key", "k"}
	first := f.ask(models.RoleHRAdmin, "POST", "/api/v1/employees", body, key...)
	var view ApprovalView
	first.into(t, &view)
	f.session(models.RoleReviewer).ask("POST", addressOf(models.RefApproval, view.ID)+"/decision", `{"decision": "approved"}`).into(t, &view)
	again := f.ask(models.RoleHRAdmin, "POST", "/api/v1/employees", body, key...)
	if again.status != first.status || again.header.Get("Location") != first.header.Get("Location") || !strings.Contains(string(again.body), `"state":"approved"`) {
		t.Errorf("first %d %s, then %d %s %s", first.status, first.header.Get("Location"), again.status, again.header.Get("Location"), again.body)
	}
	if n := f.count("approvals"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// A change of jurisdiction after somebody has left moves the deadlines that run, earlier too, but
// only once two people agreed.
func TestI6_TwoPeopleMoveTheDeadlinesOfALeaver(t *testing.T) {
	f := newFixture(t)
	leaver := f.hire("E1", f.a)
	got := f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", `{"employee_id": "`+leaver.String()+`", "kind": "resignation", "immediate": true}`)
	id := uuid.MustParse(strings.TrimPrefix(got.header.Get("Location"), base+"/departures/"))
	f.run(func(tx *database.Tx) error { _, err := departure.Advance(tx, id, f.systems); return err })
	deadlines := func() map[models.Category]time.Time {
		var view DepartureView
		f.ask(models.RoleHRAdmin, "GET", addressOf(models.RefDeparture, id), "").into(t, &view)
		byCategory := map[models.Category]time.Time{}
		for _, r := range view.Retention {
			byCategory[r.Category] = r.Deadline
		}
		return byCategory
	}
	before := deadlines()
	waits := f.ask(models.RoleHRAdmin, "PATCH", addressOf(models.RefEmployee, leaver), `{"jurisdiction": "DE"}`)
	if waits.status != 202 {
		t.Fatalf("%d %s", waits.status, waits.body)
	}
	if diff := cmp.Diff(before, deadlines()); diff != "" {
		t.Errorf("asking moved deadlines:\n%s", diff)
	}
	var view ApprovalView
	f.ask(models.RoleReviewer, "GET", waits.header.Get("Location"), "").into(t, &view)
	told := map[string]string{}
	for _, c := range view.Changes {
		told[c.Field] = c.Before + " " + c.After
	}
	f.session(models.RoleReviewer).ask("POST", waits.header.Get("Location")+"/decision", `{"decision": "approved"}`).into(t, &view)
	after := deadlines()
	for category, was := range before {
		const asShown = "2006-01-02 15:04 (Asia/Shanghai, UTC+08:00)"
		there := time.FixedZone("", 8*3600)
		move := was.In(there).Format(asShown) + " " + after[category].In(there).Format(asShown)
		if got := told["category."+string(category)]; was.Equal(after[category]) != (got == "") || got != "" && got != move {
			t.Errorf("the second person was told %q of %s, which moved %s", got, category, move)
		}
	}
	if len(after) != len(before) || cmp.Equal(before, after) {
		t.Errorf("the deadlines did not follow: %v", after)
	}
	var rules int64
	f.run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw(`SELECT count(*) FROM retention_deadlines l JOIN retention_rules r ON r.id = l.rule_id
			WHERE l.departure_id = ? AND r.jurisdiction <> 'DE'`, id).Scan(&rules).Error)
	})
	if rules != 0 {
		t.Errorf("%d deadlines follow another jurisdiction's rules", rules)
	}
}

// What two people agreed to refers to their agreement in the ledger.
func TestI21_TheEffectsEntryRefersToTheApproval(t *testing.T) {
	f := newFixture(t)
	d := f.resign(f.hire("E1", f.a))
	got := f.ask(models.RoleHRAdmin, "POST", addressOf(models.RefDeparture, d.ID)+"/annulment", `{"reason": "x", "approval_reason": "mistaken"}`)
	var view ApprovalView
	got.into(t, &view)
	f.session(models.RoleReviewer).ask("POST", got.header.Get("Location")+"/decision", `{"decision": "approved", "comment": "seen"}`).into(t, &view)
	var entries []struct{ Action, Reason, Approval string }
	f.run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw(`SELECT action, reason, COALESCE(details ->> 'approval_id', '') AS approval FROM ledger_content
			WHERE object = ? OR details ->> 'approval_id' = ? ORDER BY at, entry_id`, "approval/"+view.ID.String(), view.ID.String()).Scan(&entries).Error)
	})
	told := map[string]string{}
	for _, e := range entries {
		told[e.Action] = e.Reason + "|" + e.Approval
	}
	if told["approval.requested"] != "mistaken|" || told["approval.approved"] != "seen|"+view.ID.String() || told["departure.annulled"] != "|"+view.ID.String() {
		t.Errorf("the ledger tells %v", told)
	}
}
