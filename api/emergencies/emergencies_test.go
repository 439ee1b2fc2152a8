package emergencies_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/disclosures"
	"lethe/api/emergencies"
	"lethe/api/httpkit"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/duty"
	"lethe/internal/message"
	"lethe/models"
	"lethe/sandbox/inbox"
)

const (
	shifts = "/api/v1/duty-shifts"
	calls  = "/api/v1/emergency-calls"
)

// office is the API with HR people and a mail server.
type office struct {
	*apitest.Fixture
	inbox *inbox.Inbox
	smtp  message.SMTP
}

func newOffice(t *testing.T) *office {
	o := &office{Fixture: apitest.New(t), inbox: &inbox.Inbox{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.inbox.Serve(ctx, l, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	o.smtp = message.SMTP{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Encryption: message.Plain, From: "hr@company.example", Timeout: 5 * time.Second}
	return o
}

// hr is an HR administrator with a duty phone in the file, or without.
func (o *office) hr(no, phone string) uuid.UUID {
	o.T.Helper()
	id := o.Hire(no, o.B)
	o.Token(id, models.RoleHRAdmin)
	o.PlainSession(id, models.RoleHRAdmin)
	if phone != "" {
		mail := strings.ToLower(no) + "@duty.example"
		o.Run(func(tx *database.Tx) error {
			return archive.Update(tx, o.Vault, id, archive.Patch{Fields: map[string]*string{"duty_phone": &phone, "duty_email": &mail}})
		})
	}
	return id
}

func (o *office) plan(id uuid.UUID, rest string) apitest.Reply {
	o.T.Helper()
	return o.Ask(models.RoleHRAdmin, "POST", shifts, `{"employee_id": "`+id.String()+`", "time_zone": "Asia/Shanghai", `+rest+`}`, "Accept-Language", "zh")
}

// always puts somebody on duty around the clock from today on.
func (o *office) always(id uuid.UUID) (p emergencies.DutyPlan) {
	o.T.Helper()
	got := o.plan(id, `"date": "`+o.Day(0)+`", "start": "00:00", "end": "00:00", "every_days": 1, "times": 5`)
	if got.Into(o.T, &p); got.Status != 201 || len(p.Shifts) != 5 {
		o.T.Fatalf("planned: %d %s", got.Status, got.Body)
	}
	return p
}

func (o *office) call(role models.Role, body string, headers ...string) (a emergencies.EmergencyAnswer) {
	o.T.Helper()
	got := o.Ask(role, "POST", calls, body, headers...)
	if got.Into(o.T, &a); got.Status != 201 {
		o.T.Fatalf("called: %d %s", got.Status, got.Body)
	}
	return a
}

func numbers(all []emergencies.Reached) (n []string) {
	for _, r := range all {
		n = append(n, r.Phone)
	}
	return n
}

func (o *office) round() {
	o.T.Helper()
	d := &message.Deliverer{DB: o.API.DB, Vault: o.Vault, Server: o.smtp, Log: slog.New(slog.NewTextHandler(o.Log, nil))}
	if err := d.Round(o.T.Context()); err != nil {
		o.T.Fatal(err)
	}
}

func (o *office) sweep(want int) {
	o.T.Helper()
	if n, err := duty.Sweep(o.T.Context(), o.API.DB, true); err != nil || n != want {
		o.T.Errorf("%d calls changed, %v; want %d", n, err, want)
	}
}

const guard = `{"who": "工号 8023，男，躺在 3 号门外", "what": "没有意识"}`

// TestI18_TheNightShift: a guard calls, is given who is on duty, with the number; that person is told by mail without the
// matter, takes the call, looks and closes it. What was said and the number are nowhere in clear.
func TestI18_TheNightShift(t *testing.T) {
	o := newOffice(t)
	ann := o.hr("ANN", "+8613800138001")
	o.hr("BEA", "+8613800138002")
	o.always(ann)
	token, _ := o.Token(o.Hire("GUARD", o.A), models.RoleEmployee)
	a := o.call("", guard, "Authorization", "Bearer "+token, "Idempotency-Key", "once", "Accept-Language", "zh")
	if diff := cmp.Diff([]string{"+8613800138001"}, numbers(a.CallNow)); diff != "" || len(a.Others) != 0 || a.CallNow[0].Person.Name != "Person ANN" || a.CallNow[0].Until == nil {
		t.Errorf("%+v %s", a, diff)
	}
	if !strings.Contains(a.PublicNumbers, "120") || !strings.Contains(a.Advice, "值班") || a.Receipt == "" || a.State != models.EmergencyOpen {
		t.Errorf("%+v", a)
	}
	again := o.call("", guard, "Authorization", "Bearer "+token, "Idempotency-Key", "once")
	if again.ID != a.ID || len(again.CallNow) != 1 || again.Receipt != "" {
		t.Errorf("repeated: %+v", again)
	}
	o.WantEntries("emergency_call.made", 1)
	o.WantEntries("emergency_call.number_shown", 2)
	o.round()
	o.round()
	mails := o.inbox.Mails()
	if len(mails) != 1 || mails[0].To[0] != "ann@duty.example" || strings.Contains(mails[0].Text, "号门外") {
		t.Errorf("mails: %+v", mails)
	}
	var kept string
	o.Run(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Raw(`SELECT (SELECT string_agg(m::text, ' ') FROM emergency_calls m) || (SELECT string_agg(m::text, ' ') FROM messages m) || (SELECT string_agg(l::text, ' ') FROM ledger_content l)`).Row().Scan(&kept))
	})
	for _, secret := range []string{"没有意识", "号门外", "13800138001", "ann@duty"} {
		if strings.Contains(kept+o.Log.String(), secret) {
			t.Errorf("%s lies in clear", secret)
		}
	}
	at := calls + "/" + a.ID.String()
	hr := o.PlainSession(ann, models.RoleHRAdmin)
	var page httpkit.Page[emergencies.EmergencyCall]
	if hr.Ask("GET", calls+"?waiting=true", "").Into(t, &page); len(page.Items) != 1 || page.Items[0].What != "" {
		t.Errorf("waiting: %+v", page)
	}
	var c emergencies.EmergencyCall
	if hr.Ask("GET", at, "").Into(t, &c); c.What != "没有意识" || !strings.Contains(c.Who, "8023") {
		t.Errorf("read: %+v", c)
	}
	o.WantEntries("emergency_call.read", 1)
	if got := hr.Ask("POST", at+"/closing", `{"outcome": "handled"}`); got.Problem.Code != "emergency_not_taken" {
		t.Errorf("closed before: %d %s", got.Status, got.Body)
	}
	for range 2 {
		if got := hr.Ask("POST", at+"/taking", ""); got.Status != 200 {
			t.Errorf("taken: %d %s", got.Status, got.Body)
		}
	}
	o.WantEntries("emergency_call.taken", 1)
	if got := o.Ask(models.RoleHRAdmin, "POST", at+"/taking", ""); got.Problem.Code != "emergency_taken" {
		t.Errorf("by another: %d %s", got.Status, got.Body)
	}
	if got := o.Ask("", "GET", at, "", "Authorization", "Bearer "+token); got.Status != 200 || !strings.Contains(string(got.Body), "Person ANN") {
		t.Errorf("the caller sees %s", got.Body)
	}
	for range 2 {
		if got := hr.Ask("POST", at+"/closing", `{"outcome": "handled", "note": "已送医"}`); got.Status != 200 {
			t.Errorf("closed: %d %s", got.Status, got.Body)
		}
	}
	if got := hr.Ask("POST", at+"/closing", `{"outcome": "false_alarm"}`); got.Problem.Code != "emergency_closed" {
		t.Errorf("closed otherwise: %d %s", got.Status, got.Body)
	}
	o.WantEntries("emergency_call.closed", 1)
	if got := o.Ask("", "GET", at, "", "Authorization", "Bearer "+token); strings.Contains(string(got.Body), "closing") || strings.Contains(string(got.Body), "已送医") {
		t.Errorf("the caller sees %s", got.Body)
	}
}

// TestNobodyOnDutyIsNeverAnEmptyAnswer: others are named, those with a number first; who has left, was disabled, lost the
// role or has no number is not on duty, whatever the rota says.
func TestNobodyOnDutyIsNeverAnEmptyAnswer(t *testing.T) {
	o := newOffice(t)
	a := o.call(models.RoleEmployee, guard)
	if len(a.CallNow) != 0 || len(a.Others) == 0 || a.Others[0].Person == nil || a.Others[0].Phone != "" || a.OnDuty == nil {
		t.Errorf("without any number: %+v", a)
	}
	ann, bea, cy, dan := o.hr("ANN", "+8613800138001"), o.hr("BEA", "+8613800138002"), o.hr("CY", "+8613800138003"), o.hr("DAN", "+8613800138004")
	if a = o.call(models.RoleEmployee, guard); len(a.CallNow) != 0 || len(a.Others) != 4 {
		t.Errorf("nobody on duty: %+v", a)
	}
	for _, id := range []uuid.UUID{ann, bea, cy, dan} {
		o.always(id)
	}
	if a = o.call(models.RoleEmployee, guard); len(a.CallNow) != 4 || len(a.Others) != 0 {
		t.Errorf("four on duty: %+v", a)
	}
	if err := databasetest.Unguarded(o.Env.Facts, "employees", "employees_status", "UPDATE employees SET status = 'departed' WHERE id = '"+ann.String()+"'"); err != nil {
		t.Fatal(err)
	}
	o.Exec("UPDATE users SET state = 'disabled', access_ended_at = lethe_now(), ledger_entry_id = @entry WHERE employee_id = @id", map[string]any{"id": bea})
	o.Run(func(tx *database.Tx) error {
		return archive.Update(tx, o.Vault, cy, archive.Patch{Fields: map[string]*string{"duty_phone": nil}})
	})
	if a = o.call(models.RoleEmployee, guard); cmp.Diff([]string{"+8613800138004"}, numbers(a.CallNow)) != "" {
		t.Errorf("one is left: %+v", a)
	}
	var page httpkit.Page[emergencies.DutyShift]
	o.Ask(models.RoleReviewer, "GET", shifts, "").Into(t, &page)
	gaps := map[uuid.UUID]models.DutyGap{}
	for _, s := range page.Items {
		gaps[s.EmployeeID] = s.Gap
	}
	if diff := cmp.Diff(map[uuid.UUID]models.DutyGap{ann: models.GapLeft, bea: models.GapNoAccess, cy: models.GapNoNumber, dan: ""}, gaps); diff != "" {
		t.Error(diff)
	}
	o.Exec("UPDATE user_roles SET revoked_at = lethe_now(), ledger_entry_id = @entry WHERE user_id IN (SELECT id FROM users WHERE employee_id = @id)", map[string]any{"id": dan})
	if a = o.call(models.RoleEmployee, guard); len(a.CallNow) != 0 || len(a.Others) == 0 || slices.Contains(numbers(a.Others), "+8613800138004") {
		t.Errorf("nobody is left: %+v", a)
	}
	if got := o.plan(bea, `"date": "`+o.Day(9)+`", "start": "08:00", "end": "09:00"`); got.Problem.Code != "duty_cannot" || got.Problem.RuleText == "" {
		t.Errorf("who was disabled is put on duty: %d %s", got.Status, got.Body)
	}
}

// TestI27_AboutWhom: whom the caller may not know of, whose data is deleted and nobody get one answer; a described
// person always goes.
func TestI27_AboutWhom(t *testing.T) {
	o := newOffice(t)
	about := func(id uuid.UUID) string { return `{"employee_id": "` + id.String() + `", "what": "晕倒"}` }
	colleague, other, gone := o.Hire("E1", o.A), o.Hire("E2", o.B), o.Hire("E3", o.A)
	if a := o.call(models.RoleEmployee, about(colleague)); a.Person == nil || a.Person.Name != "Person E1" {
		t.Errorf("%+v", a)
	}
	o.call(models.RoleDepartmentHead, about(colleague))
	o.call(models.RoleITOps, about(other))
	if err := databasetest.Unguarded(o.Env.Facts, "employees", "employees_status", "UPDATE employees SET status = 'purged' WHERE id = '"+gone.String()+"'"); err != nil {
		t.Fatal(err)
	}
	want := o.Ask(models.RoleEmployee, "POST", calls, about(uuid.New()), "Accept-Language", "zh")
	for what, id := range map[string]uuid.UUID{"another department": other, "deleted": gone} {
		got := o.Ask(models.RoleEmployee, "POST", calls, about(id), "Accept-Language", "zh")
		if without(got) != without(want) {
			t.Errorf("%s: %d %s, not %d %s", what, got.Status, got.Body, want.Status, want.Body)
		}
	}
	for _, body := range []string{`{"what": "x"}`, `{"who": "x", "what": " "}`, `{"who": "a", "employee_id": "` + colleague.String() + `", "what": "x"}`} {
		if got := o.Ask(models.RoleEmployee, "POST", calls, body); got.Status != 422 {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
	// Somebody else's call is nobody's to read, and HR reads none about itself.
	own := o.call(models.RoleEmployee, guard)
	mine := o.call(models.RoleReviewer, about(o.People[models.RoleHRAdmin]))
	for role, id := range map[models.Role]uuid.UUID{models.RoleDepartmentHead: own.ID, models.RoleITOps: own.ID, models.RoleHRAdmin: mine.ID} {
		if got := o.Ask(role, "GET", calls+"/"+id.String(), ""); got.Status != 404 {
			t.Errorf("%s reads it: %d %s", role, got.Status, got.Body)
		}
	}
	if got := o.Ask(models.RoleHRAdmin, "POST", calls+"/"+mine.ID.String()+"/taking", ""); got.Problem.Code != "own_matter" {
		t.Errorf("HR takes the own emergency: %d %s", got.Status, got.Body)
	}
	var page httpkit.Page[emergencies.EmergencyCall]
	if o.Ask(models.RoleHRAdmin, "GET", calls, "").Into(t, &page); slices.ContainsFunc(page.Items, func(c emergencies.EmergencyCall) bool { return c.ID == mine.ID }) || len(page.Items) != 4 {
		t.Errorf("HR lists %d", len(page.Items))
	}
}

// without is an answer without the id of its request.
func without(r apitest.Reply) string {
	before, _, _ := strings.Cut(string(r.Body), `,"request_id"`)
	return strconv.Itoa(r.Status) + before
}

// TestCallsAreCounted: six within an hour, however many at once; the seventh is told what to do.
func TestCallsAreCounted(t *testing.T) {
	o := newOffice(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	for range 9 {
		wg.Go(func() {
			got := o.Ask(models.RoleEmployee, "POST", calls, guard)
			mu.Lock()
			defer mu.Unlock()
			counts[got.Status]++
		})
	}
	wg.Wait()
	if diff := cmp.Diff(map[int]int{201: 6, 429: 3}, counts); diff != "" {
		t.Error(diff)
	}
	o.call(models.RoleDepartmentHead, guard)
	o.Env.Advance(t, time.Hour)
	o.call(models.RoleEmployee, guard)
}

// TestI32_ACallHasALivingHolder: one that nobody takes is told to all of HR, once; one whose holder was disabled waits again.
func TestI32_ACallHasALivingHolder(t *testing.T) {
	o := newOffice(t)
	ann, bea := o.hr("ANN", "+8613800138001"), o.hr("BEA", "+8613800138002")
	o.always(ann)
	a := o.call(models.RoleEmployee, guard)
	o.round()
	o.Env.Advance(t, 9*time.Minute)
	o.sweep(0)
	o.Env.Advance(t, time.Minute)
	o.sweep(1)
	o.sweep(0)
	o.round()
	to := []string{}
	for _, m := range o.inbox.Mails() {
		to = append(to, m.To[0])
	}
	if diff := cmp.Diff([]string{"ann@duty.example", "bea@duty.example"}, to); diff != "" {
		t.Error(diff)
	}
	at := calls + "/" + a.ID.String()
	if got := o.PlainSession(bea, models.RoleHRAdmin).Ask("POST", at+"/taking", ""); got.Status != 200 {
		t.Fatalf("taken: %d %s", got.Status, got.Body)
	}
	o.sweep(0)
	o.Exec("UPDATE users SET state = 'disabled', access_ended_at = lethe_now(), ledger_entry_id = @entry WHERE employee_id = @id", map[string]any{"id": bea})
	o.sweep(1)
	var c emergencies.EmergencyCall
	if o.Ask(models.RoleHRAdmin, "GET", at, "").Into(t, &c); c.State != models.EmergencyOpen || c.TakenBy != nil || c.Escalated == nil {
		t.Errorf("%+v", c)
	}
	o.WantEntries("emergency_call.given_back", 1)
	o.WantEntries("emergency_call.escalated", 1)
}

// TestAMailIsNotSentOnceSomebodyTookTheCall, nor to the caller.
func TestAMailIsNotSentOnceSomebodyTookTheCall(t *testing.T) {
	o := newOffice(t)
	ann := o.hr("ANN", "+8613800138001")
	o.always(ann)
	hr := o.PlainSession(ann, models.RoleHRAdmin)
	a := o.call(models.RoleEmployee, guard)
	hr.Ask("POST", calls+"/"+a.ID.String()+"/taking", "")
	if got := hr.Ask("POST", calls, guard); got.Status != 201 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	o.round()
	if n := len(o.inbox.Mails()); n != 0 {
		t.Errorf("%d mails", n)
	}
	o.WantEntries("emergency_alert.ended", 1)
	if got := o.Ask(models.RoleHRAdmin, "GET", "/api/v1/messages", ""); strings.Contains(string(got.Body), `"id"`) {
		t.Errorf("among messages to leavers: %s", got.Body)
	}
}

// TestTheLookOfACall: it is of the person, shown, and not before the call.
func TestTheLookOfACall(t *testing.T) {
	o := newOffice(t)
	person := o.Hire("E1", o.A)
	phone := "+8613900139001"
	for _, id := range []uuid.UUID{person, o.Hire("E2", o.A)} {
		o.Run(func(tx *database.Tx) error {
			return archive.Update(tx, o.Vault, id, archive.Patch{Fields: map[string]*string{"emergency_contact_phone": &phone}})
		})
	}
	look := func(id uuid.UUID) uuid.UUID {
		t.Helper()
		var l disclosures.LookAnswer
		now := time.Now().UTC().Format(time.RFC3339)
		got := o.Ask(models.RoleHRAdmin, "POST", "/api/v1/employees/"+id.String()+"/disclosures", `{"fields": ["emergency_contact_phone"], "purpose": "medical_emergency",
			"reason": "员工在车间晕倒，已送医，需要通知家属", "evidence": {"what": "晕倒", "when": "`+now+`", "reported_by": "门卫"}}`)
		if got.Into(t, &l); got.Status != 200 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		return l.ID
	}
	before := look(person)
	a := o.call(models.RoleDepartmentHead, `{"employee_id": "`+person.String()+`", "what": "晕倒"}`)
	at := calls + "/" + a.ID.String()
	o.Ask(models.RoleHRAdmin, "POST", at+"/taking", "")
	elsewhere, right := look(o.People[models.RoleEmployee]), look(person)
	for what, id := range map[string]uuid.UUID{"before": before, "of another": elsewhere, "none": uuid.New()} {
		if got := o.Ask(models.RoleHRAdmin, "POST", at+"/closing", `{"outcome": "looked", "disclosure_id": "`+id.String()+`"}`); got.Status != 422 {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
	for body, code := range map[string]string{`{"outcome": "looked"}`: "required", `{"outcome": "handled", "disclosure_id": "` + right.String() + `"}`: "only_with_look"} {
		if got := o.Ask(models.RoleHRAdmin, "POST", at+"/closing", body); got.Status != 422 || got.Problem.Errors[0].Code != code {
			t.Errorf("%s: %d %s", body, got.Status, got.Body)
		}
	}
	var c emergencies.EmergencyCall
	if o.Ask(models.RoleHRAdmin, "POST", at+"/closing", `{"outcome": "looked", "disclosure_id": "`+right.String()+`"}`).Into(t, &c); c.Closing == nil || *c.Closing.DisclosureID != right {
		t.Errorf("%+v", c)
	}
}

// TestTheLookOfACallInWords: whom it is about only the words say; the look is one for an emergency, by who looks after it.
func TestTheLookOfACallInWords(t *testing.T) {
	o := newOffice(t)
	person := o.Hire("E1", o.A)
	phone := "+8613900139001"
	o.Run(func(tx *database.Tx) error {
		return archive.Update(tx, o.Vault, person, archive.Patch{Fields: map[string]*string{"emergency_contact_phone": &phone}})
	})
	a := o.call(models.RoleDepartmentHead, `{"who": "新来的门卫", "what": "晕倒"}`)
	at := calls + "/" + a.ID.String()
	colleague := o.FreshSession(o.Hire("HR2", o.A), models.RoleHRAdmin)
	o.Ask(models.RoleHRAdmin, "POST", at+"/taking", "")
	look := func(ask func(method, path, body string, headers ...string) apitest.Reply) uuid.UUID {
		t.Helper()
		var l disclosures.LookAnswer
		now := time.Now().UTC().Format(time.RFC3339)
		got := ask("POST", "/api/v1/employees/"+person.String()+"/disclosures", `{"fields": ["emergency_contact_phone"], "purpose": "medical_emergency",
			"reason": "员工在车间晕倒，已送医，需要通知家属", "evidence": {"what": "晕倒", "when": "`+now+`", "reported_by": "门卫"}}`)
		if got.Into(t, &l); got.Status != 200 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		return l.ID
	}
	others := look(colleague.Ask)
	own := look(func(method, path, body string, headers ...string) apitest.Reply {
		return o.Ask(models.RoleHRAdmin, method, path, body, headers...)
	})
	if got := o.Ask(models.RoleHRAdmin, "POST", at+"/closing", `{"outcome": "looked", "disclosure_id": "`+others.String()+`"}`); got.Status != 422 {
		t.Errorf("a look by somebody else: %d %s", got.Status, got.Body)
	}
	if got := o.Ask(models.RoleHRAdmin, "POST", at+"/closing", `{"outcome": "looked", "disclosure_id": "`+own.String()+`"}`); got.Status != 200 {
		t.Errorf("the own look: %d %s", got.Status, got.Body)
	}
}

// TestTheRota: by the clocks of a zone, over midnight and over the change of clocks; no person twice at a time.
func TestTheRota(t *testing.T) {
	o := newOffice(t)
	ann := o.hr("ANN", "+8613800138001")
	var p emergencies.DutyPlan
	night := `{"employee_id": "` + ann.String() + `", "time_zone": "Europe/Berlin", "date": "2027-03-27", "start": "18:00", "end": "06:00", "every_days": 7, "times": 2}`
	if got := o.Ask(models.RoleHRAdmin, "POST", shifts, night, "Idempotency-Key", "night"); got.Status != 201 {
		t.Fatalf("%d %s", got.Status, got.Body)
	} else {
		got.Into(t, &p)
	}
	if got := o.Ask(models.RoleHRAdmin, "POST", shifts, night, "Idempotency-Key", "night"); got.Status != 201 || o.Count("duty_shifts") != 2 {
		t.Errorf("repeated: %d %s", got.Status, got.Body)
	}
	var lengths []time.Duration
	for _, s := range p.Shifts {
		lengths = append(lengths, s.EndsAt.Sub(s.StartsAt))
	}
	if diff := cmp.Diff([]time.Duration{11 * time.Hour, 12 * time.Hour}, lengths); diff != "" || p.Shifts[0].LocalStart != "2027-03-27 18:00" || p.Shifts[0].LocalEnd != "2027-03-28 06:00" {
		t.Errorf("%+v %s", p, diff)
	}
	if got := o.Ask(models.RoleHRAdmin, "POST", shifts, night); got.Problem.Code != "duty_overlaps" {
		t.Errorf("twice: %d %s", got.Status, got.Body)
	}
	for what, rest := range map[string]string{
		"over":    `"date": "2020-01-01", "start": "00:00", "end": "08:00"`,
		"too far": `"date": "2099-01-01", "start": "00:00", "end": "08:00"`,
		"no time": `"date": "2027-05-01", "start": "29:00", "end": "08:00"`,
	} {
		if got := o.plan(ann, rest); got.Status != 422 {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
	if got := o.Ask(models.RoleHRAdmin, "POST", shifts, strings.Replace(night, "Europe/Berlin", "Mars/Olympus", 1)); got.Status != 422 {
		t.Errorf("no zone: %d %s", got.Status, got.Body)
	}
	if got := o.plan(uuid.New(), `"date": "2027-05-01", "start": "00:00", "end": "08:00"`); got.Problem.Code != "employee_not_found" {
		t.Errorf("nobody: %d %s", got.Status, got.Body)
	}
	at := shifts + "/" + p.Shifts[0].ID.String()
	for range 2 {
		if got := o.Ask(models.RoleHRAdmin, "POST", at+"/removal", ""); got.Status != 200 {
			t.Errorf("removed: %d %s", got.Status, got.Body)
		}
	}
	o.WantEntries("duty.removed", 1)
	o.WantEntries("duty.planned", 1)
	var page httpkit.Page[emergencies.DutyShift]
	if o.Ask(models.RoleHRAdmin, "GET", shifts, "").Into(t, &page); len(page.Items) != 1 || page.Items[0].ID != p.Shifts[1].ID {
		t.Errorf("%+v", page)
	}
	// What was taken out in the middle of a shift does not count from then on.
	now := o.always(ann)
	if a := o.call(models.RoleEmployee, guard); len(a.CallNow) != 1 {
		t.Errorf("%+v", a)
	}
	for _, s := range now.Shifts {
		o.Ask(models.RoleHRAdmin, "POST", shifts+"/"+s.ID.String()+"/removal", "")
	}
	if a := o.call(models.RoleEmployee, guard); len(a.CallNow) != 0 {
		t.Errorf("%+v", a)
	}
	o.always(o.hr("BEA", "+8613800138002"))
	ids := map[uuid.UUID]bool{}
	cursor := ""
	for range 9 {
		var page httpkit.Page[emergencies.DutyShift]
		o.Ask(models.RoleHRAdmin, "GET", shifts+"?limit=1&from=2020-01-01T00:00:00Z"+cursor, "").Into(t, &page)
		for _, s := range page.Items {
			ids[s.ID] = true
		}
		if page.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + *page.NextCursor
	}
	if len(ids) != 6 {
		t.Errorf("%d shifts by pages", len(ids))
	}
}

// TestANumberOfTheRotaIsNoMatterOfALook: an emergency call names it, and nothing else does.
func TestANumberOfTheRotaIsNoMatterOfALook(t *testing.T) {
	o := newOffice(t)
	id := o.hr("H9", "+86 138 0013 8000")
	got := o.Ask(models.RoleHRAdmin, "POST", "/api/v1/employees/"+id.String()+"/disclosures", `{"fields": ["duty_phone"], "purpose": "medical_emergency",
		"reason": "Collapsed at the press, the family must be told", "evidence": {"what": "collapsed", "when": "`+time.Now().UTC().Format(time.RFC3339)+`", "reported_by": "shift lead"}}`)
	if got.Status != 403 || got.Problem.Rule != "purpose_not_for_field" || strings.Contains(string(got.Body), "8000") {
		t.Errorf("a look: %d %s", got.Status, got.Body)
	}
}

// TestHRFollowsTheCalls: who of HR is logged in hears of a call at once, and that somebody looks after it; nobody else does,
// nor HR of its own emergency.
func TestHRFollowsTheCalls(t *testing.T) {
	o := newOffice(t)
	o.hr("HR-2", "+86 139 0000 0002")
	for _, role := range []models.Role{models.RoleEmployee, models.RoleReviewer, models.RoleITOps} {
		if got := o.Ask(role, "GET", calls+"/events", ""); got.Status != 403 {
			t.Errorf("%s follows the calls: %d", role, got.Status)
		}
	}
	about := func(e apitest.Event) (ids []uuid.UUID) {
		var page httpkit.Page[emergencies.EmergencyCall]
		if err := json.Unmarshal([]byte(e.Data), &page); err != nil || strings.Contains(e.Data, "unconscious") {
			t.Fatalf("%v: %s", err, e.Data)
		}
		for _, c := range page.Items {
			ids = append(ids, c.ID)
		}
		return ids
	}
	events := o.Follow(models.RoleHRAdmin, calls, "")
	if first := o.Next(events); first.Kind != "snapshot" || len(about(first)) != 0 {
		t.Errorf("it begins with %s %s", first.Kind, first.Data)
	}
	o.call(models.RoleReviewer, `{"employee_id": "`+o.People[models.RoleHRAdmin].String()+`", "what": "unconscious"}`)
	made := o.call(models.RoleEmployee, `{"who": "somebody in the yard", "what": "unconscious"}`)
	if next := o.Next(events); next.Kind != "changed" || !slices.Equal(about(next), []uuid.UUID{made.ID}) {
		t.Errorf("after the call: %s %s", next.Kind, next.Data)
	}
	if got := o.Ask(models.RoleHRAdmin, "POST", calls+"/"+made.ID.String()+"/taking", ""); got.Status != 200 {
		t.Fatalf("taken: %d %s", got.Status, got.Body)
	}
	if next := o.Next(events); len(about(next)) != 0 {
		t.Errorf("once it is taken: %s", next.Data)
	}
}
