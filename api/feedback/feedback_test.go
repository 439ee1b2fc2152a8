package feedback_test

import (
	"strings"
	"testing"
	"time"

	"lethe/api/apitest"
	api "lethe/api/feedback"
	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/feedback"
	"lethe/models"
)

const address = "/api/v1/feedback"

func list(t *testing.T, v *apitest.Visitor, query string) []api.Feedback {
	t.Helper()
	var page httpkit.Page[api.Feedback]
	v.Ask("GET", address+query, "").Into(t, &page)
	return page.Items
}

// TestFeedbackIsReadAndAnswered: by HR and IT, who do not see whose it is; who said it reads the answer, nobody else any of it.
func TestFeedbackIsReadAndAnswered(t *testing.T) {
	f := apitest.New(t)
	employee, head, hr := f.Session(models.RoleEmployee), f.Session(models.RoleDepartmentHead), f.Session(models.RoleHRAdmin)
	const body = `{"kind": "bad", "screen": "departures", "doing": "找一个人", "text": "=HYPERLINK(1) 列表太慢"}`
	var said api.Feedback
	employee.Ask("POST", address, body, "Idempotency-Key", "one").Into(t, &said)
	employee.Ask("POST", address, body, "Idempotency-Key", "one")
	if rows := list(t, employee, ""); len(rows) != 1 || !rows[0].Own || rows[0].Doing != "找一个人" || rows[0].KindText == "" || rows[0].ScreenText != "Departures" {
		t.Errorf("who said it reads %+v", rows)
	}
	if n := f.Count("feedback WHERE position('列表太慢'::bytea in text_sealed) = 0"); n != 1 {
		t.Errorf("%d are kept, sealed", n)
	}
	if rows := list(t, head, ""); len(rows) != 0 {
		t.Errorf("somebody else reads %+v", rows)
	}
	one := address + "/" + said.ID.String()
	if got := head.Ask("GET", one, ""); got.Status != 404 {
		t.Errorf("somebody else reads it by its address: %d", got.Status)
	}
	if got := head.Ask("POST", one+"/answer", `{"text": "x"}`); got.Status != 403 {
		t.Errorf("a head answers: %d", got.Status)
	}
	got := hr.Ask("GET", address+"?answered=false&kind=bad", "")
	if !strings.Contains(string(got.Body), "列表太慢") || strings.Contains(string(got.Body), f.People[models.RoleEmployee].String()) {
		t.Errorf("HR reads %s", got.Body)
	}
	if rows := list(t, hr, "?own=true"); len(rows) != 0 {
		t.Errorf("HR said nothing: %+v", rows)
	}
	for range 2 {
		if got := hr.Ask("POST", one+"/answer", `{"text": "下个版本会更快"}`); got.Status != 200 {
			t.Errorf("answering: %d %s", got.Status, got.Body)
		}
	}
	if got := f.Session(models.RoleITOps).Ask("POST", one+"/answer", `{"text": "不会"}`); got.Problem.Code != "feedback_answered" {
		t.Errorf("answering otherwise: %d %s", got.Status, got.Problem.Code)
	}
	if rows := list(t, employee, ""); len(rows) != 1 || rows[0].Answer != "下个版本会更快" || rows[0].AnsweredAt == nil {
		t.Errorf("who said it reads %+v", rows)
	}
	if rows := list(t, hr, "?answered=false"); len(rows) != 0 {
		t.Errorf("open: %+v", rows)
	}
}

// TestAReviewGetsATable: without who said it, and with nothing that a spreadsheet would run.
func TestAReviewGetsATable(t *testing.T) {
	f := apitest.New(t)
	hr, employee := f.Session(models.RoleHRAdmin), f.Session(models.RoleEmployee)
	employee.Ask("POST", address, `{"kind": "wish", "screen": "elsewhere", "text": "=1+1"}`)
	table := func(query string) string {
		got := hr.Ask("GET", address+"-export"+query, "", "Accept-Language", "zh")
		if got.Status != 200 || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/csv") {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		return string(got.Body)
	}
	if all := table(""); strings.Count(all, "\r\n") != 2 || !strings.Contains(all, "当时在做什么") || !strings.Contains(all, ",elsewhere,建议,") || strings.Contains(all, ",=1+1") {
		t.Errorf("the table: %s", all)
	}
	if none := table("?to=2020-01-01T00:00:00Z"); strings.Count(none, "\r\n") != 1 {
		t.Errorf("before all: %s", none)
	}
	if got := employee.Ask("GET", address+"-export", ""); got.Status != 403 {
		t.Errorf("an employee: %d", got.Status)
	}
}

// TestFeedbackIsChecked: it says something, about a screen, and not without end.
func TestFeedbackIsChecked(t *testing.T) {
	f := apitest.New(t)
	employee := f.Session(models.RoleEmployee)
	for body, location := range map[string]string{
		`{"kind": "bad", "screen": "home", "text": " "}`:                                 "body.text",
		`{"kind": "bad", "screen": "home", "text": "` + strings.Repeat("长", 2001) + `"}`: "body.text",
		`{"kind": "rude", "screen": "home", "text": "a"}`:                                "body.kind",
		`{"kind": "bad", "screen": "Li Na", "text": "a"}`:                                "body.screen",
		`{"kind": "bad", "screen": "home", "doing": "\u202ea", "text": "a"}`:             "body.doing",
	} {
		got := employee.Ask("POST", address, body)
		if got.Status != 422 || len(got.Problem.Errors) == 0 || got.Problem.Errors[0].Location != location {
			t.Errorf("%.60s: %d %s", body, got.Status, got.Body)
		}
	}
	for range 30 {
		if got := employee.Ask("POST", address, `{"kind": "good", "screen": "home", "text": "好"}`); got.Status != 201 {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
	}
	if got := employee.Ask("POST", address, `{"kind": "good", "screen": "home", "text": "好"}`); got.Problem.Code != "feedback_too_many" {
		t.Errorf("the 31st: %d %s", got.Status, got.Problem.Code)
	}
	if got := f.Ask(models.RoleEmployee, "POST", address, `{"kind": "good", "screen": "home", "text": "好"}`); got.Problem.Code != "session_required" {
		t.Errorf("by a token: %d %s", got.Status, got.Problem.Code)
	}
}

// TestI25_FeedbackEnds: with the data of who said it, and after two years.
func TestI25_FeedbackEnds(t *testing.T) {
	f := apitest.New(t)
	for _, role := range []models.Role{models.RoleEmployee, models.RoleDepartmentHead} {
		f.Session(role).Ask("POST", address, `{"kind": "good", "screen": "home", "text": "好"}`)
	}
	f.Run(func(tx *database.Tx) error { return feedback.End(tx, f.People[models.RoleEmployee]) })
	if n := f.Count("feedback"); n != 1 {
		t.Errorf("%d are left of two", n)
	}
	for _, c := range []struct {
		days int
		left int64
	}{{0, 1}, {700, 1}, {40, 0}} {
		if c.days > 0 {
			if err := databasetest.MoveClock(t.Context(), f.Env.Facts, time.Duration(c.days)*24*time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		if err := feedback.Sweep(t.Context(), f.Env.Facts); err != nil {
			t.Fatal(err)
		}
		if n := f.Count("feedback"); n != c.left {
			t.Errorf("%d are left %d days later", n, c.days)
		}
	}
}
