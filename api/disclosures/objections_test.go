package disclosures_test

import (
	"strings"
	"testing"
	"time"

	"lethe/api/disclosures"
	"lethe/api/httpkit"
	"lethe/internal/database/databasetest"
	"lethe/internal/disclosure"
	"lethe/models"
)

// TestTheSubjectObjects and somebody else than the looker answers; nobody else learns from trying.
func TestTheSubjectObjects(t *testing.T) {
	w := newWorld(t)
	var shown disclosures.LookAnswer
	w.hr.Ask("POST", w.path(w.person), w.emergency(collapsed)).Into(t, &shown)
	address := "/api/v1/disclosures/" + shown.ID.String()
	subject := w.Session(models.RoleEmployee) // somebody else
	if got := subject.Ask("POST", address+"/objection", `{"objection": "我没有晕倒"}`); got.Status != 404 {
		t.Errorf("by another employee: %d %s", got.Status, got.Body)
	}
	if got := subject.Ask("GET", address, ""); got.Status != 404 {
		t.Errorf("read by another employee: %d", got.Status)
	}
	if got := w.Ask(models.RoleReviewer, "POST", address+"/objection/answer", `{"answer": "已核实"}`); got.Status != 409 || got.Problem.Code != "disclosure_without_objection" {
		t.Errorf("answered before: %d %s", got.Status, got.Body)
	}
	own := w.PlainSession(w.person, models.RoleEmployee)
	var objected disclosures.DisclosureView
	own.Ask("POST", address+"/objection", `{"objection": "我没有晕倒，请说明"}`).Into(t, &objected)
	// 15 working days, to the end of the last one: disclosure.AnswerBy has the table.
	if due := objected.AnswerDueAt; due == nil || due.Sub(*objected.ObjectedAt) < 18*24*time.Hour || due.Sub(*objected.ObjectedAt) > 31*24*time.Hour || objected.Judgement != nil {
		t.Errorf("objected: %+v", objected)
	}
	if got := own.Ask("POST", address+"/objection", `{"objection": "再说一次"}`); got.Status != 409 || got.Problem.Code != "disclosure_objected" {
		t.Errorf("objected twice: %d %s", got.Status, got.Body)
	}
	var waiting httpkit.Page[disclosures.DisclosureView]
	if w.Ask(models.RoleReviewer, "GET", "/api/v1/disclosures?unanswered=true", "").Into(t, &waiting); len(waiting.Items) != 1 {
		t.Errorf("%d wait for an answer", len(waiting.Items))
	}
	if got := w.hr.Ask("POST", address+"/objection/answer", `{"answer": "是我查的"}`); got.Status != 403 || got.Problem.Code != "own_matter" {
		t.Errorf("answered by the looker: %d %s", got.Status, got.Body)
	}
	w.Ask(models.RoleReviewer, "POST", address+"/objection/answer", `{"answer": "车间主任误报，已记录为查阅不当"}`).Into(t, &objected)
	var read disclosures.DisclosureView
	own.Ask("GET", address, "").Into(t, &read)
	if !strings.Contains(read.Answer, "误报") || !strings.Contains(read.Objection, "请说明") || read.Judgement != nil {
		t.Errorf("the subject reads %+v", read)
	}
	var page httpkit.Page[disclosures.DisclosureView]
	got := w.Ask(models.RoleAuditor, "GET", "/api/v1/disclosures", "")
	if got.Into(t, &page); len(page.Items) != 1 || strings.Contains(string(got.Body), "误报") {
		t.Errorf("a list shows what was written: %s", got.Body)
	}
	w.WantEntries("disclosure.objected", 1)
	w.WantEntries("disclosure.objection_answered", 1)
}

// TestI28_AnEmergencyIsReviewedOrShownToBeOverdue: by somebody else, in time; else the log says so, once.
func TestI28_AnEmergencyIsReviewedOrShownToBeOverdue(t *testing.T) {
	w := newWorld(t)
	var first, second disclosures.LookAnswer
	w.hr.Ask("POST", w.path(w.person), w.emergency(collapsed)).Into(t, &first)
	other := w.Hire("E2", w.A)
	w.fill(other)
	w.hr.Ask("POST", w.path(other), w.emergency(collapsed)).Into(t, &second)
	review := "/api/v1/disclosures/" + first.ID.String() + "/review"
	if got := w.hr.Ask("POST", review, `{"review": "proper"}`); got.Status != 403 || got.Problem.Code != "own_matter" {
		t.Errorf("by the looker: %d %s", got.Status, got.Body)
	}
	if got := w.Ask(models.RoleReviewer, "POST", review, `{"review": "improper"}`); got.Status != 422 {
		t.Errorf("improper without saying why: %d %s", got.Status, got.Body)
	}
	var reviewed disclosures.DisclosureView
	w.Ask(models.RoleReviewer, "POST", review, `{"review": "proper"}`).Into(t, &reviewed)
	if reviewed.Judgement.Reviewer == nil || reviewed.Judgement.ReviewText == "" {
		t.Errorf("reviewed: %+v", reviewed.Judgement)
	}
	if got := w.Ask(models.RoleReviewer, "POST", review, `{"review": "improper", "note": "x"}`); got.Status != 409 {
		t.Errorf("reviewed twice: %d %s", got.Status, got.Body)
	}
	sweep := func() int {
		n, err := disclosure.Sweep(t.Context(), w.Env.Facts)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := sweep(); n != 0 {
		t.Errorf("%d looks are overdue at once", n)
	}
	if err := databasetest.MoveClock(t.Context(), w.Env.Facts, 5*24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if n, again := sweep(), sweep(); n != 1 || again != 0 {
		t.Errorf("%d, then %d overdue", n, again)
	}
	w.WantEntries("disclosure.review_overdue", 1)
}
