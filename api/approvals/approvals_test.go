package approvals_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/api/permissions"
	"lethe/api/purges"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/database"
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
func steps(f *apitest.Fixture) map[string]trial {
	no := 0
	person := func() uuid.UUID { no++; return f.Hire("S"+uuid.NewString()[:8], f.A) }
	leaving := func() departures.DepartureView { return f.Resign(person()) }
	hrRole, reviewerRole := models.RoleHRAdmin, models.RoleReviewer
	newcomer := "N" + uuid.NewString()[:8]
	moved, sooner, unlinked, mistaken := person(), leaving(), leaving(), leaving()
	f.Run(func(tx *database.Tx) error {
		_, created, err := account.OrderUnlink(tx, account.UnlinkOrder{
			EmploymentID: f.Employment(unlinked.EmployeeID), DepartureID: &unlinked.ID, Mode: models.ModeDisable,
			Origin: models.OriginDeparture, By: models.System,
		})
		if err == nil && created {
			err = database.Hide(tx.DB().Exec("UPDATE departures SET accounts_state = 'unlinking' WHERE id = ?", unlinked.ID).Error)
		}
		return err
	})
	head := person()
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", head, f.A)
	var hold models.Hold
	kept := person()
	f.Run(func(tx *database.Tx) (err error) {
		hold, _, err = retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: kept, Matter: "M-1", By: models.System})
		return err
	})
	kase := f.StuckCase(person())
	purge := f.PurgeInReview(leaving())
	overruled, extended, late := f.RejectedPurge(person()), f.RejectedPurge(person()), f.LeftLongAgo(person(), -20, false)
	user := f.User(person())
	detached, headOfB, administers, disabled, demoted := person(), person(), person(), person(), person()
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", headOfB, f.B)
	var unlinking models.AccountOperation
	f.Run(func(tx *database.Tx) (err error) {
		for role, who := range map[models.Role][]uuid.UUID{models.RoleITOps: {administers}, models.RoleReviewer: {disabled, demoted}} {
			for _, p := range who {
				if _, err := identity.GrantTo(tx, p, role); err != nil {
					return err
				}
			}
		}
		unlinking, _, err = account.OrderUnlink(tx, account.UnlinkOrder{
			EmploymentID: f.Employment(administers), Mode: models.ModeDisable, Origin: models.OriginStandalone, By: models.System,
		})
		return err
	})
	future, forgetful, looked, configurer := person(), f.User(person()), person(), person()
	f.Logged(apitest.ExportLimit + 1)
	f.Configures(f.People[hrRole])
	asked := f.AskedToErase(f.LeftLongAgo(person(), -20, false).EmployeeID)
	locked, mail := person(), "locked@mail.example"
	f.Run(func(tx *database.Tx) error {
		return archive.Update(tx, f.Vault, locked, archive.Patch{Fields: map[string]*string{"personal_email": &mail}})
	})
	f.LeftLongAgo(locked, -20, false)
	var emergency struct{ ID uuid.UUID }
	f.Session(models.RoleITOps).Ask("POST", "/api/v1/access-cuts", `{"employee_id": "`+person().String()+`", "reason": "r"}`).Into(f.T, &emergency)
	file := f.Upload("工号,姓名,部门,入职日期\nI-1,张伟,A,2024-01-02\n")
	heads := person()
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = (SELECT id FROM departments WHERE code = 'H')", heads)
	var headsNo string
	f.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw("SELECT employee_no FROM employees WHERE id = ?", heads).Scan(&headsNo).Error)
	})
	leavers := f.SendDepartures("工号,离职类型,最后工作日\n" + headsNo + ",辞职," + f.Day(20) + "\n")
	return map[string]trial{
		operations.ExportLog: {models.RoleAuditor, "POST", "/api/v1/query-log/exports", `{"filters": {"action": "hold.placed"}, "reason": "r"}`, reviewerRole,
			"SELECT count(*) FROM query_log_exports", nil},
		operations.Permissions: {hrRole, "PUT", "/api/v1/permissions", permissionsWith(f, configurer), reviewerRole,
			"SELECT count(*) FROM permission_versions WHERE version = 2", nil},
		operations.PrivacyPolicy: {hrRole, "POST", "/api/v1/privacy-policies", `{"base_version": 1, "text_zh": "新", "text_en": "new", "asks": []}`, reviewerRole,
			"SELECT count(*) FROM privacy_policies WHERE version = 2", nil},
		operations.EraseForSubject: {hrRole, "POST", httpkit.AddressOf(models.RefSubject, asked) + "/answer", `{"answer": "granted", "text": "已提前", "erase_categories": ["emergency_contact"]}`, hrRole,
			"SELECT count(*) FROM subject_requests WHERE id = ? AND state = 'answered'", []any{asked}},
		operations.EnrolFormer: {hrRole, "POST", httpkit.AddressOf(models.RefEmployee, locked) + "/former-enrolments", `{"document": "passport"}`, hrRole,
			"SELECT count(*) FROM enrolments e JOIN users u ON u.id = e.user_id WHERE u.employee_id = ? AND u.state = 'disabled' AND first_by IS NOT NULL AND second_by IS NOT NULL", []any{locked}},
		operations.FieldCatalogue: {hrRole, "PUT", "/api/v1/field-catalogue", `{"base_version": 0, "sections": [{"key": "custom_housing", "label_zh": "住宿", "label_en": "Housing"}], "fields": [], "notices": []}`, reviewerRole,
			"SELECT count(*) FROM catalogue_versions WHERE version = 1", nil},
		operations.RunImport: {hrRole, "POST", httpkit.AddressOf(models.RefImport, file.ID) + "/run", `{}`, hrRole,
			"SELECT count(*) FROM batches WHERE id = ? AND state = 'running' AND approval_id IS NOT NULL", []any{file.ID}},
		operations.RunDepartures: {hrRole, "POST", httpkit.AddressOf(models.RefDepartures, leavers.ID) + "/run", `{}`, reviewerRole,
			"SELECT count(*) FROM batches WHERE id = ? AND state = 'running' AND approval_id IS NOT NULL", []any{leavers.ID}},
		operations.LookAtFields: {hrRole, "POST", httpkit.AddressOf(models.RefEmployee, looked) + "/disclosures", `{"fields": ["id_number"], "purpose": "authority_order", "reason": "公安机关持调取证据通知书来公司调取，已回拨核实",
			"evidence": {"authority": "分局", "officials": "张警官 012345", "document_no": "调证字12号", "called_back_at": "110"}}`, reviewerRole,
			"SELECT count(*) FROM disclosures WHERE employee_id = ? AND state = 'granted'", []any{looked}},
		operations.CreateEmployee: {hrRole, "POST", "/api/v1/employees", f.Newcomer(newcomer, f.A, `"id_number": "110101199003070003"`), hrRole,
			"SELECT count(*) FROM employees WHERE employee_no = ?", []any{newcomer}},
		operations.ChangeBasis: {hrRole, "PATCH", httpkit.AddressOf(models.RefEmployee, moved), `{"time_zone": "Europe/Berlin"}`, reviewerRole,
			"SELECT count(*) FROM employments WHERE employee_id = ? AND time_zone = 'Europe/Berlin'", []any{moved}},
		operations.BeginImmediately: {hrRole, "POST", "/api/v1/departures", `{"employee_id": "` + head.String() + `", "kind": "dismissal", "immediate": true}`, reviewerRole,
			"SELECT count(*) FROM departures WHERE employee_id = ?", []any{head}},
		operations.BringForward: {hrRole, "PUT", httpkit.AddressOf(models.RefDeparture, sooner.ID) + "/dates", `{"last_working_day": "` + f.Day(10) + `"}`, hrRole,
			"SELECT count(*) FROM departures WHERE id = ? AND last_working_day = ?", []any{sooner.ID, f.Day(10)}},
		operations.WithdrawUnlinked: {hrRole, "POST", httpkit.AddressOf(models.RefDeparture, unlinked.ID) + "/withdrawal", `{"reason": "stays", "company_consent": true}`, reviewerRole,
			"SELECT count(*) FROM departures WHERE id = ? AND stage = 'withdrawn'", []any{unlinked.ID}},
		operations.Annul: {hrRole, "POST", httpkit.AddressOf(models.RefDeparture, mistaken.ID) + "/annulment", `{"reason": "wrong person"}`, reviewerRole,
			"SELECT count(*) FROM departures WHERE id = ? AND stage = 'annulled'", []any{mistaken.ID}},
		operations.Waive: {models.RoleITOps, "POST", "/api/v1/support-cases/" + kase.String() + "/resolution", `{"action": "waive"}`, reviewerRole,
			"SELECT count(*) FROM support_cases WHERE id = ? AND resolution = 'waive' AND confirmed_by IS NOT NULL", []any{kase}},
		operations.Detach: {hrRole, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + detached.String() + `", "mode": "detach"}`, reviewerRole,
			"SELECT count(*) FROM account_operations WHERE employment_id = ? AND mode = 'detach'", []any{f.Employment(detached)}},
		operations.Unlink: {models.RoleITOps, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + headOfB.String() + `"}`, reviewerRole,
			"SELECT count(*) FROM account_operations WHERE employment_id = ? AND mode = 'disable'", []any{f.Employment(headOfB)}},
		operations.Relink: {hrRole, "POST", "/api/v1/account-relinkings", `{"unlinking_id": "` + unlinking.ID.String() + `"}`, reviewerRole,
			"SELECT count(*) FROM account_operations WHERE id = ? AND state = 'superseded'", []any{unlinking.ID}},
		operations.LiftCut: {models.RoleITOps, "POST", httpkit.AddressOf(models.RefCut, emergency.ID) + "/lifting", `{}`, reviewerRole,
			"SELECT count(*) FROM access_cuts WHERE id = ? AND state = 'lifted'", []any{emergency.ID}},
		operations.DisableUser: {models.RoleITOps, "POST", "/api/v1/users/" + f.User(disabled).String() + "/disabling", "", hrRole,
			"SELECT count(*) FROM users WHERE employee_id = ? AND state = 'disabled'", []any{disabled}},
		operations.RevokeRole: {hrRole, "DELETE", "/api/v1/users/" + f.User(demoted).String() + "/roles/reviewer", "", reviewerRole,
			"SELECT count(*) FROM user_roles r JOIN users u ON u.id = r.user_id WHERE u.employee_id = ? AND r.role = 'reviewer' AND r.revoked_at IS NOT NULL", []any{demoted}},
		operations.ReleaseHold: {hrRole, "POST", httpkit.AddressOf(models.RefHold, hold.ID) + "/release", `{}`, reviewerRole,
			"SELECT count(*) FROM holds WHERE id = ? AND released_at IS NOT NULL", []any{hold.ID}},
		operations.HoldEverybody: {hrRole, "POST", "/api/v1/holds", `{"everybody": true, "matter": "M-2"}`, reviewerRole,
			"SELECT count(*) FROM holds WHERE everybody", nil},
		operations.HoldOwn: {hrRole, "POST", "/api/v1/holds", `{"query": {"department_id": "` + f.B.String() + `"}, "matter": "M-3"}`, reviewerRole,
			"SELECT count(*) FROM holds WHERE department_id = ?", []any{f.B}},
		operations.DecidePurge: {reviewerRole, "POST", "/api/v1/purges/" + purge.String() + "/decision", `{"decision": "approved"}`, reviewerRole,
			"SELECT count(*) FROM purges WHERE id = ? AND decision = 'approved'", []any{purge}},
		operations.EarlierDates: {hrRole, "PUT", httpkit.AddressOf(models.RefDeparture, late.ID) + "/dates", `{"count_from_end": true}`, hrRole,
			"SELECT count(*) FROM departures WHERE id = ? AND advanced AND counts_from = employment_ended_at", []any{late.ID}},
		operations.OverrulePurge: {reviewerRole, "POST", "/api/v1/purges/" + overruled.String() + "/decision", `{"decision": "approved"}`, reviewerRole,
			"SELECT count(*) FROM purges WHERE id = ? AND decision = 'approved' AND confirmed_by IS NOT NULL", []any{overruled}},
		operations.ExtendPurge: {reviewerRole, "POST", "/api/v1/purges/" + extended.String() + "/decision",
			`{"decision": "extended", "until": "` + f.Day(90) + `", "reason": "an audit"}`, reviewerRole,
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

// permissionsWith is the body of a change that lets somebody configure.
func permissionsWith(f *apitest.Fixture, configurer uuid.UUID) string {
	var p permissions.Permissions
	f.Ask(models.RoleHRAdmin, "GET", "/api/v1/permissions", "").Into(f.T, &p)
	body, err := json.Marshal(map[string]any{"base_version": p.Version, "tiers": p.Tiers, "grants": p.Grants, "protected": []uuid.UUID{}, "configurers": append(p.Configurers, configurer)})
	if err != nil {
		f.T.Fatal(err)
	}
	return string(body)
}

// TestI21_I22_EveryDangerousStep walks the whole table: a session that did not step up is refused;
// alone, and by a token, nothing happens but a request; nobody agrees to the own one, by a token, or
// without a step-up; the second person's agreement carries it out, once.
func TestI21_I22_EveryDangerousStep(t *testing.T) {
	f := apitest.New(t)
	colleague := f.Hire("R-second", f.B)
	steps := steps(f)
	for _, op := range f.Approvals.Operations() {
		t.Run(op.Name, func(t *testing.T) {
			s, ok := steps[op.Name]
			if !ok {
				t.Fatal("the table has a row without a test")
			}
			done := func() int64 {
				var n int64
				f.Run(func(tx *database.Tx) error { return database.Hide(tx.DB().Raw(s.done, s.args...).Scan(&n).Error) })
				return n
			}
			stale := f.PlainSession(f.People[s.role], s.role)
			if got := stale.Ask(s.method, s.path, s.body); got.Status != 403 || got.Problem.Code != "step_up_required" {
				t.Fatalf("without a step-up: %d %s", got.Status, got.Body)
			}
			var waits approvals.ApprovalView
			got := f.Ask(s.role, s.method, s.path, s.body)
			if op.Name == operations.DisableUser || op.Name == operations.RevokeRole {
				// What one person may do to most people never was a token's.
				if got.Status != 403 || got.Problem.Code != "session_required" {
					t.Errorf("by a token: %d %s", got.Status, got.Body)
				}
				got = f.Session(s.role).Ask(s.method, s.path, s.body)
			}
			if got.Status != 202 || got.Header.Get("Content-Type") != "application/json" {
				t.Fatalf("by a token: %d %s", got.Status, got.Body)
			}
			got.Into(t, &waits)
			address := got.Header.Get("Location")
			if waits.Operation != op.Name || waits.State != models.ApprovalPending || address != httpkit.AddressOf(models.RefApproval, waits.ID) || len(waits.Changes) == 0 || len(waits.Because) == 0 {
				t.Errorf("the request is %s", got.Body)
			}
			if op.Floor {
				// A session alone comes no further than the token did.
				again := f.Session(s.role).Ask(s.method, s.path, s.body)
				if again.Status != 202 || again.Header.Get("Location") != address {
					t.Errorf("by a session alone: %d %s, want the open request", again.Status, again.Body)
				}
			}
			agree := `{"decision": "approved", "comment": "seen"}`
			for who, k := range map[string]struct {
				got  apitest.Reply
				code string
			}{
				"a token":     {f.Ask(s.second, "POST", address+"/decision", agree), "session_required"},
				"no step-up":  {f.PlainSession(colleague, s.second).Ask("POST", address+"/decision", agree), "step_up_required"},
				"the same":    {f.FreshSession(f.People[s.role], s.second).Ask("POST", address+"/decision", agree), "same_person"},
				"the subject": {f.SubjectDecides(t, waits.ID, s.second, agree), "own_matter"},
			} {
				if who == "the subject" && k.got.Status == 0 {
					continue // there is nobody whose matter it could be
				}
				if k.got.Status != 403 || k.got.Problem.Code != k.code {
					t.Errorf("%s: %d %s, want %s", who, k.got.Status, k.got.Body, k.code)
				}
			}
			if done() != 0 {
				t.Fatal("it was carried out without a second person")
			}
			var decided approvals.ApprovalView
			f.FreshSession(colleague, s.second).Ask("POST", address+"/decision", agree).Into(t, &decided)
			if decided.State != models.ApprovalApproved || decided.DecidedBy == nil || decided.DecidedBy.EmployeeID != colleague || decided.Comment != "seen" {
				t.Errorf("decided: %+v", decided)
			}
			if done() != 1 {
				t.Error("it was not carried out")
			}
			var kept approvals.ApprovalView
			f.Session(s.role).Ask("GET", address, "").Into(t, &kept)
			if diff := cmp.Diff(waits.Because, kept.Because); diff != "" || len(kept.Changes) != len(waits.Changes) || kept.Changes[0] != waits.Changes[0] {
				t.Errorf("of what was approved is kept: %+v %s", kept.Changes, diff)
			}
			if got := f.Session(s.role).Ask("GET", decided.ResultLocation, ""); s.role != models.RoleITOps && got.Status != 200 {
				t.Errorf("the result at %s: %d", decided.ResultLocation, got.Status)
			}
		})
	}
}

// A purge's decision needs one person who has stepped up; a setting makes it two.
func TestI22_ADecisionAboutAPurgeNeedsAStepUp(t *testing.T) {
	f := apitest.New(t)
	purge := f.PurgeInReview(f.Resign(f.Hire("E1", f.A)))
	var view purges.PurgeView
	f.Session(models.RoleReviewer).Ask("POST", "/api/v1/purges/"+purge.String()+"/decision", `{"decision": "rejected"}`).Into(t, &view)
	if view.Decision != models.DecisionRejected {
		t.Errorf("decided %q", view.Decision)
	}
}

func TestI22_AStepUpLastsFiveMinutes(t *testing.T) {
	f := apitest.New(t)
	v := f.Session(models.RoleHRAdmin)
	d, other := f.Resign(f.Hire("E1", f.A)), f.Resign(f.Hire("E2", f.A))
	f.Env.Advance(t, 4*time.Minute+30*time.Second) // the rest is for a slow machine
	if got := v.Ask("POST", httpkit.AddressOf(models.RefDeparture, d.ID)+"/annulment", `{"reason": "x"}`); got.Status != 202 {
		t.Errorf("before five minutes are over: %d %s", got.Status, got.Body)
	}
	f.Env.Advance(t, 30*time.Second)
	if got := v.Ask("POST", httpkit.AddressOf(models.RefDeparture, other.ID)+"/annulment", `{"reason": "x"}`); got.Problem.Code != "step_up_required" {
		t.Errorf("after five minutes: %d %s", got.Status, got.Body)
	}
}

func TestApprovalIsShownToWhomItConcerns(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	got := f.Ask(models.RoleHRAdmin, "POST", httpkit.AddressOf(models.RefDeparture, d.ID)+"/annulment", `{"reason": "wrong person", "approval_reason": "mistaken"}`)
	address := got.Header.Get("Location")
	var view approvals.ApprovalView
	f.Ask(models.RoleReviewer, "GET", address, "", "Accept-Language", "zh").Into(t, &view)
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
	f.Ask(models.RoleAuditor, "GET", address, "").Into(t, &view)
	if len(view.Changes) != 0 {
		t.Errorf("an auditor sees %+v", view.Changes)
	}
	if got := f.Ask(models.RoleITOps, "GET", address, ""); got.Status != 404 {
		t.Errorf("IT operations see it: %d", got.Status)
	}
	var page httpkit.Page[approvals.ApprovalView]
	f.Ask(models.RoleITOps, "GET", "/api/v1/approvals", "").Into(t, &page)
	if len(page.Items) != 0 {
		t.Errorf("IT operations list %+v", page.Items)
	}
	f.Ask(models.RoleReviewer, "GET", "/api/v1/approvals?state=pending", "").Into(t, &page)
	if len(page.Items) != 1 || page.Items[0].ID != view.ID {
		t.Errorf("the reviewer lists %+v", page.Items)
	}
}

// An administrator who is to lose access at once does not read it in the list of what waits.
func TestARequestIsNotShownToWhomItIsAbout(t *testing.T) {
	f := apitest.New(t)
	for _, role := range []models.Role{models.RoleReviewer, models.RoleAuditor} {
		body := `{"employee_id": "` + f.People[role].String() + `", "kind": "dismissal", "immediate": true}`
		f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", f.People[role], f.A)
		asked := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", body)
		if asked.Status != 202 || !strings.Contains(asked.Header.Get("Location"), "/approvals/") {
			t.Fatalf("%d %s", asked.Status, asked.Body)
		}
		if got := f.Ask(role, "GET", asked.Header.Get("Location"), ""); got.Status != 404 {
			t.Errorf("the %s it is about reads it: %d", role, got.Status)
		}
		var page httpkit.Page[approvals.ApprovalView]
		f.Ask(role, "GET", "/api/v1/approvals", "").Into(t, &page)
		for _, item := range page.Items {
			if httpkit.AddressOf(models.RefApproval, item.ID) == asked.Header.Get("Location") {
				t.Errorf("the %s it is about lists it", role)
			}
		}
		if role == models.RoleAuditor && len(page.Items) != 1 {
			t.Errorf("an auditor sees %d others", len(page.Items))
		}
	}
}

func TestApprovalIsWithdrawnRejectedAndVoid(t *testing.T) {
	f := apitest.New(t)
	second := f.Session(models.RoleReviewer)
	ask := func(no string) (string, departures.DepartureView) {
		d := f.Resign(f.Hire(no, f.A))
		got := f.Ask(models.RoleHRAdmin, "POST", httpkit.AddressOf(models.RefDeparture, d.ID)+"/annulment", `{"reason": "x"}`)
		if got.Status != 202 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		return got.Header.Get("Location"), d
	}
	waiting := func(d departures.DepartureView) int {
		var view departures.DepartureView
		f.Ask(models.RoleHRAdmin, "GET", httpkit.AddressOf(models.RefDeparture, d.ID), "").Into(t, &view)
		return len(view.Waiting)
	}
	var view approvals.ApprovalView
	withdrawn, d := ask("E1")
	f.Ask(models.RoleHRAdmin, "POST", withdrawn+"/withdrawal", "").Into(t, &view)
	if view.State != models.ApprovalWithdrawn || waiting(d) != 0 {
		t.Errorf("withdrawn: %s, %d wait", view.State, waiting(d))
	}
	rejected, d := ask("E2")
	second.Ask("POST", rejected+"/decision", `{"decision": "rejected"}`).Into(t, &view)
	if view.State != models.ApprovalRejected || waiting(d) != 0 {
		t.Errorf("rejected: %s, %d wait", view.State, waiting(d))
	}
	void, d := ask("E3")
	f.Ask(models.RoleHRAdmin, "PUT", httpkit.AddressOf(models.RefDeparture, d.ID)+"/dates", `{"last_working_day": "`+f.Day(50)+`"}`)
	got := second.Ask("POST", void+"/decision", `{"decision": "approved"}`)
	if got.Status != 409 || got.Problem.Code != "approval_void" || got.Problem.Location != void {
		t.Errorf("void: %d %s", got.Status, got.Body)
	}
	f.Ask(models.RoleHRAdmin, "GET", void, "").Into(t, &view)
	if view.State != models.ApprovalVoid || view.VoidReason != models.VoidChanged || view.VoidReasonText == "" {
		t.Errorf("void: %+v", view)
	}
	expired, _ := ask("E4")
	f.Env.Advance(t, 73*time.Hour)
	second = f.Session(models.RoleReviewer)
	if got := second.Ask("POST", expired+"/decision", `{"decision": "approved"}`); got.Problem.Code != "approval_expired" {
		t.Errorf("expired: %d %s", got.Status, got.Body)
	}
	if got := second.Ask("POST", rejected+"/decision", `{"decision": "approved"}`); got.Problem.Code != "approval_ended" {
		t.Errorf("rejected before: %d %s", got.Status, got.Body)
	}
}

func TestI26_ARepeatedRequestIsTheSameApproval(t *testing.T) {
	f := apitest.New(t)
	body := f.Newcomer("N1", f.A, "")
	key := []string{"Idempotency-Key", "k"}
	first := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/employees", body, key...)
	var view approvals.ApprovalView
	first.Into(t, &view)
	f.Session(models.RoleReviewer).Ask("POST", httpkit.AddressOf(models.RefApproval, view.ID)+"/decision", `{"decision": "approved"}`).Into(t, &view)
	again := f.Ask(models.RoleHRAdmin, "POST", "/api/v1/employees", body, key...)
	if again.Status != first.Status || again.Header.Get("Location") != first.Header.Get("Location") || !strings.Contains(string(again.Body), `"state":"approved"`) {
		t.Errorf("first %d %s, then %d %s %s", first.Status, first.Header.Get("Location"), again.Status, again.Header.Get("Location"), again.Body)
	}
	if n := f.Count("approvals"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestARepeatedRequestKeepsItsReason: the same one, or none, finds the open request; another is refused with where
// that is, until it is taken back.
func TestARepeatedRequestKeepsItsReason(t *testing.T) {
	f := apitest.New(t)
	d := f.Resign(f.Hire("E1", f.A))
	ask := func(reason string) apitest.Reply {
		return f.Ask(models.RoleHRAdmin, "PUT", httpkit.AddressOf(models.RefDeparture, d.ID)+"/dates", `{"last_working_day": "`+f.Day(10)+`"`+reason+`}`)
	}
	first := ask(`, "approval_reason": "moved abroad"`)
	address := first.Header.Get("Location")
	for _, reason := range []string{`, "approval_reason": "moved abroad"`, ""} {
		if got := ask(reason); got.Status != 202 || got.Header.Get("Location") != address {
			t.Errorf("again%s: %d %s", reason, got.Status, got.Body)
		}
	}
	got := ask(`, "approval_reason": "another"`)
	if got.Status != 409 || got.Problem.Code != "approval_open_other_reason" || got.Problem.Location != address || got.Header.Get("Location") != address {
		t.Errorf("another reason: %d %s", got.Status, got.Body)
	}
	var view approvals.ApprovalView
	f.Ask(models.RoleHRAdmin, "GET", address, "").Into(t, &view)
	if view.Reason != "moved abroad" || view.State != models.ApprovalPending || f.Count("approvals") != 1 {
		t.Errorf("it is %s for %q", view.State, view.Reason)
	}
	f.Ask(models.RoleHRAdmin, "POST", address+"/withdrawal", "")
	if got := ask(`, "approval_reason": "another"`); got.Status != 202 || got.Header.Get("Location") == address {
		t.Errorf("after it was taken back: %d %s", got.Status, got.Body)
	}
}
