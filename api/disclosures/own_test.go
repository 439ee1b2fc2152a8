package disclosures_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/disclosures"
	"lethe/api/httpkit"
	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/pdf/pdftest"
	"lethe/models"
)

// TestI18_TheOwnDataIsGivenOutToThePersonAlone: of each employment, by a session that has just proved who it is, and recorded.
func TestI18_TheOwnDataIsGivenOutToThePersonAlone(t *testing.T) {
	w := newWorld(t)
	w.attach(w.person, document(100))
	w.shown(w.hr, w.person)
	former := w.Employment(w.person)
	w.Exec("UPDATE employments SET ended_at = '2020-02-01', basis_entry_id = @entry WHERE employee_id = ?", w.person)
	for _, status := range []models.EmployeeStatus{models.StatusPendingDeparture, models.StatusDeparted} {
		w.Exec("UPDATE employees SET status = ? WHERE id = ?", status, w.person)
	}
	w.Hire("E1", w.B)
	w.fill(w.Hire("E2", w.A)) // somebody else's are not in it

	nothingShown(t, "by a token", w.Ask(models.RoleEmployee, "POST", "/api/v1/me/copy", ""), 403, "session_required")
	stale := w.PlainSession(w.person, models.RoleEmployee)
	nothingShown(t, "without having proved who it is", stale.Ask("POST", "/api/v1/me/copy", ""), 403, "step_up_required")
	if w.Count("ledger_content WHERE action = 'disclosure.own_copy'") != 0 {
		t.Error("what was refused is recorded as given out")
	}
	me := w.FreshSession(w.person, models.RoleEmployee)
	var c disclosures.OwnCopy
	got := me.Ask("POST", "/api/v1/me/copy", "")
	got.Into(t, &c)
	if len(c.Employments) != 2 || c.Employments[0].EmploymentID != former || c.Employments[1].EndedAt != nil || c.Receipt == "" {
		t.Fatalf("given out: %+v", c)
	}
	values := map[string]string{}
	for _, f := range c.Employments[0].Fields {
		if f.Value != nil {
			values[f.Key] = *f.Value
		}
		if f.Key == "id_document_scan" && (len(f.Attachments) != 1 || f.Attachments[0].Name != "王芳.pdf") {
			t.Errorf("the document is %+v", f.Attachments)
		}
	}
	if values["id_number"] != idNumber || values["emergency_contact_phone"] != phone || len(values) != 4 || len(c.Employments[1].Fields) != 0 {
		t.Errorf("the former employment has %v, the latest %v", values, c.Employments[1].Fields)
	}
	if len(c.Looks) != 1 || c.Looks[0].Judgement != nil || c.Looks[0].Purpose != string(access.MedicalEmergency) {
		t.Errorf("who looked: %+v", c.Looks)
	}
	if got.Header.Get("Cache-Control") != "no-store" {
		t.Error("it may be stored on the way")
	}
	w.WantEntries("disclosure.own_copy", 1)

	// What is being destroyed is not given out, and whoever is disabled gets nothing.
	err := databasetest.Unguarded(w.Env.Facts, "employment_categories", "employment_categories_not_early",
		"UPDATE employment_categories SET state = 'purging', purging_at = lethe_now() WHERE category = 'identity' AND employment_id = '"+former.String()+"'")
	if err != nil {
		t.Fatal(err)
	}
	got = me.Ask("POST", "/api/v1/me/copy", "")
	if got.Status != 200 || strings.Contains(string(got.Body), idNumber) || !strings.Contains(string(got.Body), phone) {
		t.Errorf("while identity is being destroyed: %d %s", got.Status, got.Body)
	}
	if err := databasetest.MoveClock(t.Context(), w.Env.Facts, 6*time.Minute); err != nil {
		t.Fatal(err)
	}
	nothingShown(t, "six minutes later", me.Ask("POST", "/api/v1/me/copy", ""), 403, "step_up_required")
	w.Run(func(tx *database.Tx) error { return identity.Disable(tx, me.UserID, models.System) })
	nothingShown(t, "disabled", me.Ask("POST", "/api/v1/me/copy", ""), 401, "session_unknown")
}

// TestTheOwnCopyHasWhatElseIsKept: where one works, the own departures, accounts, requests with their answers and objections,
// on paper as well; and nobody else's.
func TestTheOwnCopyHasWhatElseIsKept(t *testing.T) {
	w := newWorld(t)
	var site struct{ ID uuid.UUID }
	w.hr.Ask("POST", "/api/v1/sites", `{"code": "S1", "name_zh": "青浦工厂", "name_en": "Qingpu"}`).Into(t, &site)
	if got := w.hr.Ask("PATCH", "/api/v1/employees/"+w.person.String(), `{"site_id": "`+site.ID.String()+`"}`); got.Status != 200 {
		t.Fatalf("moving: %d %s", got.Status, got.Body)
	}
	_, look := w.shown(w.hr, w.person)
	w.Resign(w.person)
	me, other := w.FreshSession(w.person, models.RoleEmployee), w.Hire("E2", w.A)
	for _, c := range []struct {
		by         *apitest.Visitor
		path, body string
	}{
		{me, "/api/v1/me/requests", `{"kind": "correction", "fields": ["home_address"], "text": "搬到了衡山路2号"}`},
		{w.FreshSession(other, models.RoleEmployee), "/api/v1/me/requests", `{"kind": "erasure", "text": "别人的请求"}`},
		{me, look + "/objection", `{"objection": "我没有晕倒"}`},
	} {
		if got := c.by.Ask("POST", c.path, c.body); got.Status != 201 && got.Status != 200 {
			t.Fatalf("%s: %d %s", c.path, got.Status, got.Body)
		}
	}
	var requests httpkit.Page[struct{ ID uuid.UUID }]
	me.Ask("GET", "/api/v1/me/requests", "").Into(t, &requests)
	if got := w.hr.Ask("POST", "/api/v1/subject-requests/"+requests.Items[0].ID.String()+"/answer", `{"answer": "refused", "text": "请先提供证明", "basis": "地址须核实"}`); got.Status != 200 {
		t.Fatalf("answering: %d %s", got.Status, got.Body)
	}
	var c disclosures.OwnCopy
	got := me.Ask("POST", "/api/v1/me/copy", "", "Accept-Language", "zh-CN")
	got.Into(t, &c)
	if c.Site != "青浦工厂" || c.Status != models.StatusPendingDeparture || len(c.Departures) != 1 || c.Departures[0].Kind != models.KindResignation || len(c.Accounts) == 0 ||
		len(c.Requests) != 1 || c.Requests[0].Text != "搬到了衡山路2号" || c.Requests[0].Answer != "请先提供证明" || c.Requests[0].Basis != "地址须核实" ||
		len(c.Looks) != 1 || c.Looks[0].Objection != "我没有晕倒" || strings.Contains(string(got.Body), "别人的请求") {
		t.Errorf("the copy is %s", got.Body)
	}
	text := pdftest.Text(t, me.Ask("POST", "/api/v1/me/copy?format=pdf", "", "Accept-Language", "zh-CN").Body)
	for _, want := range []string{"青浦工厂", "待离职", "辞职", "搬到了衡山路2号", "请先提供证明", "地址须核实", "我没有晕倒", "其他系统中的账号"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestI18_TheOwnDataAsPages: what the JSON has, in the person's language, by the same rules and recorded the same way. Of
// what the fonts lack the code is there. Nothing of it describes the file, and ten years of looks are no book.
func TestI18_TheOwnDataAsPages(t *testing.T) {
	w := newWorld(t)
	w.attach(w.person, document(100))
	for range 3 {
		w.shown(w.hr, w.person)
	}
	w.Exec("UPDATE employees SET name = '𠮷田芳' WHERE id = ?", w.person)
	const address = "/api/v1/me/copy?format=pdf"
	nothingShown(t, "by a token", w.Ask(models.RoleEmployee, "POST", address, ""), 403, "session_required")
	nothingShown(t, "without having proved who it is", w.PlainSession(w.person, models.RoleEmployee).Ask("POST", address, ""), 403, "step_up_required")
	me := w.FreshSession(w.person, models.RoleEmployee)
	nothingShown(t, "in another format", me.Ask("POST", "/api/v1/me/copy?format=html", ""), 422, "validation_failed")
	if w.Count("ledger_content WHERE action = 'disclosure.own_copy'") != 0 {
		t.Error("what was refused is recorded as given out")
	}
	for language, words := range map[string][]string{
		"zh-CN": {"个人信息副本", "谁查阅过", "医疗紧急情况", "1 / "}, "en": {"Copy of personal data", "Who looked", "Receipt of the log", "1 / "},
	} {
		got := me.Ask("POST", address, "", "Accept-Language", language)
		if got.Status != 200 || got.Header.Get("Content-Type") != "application/pdf" || got.Header.Get("Cache-Control") != "no-store" ||
			!strings.HasPrefix(got.Header.Get("Content-Disposition"), `attachment; filename="own-data-20`) || strings.Contains(got.Header.Get("Content-Disposition"), "E") {
			t.Fatalf("%s: %d %v", language, got.Status, got.Header)
		}
		text, now := pdftest.Text(t, got.Body), w.Now().In(time.FixedZone("", 8*3600))
		for _, want := range append(words, idNumber, phone, "[U+20BB7]田芳", "王芳.pdf", "/receipt", "Asia/Shanghai", map[string]string{"zh-CN": now.Format("2006年1月2日"), "en": now.Format("2 Jan 2006")}[language]) {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", language, want, text)
			}
		}
		_, about, _ := strings.Cut(string(got.Body), "/Info <<")
		if about, _, _ = strings.Cut(about, ">>\n"); strings.Count(about, "/") != 2 || strings.Contains(about, "82B3") { // 芳
			t.Errorf("the file says of itself %s", about)
		}
	}
	w.WantEntries("disclosure.own_copy", 2)

	w.Exec(`INSERT INTO disclosures (id, employee_id, employment_id, actor_id, actor_role, fields, purpose, status, state, rule, flags, matter, statement_sealed,
			asked_at, shown_at, shown_times, open_until, pressed, compares, ledger_entry_id)
		SELECT gen_random_uuid(), employee_id, employment_id, actor_id, actor_role, fields, purpose, status, state, rule, flags, matter, statement_sealed,
			asked_at - n * interval '1 day', shown_at, shown_times, open_until, pressed, compares, @entry
		FROM (SELECT * FROM disclosures WHERE employee_id = ? LIMIT 1) d, generate_series(1, 1000) n`, w.person)
	got := me.Ask("POST", address, "", "Accept-Language", "zh-CN")
	if n := len(pdftest.Pages(t, got.Body)); got.Status != 200 || len(got.Body) > 200_000 || n > 20 {
		t.Errorf("a thousand looks: %d, %d bytes, %d pages", got.Status, len(got.Body), n)
	}
}

// TestI18_AnEmergencyThatWantsProofIsRecordedBeforeIt: who has to prove first who they are has tried to look; nothing is
// shown before, and no reviewer stands in between.
func TestI18_AnEmergencyThatWantsProofIsRecordedBeforeIt(t *testing.T) {
	w := newWorld(t)
	got := w.hr.Ask("POST", w.path(w.person), w.help().with("reason", "他欠我三万块钱不还，要他父母电话催一下").String())
	nothingShown(t, "a debt", got, 403, "disclosure_refused")
	stale := w.PlainSession(w.People[models.RoleHRAdmin], models.RoleHRAdmin)
	nothingShown(t, "an old session", stale.Ask("POST", w.path(w.person), w.help().String()), 403, "step_up_required")
	w.WantEntries("disclosure.proof_wanted", 1)
	nothingShown(t, "a token", w.Ask(models.RoleHRAdmin, "POST", w.path(w.person), w.help().String()), 403, "session_required")
	w.WantEntries("disclosure.proof_wanted", 2)
	if n := w.Count("disclosures WHERE state = 'shown'"); n != 0 {
		t.Errorf("%d were shown", n)
	}
	v, _ := w.shown(w.hr, w.person)
	if len(v.Judgement.Flags) == 0 || v.Judgement.ReviewDueAt == nil {
		t.Errorf("shown as %+v", v.Judgement)
	}
}
