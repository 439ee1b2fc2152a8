// Package enrolment plays an attack on the second person, which succeeded once: an administrator collects
// both halves of a new reviewer's enrolment code, one of them as a colleague whose account a login of theirs
// was linked with, enrols in the reviewer's place, and lets the reviewer approve what they ask for next.
//
// Run it with go test ./e2e/attacks/enrolment, as any other test.
package enrolment

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"lethe/models"
)

func TestI21_BothHalvesOfAnEnrolmentCodeAreNoSecondPerson(t *testing.T) {
	w := newWorld(t)
	// The attacker and two others, of whom one is fooled into agreeing to the link.
	attacker, colleague, fooled := w.hire("attacker"), w.hire("colleague"), w.hire("fooled")
	victim := w.employee("victim")
	mallory, zoe := w.logIn(attacker, models.RoleHRAdmin), w.logIn(fooled, models.RoleReviewer)

	// The colleague agrees to a new reviewer in good faith. Each of both is due one half of the code.
	yan := w.logIn(colleague, models.RoleReviewer)
	created := w.agreed(mallory, yan, "POST", "/api/v1/users", `{"employee_id": "`+victim.String()+`", "login": "victim", "roles": ["reviewer", "hr_admin"]}`)
	half := created + "/enrolment-code"

	// A login of the attacker's is linked with the colleague's account; its sessions are the attacker's.
	w.agreed(mallory, zoe, "POST", "/api/v1/users/"+colleague.ID.String()+"/logins", `{"issuer": "https://login.example", "subject": "mallory"}`)
	asColleague := w.byCompanyLogin(colleague, models.RoleHRAdmin)

	// A half is no business of a session that nobody is at, or of a login that its owner never confirmed.
	w.refused(w.again(attacker, models.RoleHRAdmin), "POST", half, "", "step_up_required")
	w.refused(asColleague, "POST", half, "", "step_up_required")
	w.stepUp(asColleague)
	w.refused(asColleague, "POST", half, "", "login_unconfirmed")
	w.refused(asColleague, "POST", "/api/v1/tokens", `{"label": "l", "expires_at": "2100-01-01T00:00:00Z"}`, "login_unconfirmed")
	w.refused(asColleague, "POST", "/api/v1/users", `{"employee_id": "`+victim.String()+`", "login": "other", "roles": ["reviewer"]}`, "login_unconfirmed")

	// Suppose that the attacker gets the other half all the same: it was lent, read over a shoulder, mailed.
	puppet := w.enrol("victim", w.code(mallory, half)+w.code(yan, half), models.RoleReviewer)
	puppetHR := w.puppet(puppet, models.RoleHRAdmin)

	// The account decides about nothing that either holder of a half asked for, nor they about what it asks for.
	hold := w.hold(attacker)
	asked := w.asks(mallory, "POST", hold+"/release", `{}`)
	for _, decision := range []string{"approved", "rejected"} {
		w.refused(puppet, "POST", asked+"/decision", `{"decision": "`+decision+`"}`, "owner_unconfirmed")
	}
	w.refused(puppet, "POST", w.asks(w.logIn(colleague, models.RoleHRAdmin), "POST", w.hold(colleague)+"/release", `{}`)+"/decision", `{"decision": "approved"}`, "owner_unconfirmed")
	byPuppet := w.asks(puppetHR, "POST", w.hold(fooled)+"/release", `{}`)
	w.refused(w.logIn(attacker, models.RoleReviewer), "POST", byPuppet+"/decision", `{"decision": "approved"}`, "owner_unconfirmed")
	if w.released(hold) {
		t.Fatal("the attacker released a hold alone")
	}
	// It cannot vouch for itself on the host either: neither alone, nor with who enrolled it.
	w.notConfirmed("victim", attacker, w.user("victim"))
	w.notConfirmed("victim", attacker, attacker)

	// Whoever has nothing to do with it goes on, and so does the account once two people have confirmed it.
	other := w.asks(zoeAsHR(w, fooled), "POST", w.hold(fooled)+"/release", `{}`)
	w.decides(puppet, other)
	w.confirmed("victim", fooled, colleague)
	w.decides(puppet, asked)
	if !w.released(hold) {
		t.Error("two people released nothing")
	}
}

func zoeAsHR(w *world, fooled models.User) *visitor { return w.logIn(fooled, models.RoleHRAdmin) }

// asks makes a request and returns its address.
func (w *world) asks(v *visitor, method, path, body string) string {
	w.t.Helper()
	got := v.do(method, path, body)
	if got.status != http.StatusAccepted || !strings.HasPrefix(got.location, "/api/v1/approvals/") {
		w.t.Fatalf("%s %s: %d %s", method, path, got.status, got.body)
	}
	return got.location
}

func (w *world) decides(v *visitor, address string) string {
	w.t.Helper()
	got := v.do("POST", address+"/decision", `{"decision": "approved"}`)
	var view struct {
		ResultLocation string `json:"result_location"`
	}
	if got.status != http.StatusOK || json.Unmarshal(got.body, &view) != nil {
		w.t.Fatalf("deciding about %s: %d %s", address, got.status, got.body)
	}
	return view.ResultLocation
}

func (w *world) agreed(first, second *visitor, method, path, body string) string {
	w.t.Helper()
	return w.decides(second, w.asks(first, method, path, body))
}

func (w *world) refused(v *visitor, method, path, body, code string) {
	w.t.Helper()
	got := v.do(method, path, body)
	var problem struct {
		Code string `json:"code"`
	}
	if got.status < 400 || json.Unmarshal(got.body, &problem) != nil || problem.Code != code {
		w.t.Errorf("%s %s: %d %s, want %s", method, path, got.status, got.body, code)
	}
}

// code collects a half.
func (w *world) code(v *visitor, path string) string {
	w.t.Helper()
	got := v.do("POST", path, "")
	var half struct {
		Code string `json:"code"`
	}
	if got.status != http.StatusOK || json.Unmarshal(got.body, &half) != nil {
		w.t.Fatalf("collecting a half: %d %s", got.status, got.body)
	}
	return half.Code
}
