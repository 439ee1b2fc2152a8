package accounts_test

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/apitest"
	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/account"
	"lethe/internal/i18n"
	"lethe/models"
)

func caseAddress(id uuid.UUID) string { return "/api/v1/support-cases/" + id.String() }

// waiver asks for a waiver of a stuck account and says where the request is.
func waiver(f *apitest.Fixture, kase uuid.UUID) (address string) {
	f.T.Helper()
	got := f.Session(httpkit.IT).Ask("POST", caseAddress(kase)+"/resolution", `{"action": "waive"}`)
	if got.Status != http.StatusAccepted {
		f.T.Fatalf("asking for a waiver: %d %s", got.Status, got.Body)
	}
	return got.Header.Get("Location")
}

// Whoever tries again, or has done it by hand, ends the request for a waiver; it stayed pending, and the
// reviewer met an error.
func TestADecisionEndsTheRequestForAWaiver(t *testing.T) {
	f := apitest.New(t)
	for _, action := range []models.Resolution{models.ResolutionRetry, models.ResolutionByHand} {
		kase := f.StuckCase(f.Hire("E-"+string(action), f.A))
		request := waiver(f, kase)
		if got := f.Ask(httpkit.IT, "POST", caseAddress(kase)+"/resolution", `{"action": "`+string(action)+`"}`); got.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", action, got.Status, got.Body)
		}
		texts := map[string]bool{}
		for _, language := range []string{"zh", "en"} {
			var v approvals.ApprovalView
			f.Ask(httpkit.Reviewer, "GET", request, "", "Accept-Language", language).Into(t, &v)
			if v.State != models.ApprovalVoid || v.VoidReason != models.VoidGone || v.VoidReasonText == "" {
				t.Errorf("%s leaves the request %s: %q", action, v.State, v.VoidReason)
			}
			texts[v.VoidReasonText] = true
		}
		if len(texts) != 2 {
			t.Errorf("one text in both languages: %v", texts)
		}
	}
}

// One agrees to the waiver while the other tries again: one of them is heard, and what is shown says which.
func TestARetryAndAnAgreementAtOnce(t *testing.T) {
	f := apitest.New(t)
	agrees, retries := f.Session(httpkit.Reviewer), f.Session(httpkit.IT)
	for range 4 {
		kase := f.StuckCase(f.Hire("E"+uuid.NewString()[:8], f.A))
		request := waiver(f, kase)
		var agreed, retried apitest.Reply
		var wg sync.WaitGroup
		wg.Go(func() { agreed = agrees.Ask("POST", request+"/decision", `{"decision": "approved"}`) })
		wg.Go(func() { retried = retries.Ask("POST", caseAddress(kase)+"/resolution", `{"action": "retry"}`) })
		wg.Wait()
		var c accounts.CaseView
		var v approvals.ApprovalView
		f.Ask(httpkit.IT, "GET", caseAddress(kase), "").Into(t, &c)
		f.Ask(httpkit.IT, "GET", request, "").Into(t, &v)
		switch {
		case c.Resolution == models.ResolutionWaive && v.State == models.ApprovalApproved && agreed.Status == http.StatusOK && retried.Status == http.StatusConflict:
		case c.Resolution == models.ResolutionRetry && v.State == models.ApprovalVoid && agreed.Status == http.StatusConflict && retried.Status == http.StatusOK:
		default:
			t.Errorf("the case ended by %q, the request %s; agreed: %d, retried: %d", c.Resolution, v.State, agreed.Status, retried.Status)
		}
	}
}

// tried writes evidence of a case's step.
func tried(f *apitest.Fixture, kase uuid.UUID, rows ...string) {
	f.T.Helper()
	for _, row := range rows {
		parts := strings.Split(row, " ")
		f.Exec("INSERT INTO account_evidence (step_id, attempt, substep, outcome, detail, ledger_entry_id) SELECT step_id, 1, ?, ?, ?, @entry FROM support_cases WHERE id = ?",
			parts[0], parts[1], parts[2], kase)
	}
}

// A case of a step that was a case before: what was tried since comes first. That one call alone is not permitted is not told
// as refused credentials.
func TestACaseThatWasReopened(t *testing.T) {
	f := apitest.New(t)
	kase := f.StuckCase(f.Hire("E1", f.A))
	tried(f, kase, "find confirmed ", "disable failed unauthorized:401")
	f.Exec("UPDATE support_cases SET state = 'closed', resolution = 'retry', closed_at = lethe_now() WHERE id = ?", kase)
	f.Env.Advance(t, time.Minute)
	again := models.NewID()
	f.Exec(`INSERT INTO support_cases (id, step_id, operation_id, account_id, departure_id, system, reason, ledger_entry_id)
		SELECT ?, step_id, operation_id, account_id, departure_id, system, 'unauthorized', @entry FROM support_cases WHERE id = ?`, again, kase)
	read := func() (v accounts.CaseView) {
		f.Ask(httpkit.IT, "GET", caseAddress(again), "", "Accept-Language", "zh").Into(t, &v)
		return v
	}
	tried(f, again, "disable failed unauthorized:403")
	v := read()
	if len(v.Tried) != 3 || v.Tried[0].Earlier || v.Tried[0].HTTPStatus != 403 || !v.Tried[1].Earlier || !v.Tried[2].Earlier || v.HTTPStatus != 403 {
		t.Errorf("tried: %+v", v.Tried)
	}
	if !strings.Contains(v.ReasonText, "凭据") { // nothing else was let through
		t.Errorf("with one call alone it says %q", v.ReasonText)
	}
	tried(f, again, "find confirmed ")
	v = read()
	since, before, ok := strings.Cut(v.ForVendor, "此前")
	if !ok || !strings.Contains(since, "HTTP 403") || strings.Contains(since, "HTTP 401") || !strings.Contains(before, "HTTP 401") {
		t.Errorf("the vendor reads\n%s", v.ForVendor)
	}
	if strings.Contains(v.ReasonText, "凭据") || !strings.Contains(v.ReasonText, "没有允许") || !strings.Contains(v.NextStep, "权限") || !strings.Contains(v.Tried[0].DetailText, "没有允许") {
		t.Errorf("it says %q, %q, %q", v.ReasonText, v.NextStep, v.Tried[0].DetailText)
	}
}

func TestACaseSaysWhatHappenedAndWhatToDo(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("CANARY-NUMBER", f.A)
	f.Exec("UPDATE employees SET name = 'CANARY-NAME' WHERE id = ?", person)
	f.Exec("UPDATE linked_accounts SET external_id = 'CANARY-ID' WHERE employment_id = ?", f.Employment(person))
	kase := f.StuckCase(person)
	tried(f, kase, "find confirmed ", "disable begun ", "disable failed timeout", "disable failed unavailable:503", "disable failed unavailable:503", "residue residue_found groups:2")
	var v accounts.CaseView
	f.Ask(httpkit.IT, "GET", caseAddress(kase), "", "Accept-Language", "zh").Into(t, &v)
	if v.Person.Name != "CANARY-NAME" || v.SystemText != "邮箱" || v.HTTPStatus != 503 || len(v.Tried) != 4 || v.Tried[2].Times != 2 || v.Tried[2].HTTPStatus != 503 ||
		v.Tried[2].Detail != "unavailable" || v.Tried[2].LastAt.Before(v.Tried[2].FirstAt) || !strings.Contains(v.NextStep, "重试") {
		t.Errorf("the case is %+v", v)
	}
	for _, said := range []string{"Lethe test", "系统类别：邮箱", "停用账号：失败（系统无法访问，HTTP 503）；共 2 次", "有残留（群组 2）；1 次，于 20"} {
		if !strings.Contains(v.ForVendor, said) {
			t.Errorf("the vendor does not read %q:\n%s", said, v.ForVendor)
		}
	}
	// Nothing about a person, and nothing that leads to one.
	if found := regexp.MustCompile("CANARY|[0-9a-f]{8}-[0-9a-f]{4}").FindString(v.ForVendor); found != "" {
		t.Errorf("the vendor reads %q:\n%s", found, v.ForVendor)
	}
	var op accounts.OperationView
	f.Ask(httpkit.IT, "GET", httpkit.AddressOf(models.RefUnlinking, v.OperationID), "", "Accept-Language", "zh").Into(t, &op)
	if len(op.Steps) != 1 || op.Steps[0].SystemText != "邮箱" || len(op.Steps[0].Evidence) != 6 {
		t.Fatalf("the operation is %+v", op)
	}
	for _, e := range op.Steps[0].Evidence {
		if strings.Contains(e.SubstepText+e.OutcomeText, "tried") || e.SubstepText == "" || e.OutcomeText == "" {
			t.Errorf("the evidence reads %q: %q", e.SubstepText, e.OutcomeText)
		}
	}
	waiver(f, kase)
	if f.Ask(httpkit.IT, "GET", caseAddress(kase), "", "Accept-Language", "zh").Into(t, &v); !strings.Contains(v.NextStep, "等待另一人审核") {
		t.Errorf("while its waiver is decided, the next step is %q", v.NextStep)
	}
	body := `{"action": "resolved_by_hand", "note": "removed it there"}`
	if got := f.Ask(httpkit.IT, "POST", caseAddress(kase)+"/resolution", body); got.Status != http.StatusOK {
		t.Fatalf("resolving: %d %s", got.Status, got.Body)
	}
	f.Ask(httpkit.Auditor, "GET", caseAddress(kase), "").Into(t, &v)
	if v.Note != "removed it there" || v.Asker == nil || v.Asker.EmployeeID != f.People[httpkit.IT] || len(v.Tried) != 4 {
		t.Errorf("the closed case is %+v", v)
	}
	v = accounts.CaseView{}
	if f.Ask(httpkit.IT, "GET", caseAddress(kase), "").Into(t, &v); v.NextStep != "" {
		t.Errorf("a closed case wants %q", v.NextStep)
	}
}

func TestCasesAreFound(t *testing.T) {
	f := apitest.New(t)
	one, two := f.Hire("E1", f.A), f.Hire("E2", f.A)
	first, second := f.StuckCase(one), f.StuckCase(two)
	f.Exec("UPDATE support_cases SET reason = 'from_a_later_version' WHERE id = ?", second)
	for query, want := range map[string]uuid.UUID{
		"employee_id=" + one.String(): first, "reason=unavailable": first, "reason=other&system=mail": second,
		"system=mail&state=open&employee_id=" + two.String(): second, "reason=residue": uuid.Nil, "state=closed": uuid.Nil, "system=mail&state=closed": uuid.Nil,
	} {
		var page httpkit.Page[accounts.CaseView]
		f.Ask(httpkit.IT, "GET", "/api/v1/support-cases?"+query, "").Into(t, &page)
		if want == uuid.Nil && len(page.Items) > 0 || want != uuid.Nil && (len(page.Items) != 1 || page.Items[0].ID != want) {
			t.Errorf("%s finds %+v", query, page.Items)
		}
	}
	for _, query := range []string{"reason=unknown", "system=unknown", "employee_id=x"} {
		if got := f.Ask(httpkit.IT, "GET", "/api/v1/support-cases?"+query, ""); got.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
}

func TestEveryReasonSaysWhatToDo(t *testing.T) {
	for _, reason := range append([]string{account.ReasonOther}, account.Reasons...) {
		for _, language := range i18n.Languages {
			for _, prefix := range []string{"case_reason.", "case_next."} {
				if _, ok := i18n.Lookup(language, prefix+reason); !ok {
					t.Errorf("%s: no text %s%s", language, prefix, reason)
				}
			}
		}
	}
}

// TestTheNoteOfAWaiverStaysWithTheCase beside another reason, and is shown to who agrees.
func TestTheNoteOfAWaiverStaysWithTheCase(t *testing.T) {
	f := apitest.New(t)
	s := f.Session(httpkit.IT)
	for name, reason := range map[string]string{"another reason": "the vendor is gone", "the same": ""} {
		kase := f.StuckCase(f.Hire("E"+uuid.NewString()[:8], f.A))
		ask := func(body string) apitest.Reply { return s.Ask("POST", caseAddress(kase)+"/resolution", body) }
		body := `{"action": "waive", "note": "ticket 4711"}`
		if reason != "" {
			body = `{"action": "waive", "note": "ticket 4711", "approval_reason": "` + reason + `"}`
		}
		first := ask(body)
		for _, again := range []string{body, `{"action": "waive"}`} {
			if got := ask(again); got.Status != http.StatusAccepted || got.Header.Get("Location") != first.Header.Get("Location") {
				t.Errorf("%s: %s again: %d %s", name, again, got.Status, got.Body)
			}
		}
		if got := ask(`{"action": "waive", "note": "ticket 4712"}`); got.Status != http.StatusConflict || got.Problem.Code != "approval_open_other_reason" {
			t.Errorf("%s: another note: %d %s", name, got.Status, got.Body)
		}
		var v approvals.ApprovalView
		f.Session(httpkit.Reviewer).Ask("POST", first.Header.Get("Location")+"/decision", `{"decision": "approved"}`).Into(t, &v)
		noted := slices.ContainsFunc(v.Changes, func(c approvals.ChangeView) bool { return c.Field == "note" && c.After == "ticket 4711" })
		if v.Reason != cmp.Or(reason, "ticket 4711") || !noted {
			t.Errorf("%s: who agrees reads %q and %+v", name, v.Reason, v.Changes)
		}
		var c accounts.CaseView
		f.Ask(httpkit.IT, "GET", caseAddress(kase), "").Into(t, &c)
		if c.Resolution != models.ResolutionWaive || c.Note != "ticket 4711" {
			t.Errorf("%s: the case is %s with the note %q", name, c.Resolution, c.Note)
		}
	}
}

// TestAnUnknownSystemIsToldWithThoseThatAreConnected wherever one is named.
func TestAnUnknownSystemIsToldWithThoseThatAreConnected(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("E1", f.A)
	for _, c := range []struct {
		role                         models.Role
		method, path, body, location string
		status                       int
	}{
		{httpkit.IT, "GET", "/api/v1/support-cases?system=maill", "", "query.system", 422},
		{httpkit.IT, "POST", "/api/v1/systems/maill/check", "", "path.name", 404},
		{httpkit.HR, "POST", "/api/v1/account-unlinkings", `{"employee_id": "` + person.String() + `", "systems": ["mail", "maill"]}`, "body.systems[1]", 422},
		{httpkit.HR, "POST", accounts.AccountsAddress(person), `{"system": "maill", "external_id": "x"}`, "body.system", 422},
	} {
		got := f.Ask(c.role, c.method, c.path, c.body)
		if got.Status != c.status || len(got.Problem.Errors) != 1 || got.Problem.Errors[0].Location != c.location ||
			!slices.Equal(got.Problem.Errors[0].Allowed, f.Systems.Names()) || !strings.Contains(got.Problem.Errors[0].Message, "mail") {
			t.Errorf("%s %s: %d %s", c.method, c.path, got.Status, got.Body)
		}
	}
}
