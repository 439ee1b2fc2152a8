package disclosures_test

import (
	"strings"
	"testing"
	"time"

	"lethe/api/apitest"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

// given is a look for an authority's order that was shown, and where its sheet is.
func (w *world) given() (look, sheet string) {
	w.T.Helper()
	look, request := w.waiting(w.person)
	reviewer := w.FreshSession(w.People[models.RoleReviewer], models.RoleReviewer)
	if got := w.hr.Ask("GET", look+"/registration", ""); got.Problem.Code != "disclosure_without_registration" {
		w.T.Errorf("before it was decided: %d %s", got.Status, got.Body)
	}
	if got := reviewer.Ask("POST", request+"/decision", `{"decision": "approved"}`); got.Status != 200 {
		w.T.Fatalf("decided: %d %s", got.Status, got.Body)
	}
	if got := w.hr.Ask("POST", look+"/opening", ""); got.Status != 200 {
		w.T.Fatalf("opened: %d %s", got.Status, got.Body)
	}
	return look, look + "/registration"
}

// TestI18_TheSheetOfWhatWasGiven: with the values for the looker while the look may be shown, else without; each print is
// an entry, and the page loads nothing.
func TestI18_TheSheetOfWhatWasGiven(t *testing.T) {
	w := newWorld(t)
	look, sheet := w.given()
	const value = "11010519491231002X"
	page := func(what string, got apitest.Reply, values bool) {
		t.Helper()
		text := string(got.Body)
		if got.Status != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/html") || strings.Contains(text, value) != values {
			t.Errorf("%s: %d, values wanted: %v: %s", what, got.Status, values, text)
		}
		for _, want := range []string{"对外提供个人信息登记", "Record of personal data", "某某区公安分局", "张警官 012345", "12号", "110", "证件号码", "Person E1", "Person R-hr_admin", "lethe"} {
			if got.Status == 200 && !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing", what, want)
			}
		}
		if strings.Contains(text, phone) || strings.Contains(text, "银行") {
			t.Errorf("%s: it has other fields", what)
		}
		if policy := got.Header.Get("Content-Security-Policy"); got.Status == 200 && (!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") || got.Header.Get("Cache-Control") != "no-store") {
			t.Errorf("%s: %s, %s", what, policy, got.Header.Get("Cache-Control"))
		}
		if strings.Contains(text, "<script") || strings.Contains(text, "http:") {
			t.Errorf("%s loads something", what)
		}
	}
	page("the looker", w.hr.Ask("GET", sheet, ""), true)
	page("again", w.hr.Ask("GET", sheet, ""), true)
	other := w.FreshSession(w.Hire("HR2", w.B), models.RoleHRAdmin)
	page("a colleague", other.Ask("GET", sheet, ""), false)
	page("an auditor", w.Ask(models.RoleAuditor, "GET", sheet, ""), false)
	w.WantEntries("disclosure.registration_printed", 4)
	if got := w.Ask(models.RoleDepartmentHead, "GET", sheet, ""); got.Status != 404 {
		t.Errorf("a head: %d %s", got.Status, got.Body)
	}
	if got := w.FreshSession(w.person, models.RoleReviewer).Ask("GET", sheet, ""); got.Status != 404 {
		t.Errorf("the subject: %d %s", got.Status, got.Body)
	}
	var times int
	if err := w.Env.Facts.Read(t.Context()).Raw("SELECT shown_times FROM disclosures WHERE id = ?", look[strings.LastIndex(look, "/")+1:]).Scan(&times).Error; err != nil || times != 3 {
		t.Errorf("shown %d times, %v", times, err)
	}
	w.idle(31 * time.Minute)
	page("later", w.hr.Ask("GET", sheet, ""), false)
	w.hr = w.FreshSession(w.People[models.RoleHRAdmin], models.RoleHRAdmin)
	_, sheet = w.given()
	page("anew", w.hr.Ask("GET", sheet, ""), true)
	w.purging(w.person)
	page("what is being destroyed", w.hr.Ask("GET", sheet, ""), false)
	if err := databasetest.Unguarded(w.Env.Facts, "employees", "employees_status", "UPDATE employees SET status = 'purged' WHERE id = '"+w.person.String()+"'"); err != nil {
		t.Fatal(err)
	}
	if text := string(w.hr.Ask("GET", sheet, "").Body); strings.Contains(text, "Person E1") {
		t.Error("somebody whose data is deleted is named")
	}
	var shown struct{ ID string }
	got := w.hr.Ask("POST", w.path(w.Hire("E2", w.A)), w.help().String())
	if got.Into(t, &shown); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if got := w.hr.Ask("GET", "/api/v1/disclosures/"+shown.ID+"/registration", ""); got.Problem.Code != "disclosure_without_registration" {
		t.Errorf("of an emergency: %d %s", got.Status, got.Body)
	}
}

// TestAnAuthorityWithoutADocument is told what to bring, and what it wants can be kept meanwhile.
func TestAnAuthorityWithoutADocument(t *testing.T) {
	w := newWorld(t)
	without := w.order()
	without["evidence"] = body{"authority": "某某区公安分局", "officials": "张警官 012345", "called_back_at": "110"}
	got := w.hr.Ask("POST", w.path(w.person), without.String(), "Accept-Language", "zh")
	text := string(got.Body)
	if got.Status != 422 || !strings.Contains(text, `"official_paper"`) || !strings.Contains(text, `"legal_hold"`) || !strings.Contains(text, "文号") || !strings.Contains(text, "body.evidence.document_no") {
		t.Errorf("%d %s", got.Status, text)
	}
	help := w.help()
	help["evidence"] = body{}
	if got := w.hr.Ask("POST", w.path(w.person), help.String()); got.Status != 422 || strings.Contains(string(got.Body), "legal_hold") {
		t.Errorf("an emergency: %d %s", got.Status, got.Body)
	}
}
