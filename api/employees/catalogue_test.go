package employees_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/disclosures"
	"lethe/api/employees"
	"lethe/api/imports"
	"lethe/api/permissions"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

const (
	cataloguePath = "/api/v1/field-catalogue"
	room          = "3栋501室"
)

// housing is a company that keeps where its people live, with somebody who may configure, and a clerk who looks.
type housing struct {
	*apitest.Fixture
	admin, clerk, reviewer *apitest.Visitor
	clerkID, person        uuid.UUID
	draft                  employees.OwnDraft
}

func ownField(key string, of models.FieldType, purposes ...access.Purpose) employees.OwnField {
	return employees.OwnField{
		Key: key, Section: "custom_housing", Category: models.CategoryIdentity, Type: of, LabelZh: "标签" + key, LabelEn: "Label " + key,
		NoticeZh: "仅限后勤安排住宿使用", NoticeEn: "For housing only", BasisZh: "劳动合同第五条", BasisEn: "contract, clause 5", Purposes: purposes,
	}
}

func newHousing(t *testing.T) *housing {
	f := apitest.New(t)
	h := &housing{Fixture: f, clerkID: f.Hire("CLERK", f.B), person: f.Hire("E1", f.A)}
	f.Run(func(tx *database.Tx) error { _, err := identity.GrantTo(tx, h.clerkID, models.RoleHRAdmin); return err })
	f.Configures(f.People[models.RoleHRAdmin])
	h.admin, h.clerk = f.FreshSession(f.People[models.RoleHRAdmin], models.RoleHRAdmin), f.FreshSession(h.clerkID, models.RoleHRAdmin)
	h.reviewer = f.FreshSession(f.People[models.RoleReviewer], models.RoleReviewer)
	kind := ownField("custom_kind", models.FieldChoice, access.OwnRequest)
	kind.Choices = []employees.OwnOption{{Code: "single", TextZh: "单间", TextEn: "Single"}, {Code: "shared", TextZh: "合住", TextEn: "Shared"}}
	h.draft = employees.OwnDraft{
		Sections: []employees.OwnSection{{Key: "custom_housing", LabelZh: "住宿", LabelEn: "Housing"}},
		Fields:   []employees.OwnField{ownField("custom_room", models.FieldText, access.OwnRequest), kind, ownField("custom_lease", models.FieldAttachment, access.OwnRequest)},
		Notices:  []employees.OwnNotice{{Field: "emergency_contact_phone", TextZh: "拨打前请先联系值班人事", TextEn: "Call HR on duty first"}, {Field: "home_address", TextZh: "仅限寄送", TextEn: "For post only"}},
	}
	return h
}

// ask asks for the draft, made from a version.
func (h *housing) ask(by *apitest.Visitor, base int) apitest.Reply {
	h.T.Helper()
	body, err := json.Marshal(map[string]any{"base_version": base, "sections": h.draft.Sections, "fields": h.draft.Fields, "notices": h.draft.Notices, "approval_reason": "new dormitory"})
	if err != nil {
		h.T.Fatal(err)
	}
	return by.Ask("PUT", cataloguePath, string(body), "Accept-Language", "zh")
}

func (h *housing) agree(asked apitest.Reply) apitest.Reply {
	h.T.Helper()
	if asked.Status != 202 {
		h.T.Fatalf("asked: %d %s", asked.Status, asked.Body)
	}
	return h.reviewer.Ask("POST", asked.Header.Get("Location")+"/decision", `{"decision": "approved"}`)
}

// put puts the draft into force.
func (h *housing) put(base int) {
	h.T.Helper()
	if got := h.agree(h.ask(h.admin, base)); got.Status != 200 {
		h.T.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
}

// grant lets the clerk look at the section for purposes.
func (h *housing) grant(purposes ...access.Purpose) {
	h.T.Helper()
	var p permissions.Permissions
	h.admin.Ask("GET", "/api/v1/permissions", "").Into(h.T, &p)
	p.Tiers = append(p.Tiers, permissions.Tier{Key: "housing", NameZh: "后勤", NameEn: "Housing", Role: models.RoleHRAdmin, Scope: access.ScopeAll, Members: []uuid.UUID{h.clerkID}})
	for _, purpose := range purposes {
		p.Grants = append(p.Grants, permissions.Grant{Tier: "housing", Group: "custom_housing", Purpose: purpose, Level: access.Look, Protected: access.NoLook})
	}
	body, err := json.Marshal(map[string]any{"base_version": p.Version, "tiers": p.Tiers, "grants": p.Grants, "protected": p.Protected, "configurers": p.Configurers, "approval_reason": "housing"})
	if err != nil {
		h.T.Fatal(err)
	}
	asked := h.admin.Ask("PUT", "/api/v1/permissions", string(body), "Accept-Language", "zh")
	if !strings.Contains(string(asked.Body), "住宿、") || strings.Contains(string(asked.Body), "Housing") {
		h.T.Errorf("the reviewer is not told of which section: %s", asked.Body)
	}
	if got := h.agree(asked); got.Status != 200 {
		h.T.Fatalf("granted: %d %s", got.Status, got.Body)
	}
}

func (h *housing) write(fields string) apitest.Reply {
	return h.admin.Ask("PATCH", "/api/v1/employees/"+h.person.String(), `{"fields": {`+fields+`}}`)
}

func (h *housing) look(by *apitest.Visitor, purpose access.Purpose, fields ...string) apitest.Reply {
	evidence := map[access.Purpose]string{
		access.OwnRequest: `{"confirmed_how": "callback", "confirmed_on": "` + h.Day(0) + `"}`, access.Payroll: `{"matter": "房租扣款", "period": "2026-10"}`,
	}[purpose]
	return by.Ask("POST", "/api/v1/employees/"+h.person.String()+"/disclosures", fmt.Sprintf(`{"fields": ["%s"], "purpose": %q, "reason": "员工本人来电申请更正登记信息，已核验身份", "evidence": %s}`,
		strings.Join(fields, `", "`), purpose, evidence), "Accept-Language", "zh")
}

// shown is a field of the person's file in somebody's eyes.
func (h *housing) shown(by *apitest.Visitor, key string) (f archive.Field, ok bool) {
	h.T.Helper()
	var view archive.EmployeeView
	by.Ask("GET", "/api/v1/employees/"+h.person.String(), "", "Accept-Language", "zh").Into(h.T, &view)
	i := slices.IndexFunc(view.Fields, func(f archive.Field) bool { return f.Key == key })
	if i < 0 {
		return f, false
	}
	return view.Fields[i], true
}

// TestI18_AnOwnFieldFromTheRequestToTheLook: two people add it, nobody sees it until the permissions say so, it opens for
// its own purposes alone, with its notice in the log, and the person gets it with the own copy.
func TestI18_AnOwnFieldFromTheRequestToTheLook(t *testing.T) {
	h := newHousing(t)
	me := h.FreshSession(h.person, models.RoleEmployee)
	asked := h.ask(h.admin, 0)
	for _, want := range []string{"住宿", "标签custom_room", "身份信息", "本人申请", "单间"} {
		if !strings.Contains(string(asked.Body), want) {
			t.Errorf("the reviewer is not told %s: %s", want, asked.Body)
		}
	}
	if got := h.write(`"custom_room": "` + room + `"`); got.Status != 422 || strings.Contains(string(got.Body), room) {
		t.Errorf("before two people agreed: %d %s", got.Status, got.Body)
	}
	if got := h.agree(asked); got.Status != 200 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	h.WantEntries("field_catalogue.changed", 1)

	var c employees.CatalogueView
	h.Ask(models.RoleDepartmentHead, "GET", cataloguePath, "", "Accept-Language", "zh").Into(t, &c)
	own := c.Items[len(c.Items)-3]
	if own.Key != "custom_room" || !own.Own || own.SectionLabel != "住宿" || own.Basis != "劳动合同第五条" || own.CategoryText != "身份信息" || len(own.PurposesText) != 1 || c.Own != nil {
		t.Errorf("a head reads %+v, %+v", own, c.Own)
	}
	if last := c.Sections[len(c.Sections)-1]; last.Section != "custom_housing" || !last.Own {
		t.Errorf("the sections: %+v", c.Sections)
	}

	if got := h.write(`"custom_room": "` + room + `", "custom_kind": "shared"`); got.Status != 200 {
		t.Fatalf("written: %d %s", got.Status, got.Body)
	}
	if got := h.write(`"custom_kind": "palace"`); got.Status != 422 || got.Problem.Errors[0].Location != "body.fields.custom_kind" || strings.Contains(string(got.Body), "palace") {
		t.Errorf("no such option: %d %s", got.Status, got.Body)
	}
	// Nobody sees it until the permissions grant it; the person does.
	for name, v := range map[string]*apitest.Visitor{"who configures": h.admin, "a clerk": h.clerk} {
		if _, ok := h.shown(v, "custom_room"); ok {
			t.Errorf("%s sees it", name)
		}
	}
	if f, ok := h.shown(me, "custom_room"); !ok || f.Masked == nil || f.Notice != "仅限后勤安排住宿使用" || f.SectionLabel != "住宿" {
		t.Errorf("the person sees %+v", f)
	}
	if got := h.look(h.clerk, access.OwnRequest, "custom_room"); got.Status != 403 || got.Problem.Rule != "purpose_not_for_field" {
		t.Errorf("without a grant: %d %s", got.Status, got.Body)
	}
	h.grant(access.OwnRequest, access.Payroll)
	if f, ok := h.shown(h.clerk, "custom_room"); !ok || f.Masked == nil || f.Value != nil {
		t.Errorf("with a grant a clerk sees %+v", f)
	}
	if _, ok := h.shown(h.admin, "custom_room"); ok {
		t.Error("who configures sees it by another's grant")
	}
	var shown disclosures.LookAnswer
	h.look(h.clerk, access.OwnRequest, "custom_room", "custom_kind").Into(t, &shown)
	if shown.Values["custom_room"] != room || shown.Values["custom_kind"] != "shared" || shown.Notice != "仅限后勤安排住宿使用" || shown.FieldsText[0] == "" {
		t.Errorf("shown: %+v", shown)
	}
	if got := h.look(h.clerk, access.Payroll, "custom_room"); got.Status != 403 || got.Problem.Rule != "purpose_not_for_field" {
		t.Errorf("a purpose that the section has and the field has not: %d %s", got.Status, got.Body)
	}
	if n := h.Count("ledger_content WHERE action = 'disclosure.shown' AND details ->> 'notice' = '仅限后勤安排住宿使用'"); n != 1 {
		t.Errorf("%d entries have the notice", n)
	}
	var copied disclosures.OwnCopy
	me.Ask("POST", "/api/v1/me/copy", "", "Accept-Language", "zh").Into(t, &copied)
	if text := fmt.Sprint(len(copied.Employments[0].Fields)); text != "2" {
		t.Errorf("the own copy has %s fields: %+v", text, copied.Employments[0].Fields)
	}
	if got := h.admin.Ask("GET", "/api/v1/employees?q="+room[:1]+"501", ""); strings.Contains(string(got.Body), h.person.String()) {
		t.Error("it is searched")
	}
}

// TestOwnFieldsChangeByVersions: a change that was overtaken is void, two of the same are one, what is retired takes no new
// values and shows the old ones, and an option that is left out keeps its text.
func TestOwnFieldsChangeByVersions(t *testing.T) {
	h := newHousing(t)
	other := h.Hire("CONF2", h.B)
	h.Configures(other)
	second := h.FreshSession(other, models.RoleHRAdmin)
	asked := h.ask(h.admin, 0)
	if same := h.ask(second, 0); same.Status != 409 {
		t.Errorf("somebody else asks for the very same: %d %s", same.Status, same.Body)
	}
	h.draft.Fields[0].LabelZh = "宿舍"
	stale := h.ask(second, 0) // the same key, at the same time
	if got := h.agree(asked); got.Status != 200 {
		t.Fatalf("agreed: %d %s", got.Status, got.Body)
	}
	if got := h.agree(stale); got.Status != 409 {
		t.Errorf("what was overtaken: %d %s", got.Status, got.Body)
	}
	if got := h.ask(second, 0); got.Status != 409 || got.Problem.Code != "catalogue_changed" {
		t.Errorf("from an older version: %d %s", got.Status, got.Body)
	}
	h.draft.Fields[0].LabelZh = "标签custom_room"
	if got := h.ask(h.admin, 1); got.Status != 422 || got.Problem.Code != "catalogue_same" {
		t.Errorf("nothing changed: %d %s", got.Status, got.Body)
	}
	h.grant(access.OwnRequest)
	if got := h.write(`"custom_room": "` + room + `", "custom_kind": "shared"`); got.Status != 200 {
		t.Fatalf("written: %d %s", got.Status, got.Body)
	}
	waiting := h.ask(h.admin, 1)
	if waiting.Problem.Code != "catalogue_same" {
		t.Errorf("asked once more: %d", waiting.Status)
	}
	h.draft.Fields[1].LabelZh = "房型"
	waiting = h.ask(h.admin, 1)
	h.draft.Fields[0].Retired, h.draft.Fields[1].Choices = true, h.draft.Fields[1].Choices[:1]
	h.put(1)
	if got := h.agree(waiting); got.Status != 409 { // a field was retired while it waited
		t.Errorf("what waited: %d %s", got.Status, got.Body)
	}
	if got := h.write(`"custom_room": "4栋"`); got.Status != 422 || got.Problem.Errors[0].Code != "retired" {
		t.Errorf("a new value of what is retired: %d %s", got.Status, got.Body)
	}
	if got := h.write(`"custom_kind": "shared"`); got.Status != 422 || got.Problem.Errors[0].Code != "not_allowed" {
		t.Errorf("an option that was left out: %d %s", got.Status, got.Body)
	}
	var shown disclosures.LookAnswer
	h.look(h.clerk, access.OwnRequest, "custom_room", "custom_kind").Into(t, &shown)
	texts := map[string]string{}
	for _, f := range shown.Shown {
		texts[f.Key] = *f.Text
	}
	if texts["custom_room"] != room || texts["custom_kind"] != "合住" {
		t.Errorf("shown: %v", texts)
	}
	var c employees.CatalogueView
	h.Ask(models.RoleAuditor, "GET", cataloguePath+"?version=1", "").Into(t, &c)
	if c.Own.Version != 1 || c.Own.Fields[0].Retired || len(c.Own.Fields[1].Choices) != 2 || c.Own.ApprovedBy == nil {
		t.Errorf("version 1: %+v", c.Own)
	}
	for _, f := range c.Items {
		if f.Key == "custom_kind" && len(f.Choices) != 1 {
			t.Errorf("it offers %+v", f.Choices)
		}
	}
	if got := h.Ask(models.RoleAuditor, "GET", cataloguePath+"?version=9", ""); got.Status != 404 {
		t.Errorf("no such version: %d", got.Status)
	}
	if got := h.write(`"custom_room": null`); got.Status != 200 {
		t.Errorf("a value of what is retired is removed: %d %s", got.Status, got.Body)
	}
	if _, ok := h.shown(h.clerk, "custom_room"); ok {
		t.Error("what is retired and empty is shown")
	}
}

// TestI21_NobodyOpensAFieldForThemselves: a purpose that is added to a field is a gain of who may look at its section for it.
func TestI21_NobodyOpensAFieldForThemselves(t *testing.T) {
	h := newHousing(t)
	h.put(0)
	h.grant(access.OwnRequest, access.Payroll)
	h.Configures(h.clerkID)
	h.draft.Fields[0].Purposes = []access.Purpose{access.OwnRequest, access.Payroll}
	if got := h.ask(h.clerk, 1); got.Status != 403 || got.Problem.Code != "permissions_gain" {
		t.Errorf("for oneself: %d %s", got.Status, got.Body)
	}
	if got := h.ask(h.clerk, 7); got.Status != 409 {
		t.Errorf("from another version: %d %s", got.Status, got.Body)
	}
	stranger := h.FreshSession(h.Hire("CONF3", h.B), models.RoleHRAdmin)
	if got := h.ask(stranger, 1); got.Status != 403 || got.Problem.Code != "not_configurer" {
		t.Errorf("by who does not configure: %d %s", got.Status, got.Body)
	}
	if got := h.Ask(models.RoleHRAdmin, "PUT", cataloguePath, `{"base_version": 1, "sections": [], "fields": [], "notices": []}`); got.Status != 422 {
		t.Errorf("what is there is left out, by a token: %d %s", got.Status, got.Body)
	}
	h.put(1)
	if got := h.write(`"custom_room": "` + room + `"`); got.Status != 200 {
		t.Fatalf("written: %d %s", got.Status, got.Body)
	}
	if got := h.look(h.clerk, access.Payroll, "custom_room"); got.Status != 200 {
		t.Errorf("after another asked for it: %d %s", got.Status, got.Body)
	}
	// What was shown is not shown again for a purpose that the field has no more.
	var shown disclosures.LookAnswer
	h.look(h.clerk, access.Payroll, "custom_room").Into(t, &shown)
	h.draft.Fields[0].Purposes = []access.Purpose{access.OwnRequest}
	h.put(2)
	if got := h.clerk.Ask("POST", "/api/v1/disclosures/"+shown.ID.String()+"/opening", ""); got.Status < 400 || strings.Contains(string(got.Body), room) {
		t.Errorf("shown again: %d %s", got.Status, got.Body)
	}
	var preview permissions.Preview
	h.Ask(models.RoleReviewer, "POST", "/api/v1/permissions/preview", `{"looker_id": "`+h.clerkID.String()+`", "role": "hr_admin", "employee_id": "`+h.person.String()+`"}`, "Accept-Language", "zh").Into(t, &preview)
	last := preview.Groups[len(preview.Groups)-1]
	if last.Group != "custom_housing" || last.GroupText != "住宿" || last.Shown != access.Masked || len(last.Fields) != 3 || last.Fields[0].Shown != access.Masked {
		t.Errorf("the preview: %+v", last)
	}
}

// TestNoticesOfTheCompanyAreShown: in the place of the program's, but the sentence of the emergency contacts stays.
func TestNoticesOfTheCompanyAreShown(t *testing.T) {
	h := newHousing(t)
	h.put(0)
	h.Run(archive.InstallCatalogue) // the next start keeps them, and the company's fields
	want := map[string]string{
		"emergency_contact_phone": "仅限员工本人紧急情况联系使用，非经本人同意不得向第三方提供；拨打前请先联系值班人事", "home_address": "仅限寄送",
		"emergency_contact_name": "仅限员工本人紧急情况联系使用，非经本人同意不得向第三方提供", "custom_room": "仅限后勤安排住宿使用",
	}
	fields, err := archive.Catalogue(t.Context(), h.App, i18n.Chinese)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		if notice, asked := want[f.Key]; asked && f.Notice != notice {
			t.Errorf("%s: %s", f.Key, f.Notice)
		}
		delete(want, f.Key)
	}
	if len(want) > 0 {
		t.Errorf("left: %v", want)
	}
	h.draft.Notices = []employees.OwnNotice{}
	h.put(1)
	if f, _ := h.shown(h.FreshSession(h.person, models.RoleEmployee), "home_address"); !strings.Contains(f.Notice, "紧急情况") {
		t.Errorf("taken back: %s", f.Notice)
	}
}

// TestOwnFieldsOfPeopleWhoseDataWasDeleted: of a category that was destroyed before the field came there is nothing to show.
func TestOwnFieldsOfPeopleWhoseDataWasDeleted(t *testing.T) {
	h := newHousing(t)
	err := databasetest.Unguarded(h.Env.Facts, "employment_categories", "employment_categories_not_early",
		"UPDATE employment_categories SET state = 'purging', purging_at = lethe_now() WHERE category = 'identity' AND employment_id = '"+h.Employment(h.person).String()+"'")
	if err != nil {
		t.Fatal(err)
	}
	h.put(0)
	h.grant(access.OwnRequest)
	if f, ok := h.shown(h.clerk, "custom_room"); ok {
		t.Errorf("it is shown as %+v", f)
	}
	if f, ok := h.shown(h.FreshSession(h.person, models.RoleEmployee), "id_number"); !ok || !f.Purged {
		t.Errorf("one of the program's is shown as %+v", f)
	}
	if got := h.write(`"custom_room": "` + room + `"`); got.Status != 409 {
		t.Errorf("written: %d %s", got.Status, got.Body)
	}
}

// TestAnOwnFieldIsImportedAsAColumn, by its label or its key, until it is retired.
func TestAnOwnFieldIsImportedAsAColumn(t *testing.T) {
	h := newHousing(t)
	h.draft.Fields[0].LabelZh = "宿舍号"
	h.put(0)
	file := "工号,姓名,部门,入职日期,宿舍号,custom_kind\nI-1,张伟,A,2024-01-02," + room + ",合住\nI-2,王芳,A,2024-01-02,4栋,palace\n"
	v := h.Upload(file)
	if v.Columns[4].Field != "custom_room" || v.Columns[5].Field != "custom_kind" || v.Plan != (imports.ImportPlan{Create: 1, Faulty: 1}) {
		t.Fatalf("checked: %+v", v)
	}
	var found imports.RowProblems
	h.Ask(models.RoleHRAdmin, "GET", "/api/v1/employee-imports/"+v.ID.String()+"/problems", "", "Accept-Language", "zh").Into(t, &found)
	if len(found.Items) != 1 || !strings.HasPrefix(found.Items[0].Text, "标签custom_kind：") {
		t.Errorf("the problems: %+v", found)
	}
	h.draft.Fields[0].Retired = true
	h.put(1)
	if v = h.Upload(strings.ReplaceAll(file, "I-", "J-")); v.Columns[4].Field != "" {
		t.Errorf("a column is read into what is retired: %+v", v.Columns)
	}
}

// TestPermissionsNameSectionsThatThereAre, retired fields or not, and no others.
func TestPermissionsNameSectionsThatThereAre(t *testing.T) {
	h := newHousing(t)
	for i := range h.draft.Fields {
		h.draft.Fields[i].Retired = true
	}
	h.draft.Sections = append(h.draft.Sections, employees.OwnSection{Key: "custom_empty", LabelZh: "空", LabelEn: "Empty"})
	h.put(0)
	h.grant(access.OwnRequest)
	var p permissions.Permissions
	h.admin.Ask("GET", "/api/v1/permissions", "", "Accept-Language", "zh").Into(t, &p)
	if n := len(p.Groups); p.Groups[n-2].Text != "住宿" || p.Groups[n-1].Value != "custom_empty" {
		t.Errorf("the groups: %+v", p.Groups)
	}
	p.Grants[0].Group = "custom_nothing"
	body, err := json.Marshal(map[string]any{"base_version": p.Version, "tiers": p.Tiers, "grants": p.Grants, "protected": p.Protected, "configurers": p.Configurers})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.admin.Ask("PUT", "/api/v1/permissions", string(body)); got.Status != 422 || got.Problem.Errors[0].Location != "body.grants[0].group" {
		t.Errorf("no such section: %d %s", got.Status, got.Body)
	}
}

// TestTheDatabaseKeepsTheCatalogue: the login that serves requests writes no field by itself, and no version that changes
// what a field is, or one of the program's.
func TestTheDatabaseKeepsTheCatalogue(t *testing.T) {
	h := newHousing(t)
	h.put(0)
	try := func(sql string) error {
		return database.Run(t.Context(), h.App, func(tx *database.Tx) error {
			return database.Hide(tx.DB().Exec(strings.ReplaceAll(sql, "{entry}", "'"+h.Entry(tx).String()+"'")).Error)
		})
	}
	version := func(n int, document string) string {
		return fmt.Sprintf(`INSERT INTO catalogue_versions (version, document, changed_by, approved_by, ledger_entry_id)
			SELECT %d, %s, '%s', '%s', {entry} FROM catalogue_versions WHERE version = 1`, n, document, h.People[models.RoleHRAdmin], h.People[models.RoleReviewer])
	}
	for what, sql := range map[string]string{
		"a field changed":             "UPDATE field_definitions SET notice_zh = '' WHERE key = 'id_number'",
		"a field added":               "INSERT INTO field_definitions (key, section, position, category, sensitivity, label_zh, label_en, notice_zh, notice_en) VALUES ('x', 'x', 1, '', 'basic', '', '', '', '')",
		"a version changed":           "UPDATE catalogue_versions SET document = '{}'",
		"a version left out":          version(3, "document"),
		"a version again":             version(1, "document"),
		"a field left out":            version(2, `'{"sections": [], "fields": [], "notices": []}'`),
		"another category":            version(2, `jsonb_set(document, '{fields,0,category}', '"pay_bank"')`),
		"another type":                version(2, `jsonb_set(document, '{fields,0,type}', '"date"')`),
		"one of the program's fields": version(2, `jsonb_set(document, '{fields,3}', jsonb_set(document #> '{fields,0}', '{key}', '"id_number"'))`),
		"in one of its sections":      version(2, `jsonb_set(document, '{fields,3}', document #> '{fields,0}' || '{"key": "custom_x", "section": "identity"}')`),
		"without an entry":            strings.ReplaceAll(version(2, "document"), "{entry}", "gen_random_uuid()"),
	} {
		if err := try(sql); err == nil {
			t.Errorf("%s went through", what)
		}
	}
	if err := try(version(2, "document")); err != nil {
		t.Errorf("a version as the program writes it: %v", err)
	}
}
