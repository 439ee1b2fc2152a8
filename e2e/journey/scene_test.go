package journey

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/models"
	"lethe/sandbox/inbox"
)

// heard is what the scene reads of answers.
type heard struct {
	ID            string            `json:"id"`
	State         string            `json:"state"`
	Values        map[string]string `json:"values"`
	Notice        string            `json:"notice"`
	Receipt       string            `json:"receipt"`
	Code          string            `json:"code"`
	Rule          string            `json:"rule"`
	RuleText      string            `json:"rule_text"`
	MatterText    string            `json:"matter_text"`
	LedgerEntryID string            `json:"ledger_entry_id"`
	Reply         struct{ Zh, En string }
	Alternatives  []struct{ Text string }
	Targets       []struct{ ID string }
	Person        struct {
		Name   string `json:"name"`
		Number string `json:"employee_no"`
	} `json:"person"`
	Judgement *struct {
		Written struct{ Reason string }
	} `json:"judgement"`
	Items []struct {
		State       string         `json:"state"`
		PurposeText string         `json:"purpose_text"`
		Department  string         `json:"department"`
		Judgement   map[string]any `json:"judgement"`
		ID          string         `json:"id"`
		Action      string         `json:"action"`
		Rule        string         `json:"rule"`
	} `json:"items"`
	raw string
}

// ask makes a call, wants a status and reads the answer.
func (j *journey) ask(c *harness.Client, status int, method, path string, body any, headers ...string) (h heard) {
	j.Helper()
	a, err := c.Do(j.ctx, method, path, body, headers...)
	if err != nil {
		j.Fatal(err)
	}
	if a.Status != status {
		j.Fatalf("%s %s: %d, want %d: %s", method, path, a.Status, status, a.Body)
	}
	h.raw = string(a.Body)
	if err := json.Unmarshal(a.Body, &h); err != nil {
		j.Fatalf("%v: %s", err, a.Body)
	}
	return h
}

const (
	ofTheFile  = "13800000000" // what everybody's file has
	aDebt      = "他欠我三万块钱不还，要他父母电话催一下"
	aDebt2     = "He owes me 30,000 yuan and does not pay it back, I want his parents' number to collect the debt"
	anIllness  = "员工在车间晕倒，已送往第一医院抢救，需要通知家属"
	anIllness2 = "The employee collapsed at work and was taken to the hospital; the family must be told"
)

// emergency is a look for a medical emergency, whatever its text says.
func (j *journey) emergency(reason string) map[string]any {
	now, err := j.stack.Facts.Now(j.ctx)
	if err != nil {
		j.Fatal(err)
	}
	return map[string]any{
		"fields": []string{"emergency_contact_phone"}, "purpose": "medical_emergency", "reason": reason,
		"evidence":     map[string]string{"what": "晕倒", "when": now.Add(-time.Minute).Format(time.RFC3339), "reported_by": "车间主任"},
		"requested_by": map[string]string{"description": "自称债主的来电者"},
	}
}

// TestI18_I28_TheSceneEndToEnd: a creditor is refused, with something kind to say, in both languages; an emergency is
// answered within a second and reviewed; after the person has left a reviewer stands before it; after the purge there is
// nothing, and the log still says who wanted what, about a pseudonym. A message is passed on instead, by real mail.
func TestI18_I28_TheSceneEndToEnd(t *testing.T) {
	j := here(t, harness.Hire{Name: "陈思远", Jurisdiction: "CN", Fields: map[string]string{"emergency_contact_phone": ofTheFile, "personal_email": privately}})
	hr := j.newSession(t, models.RoleHRAdmin)
	auditor := j.stack.As(j.stack.Staff.Auditor)
	looks := "/api/v1/employees/" + j.person.EmployeeID.String() + "/disclosures"

	file := j.ask(hr, 200, "GET", "/api/v1/employees/"+j.person.EmployeeID.String(), nil, "Accept-Language", "zh")
	if !strings.Contains(file.raw, "仅限员工本人紧急情况联系使用") || strings.Contains(file.raw, ofTheFile) {
		t.Errorf("the file shows %s", file.raw)
	}
	j.refusedInBoth(hr, looks, "never_for_this")
	j.shownInBoth(hr, looks)

	token, err := j.stack.Token(j.ctx, j.person.EmployeeID, models.RoleEmployee)
	if err != nil {
		t.Fatal(err)
	}
	seen := j.ask(j.stack.As(token), 200, "GET", looks, nil, "Accept-Language", "zh")
	if len(seen.Items) != 4 || seen.Items[0].State != "shown" || seen.Items[3].State != "refused" || seen.Items[0].PurposeText == "" || seen.Items[0].Department == "" || seen.Items[0].Judgement != nil {
		t.Errorf("the subject sees %s", seen.raw)
	}
	log := j.ask(auditor, 200, "GET", "/api/v1/query-log?limit=50&employee_id="+j.person.EmployeeID.String(), nil, "Accept-Language", "en")
	actions := map[string]int{}
	for _, e := range log.Items {
		actions[e.Action]++
	}
	if actions["disclosure.shown"] != 2 || actions["disclosure.refused"] != 2 || strings.Contains(log.raw, ofTheFile) {
		t.Errorf("the log has %v: %s", actions, log.raw)
	}

	reviewer, err := j.stack.Reviewer(j.ctx)
	if err != nil {
		t.Fatal(err)
	}
	due := j.ask(reviewer, 200, "GET", "/api/v1/disclosures?review_due=true&employee_id="+j.person.EmployeeID.String(), nil)
	if len(due.Items) != 2 {
		t.Fatalf("to be reviewed: %s", due.raw)
	}
	for _, look := range due.Items {
		j.ask(reviewer, 200, "POST", "/api/v1/disclosures/"+look.ID+"/review", map[string]any{"review": "proper"})
		j.ask(hr, 200, "POST", "/api/v1/disclosures/"+look.ID+"/outcome", map[string]any{"outcome": "family_contacted"})
	}
	own, err := j.stack.SessionOf(j.ctx, j.person.EmployeeID, models.RoleEmployee)
	if err != nil {
		t.Fatal(err)
	}
	j.ask(j.stack.As(token), 403, "POST", "/api/v1/consents", map[string]any{
		"policy_version": 1, "answers": []map[string]any{{"purpose": "message_passing", "agreed": true}},
	})
	j.ask(own, 200, "POST", "/api/v1/consents", map[string]any{
		"policy_version": 1, "answers": []map[string]any{{"purpose": "message_passing", "agreed": true}},
	})
	j.afterLeaving(hr, looks)
	j.passedOn(hr)
}

// inboxOfLeavers is the mail server that the shared stack knows.
var inboxOfLeavers inbox.Inbox

// takeMail starts it, and says how processes reach it.
func takeMail() (map[string]string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for mail: %w", err)
	}
	go func() { _ = inboxOfLeavers.Serve(context.Background(), l, nil) }() // until the process ends
	return map[string]string{
		"SMTP_HOST": "127.0.0.1", "SMTP_PORT": strconv.Itoa(l.Addr().(*net.TCPAddr).Port), "SMTP_ENCRYPTION": "none", "SMTP_FROM": "hr@company.example",
	}, nil
}

// privately is where the leaver reads mail.
const privately = "chen.siyuan@private.example"

// passedOn has a message passed on by real mail, once, whose address is nowhere else.
func (j *journey) passedOn(hr *harness.Client) {
	j.Helper()
	asked := j.ask(hr, 202, "POST", "/api/v1/employees/"+j.person.EmployeeID.String()+"/messages", map[string]any{}, "Idempotency-Key", "one message")
	again := j.ask(hr, 202, "POST", "/api/v1/employees/"+j.person.EmployeeID.String()+"/messages", map[string]any{}, "Idempotency-Key", "one message")
	if asked.ID != again.ID || strings.Contains(asked.raw, privately) {
		j.Errorf("asked for as %s, then %s", asked.raw, again.raw)
	}
	var got []inbox.Mail
	for began := time.Now(); len(got) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			j.Fatalf("no mail came: %s", j.ask(hr, 200, "GET", "/api/v1/messages/"+asked.ID, nil).raw)
		}
		got = inboxOfLeavers.Mails()
	}
	if len(got) != 1 || len(got[0].To) != 1 || got[0].To[0] != privately {
		j.Errorf("mails came: %+v", got)
	}
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		seen := j.ask(hr, 200, "GET", "/api/v1/messages/"+asked.ID, nil)
		if strings.Contains(seen.raw, privately) {
			j.Fatalf("the address is shown: %s", seen.raw)
		}
		if strings.Contains(seen.raw, `"sent"`) {
			break
		}
		if time.Since(began) > 30*time.Second {
			j.Fatalf("it came, and is %s", seen.raw)
		}
	}
	log := j.ask(j.stack.As(j.stack.Staff.Auditor), 200, "GET", "/api/v1/query-log?limit=50&employee_id="+j.person.EmployeeID.String(), nil)
	if !strings.Contains(log.raw, "message.sent") || strings.Contains(log.raw, privately) {
		j.Errorf("the log has %s", log.raw)
	}
}

// newSession is somebody of the staff at a browser, who has just proved who they are.
func (j *journey) newSession(t *testing.T, role models.Role) *harness.Client {
	t.Helper()
	c, err := j.stack.SessionOf(j.ctx, on(t, j.stack, harness.Hire{}).person.EmployeeID, role)
	if err != nil {
		j.Fatal(err)
	}
	return c
}

// refusedInBoth asks for a creditor, in both languages.
func (j *journey) refusedInBoth(hr *harness.Client, looks, rule string) {
	j.Helper()
	for language, text := range map[string]string{"zh": aDebt, "en": aDebt2} {
		h := j.ask(hr, 403, "POST", looks, j.emergency(text), "Accept-Language", language)
		if h.Code != "disclosure_refused" || h.Rule != rule || h.Receipt == "" || strings.Contains(h.raw, ofTheFile) {
			j.Errorf("%s: %s", language, h.raw)
		}
		if h.Reply.Zh == "" || h.Reply.En == "" || len(h.Alternatives) == 0 || h.MatterText != map[string]string{"zh": "私人债务", "en": h.MatterText}[language] {
			j.Errorf("%s: nothing kind is said: %s", language, h.raw)
		}
	}
}

// shownInBoth asks in an emergency, in both languages, and is answered within a second.
func (j *journey) shownInBoth(hr *harness.Client, looks string) {
	j.Helper()
	notices := map[string]string{"zh": "仅限员工本人紧急情况联系使用", "en": "Only for the employee's own emergencies"}
	var quickest time.Duration
	for language, text := range map[string]string{"zh": anIllness, "en": anIllness2} {
		began := time.Now()
		h := j.ask(hr, 200, "POST", looks, j.emergency(text), "Accept-Language", language)
		if took := time.Since(began); quickest == 0 || took < quickest {
			quickest = took
		}
		if h.Values["emergency_contact_phone"] != ofTheFile || !strings.Contains(h.Notice, notices[language]) || h.Receipt == "" || h.LedgerEntryID == "" {
			j.Errorf("%s: %s", language, h.raw)
		}
	}
	if j.Logf("an emergency is answered in %s", quickest); quickest > time.Second {
		j.Errorf("an emergency is answered in %s", quickest)
	}
}

// afterLeaving has a reviewer stand before an emergency, and a creditor refused as before.
func (j *journey) afterLeaving(hr *harness.Client, looks string) {
	j.Helper()
	j.until(j.depart(immediately), 60*time.Second, "departed", func(d harness.Departure) bool { return d.Stage == "departed" })
	j.refusedInBoth(hr, looks, "never_for_this")
	asked := j.ask(hr, 202, "POST", looks, j.emergency(anIllness))
	if strings.Contains(asked.raw, ofTheFile) {
		j.Errorf("waiting: %s", asked.raw)
	}
	opening := "/api/v1/disclosures/" + asked.Targets[0].ID + "/opening"
	j.ask(hr, 409, "POST", opening, nil)
	reviewer, err := j.stack.Reviewer(j.ctx)
	if err != nil {
		j.Fatal(err)
	}
	if err := reviewer.Decide(j.ctx, "/api/v1/approvals/"+asked.ID, models.DecisionApproved); err != nil {
		j.Fatal(err)
	}
	if h := j.ask(hr, 200, "POST", opening, nil); h.Values["emergency_contact_phone"] != ofTheFile {
		j.Errorf("agreed to: %s", h.raw)
	}
}

// TestI25_AfterThePurgeALookFindsNothing, and an auditor still reads why somebody looked, at a pseudonym.
func TestI25_AfterThePurgeALookFindsNothing(t *testing.T) {
	j := here(t, harness.Hire{Name: "林晚舟"})
	hr := j.newSession(t, models.RoleHRAdmin)
	looks := "/api/v1/employees/" + j.person.EmployeeID.String() + "/disclosures"
	look := j.ask(hr, 200, "POST", looks, j.emergency(anIllness))
	j.untilPurged(j.depart(immediately))
	for _, language := range []string{"zh", "en"} {
		gone := j.ask(hr, 403, "POST", looks, j.emergency(anIllness), "Accept-Language", language)
		if gone.Rule != "category_destroyed" || gone.RuleText == "" || strings.Contains(gone.raw, ofTheFile) {
			t.Errorf("after the purge: %s", gone.raw)
		}
	}
	again := j.ask(hr, 409, "POST", "/api/v1/disclosures/"+look.ID+"/opening", nil)
	if strings.Contains(again.raw, ofTheFile) {
		t.Errorf("shown again: %s", again.raw)
	}
	read := j.ask(j.stack.As(j.stack.Staff.Auditor), 200, "GET", "/api/v1/disclosures/"+look.ID, nil)
	if read.Judgement == nil || read.Judgement.Written.Reason != anIllness || read.Person.Name == "" || strings.Contains(read.raw, "林晚舟") || strings.Contains(read.raw, j.person.No+`"`) {
		t.Errorf("the auditor reads %s", read.raw)
	}
}
