package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"text/tabwriter"

	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/models"
)

// CasesCmd is about what is stuck.
type CasesCmd struct {
	List     CaseListCmd     `cmd:"" default:"withargs" help:"List support cases, oldest first. 列出异常工单。"`
	Show     CaseShowCmd     `cmd:"" help:"Show a case: what was tried, what to do now, and a text for the vendor. 查看一个工单：已尝试的步骤、下一步、可发给供应商的说明。"`
	Retry    CaseRetryCmd    `cmd:"" help:"Try the step again. 重试。"`
	Resolved CaseResolvedCmd `cmd:"" help:"It was solved by hand in the system; it is read back all the same. 已在该系统中手工处理，仍会复查。"`
	Waive    CaseWaiveCmd    `cmd:"" help:"Ask a second person to accept it unsolved. 申请双人批准豁免。"`
}

// CaseListCmd lists cases.
type CaseListCmd struct {
	State string `placeholder:"STATE" enum:"open,waiver_requested,closed,all" default:"open" help:"open, waiver_requested, closed or all. 工单状态。"`
	Limit int    `default:"50" help:"How many at most, up to 200. 最多显示多少条。"`
	spoken
}

// Run prints a line for each, with the id that the other commands take.
func (l CaseListCmd) Run(ctx context.Context) error {
	client, err := newClient(l.spoken, models.RoleITOps)
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(l.Limit)}}
	if l.State != "all" {
		query.Set("state", l.State)
	}
	var page httpkit.Page[accounts.CaseView]
	if err := client.call(ctx, http.MethodGet, "/api/v1/support-cases?"+query.Encode(), nil, &page); err != nil {
		return err
	}
	if len(page.Items) == 0 {
		fmt.Fprintln(os.Stderr, client.say("no support cases", "没有异常工单"))
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, client.say("case\tnumber\tname\tsystem\topened\tstate\treason", "工单\t工号\t姓名\t系统\t发生时间\t状态\t原因"))
	for _, c := range page.Items {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.ID, c.Person.EmployeeNo, c.Person.Name, c.SystemText, here(c.OpenedAt), client.standing(c), c.ReasonText)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing cases: %w", err)
	}
	if page.NextCursor != nil {
		fmt.Fprintln(os.Stderr, client.say("there are more: choose a state, or raise --limit", "还有更多：请选择状态，或调大 --limit"))
	}
	return nil
}

// CaseShowCmd shows one case.
type CaseShowCmd struct {
	ID string `arg:"" name:"case" help:"As lethe cases shows it. lethe cases 所列的工单号。"`
	spoken
}

// Run prints all that is known of it.
func (s CaseShowCmd) Run(ctx context.Context) error {
	client, err := newClient(s.spoken, models.RoleITOps)
	if err != nil {
		return err
	}
	v, err := client.caseOf(ctx, s.ID)
	if err != nil {
		return err
	}
	client.showCase(v)
	lines := [][2]string{
		{client.say("opened", "发生时间"), here(v.OpenedAt)},
		{client.say("what to do", "下一步"), v.NextStep},
	}
	for _, t := range v.Tried {
		what := t.SubstepText + client.say(": ", "：") + t.OutcomeText
		if t.HTTPStatus != 0 {
			what += fmt.Sprintf(" (HTTP %d)", t.HTTPStatus)
		}
		what += fmt.Sprintf(", %d×, %s", t.Times, here(t.LastAt))
		lines = append(lines, [2]string{client.say("tried", "已尝试"), what})
	}
	lines = append(lines, [2]string{client.asker(v), named(v.Asker)}, [2]string{client.say("approved by", "审核人"), named(v.Confirmer)},
		[2]string{client.say("note", "处理备注"), v.Note})
	if err := show(os.Stdout, lines...); err != nil {
		return err
	}
	fmt.Printf("\n%s\n%s\n", client.say("For the vendor's support; nothing about a person:", "可发给系统供应商的说明，不含个人信息："), v.ForVendor)
	return nil
}

// asker is what whoever asked for a waiver, or decided the case, did.
func (c *apiClient) asker(v accounts.CaseView) string {
	if v.State == models.CaseWaiverRequested || v.Resolution == models.ResolutionWaive {
		return c.say("waiver asked for by", "豁免申请人")
	}
	return c.say("decided by", "处理人")
}

// named is somebody's number and name; nothing if it is nobody.
func named(p *render.PersonView) string {
	if p == nil {
		return ""
	}
	return p.EmployeeNo + " " + p.Name
}

// standing is the state of a case, and how it ended.
func (c *apiClient) standing(v accounts.CaseView) string {
	if v.ResolutionText == "" || v.State != "closed" {
		return v.StateText
	}
	return v.StateText + c.say(": ", "：") + v.ResolutionText
}

// caseNamed is which case a command is about.
type caseNamed struct {
	ID     string `arg:"" name:"case" help:"As lethe cases shows it. lethe cases 所列的工单号。"`
	Note   string `help:"What was done, for whoever looks at the case later. No names, numbers or illnesses. 处理备注，供以后查看，请勿填写姓名、号码或病情。"`
	Reason string `help:"Why, for the second person if one decides; else the note. 提交审核的原因，不填则用处理备注。"`
	consent
	spoken
}

// CaseRetryCmd tries the step again.
type CaseRetryCmd struct{ caseNamed }

// Run decides.
func (c CaseRetryCmd) Run(ctx context.Context) error { return c.decide(ctx, models.ResolutionRetry) }

// CaseResolvedCmd says that people solved it.
type CaseResolvedCmd struct{ caseNamed }

// Run decides.
func (c CaseResolvedCmd) Run(ctx context.Context) error {
	return c.decide(ctx, models.ResolutionByHand)
}

// CaseWaiveCmd asks to accept it unsolved.
type CaseWaiveCmd struct{ caseNamed }

// Run decides.
func (c CaseWaiveCmd) Run(ctx context.Context) error { return c.decide(ctx, models.ResolutionWaive) }

// decide shows a case, asks, decides how it goes on and prints what became of it. Trying again asks nobody: it
// only repeats what was ordered before.
func (c caseNamed) decide(ctx context.Context, action models.Resolution) error {
	client, err := newClient(c.spoken, models.RoleITOps)
	if err != nil {
		return err
	}
	c.Yes = c.Yes || action == models.ResolutionRetry
	if err := c.possible(client); err != nil {
		return err
	}
	v, err := client.caseOf(ctx, c.ID)
	if err != nil {
		return err
	}
	if !c.Yes {
		client.showCase(v)
	}
	question := client.say("Was it solved in the system itself?", "是否已在该系统中手工处理？")
	if action == models.ResolutionWaive {
		question = client.say("Ask a second person to accept it unsolved? The account may stay open.", "是否申请双人批准豁免？该账号可能仍未停用。")
	}
	if err := c.ask(ctx, client, question); err != nil {
		return err
	}
	s := sent{method: http.MethodPost, path: "/api/v1/support-cases/" + v.ID.String() + "/resolution", body: map[string]string{"action": string(action), "approval_reason": c.Reason, "note": c.Note}}
	if err := client.carryOut(ctx, s, &v); err != nil {
		return err
	}
	if action == models.ResolutionRetry {
		fmt.Printf(client.say("%s %s, %s: it is being tried again; lethe cases lists it if it fails\n", "%s %s，%s：正在重试；如仍失败，会再次列入 lethe cases\n"), v.Person.EmployeeNo, v.Person.Name, v.SystemText)
		return nil
	}
	client.showCase(v)
	return nil
}

// caseOf reads a case.
func (c *apiClient) caseOf(ctx context.Context, named string) (v accounts.CaseView, err error) {
	id, mistyped := uuid.Parse(named)
	if mistyped == nil {
		err = c.call(ctx, http.MethodGet, "/api/v1/support-cases/"+id.String(), nil, &v)
	}
	if mistyped != nil || errors.Is(err, errUnknown) {
		err = fmt.Errorf(c.say("there is no case “%s”: lethe cases lists them", "没有工单“%s”，请用 lethe cases 查看"), named)
	}
	return v, err
}

func (c *apiClient) showCase(v accounts.CaseView) {
	fmt.Printf("%s %s, %s: %s (%s)\n", v.Person.EmployeeNo, v.Person.Name, v.SystemText, c.standing(v), v.ReasonText)
}
