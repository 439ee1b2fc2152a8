package subjects_test

import (
	"strings"
	"testing"

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
	enter := func(kind, who string) apitest.Reply {
		return o.hr.Ask("POST", "/api/v1/employees/"+o.person.String()+"/requests", `{"kind": "`+kind+`", "text": "书面申请", `+who+`, "paper": {"received_on": "`+o.Day(-1)+`", "kept_at": "档案柜 3"}}`)
	}
	refused(t, "of somebody who lives", enter("copy", widow), 409, "relative_not_dead")
	refused(t, "by the own login", o.own.Ask("POST", "/api/v1/me/requests", `{"kind": "copy", `+widow+`}`), 422, "unknown_field")
	o.dies()
	o.wrong("another relation", enter("copy", strings.Replace(widow, "spouse", "friend", 1)), "body.relative.relation", "not_allowed")
	if n := o.Count("subject_requests"); n != 0 {
		t.Errorf("%d were kept", n)
	}
	var copied, corrected, objected subjects.SubjectRequest
	enter("copy", widow).Into(t, &copied)
	enter("correction", widow+`, "fields": ["home_address"]`).Into(t, &corrected)
	enter("copy", strings.Replace(widow, `"interest"`, `"objected": true, "interest"`, 1)).Into(t, &objected)
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
	for _, r := range []subjects.SubjectRequest{copied, corrected, objected} {
		var seen subjects.SubjectRequest
		reviewer.Ask("POST", at(r)+"/proof", "").Into(t, &seen)
		if seen.ProofSeenBy == nil || seen.ProofSeenBy.EmployeeID != o.People[models.RoleReviewer] {
			t.Errorf("seen: %+v", seen)
		}
	}
	if got := second.Ask("POST", at(copied)+"/proof", ""); got.Status != 200 {
		t.Errorf("seen again: %d %s", got.Status, got.Body)
	}
	o.WantEntries("subject_request.proof_seen", 3)
	if got := second.Ask("POST", at(copied)+"/copy", ""); got.Status != 200 || got.Header.Get("Content-Type") != "application/pdf" {
		t.Errorf("printed: %d %s", got.Status, got.Body)
	}
	if got := grant(corrected); got.Status != 200 {
		t.Errorf("corrected: %d %s", got.Status, got.Body)
	}
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

// dies begins the person's departure by death.
func (o *office) dies() {
	o.T.Helper()
	day, err := clock.ParseDate(o.Day(1))
	if err != nil {
		o.T.Fatal(err)
	}
	o.Run(func(tx *database.Tx) error {
		_, err := departure.Begin(tx, o.Vault, models.System, departure.Notice{EmployeeID: o.person, Kind: models.KindDeath, RequestedDates: departure.RequestedDates{LastWorkingDay: &day}})
		return err
	})
}
