package employees_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/employees"
	"lethe/api/httpkit"
	"lethe/api/imports"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/retention"
	"lethe/models"
)

// withContacts is somebody with the contacts 1 and 2, of whom the second was told.
func withContacts(f *apitest.Fixture, no string) uuid.UUID {
	id := f.Hire(no, f.A)
	fields := map[string]*string{}
	for key, value := range map[string]string{
		"emergency_contact_name": "王芳", "emergency_contact_phone": "13800000001", "emergency_contact_2_name": "李雷", "emergency_contact_2_phone": "13800000002",
		"emergency_contact_2_informed": "yes", "emergency_contact_2_informed_on": "2024-05-01", "emergency_contact_2_informed_by": "employee",
	} {
		fields[key] = &value
	}
	f.Run(func(tx *database.Tx) error { return archive.Update(tx, f.Vault, id, archive.Patch{Fields: fields}) })
	return id
}

func removal(f *apitest.Fixture, by models.Role, person uuid.UUID, contact, body string) apitest.Reply {
	return f.Ask(by, "POST", httpkit.AddressOf(models.RefEmployee, person)+"/emergency-contacts/"+contact+"/removal", body)
}

// TestAnEmergencyContactIsRemovedOnTheirOwnRequest: by HR with the request as evidence, logged, seen by the person, and not
// brought back by a file.
func TestAnEmergencyContactIsRemovedOnTheirOwnRequest(t *testing.T) {
	f := apitest.New(t)
	person := withContacts(f, "E1")
	body := `{"form": "called_back", "received_on": "` + f.Day(-1) + `", "kept_at": "人事档案柜 3-12"}`
	for what, k := range map[string]struct {
		got    apitest.Reply
		status int
		code   string
	}{
		"by a reviewer":       {removal(f, models.RoleReviewer, person, "2", body), 403, "role_not_allowed"},
		"who is not there":    {removal(f, models.RoleHRAdmin, person, "3", body), 404, "contact_not_found"},
		"of nobody":           {removal(f, models.RoleHRAdmin, uuid.New(), "2", body), 404, "employee_not_found"},
		"of HR itself":        {removal(f, models.RoleHRAdmin, f.People[models.RoleHRAdmin], "2", body), 403, "own_matter"},
		"without evidence":    {removal(f, models.RoleHRAdmin, person, "2", `{"form": "written", "received_on": "`+f.Day(-1)+`", "kept_at": " "}`), 422, "validation_failed"},
		"on somebody's word":  {removal(f, models.RoleHRAdmin, person, "2", `{"form": "hearsay", "received_on": "`+f.Day(-1)+`", "kept_at": "x"}`), 422, "validation_failed"},
		"asked for tomorrow":  {removal(f, models.RoleHRAdmin, person, "2", `{"form": "written", "received_on": "`+f.Day(1)+`", "kept_at": "x"}`), 422, "validation_failed"},
		"beyond the last one": {removal(f, models.RoleHRAdmin, person, "6", body), 422, "validation_failed"},
	} {
		if k.got.Status != k.status || k.got.Problem.Code != k.code {
			t.Errorf("%s: %d %s", what, k.got.Status, k.got.Body)
		}
	}
	var view employees.EmergencyContacts
	for range 2 { // the same again changes nothing
		removal(f, models.RoleHRAdmin, person, "2", body).Into(t, &view)
	}
	if len(view.Contacts) != 1 || view.Contacts[0].Contact != 1 || len(view.Removed) != 1 || view.Removed[0].KeptAt != "人事档案柜 3-12" || view.Removed[0].RemovedBy == nil {
		t.Errorf("HR sees %+v", view)
	}
	if n := f.Count("field_values WHERE field_key LIKE 'emergency_contact_2_%'"); n != 0 {
		t.Errorf("%d values are left", n)
	}
	if f.Count("ledger_content WHERE action = 'emergency_contact.removed' AND details->>'contact' = '2' AND details->>'contact_request' = 'called_back'") != 1 {
		t.Error("the log lacks it")
	}
	self := f.FreshSession(person, models.RoleEmployee)
	got := self.Ask("GET", httpkit.AddressOf(models.RefEmployee, person)+"/emergency-contacts", "")
	var own employees.EmergencyContacts
	if got.Into(t, &own); len(own.Removed) != 1 || own.Removed[0].KeptAt != "" || own.Removed[0].RemovedBy != nil {
		t.Errorf("the person sees %s", got.Body)
	}
	if got := self.Ask("GET", httpkit.AddressOf(models.RefEmployee, f.People[models.RoleAuditor])+"/emergency-contacts", ""); got.Status != http.StatusNotFound {
		t.Errorf("somebody else's: %d", got.Status)
	}

	removal(f, models.RoleHRAdmin, person, "1", body)
	saysRemoved := func(asks interface {
		Ask(method, path, body string, headers ...string) apitest.Reply
	}) (told int) {
		var file archive.EmployeeView
		asks.Ask("GET", httpkit.AddressOf(models.RefEmployee, person), "", "Accept-Language", "zh").Into(t, &file)
		for _, field := range file.Fields {
			if field.RemovedText == "已应其要求移除" {
				told++
			}
		}
		return told
	}
	if hr, own := saysRemoved(f.Session(models.RoleHRAdmin)), saysRemoved(self); hr != 6 || own != 6 {
		t.Errorf("files say of %d and %d fields that the first contact was removed", hr, own)
	}

	v := f.Upload("工号,姓名,紧急联系人,紧急联系电话\nE1,Person E1,李雷,13800000002\n")
	if v.Plan != (imports.ImportPlan{Faulty: 1}) {
		t.Errorf("a file brings it back: %+v", v.Plan)
	}
	if v := f.Upload("工号,姓名,岗位\nE1,Person E1,顾问\n"); v.Plan != (imports.ImportPlan{Change: 1}) {
		t.Errorf("a file without contacts: %+v", v.Plan)
	}
	if got := f.Ask(models.RoleHRAdmin, "PATCH", httpkit.AddressOf(models.RefEmployee, person), `{"fields": {"emergency_contact_2_name": "赵敏"}}`); got.Status != 200 {
		t.Errorf("somebody else is named: %d %s", got.Status, got.Body)
	}
	if got := f.Ask(models.RoleHRAdmin, "PATCH", httpkit.AddressOf(models.RefEmployee, person), `{"fields": {"emergency_contact_name": "赵敏"}}`); got.Status != 200 || saysRemoved(self) != 0 {
		t.Errorf("after another first contact was named, %d fields say that one was removed: %d %s", saysRemoved(self), got.Status, got.Body)
	}
}

// TestI4_AHoldKeepsAContact, and so does the end of the data.
func TestI4_AHoldKeepsAContact(t *testing.T) {
	f := apitest.New(t)
	person := withContacts(f, "E1")
	body := `{"form": "written", "received_on": "` + f.Day(0) + `", "kept_at": "x"}`
	f.Run(func(tx *database.Tx) error {
		_, _, err := retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: person, Matter: "M-1", By: models.System})
		return err
	})
	if got := removal(f, models.RoleHRAdmin, person, "1", body); got.Status != 409 || got.Problem.Code != "under_hold" {
		t.Errorf("under a hold: %d %s", got.Status, got.Body)
	}
	if f.Count("contact_removals") != 0 || f.Count("field_values WHERE field_key = 'emergency_contact_phone'") != 1 {
		t.Error("it was removed")
	}
}

// TestWhoHasYetToTellTheirContacts stands on the list until the day is recorded.
func TestWhoHasYetToTellTheirContacts(t *testing.T) {
	f := apitest.New(t)
	first, second := withContacts(f, "E1"), withContacts(f, "E2")
	f.LeftLongAgo(withContacts(f, "E3"), -2, false)
	listed := func() (got []employees.UntoldContacts) {
		var page httpkit.Page[employees.UntoldContacts]
		reply := f.Ask(models.RoleHRAdmin, "GET", "/api/v1/untold-contacts", "")
		reply.Into(t, &page)
		if strings.Contains(string(reply.Body), "王芳") || strings.Contains(string(reply.Body), "1380000") {
			t.Errorf("it shows whom: %s", reply.Body)
		}
		return page.Items
	}
	want := []employees.UntoldContacts{{EmployeeID: first, EmployeeNo: "E1", Name: "Person E1", Contacts: []int{1}}, {EmployeeID: second, EmployeeNo: "E2", Name: "Person E2", Contacts: []int{1}}}
	if diff := cmp.Diff(want, listed()); diff != "" {
		t.Error(diff)
	}
	got := f.Ask(models.RoleHRAdmin, "PATCH", httpkit.AddressOf(models.RefEmployee, first), `{"fields": {"emergency_contact_informed": "yes", "emergency_contact_informed_on": "`+f.Day(-1)+`", "emergency_contact_informed_by": "company_phone"}}`)
	if got.Status != 200 {
		t.Fatalf("recorded: %d %s", got.Status, got.Body)
	}
	if diff := cmp.Diff(want[1:], listed()); diff != "" {
		t.Error(diff)
	}
}
