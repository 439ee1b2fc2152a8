package disclosures_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/disclosures"
	"lethe/api/httpkit"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

const phone = "13912345678"

// world is the API with somebody whose file has an emergency contact, and HR in a session that has just proved who it is.
type world struct {
	*apitest.Fixture
	person uuid.UUID
	hr     *apitest.Visitor
}

func newWorld(t *testing.T) *world {
	f := apitest.New(t)
	w := &world{Fixture: f, person: f.Hire("E1", f.A), hr: f.FreshSession(f.People[models.RoleHRAdmin], models.RoleHRAdmin)}
	w.fill(w.person)
	return w
}

// fill writes the sensitive fields of somebody's file.
func (w *world) fill(person uuid.UUID) {
	fields := map[string]*string{}
	for key, value := range map[string]string{"emergency_contact_name": "王芳", "emergency_contact_phone": phone, "id_number": "11010519491231002X", "bank_account": "6222020200112233446"} {
		fields[key] = &value
	}
	w.Run(func(tx *database.Tx) error { return archive.Update(tx, w.Vault, person, archive.Patch{Fields: fields}) })
}

// ago is an instant in the past, as evidence has it.
func (w *world) ago(d time.Duration) string {
	now, err := w.Env.Facts.Now(w.T.Context())
	if err != nil {
		w.T.Fatal(err)
	}
	return now.Add(-d).Format(time.RFC3339)
}

func (w *world) emergency(reason string) string {
	return fmt.Sprintf(`{"fields": ["emergency_contact_phone", "emergency_contact_name"], "purpose": "medical_emergency", "reason": %q,
		"evidence": {"what": "在车间晕倒", "when": %q, "reported_by": "车间主任"}}`, reason, w.ago(10*time.Minute))
}

func (w *world) path(person uuid.UUID) string {
	return "/api/v1/employees/" + person.String() + "/disclosures"
}

const collapsed = "员工在车间晕倒，已送往第一医院抢救，需要通知家属"

// TestI18_I28_TheScene: an emergency is answered at once; a creditor is refused however he is dressed, and gets something
// kind; the log has both, and so has the subject.
func TestI18_I28_TheScene(t *testing.T) {
	w := newWorld(t)
	var shown disclosures.LookAnswer
	got := w.hr.Ask("POST", w.path(w.person), w.emergency(collapsed), "Accept-Language", "zh")
	got.Into(t, &shown)
	if diff := cmp.Diff(map[string]string{"emergency_contact_phone": phone, "emergency_contact_name": "王芳"}, shown.Values); got.Status != 200 || diff != "" {
		t.Fatalf("%d %s %s", got.Status, diff, got.Body)
	}
	if !strings.Contains(shown.Notice, "仅限员工本人紧急情况联系使用") || shown.Receipt == "" || shown.LedgerEntryID == nil || shown.Judgement.ReviewDueAt == nil || shown.State != models.LookShown {
		t.Errorf("shown as %s", got.Body)
	}
	if cache := got.Header.Get("Cache-Control"); !strings.Contains(cache, "no-store") {
		t.Errorf("it may be kept: %q", cache)
	}
	w.WantEntries("disclosure.shown", 1)

	debt := `{"fields": ["emergency_contact_phone"], "purpose": "medical_emergency", "reason": "他欠我三万块钱不还，要他父母电话催一下",
		"evidence": {"what": "晕倒", "when": "` + w.ago(time.Minute) + `", "reported_by": "同事"}, "requested_by": {"description": "自称朋友的来电者"}}`
	got = w.hr.Ask("POST", w.path(w.person), debt, "Accept-Language", "zh")
	if p := got.Problem; got.Status != 403 || p.Code != "disclosure_refused" || p.Rule != "never_for_this" || p.Matter != "private_debt" ||
		p.MatterText != "私人债务" || p.Reply == nil || len(p.Alternatives) == 0 || p.Receipt == "" || strings.Contains(string(got.Body), phone) {
		t.Errorf("a creditor: %d %s", got.Status, got.Body)
	}
	w.WantEntries("disclosure.refused", 1)

	// After the refusal another purpose goes to a reviewer first.
	own := `{"fields": ["emergency_contact_phone"], "purpose": "own_request", "reason": "员工本人来电申请更正紧急联系人，已核验身份", "evidence": {"confirmed_how": "callback", "confirmed_on": "` + w.ago(0)[:10] + `"}}`
	got = w.hr.Ask("POST", w.path(w.person), own)
	var waiting approvals.ApprovalView
	got.Into(t, &waiting)
	if got.Status != 202 || waiting.Operation != "disclosure.look" || len(waiting.Because) != 1 || strings.Contains(string(got.Body), phone) {
		t.Errorf("after a refusal: %d %s", got.Status, got.Body)
	}

	var seen httpkit.Page[disclosures.DisclosureView]
	employee, _ := w.Token(w.person, models.RoleEmployee)
	w.Ask("", "GET", w.path(w.person), "", "Authorization", "Bearer "+employee).Into(t, &seen)
	if len(seen.Items) != 3 {
		t.Fatalf("the subject sees %d looks", len(seen.Items))
	}
	for _, v := range seen.Items {
		if v.Judgement != nil || v.Department == "" || v.PurposeText == "" || v.StateText == "" {
			t.Errorf("the subject sees %+v", v)
		}
	}
}

// TestALookAfterAReviewIsOpenedOnce by who asked for it, as long as nothing changed.
func TestALookAfterAReviewIsOpenedOnce(t *testing.T) {
	w := newWorld(t)
	order := `{"fields": ["id_number"], "purpose": "authority_order", "reason": "公安机关持调取证据通知书来公司调取，已回拨核实",
		"evidence": {"authority": "某某区公安分局", "officials": "张警官 012345", "document_no": "公（刑）调证字〔2026〕12号", "called_back_at": "110"}}`
	var asked approvals.ApprovalView
	got := w.hr.Ask("POST", w.path(w.person), order)
	if got.Into(t, &asked); got.Status != 202 || len(asked.Targets) != 1 {
		t.Fatalf("asked: %d %s", got.Status, got.Body)
	}
	look := "/api/v1/disclosures/" + asked.Targets[0].ID.String()
	opening := look + "/opening"
	if got := w.hr.Ask("POST", opening, ""); got.Status != 409 || got.Problem.Code != "disclosure_not_open" {
		t.Errorf("opened before it was decided: %d %s", got.Status, got.Body)
	}
	var again approvals.ApprovalView
	if w.hr.Ask("POST", w.path(w.person), order).Into(t, &again); again.ID != asked.ID {
		t.Errorf("asked twice: %s besides %s", again.ID, asked.ID)
	}
	if got := w.hr.Ask("POST", w.path(w.person), strings.Replace(order, "12号", "13号", 1)); got.Status != 409 || got.Problem.Code != "disclosure_waiting" {
		t.Errorf("asked in other words: %d %s", got.Status, got.Body)
	}
	reviewer := w.FreshSession(w.People[models.RoleReviewer], models.RoleReviewer)
	var request approvals.ApprovalView
	reviewer.Ask("GET", "/api/v1/approvals/"+asked.ID.String(), "").Into(t, &request)
	if text := fmt.Sprint(request.Changes); !strings.Contains(text, "已回拨核实") || !strings.Contains(text, "张警官") {
		t.Errorf("the reviewer sees %s", text)
	}
	if got := reviewer.Ask("POST", "/api/v1/approvals/"+asked.ID.String()+"/decision", `{"decision": "approved"}`); got.Status != 200 {
		t.Fatalf("decided: %d %s", got.Status, got.Body)
	}
	other := w.FreshSession(w.Hire("HR2", w.B), models.RoleHRAdmin)
	if got := other.Ask("POST", opening, ""); got.Status != 403 || got.Problem.Code != "disclosure_of_another" {
		t.Errorf("opened by a colleague: %d %s", got.Status, got.Body)
	}
	var opened disclosures.LookAnswer
	got = w.hr.Ask("POST", opening, "")
	if got.Into(t, &opened); opened.Values["id_number"] != "11010519491231002X" || opened.ShownTimes != 1 {
		t.Errorf("opened: %d %s", got.Status, got.Body)
	}
	w.hr.Ask("POST", opening, "").Into(t, &opened)
	if opened.ShownTimes != 2 {
		t.Errorf("shown again %d times", opened.ShownTimes)
	}
	w.WantEntries("disclosure.shown_again", 1)
	for range 2 { // a session that nobody uses ends
		if err := databasetest.MoveClock(t.Context(), w.Env.Facts, 16*time.Minute); err != nil {
			t.Fatal(err)
		}
		w.hr.Ask("GET", "/api/v1/me", "")
	}
	if got := w.hr.Ask("POST", opening, ""); got.Status != 409 || strings.Contains(string(got.Body), "11010519491231002X") {
		t.Errorf("after half an hour: %d %s", got.Status, got.Body)
	}
}
