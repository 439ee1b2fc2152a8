package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"lethe/api/departures"
	"lethe/internal/clock"
	"lethe/models"
)

// DepartCmd starts a departure through the API.
type DepartCmd struct {
	EmployeeNo string `arg:"" help:"The number, or the whole name, of who leaves. 离职员工的工号或全名。"`
	Kind       string `default:"resignation" enum:"resignation,mutual_agreement,dismissal,contract_end,retirement,death,assignment_end" help:"resignation, mutual_agreement, dismissal, contract_end, retirement, death or assignment_end. 离职类型。"`
	wishes
	DryRun bool `help:"Ask every connected system now what it has of the person, show what would happen, and begin nothing. 试运行：现在向各系统查询该员工的账号并显示会发生什么，不发起离职。"`
	Follow bool `short:"f" help:"Print each change as it happens, until nothing more can. 持续显示进展。"`
	consent
	spoken
}

// wishes are the dates of a departure as people write them; what is left out is derived.
type wishes struct {
	LastWorkingDay string `placeholder:"YYYY-MM-DD" help:"The last working day. 最后工作日。"`
	End            string `placeholder:"YYYY-MM-DD" help:"The end of the employment; else the last working day. 劳动关系结束日，默认为最后工作日。"`
	Cutoff         string `placeholder:"'YYYY-MM-DD HH:MM'" help:"When accounts are disabled, by the clock of the employee; else as the legal entity has it. 账号停用时间（员工所在时区），默认按公司设置。"`
	NoticeReceived string `placeholder:"YYYY-MM-DD" help:"When the notice was received; else today. 通知送达日，默认为今天。"`
	Immediate      bool   `help:"Today, with accounts disabled now; for a departure in development the default when no day is given. 即时离职，账号立即停用；开发环境发起离职未填日期时默认如此。"`
	ConfirmPast    bool   `help:"The last working day may be in the past. 确认最后工作日可早于今天。"`
	CountFromEnd   bool   `help:"Ask a second person to let deletion dates count from the end of the employment instead of today. 请另一人审核，让删除期限自劳动关系结束日起算。"`
	Reason         string `help:"Why, for the second person if one decides. 提交审核时的原因。"`
}

// none says that nothing is wished.
func (w wishes) none() bool {
	w.Reason = ""
	return w == wishes{}
}

// body is what the API is asked for. A cutoff is by the clock of the zone.
func (w wishes) body(c *apiClient, zone string) (map[string]any, error) {
	body := map[string]any{}
	for name, text := range map[string]string{
		"last_working_day": w.LastWorkingDay, "employment_end_date": w.End, "notice_received_on": w.NoticeReceived, "approval_reason": w.Reason,
	} {
		if text != "" {
			body[name] = text
		}
	}
	for name, set := range map[string]bool{"immediate": w.Immediate, "confirm_past": w.ConfirmPast, "count_from_end": w.CountFromEnd} {
		if set {
			body[name] = true
		}
	}
	if w.Cutoff == "" {
		return body, nil
	}
	at, err := cutoffIn(w.Cutoff, zone)
	if err != nil {
		return nil, c.usage("--cutoff is a day and a time, such as '2026-12-31 18:00'", "--cutoff 应为日期加时间，例如 '2026-12-31 18:00'")
	}
	body["access_cutoff_at"] = at
	return body, nil
}

// cutoffIn reads a wall time of a zone as the rest of the program understands it, also where the zone skips or
// repeats it.
func cutoffIn(text, zone string) (time.Time, error) {
	loc, err := clock.LoadZone(zone)
	if err != nil {
		return time.Time{}, err
	}
	day, wall, _ := strings.Cut(strings.Replace(strings.TrimSpace(text), "T", " ", 1), " ")
	date, err := clock.ParseDate(day)
	if err != nil {
		return time.Time{}, err
	}
	at, err := clock.ParseTimeOfDay(wall)
	return clock.At(date, at, loc), err
}

// Run shows what the departure would be, asks, starts it, and follows it if asked to.
func (d DepartCmd) Run(ctx context.Context) error {
	client, err := newClient(d.spoken, models.RoleHRAdmin)
	if err != nil {
		return err
	}
	return d.run(ctx, client)
}

func (d DepartCmd) run(ctx context.Context, client *apiClient) error {
	if d.DryRun && d.Follow {
		return client.usage("--dry-run begins nothing that --follow could show", "--dry-run 不发起离职，不能与 --follow 一起使用")
	}
	if err := d.possible(client); err != nil && !d.DryRun {
		return err
	}
	person, err := client.findEmployee(ctx, d.EmployeeNo)
	if err != nil {
		return err
	}
	if d.none() && client.development() {
		d.Immediate = true
	}
	body, err := d.body(client, person.TimeZone)
	if err != nil {
		return err
	}
	body["employee_id"], body["kind"] = person.ID, d.Kind
	if d.DryRun {
		return d.rehearse(ctx, client, body)
	}
	if err := d.agree(ctx, client, body); err != nil {
		return err
	}
	var begun departures.DepartureView
	if err := client.carryOut(ctx, sent{path: "/api/v1/departures", body: body, keyed: true, zone: person.TimeZone}, &begun); err != nil {
		return err
	}
	if err := client.showDeparture(os.Stdout, begun); err != nil || !d.Follow {
		return err
	}
	return follow(ctx, client, begun.ID, newPrinter(os.Stdout, client.language))
}

// previewPath is how a POST ends that only reads.
const previewPath = "/preview"

// agree shows whom, when and what, and asks.
func (d DepartCmd) agree(ctx context.Context, client *apiClient, body map[string]any) error {
	if d.Yes {
		return nil
	}
	var p departures.DeparturePreview
	if err := client.call(ctx, http.MethodPost, "/api/v1/departures"+previewPath, body, &p); err != nil {
		return err
	}
	if err := foreseen(os.Stderr, client, p); err != nil {
		return err
	}
	if p.Immediate || p.Earlier != nil || p.EmploymentEndedAt.Before(time.Now()) {
		_, _ = fmt.Fprintln(os.Stderr, client.say("It takes effect at once. It cannot be withdrawn afterwards, only annulled, which two people do.",
			"离职将立即生效，之后不能撤回，只能由两人撤销。"))
	}
	if p.TwoPeople {
		return d.ask(ctx, client, client.say("A second person has to agree. Ask for it?", "须经另一人审核，是否提交？"))
	}
	return d.ask(ctx, client, client.say("Begin this departure?", "是否发起离职？"))
}

// foreseen prints whom, when and what.
func foreseen(w io.Writer, client *apiClient, p departures.DeparturePreview) error {
	_, _ = fmt.Fprintf(w, "%s %s, %s: %s\n", p.Person.EmployeeNo, p.Person.Name, p.Department, p.KindText)
	lines := planned{p.LastWorkingDay, p.EmploymentEndDate, p.AccessCutoffAt, p.EmploymentEndedAt, p.TimeZone}.lines(client)
	var accounts []string
	for _, a := range p.Accounts {
		accounts = append(accounts, a.SystemText+" ("+a.StateText+")")
	}
	accounts = append(accounts, client.say("whatever else the connected systems find by the number", "以及各系统按工号查到的其他账号"))
	lines = append(lines, [2]string{client.say("to be disabled", "将停用的账号"), strings.Join(accounts, client.say(", ", "、"))})
	if e := p.Earlier; e != nil {
		lines = append(lines, [2]string{client.say("decided by a second person", "由另一人审核的日期"), fmt.Sprintf(client.say(
			"last working day %s, end of the employment %s: asked for beside, for deletion dates to count from then", "最后工作日 %s，劳动关系结束日 %s：另行提交审核，通过后删除期限自该日起算"),
			e.LastWorkingDay, e.EmploymentEndDate)})
	}
	if len(p.SuccessorMissing) > 0 {
		var missing []string
		for _, m := range p.SuccessorMissing {
			missing = append(missing, fmt.Sprintf("%s (%d)", m.KindText, m.Count))
		}
		lines = append(lines, [2]string{client.say("without successor", "无接手人的事项"), strings.Join(missing, client.say(", ", "、"))})
	}
	return show(w, lines...)
}

// rehearse shows all of it and what each system has now, and begins nothing.
func (d DepartCmd) rehearse(ctx context.Context, client *apiClient, body map[string]any) error {
	body["look_up"] = true
	var p departures.DeparturePreview
	if err := client.call(ctx, http.MethodPost, "/api/v1/departures"+previewPath, body, &p); err != nil {
		return err
	}
	if err := foreseen(os.Stdout, client, p); err != nil {
		return err
	}
	var lines [][2]string
	if p.TwoPeople || p.Earlier != nil {
		causes := p.Because
		if p.Earlier != nil {
			causes = append(causes, p.Earlier.Because...)
		}
		var because []string
		for _, c := range causes {
			because = append(because, c.Text)
		}
		lines = append(lines, [2]string{client.say("takes a second person", "须经另一人审核"), strings.Join(because, "\n")})
	}
	for _, k := range p.Planned {
		lines = append(lines, [2]string{client.say("kept until", "保存至"), inZone(k.Deadline, p.TimeZone) + "  " + k.CategoryText})
	}
	for _, s := range p.Systems {
		lines = append(lines, [2]string{s.SystemText, client.looked(s)})
	}
	for _, h := range p.ByHand {
		lines = append(lines, [2]string{h.Name, client.say("by hand; call ", "手工处理，联系：") + h.Call})
	}
	if err := show(os.Stdout, lines...); err != nil {
		return err
	}
	_, _ = fmt.Fprintln(os.Stdout, client.say("A dry run: nothing was begun, and nobody was told.", "试运行：没有发起离职，也没有通知任何人。"))
	return nil
}

// looked is what one system has now, a line for each account and for what to know of it.
func (c *apiClient) looked(s departures.SystemLook) string {
	var lines []string
	if s.Text != "" {
		lines = append(lines, s.Text)
	}
	for _, a := range s.Accounts {
		facts := []string{a.ExternalID, a.StateText}
		if a.EmployeeNo != "" {
			facts = append(facts, c.say("number there ", "其中的工号 ")+a.EmployeeNo)
		}
		if a.Sessions != nil {
			facts = append(facts, fmt.Sprintf(c.say("%d sessions open", "在线会话 %d"), *a.Sessions))
		}
		var groups []string
		for _, g := range a.Groups {
			groups = append(groups, strings.Join(strings.Fields(g.Name), " ")) // a line of its own would read as ours
		}
		if a.MoreGroups > 0 {
			groups = append(groups, fmt.Sprintf(c.say("%d more", "另有 %d 个"), a.MoreGroups))
		}
		if len(groups) > 0 {
			facts = append(facts, c.say("groups: ", "所在组：")+strings.Join(groups, c.say(", ", "、")))
		}
		lines = append(lines, strings.Join(facts, c.say(", ", "，")))
		for _, r := range a.Remarks {
			lines = append(lines, "  "+r.RemarkText)
		}
	}
	return strings.Join(lines, "\n")
}
