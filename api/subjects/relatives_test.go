package subjects_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/subjects"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/departure"
	"lethe/internal/identity"
	"lethe/internal/subject"
	"lethe/models"
)

const widow = `"relative": {"name": "王芳", "relation": "spouse", "proof": "死亡证明、结婚证，均已核对原件", "interest": "办理抚恤金和社保结算"}`

// TestARelativeAsksForSomebodyWhoDied on paper: nothing is granted or printed before a second person saw the proof, and what
// was written of the relative ends with the data.
func TestARelativeAsksForSomebodyWhoDied(t *testing.T) {
	o := newOffice(t)
	refused(t, "of somebody who lives", o.enters("copy", widow), 409, "relative_not_dead")
	refused(t, "by the own login", o.own.Ask("POST", "/api/v1/me/requests", `{"kind": "copy", `+widow+`}`), 422, "unknown_field")
	o.leaves(models.KindDeath, -1)
	o.wrong("another relation", o.enters("copy", strings.Replace(widow, "spouse", "friend", 1)), "body.relative.relation", "not_allowed")
	if n := o.Count("subject_requests"); n != 0 {
		t.Errorf("%d were kept", n)
	}
	var copied, corrected, objected subjects.SubjectRequest
	o.enters("copy", widow).Into(t, &copied)
	o.enters("correction", widow+`, "fields": ["home_address"]`).Into(t, &corrected)
	if !copied.ByRelative || copied.Objected || copied.Relative != nil || copied.Form != models.ConsentWritten {
		t.Errorf("entered: %+v", copied)
	}
	hr2 := o.Hire("HR2", o.B)
	o.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, hr2, models.RoleHRAdmin); return err })
	second, reviewer := o.FreshSession(hr2, models.RoleHRAdmin), o.Session(models.RoleReviewer)
	grant := func(r subjects.SubjectRequest) apitest.Reply {
		return second.Ask("POST", at(r)+"/answer", `{"answer": "granted", "text": "同意", "fields": {"home_address": "徐汇区衡山路2号"}}`)
	}
	refused(t, "granted", grant(corrected), 409, "relative_proof_once")
	refused(t, "printed", second.Ask("POST", at(copied)+"/copy", ""), 409, "relative_proof_once")
	refused(t, "seen by who entered it", o.hr.Ask("POST", at(copied)+"/proof", ""), 403, "own_matter")
	for _, r := range []subjects.SubjectRequest{copied, corrected} {
		var seen subjects.SubjectRequest
		reviewer.Ask("POST", at(r)+"/proof", "").Into(t, &seen)
		if seen.ProofSeenBy == nil || seen.ProofSeenBy.EmployeeID != o.People[models.RoleReviewer] {
			t.Errorf("seen: %+v", seen)
		}
	}
	if got := second.Ask("POST", at(copied)+"/proof", ""); got.Status != 200 {
		t.Errorf("seen again: %d %s", got.Status, got.Body)
	}
	o.WantEntries("subject_request.proof_seen", 2)
	if got := second.Ask("POST", at(copied)+"/copy", ""); got.Status != 200 || got.Header.Get("Content-Type") != "application/pdf" {
		t.Errorf("printed: %d %s", got.Status, got.Body)
	}
	if got := grant(corrected); got.Status != 200 {
		t.Errorf("corrected: %d %s", got.Status, got.Body)
	}
	o.enters("copy", strings.Replace(widow, `"interest"`, `"objected": true, "interest"`, 1)).Into(t, &objected)
	refused(t, "printed against the objection", second.Ask("POST", at(objected)+"/copy", ""), 409, "relative_objected")
	refused(t, "granted against the objection", second.Ask("POST", at(objected)+"/answer", `{"answer": "granted", "text": "同意"}`), 409, "relative_objected")
	if got := second.Ask("POST", at(objected)+"/answer", `{"answer": "refused", "text": "本人生前另有安排", "basis": "个人信息保护法第四十九条"}`); got.Status != 200 {
		t.Errorf("refused: %d %s", got.Status, got.Body)
	}
	var read subjects.SubjectRequest
	second.Ask("GET", at(copied), "", "Accept-Language", "zh-CN").Into(t, &read)
	if read.Relative == nil || read.Relative.Name != "王芳" || read.Relative.RelationText != "配偶" {
		t.Errorf("read: %+v", read.Relative)
	}
	if list := second.Ask("GET", "/api/v1/subject-requests", ""); strings.Contains(string(list.Body), "王芳") {
		t.Error("a list names the relative")
	}
	if err := databasetest.Exec(t, o.Env.Facts, "UPDATE subject_requests SET relative_sealed = text_sealed, ledger_entry_id = @entry"); err == nil {
		t.Error("who asks was written over")
	}
	o.Run(func(tx *database.Tx) error { return subject.End(tx, o.person) })
	if n := o.Count("subject_requests WHERE relative_sealed IS NOT NULL"); n != 0 {
		t.Errorf("of %d it stands who asked", n)
	}
}

// TestARelativeAsksForNobodyWhoLives: a death that is only planned, and one that was annulled, opens nothing.
func TestARelativeAsksForNobodyWhoLives(t *testing.T) {
	o := newOffice(t)
	o.leaves(models.KindDeath, 1)
	refused(t, "planned", o.enters("copy", widow), 409, "relative_not_dead")

	o = newOffice(t)
	reviewer := o.Session(models.RoleReviewer)
	entered := map[string]subjects.SubjectRequest{}
	var own subjects.SubjectRequest
	o.own.Ask("POST", "/api/v1/me/requests", `{"kind": "copy", "text": "副本"}`).Into(t, &own)
	dep := o.leaves(models.KindDeath, -1)
	for _, name := range []string{"copy", "correction", "erasure", "unseen"} {
		kind := strings.Replace(name, "unseen", "copy", 1)
		var r subjects.SubjectRequest
		o.enters(kind, widow).Into(t, &r)
		entered[name] = r
		if name != "unseen" {
			reviewer.Ask("POST", at(r)+"/proof", "").Into(t, &r)
		}
	}
	o.Run(func(tx *database.Tx) error {
		hr := models.Actor{EmployeeID: o.People[models.RoleHRAdmin], Role: models.RoleHRAdmin}
		if err := departure.AskAnnulment(tx, o.Vault, hr, dep, "mistaken for another"); err != nil {
			return err
		}
		return departure.ConfirmAnnulment(tx, models.Actor{EmployeeID: o.People[models.RoleReviewer], Role: models.RoleReviewer}, dep)
	})
	refused(t, "seen", reviewer.Ask("POST", at(entered["unseen"])+"/proof", ""), 409, "subject_request_closed")
	refused(t, "printed", o.hr.Ask("POST", at(entered["copy"])+"/copy", ""), 409, "subject_request_closed")
	for _, answer := range []string{"granted", "refused"} {
		refused(t, answer, o.hr.Ask("POST", at(entered["copy"])+"/answer", `{"answer": "`+answer+`", "text": "t", "basis": "b"}`), 409, "subject_request_closed")
	}
	o.WantEntries("subject_request.annulled", 4)
	for name, r := range entered {
		if o.hr.Ask("GET", at(r), "").Into(t, &r); r.State != models.SubjectEnded || r.FinishedAt == nil || r.Relative == nil {
			t.Errorf("%s is %s", name, r.State)
		}
	}
	if o.hr.Ask("GET", at(own), "").Into(t, &own); own.State != models.SubjectOpen {
		t.Errorf("the person's own is %s", own.State)
	}
	refused(t, "asked again", o.enters("copy", widow), 409, "relative_not_dead")
}

// TestAPaperFromBeforeTheDeath was entered as the person's own: nothing of it is granted any more, it is refused, and a
// relative asks anew. What the person asked for by the own login is answered still.
func TestAPaperFromBeforeTheDeath(t *testing.T) {
	o := newOffice(t)
	var paper, login subjects.SubjectRequest
	o.enters("copy", "").Into(t, &paper)
	o.own.Ask("POST", "/api/v1/me/requests", `{"kind": "copy", "text": "副本"}`).Into(t, &login)
	o.leaves(models.KindDeath, -1)
	refused(t, "granted", o.hr.Ask("POST", at(paper)+"/answer", `{"answer": "granted", "text": "同意"}`), 409, "subject_request_after_death")
	refused(t, "printed", o.hr.Ask("POST", at(paper)+"/copy", ""), 409, "subject_request_after_death")
	for _, answer := range []string{at(paper) + `/answer {"answer": "refused", "text": "请由近亲属提出", "basis": "个人信息保护法第四十九条"}`, at(login) + `/answer {"answer": "granted", "text": "同意"}`} {
		path, body, _ := strings.Cut(answer, " ")
		if got := o.hr.Ask("POST", path, body); got.Status != 200 {
			t.Errorf("answered: %d %s", got.Status, got.Body)
		}
	}
}

// TestWhatBindsTheRequestsOfRelatives of somebody who died: nobody asks for the dead without being one, an objection that was found
// once binds all requests, and the person's own ways neither show nor withdraw them.
func TestWhatBindsTheRequestsOfRelatives(t *testing.T) {
	o := newOffice(t)
	o.wants(o.enters("copy", ""))
	o.leaves(models.KindDeath, -1)
	o.wrong("without saying who asks", o.enters("copy", ""), "body.relative", "required")
	var before, objecting, after subjects.SubjectRequest
	o.enters("copy", widow).Into(t, &before)
	fresh := o.People[models.RoleReviewer]
	refused(t, "seen without a step-up", o.PlainSession(fresh, models.RoleReviewer).Ask("POST", at(before)+"/proof", ""), 403, "step_up_required")
	reviewer := o.Session(models.RoleReviewer)
	set := func(by uuid.UUID) {
		o.T.Helper()
		if err := databasetest.Exec(t, o.Env.Facts, "UPDATE users SET credentials_set_by = '"+by.String()+"', ledger_entry_id = @entry WHERE id = '"+reviewer.UserID.String()+"'"); err != nil {
			t.Fatal(err)
		}
	}
	set(o.People[models.RoleHRAdmin])
	refused(t, "seen by a user whose credentials the other set", reviewer.Ask("POST", at(before)+"/proof", ""), 403, "own_matter")
	set(fresh)
	if got := reviewer.Ask("POST", at(before)+"/proof", ""); got.Status != 200 {
		t.Errorf("seen: %d %s", got.Status, got.Body)
	}
	o.enters("copy", strings.Replace(widow, `"interest"`, `"objected": true, "interest"`, 1)).Into(t, &objecting)
	o.enters("copy", strings.Replace(widow, "spouse", "child", 1)).Into(t, &after)
	if !objecting.Objected || !after.Objected {
		t.Error("a later one is not bound")
	}
	refused(t, "an earlier one", o.hr.Ask("POST", at(before)+"/copy", ""), 409, "relative_objected")
	person := models.Actor{EmployeeID: o.person, Role: models.RoleEmployee}
	if err := database.Run(t.Context(), o.Env.Facts, func(tx *database.Tx) error { _, err := subject.Withdraw(tx, person, before.ID); return err }); !errors.Is(err, subject.ErrNotFound) {
		t.Errorf("withdrawn in the person's name: %v", err)
	}
	rows, err := subject.List(t.Context(), o.Env.Facts, subject.Filter{EmployeeID: &o.person, Own: true, Limit: 10})
	if err != nil || len(rows) != 1 || rows[0].ByRelative {
		t.Errorf("the person's own are %d: %v", len(rows), err)
	}
}

// wants a request to be entered.
func (o *office) wants(got apitest.Reply) {
	o.T.Helper()
	if got.Status != 201 {
		o.T.Errorf("entered: %d %s", got.Status, got.Body)
	}
}

// enters is HR's entry of a paper; who is the relative, or empty.
func (o *office) enters(kind, who string) apitest.Reply {
	if who != "" {
		who += ", "
	}
	return o.hr.Ask("POST", "/api/v1/employees/"+o.person.String()+"/requests", `{"kind": "`+kind+`", "text": "书面申请", `+who+`"paper": {"received_on": "`+o.Day(-1)+`", "kept_at": "档案柜 3"}}`)
}

// leaves is the person's departure so many days from today, as far as it is by now.
func (o *office) leaves(kind models.DepartureKind, days int) (id uuid.UUID) {
	o.T.Helper()
	day, err := clock.ParseDate(o.Day(days))
	if err != nil {
		o.T.Fatal(err)
	}
	o.Run(func(tx *database.Tx) error {
		dep, err := departure.Begin(tx, o.Vault, models.System, departure.Notice{EmployeeID: o.person, Kind: kind, RequestedDates: departure.RequestedDates{LastWorkingDay: &day, ConfirmPast: true}})
		if err != nil {
			return err
		}
		id = dep.ID
		_, err = departure.Advance(tx, dep.ID, o.Systems)
		return err
	})
	return id
}
