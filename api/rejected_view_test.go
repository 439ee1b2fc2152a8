package api

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/models"
)

// TestAPurgeSaysWhoRejectedItWhatCanBeDoneAndHowLongItWasExtended, in both languages; the leaver learns nothing of it.
func TestAPurgeSaysWhoRejectedItWhatCanBeDoneAndHowLongItWasExtended(t *testing.T) {
	f := newFixture(t)
	f.rejectedPurge(f.hire("E1", f.b))
	leaver := f.hire("E2", f.a)
	purge := f.rejectedPurge(leaver)
	address := "/api/v1/purges/" + purge.String()
	var view PurgeView
	f.ask(models.RoleReviewer, "GET", address, "").into(t, &view)
	rejecter := view.Rejections[0].Person
	if rejecter == nil || !strings.Contains(view.StateText, rejecter.text()) || !strings.Contains(view.StateText, "two people keep the data longer") || view.Person.EmployeeNo != "E2" {
		t.Errorf("%+v", view)
	}
	for language, want := range map[string]string{"zh": "已被 " + rejecter.text() + " 拒绝", "en": "rejected by " + rejecter.text()} {
		var d DepartureView
		f.ask(models.RoleHRAdmin, "GET", addressOf(models.RefDeparture, view.DepartureID), "", "Accept-Language", language).into(t, &d)
		for _, r := range d.Retention {
			if !strings.Contains(r.StateText, want) {
				t.Errorf("%s: %s", r.Category, r.StateText)
			}
		}
	}
	var own DepartureView
	f.freshSession(leaver, models.RoleEmployee).ask("GET", addressOf(models.RefDeparture, view.DepartureID), "").into(t, &own)
	if len(own.Retention) == 0 {
		t.Fatal("the leaver sees no deadlines")
	}
	for _, r := range own.Retention {
		if r.PurgeState != models.PurgeInReview || strings.Contains(r.StateText, "reject") {
			t.Errorf("the leaver learns %s %q", r.PurgeState, r.StateText)
		}
	}

	refused := f.freshSession(rejecter.EmployeeID, models.RoleReviewer).ask("POST", address+"/decision", `{"decision": "approved"}`)
	if refused.problem.Code != codeRejectedBySelf {
		t.Errorf("the rejecter: %d %s", refused.status, refused.body)
	}
	first, second := f.freshSession(f.hire("R1", f.b), models.RoleReviewer), f.freshSession(f.hire("R2", f.a), models.RoleReviewer)
	until := f.day(90)
	asked := first.ask("POST", address+"/decision", `{"decision": "extended", "until": "`+until+`", "reason": "an audit"}`)
	var request ApprovalView
	asked.into(t, &request)
	decided := second.ask("POST", addressOf(models.RefApproval, request.ID)+"/decision", `{"decision": "approved"}`)
	if decided.status != http.StatusOK {
		t.Fatalf("%d %s", decided.status, decided.body)
	}
	f.ask(models.RoleReviewer, "GET", address, "").into(t, &view)
	if view.ExtendedUntil == nil || view.ExtendedUntil.String() != until || view.Because != "an audit" || view.StateText != "kept until "+until+", because: an audit" {
		t.Errorf("extended: %+v", view)
	}
}

// TestI21_TheApproverOfADeletionSeesWhatIsDestroyed: each category, since when it is due on the clock of the
// departure's zone, and by which rule in words.
func TestI21_TheApproverOfADeletionSeesWhatIsDestroyed(t *testing.T) {
	f := newFixture(t)
	f.rejectedPurge(f.hire("E1", f.b))
	purge := f.rejectedPurge(f.hire("E2", f.a))
	var view PurgeView
	f.ask(models.RoleReviewer, "GET", "/api/v1/purges/"+purge.String(), "").into(t, &view)
	first, second := f.freshSession(f.hire("R1", f.b), models.RoleReviewer), f.freshSession(f.hire("R2", f.a), models.RoleReviewer)
	var request ApprovalView
	first.ask("POST", "/api/v1/purges/"+purge.String()+"/decision", `{"decision": "approved"}`).into(t, &request)
	for _, language := range []string{"zh", "en"} {
		var shown ApprovalView
		second.ask("GET", addressOf(models.RefApproval, request.ID), "", "Accept-Language", language).into(t, &shown)
		found := map[string]ChangeView{}
		for _, c := range shown.Changes {
			found[c.Field] = c
		}
		for _, category := range view.Categories {
			c := found["category."+string(category)]
			if !strings.Contains(c.Before, " 00:00 (Asia/Shanghai, UTC+08:00)") || c.Rule == "" || c.Basis == "" || c.Label == c.Field {
				t.Errorf("%s: %+v", category, c)
			}
		}
	}
	if request.ID == uuid.Nil {
		t.Error("no request")
	}
}

// TestI27_TheReasonOfAnExtensionIsForThoseWhoSeeItsRequest: whoever is answered 404 for the request reads the
// reason nowhere at the purge, and the person whose data it is does not see the purge, in whichever role.
func TestI27_TheReasonOfAnExtensionIsForThoseWhoSeeItsRequest(t *testing.T) {
	f := newFixture(t)
	f.rejectedPurge(f.hire("E1", f.b))
	leaver := f.hire("E2", f.a)
	purge := f.rejectedPurge(leaver)
	address := "/api/v1/purges/" + purge.String()
	first, second := f.freshSession(f.hire("R1", f.b), models.RoleReviewer), f.freshSession(f.hire("R2", f.a), models.RoleReviewer)
	var request ApprovalView
	first.ask("POST", address+"/decision", `{"decision": "extended", "until": "`+f.day(90)+`", "reason": "kanari"}`).into(t, &request)
	if d := second.ask("POST", addressOf(models.RefApproval, request.ID)+"/decision", `{"decision": "approved"}`); d.status != http.StatusOK {
		t.Fatalf("%d %s", d.status, d.body)
	}
	told := 0
	for _, role := range []models.Role{models.RoleHRAdmin, models.RoleReviewer, models.RoleAuditor, models.RoleITOps} {
		sees := f.ask(role, "GET", addressOf(models.RefApproval, request.ID), "").status == http.StatusOK
		for _, path := range []string{address, "/api/v1/purges"} {
			r := f.ask(role, "GET", path, "")
			if r.status != http.StatusOK || bytes.Contains(r.body, []byte("kanari")) != sees || !bytes.Contains(r.body, []byte(f.day(90))) {
				t.Errorf("%s reads %s, the request: %t: %d %s", role, path, sees, r.status, r.body)
			}
		}
		if sees {
			told++
		}
	}
	if told != 2 {
		t.Errorf("%d roles see the request, want reviewer and auditor", told)
	}
	for _, role := range []models.Role{models.RoleHRAdmin, models.RoleReviewer, models.RoleAuditor, models.RoleITOps} {
		me := f.freshSession(leaver, role)
		if r := me.ask("GET", address, ""); r.status != http.StatusNotFound {
			t.Errorf("the leaver as %s: %d %s", role, r.status, r.body)
		}
		var page Page[PurgeView]
		if me.ask("GET", "/api/v1/purges", "").into(t, &page); len(page.Items) != 1 || page.Items[0].EmployeeID == leaver {
			t.Errorf("the leaver as %s lists %+v", role, page.Items)
		}
	}
}
