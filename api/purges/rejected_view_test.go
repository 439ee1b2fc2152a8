package purges_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/internal/clock"
	"lethe/internal/i18n"
	"lethe/models"
)

// TestAPurgeSaysWhoRejectedItWhatCanBeDoneAndHowLongItWasExtended, in both languages; the leaver learns nothing of it.
func TestAPurgeSaysWhoRejectedItWhatCanBeDoneAndHowLongItWasExtended(t *testing.T) {
	f := apitest.New(t)
	f.RejectedPurge(f.Hire("E1", f.B))
	leaver := f.Hire("E2", f.A)
	purge := f.RejectedPurge(leaver)
	address := "/api/v1/purges/" + purge.String()
	var view purges.PurgeView
	f.Ask(models.RoleReviewer, "GET", address, "").Into(t, &view)
	rejecter := view.Rejections[0].Person
	if rejecter == nil || !strings.Contains(view.StateText, rejecter.Text()) || !strings.Contains(view.StateText, "two people keep the data longer") || view.Person.EmployeeNo != "E2" {
		t.Errorf("%+v", view)
	}
	for language, want := range map[string]string{"zh": "已被 " + rejecter.Text() + " 拒绝", "en": "rejected by " + rejecter.Text()} {
		var d departures.DepartureView
		f.Ask(models.RoleHRAdmin, "GET", httpkit.AddressOf(models.RefDeparture, view.DepartureID), "", "Accept-Language", language).Into(t, &d)
		for _, r := range d.Retention {
			if !strings.Contains(r.StateText, want) {
				t.Errorf("%s: %s", r.Category, r.StateText)
			}
		}
	}
	var own departures.DepartureView
	f.FreshSession(leaver, models.RoleEmployee).Ask("GET", httpkit.AddressOf(models.RefDeparture, view.DepartureID), "").Into(t, &own)
	if len(own.Retention) == 0 {
		t.Fatal("the leaver sees no deadlines")
	}
	for _, r := range own.Retention {
		if r.PurgeState != models.PurgeInReview || strings.Contains(r.StateText, "reject") {
			t.Errorf("the leaver learns %s %q", r.PurgeState, r.StateText)
		}
	}

	refused := f.FreshSession(rejecter.EmployeeID, models.RoleReviewer).Ask("POST", address+"/decision", `{"decision": "approved"}`)
	if refused.Problem.Code != "rejected_by_yourself" {
		t.Errorf("the rejecter: %d %s", refused.Status, refused.Body)
	}
	first, second := f.FreshSession(f.Hire("R1", f.B), models.RoleReviewer), f.FreshSession(f.Hire("R2", f.A), models.RoleReviewer)
	until := f.Day(90)
	asked := first.Ask("POST", address+"/decision", `{"decision": "extended", "until": "`+until+`", "reason": "an audit"}`)
	var request approvals.ApprovalView
	asked.Into(t, &request)
	decided := second.Ask("POST", httpkit.AddressOf(models.RefApproval, request.ID)+"/decision", `{"decision": "approved"}`)
	if decided.Status != http.StatusOK {
		t.Fatalf("%d %s", decided.Status, decided.Body)
	}
	f.Ask(models.RoleReviewer, "GET", address, "").Into(t, &view)
	if view.ExtendedUntil == nil || view.ExtendedUntil.String() != until || view.Because != "an audit" || view.StateText != "kept until "+i18n.English.Day(clock.StartOfDay(*view.ExtendedUntil, time.UTC))+", because: an audit" {
		t.Errorf("extended: %+v", view)
	}
}

// TestI21_TheApproverOfADeletionSeesWhatIsDestroyed: each category, since when it is due on the clock of the
// departure's zone, and by which rule in words.
func TestI21_TheApproverOfADeletionSeesWhatIsDestroyed(t *testing.T) {
	f := apitest.New(t)
	f.RejectedPurge(f.Hire("E1", f.B))
	purge := f.RejectedPurge(f.Hire("E2", f.A))
	var view purges.PurgeView
	f.Ask(models.RoleReviewer, "GET", "/api/v1/purges/"+purge.String(), "").Into(t, &view)
	first, second := f.FreshSession(f.Hire("R1", f.B), models.RoleReviewer), f.FreshSession(f.Hire("R2", f.A), models.RoleReviewer)
	var request approvals.ApprovalView
	first.Ask("POST", "/api/v1/purges/"+purge.String()+"/decision", `{"decision": "approved"}`).Into(t, &request)
	for _, language := range []string{"zh", "en"} {
		var shown approvals.ApprovalView
		second.Ask("GET", httpkit.AddressOf(models.RefApproval, request.ID), "", "Accept-Language", language).Into(t, &shown)
		found := map[string]approvals.ChangeView{}
		for _, c := range shown.Changes {
			found[c.Field] = c
		}
		for _, category := range view.Categories {
			c := found["category."+string(category)]
			if !strings.Contains(c.Before, " 00:00 (Asia/Shanghai, UTC+08:00)") || strings.Contains(c.Before, "年") != (language == "zh") || c.Rule == "" || c.Basis == "" || c.Label == c.Field {
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
	f := apitest.New(t)
	f.RejectedPurge(f.Hire("E1", f.B))
	leaver := f.Hire("E2", f.A)
	purge := f.RejectedPurge(leaver)
	address := "/api/v1/purges/" + purge.String()
	first, second := f.FreshSession(f.Hire("R1", f.B), models.RoleReviewer), f.FreshSession(f.Hire("R2", f.A), models.RoleReviewer)
	var request approvals.ApprovalView
	first.Ask("POST", address+"/decision", `{"decision": "extended", "until": "`+f.Day(90)+`", "reason": "kanari"}`).Into(t, &request)
	if d := second.Ask("POST", httpkit.AddressOf(models.RefApproval, request.ID)+"/decision", `{"decision": "approved"}`); d.Status != http.StatusOK {
		t.Fatalf("%d %s", d.Status, d.Body)
	}
	told := 0
	for _, role := range []models.Role{models.RoleHRAdmin, models.RoleReviewer, models.RoleAuditor, models.RoleITOps} {
		sees := f.Ask(role, "GET", httpkit.AddressOf(models.RefApproval, request.ID), "").Status == http.StatusOK
		for _, path := range []string{address, "/api/v1/purges"} {
			r := f.Ask(role, "GET", path, "")
			if r.Status != http.StatusOK || bytes.Contains(r.Body, []byte("kanari")) != sees || !bytes.Contains(r.Body, []byte(f.Day(90))) {
				t.Errorf("%s reads %s, the request: %t: %d %s", role, path, sees, r.Status, r.Body)
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
		me := f.FreshSession(leaver, role)
		if r := me.Ask("GET", address, ""); r.Status != http.StatusNotFound {
			t.Errorf("the leaver as %s: %d %s", role, r.Status, r.Body)
		}
		var page httpkit.Page[purges.PurgeView]
		if me.Ask("GET", "/api/v1/purges", "").Into(t, &page); len(page.Items) != 1 || page.Items[0].EmployeeID == leaver {
			t.Errorf("the leaver as %s lists %+v", role, page.Items)
		}
	}
}
