package main

import (
	"context"
	"net/http"
	"os"
	"time"

	"lethe/api/departures"
	"lethe/internal/clock"
	"lethe/internal/i18n"
	"lethe/models"
)

// WithdrawCmd takes a departure back.
type WithdrawCmd struct {
	EmployeeNo     string `arg:"" help:"The number, or the whole name, of who stays. 员工的工号或全名。"`
	Reason         string `required:"" help:"Why; kept sealed with the departure. 撤回原因，加密保存。"`
	CompanyConsent bool   `help:"The company agrees, which it must. 公司同意撤回，必须注明。"`
	consent
	spoken
}

// Run shows the departure, asks, and takes it back.
func (w WithdrawCmd) Run(ctx context.Context) error {
	client, err := newClient(w.spoken, models.RoleHRAdmin)
	if err != nil {
		return err
	}
	return w.run(ctx, client)
}

func (w WithdrawCmd) run(ctx context.Context, client *apiClient) error {
	if err := w.possible(client); err != nil {
		return err
	}
	d, err := client.openDeparture(ctx, w.EmployeeNo, client.say("%s has no departure that can be withdrawn:", "%s 没有可以撤回的离职记录："), models.StagePendingDeparture)
	if err != nil {
		return err
	}
	if !w.CompanyConsent && d.EmploymentEndedAt.After(time.Now()) {
		return &outcomeError{i18n.Text(client.language, "problem.company_consent_required.detail") + client.say(" ", "") + client.hint("company_consent_required", ""), exitUsage}
	}
	if !w.Yes {
		if err := client.showDeparture(os.Stderr, d); err != nil {
			return err
		}
	}
	question := client.say("Take this departure back? Accounts stay, or are given back.", "是否撤回离职？账号将保留，已停用的会恢复。")
	if err := w.ask(ctx, client, question); err != nil {
		return err
	}
	return client.change(ctx, d, sent{method: http.MethodPost, path: "/withdrawal", body: map[string]any{
		"reason": w.Reason, "company_consent": w.CompanyConsent, // sealed; a reason for the log is another text
	}})
}

// change carries out a command on a departure and prints what became of it.
func (c *apiClient) change(ctx context.Context, d departures.DepartureView, s sent) error {
	s.path, s.zone = "/api/v1/departures/"+d.ID.String()+s.path, d.TimeZone
	var changed departures.DepartureView
	if err := c.carryOut(ctx, s, &changed); err != nil {
		return err
	}
	return c.showDeparture(os.Stdout, changed)
}

// DatesCmd changes the dates of a departure.
type DatesCmd struct {
	EmployeeNo string `arg:"" help:"The number, or the whole name, of who leaves. 离职员工的工号或全名。"`
	wishes
	consent
	spoken
}

// Run shows the departure, asks, and changes its dates.
func (d DatesCmd) Run(ctx context.Context) error {
	client, err := newClient(d.spoken, models.RoleHRAdmin)
	if err != nil {
		return err
	}
	return d.run(ctx, client)
}

func (d DatesCmd) run(ctx context.Context, client *apiClient) error {
	if d.none() {
		return client.usage("say which date changes, for example --last-working-day", "请指明要变更的日期，例如 --last-working-day")
	}
	if err := d.possible(client); err != nil {
		return err
	}
	stages := []models.Stage{models.StagePendingDeparture}
	if d.CountFromEnd {
		stages = append(stages, models.StageDeparted, models.StagePurging)
	}
	was, err := client.openDeparture(ctx, d.EmployeeNo, client.say("%s has no departure whose dates can be changed:", "%s 没有可以变更日期的离职记录："), stages...)
	if err != nil {
		return err
	}
	body, err := d.keeping(was).body(client, was.TimeZone)
	if err != nil {
		return err
	}
	if d.LastWorkingDay == "" && d.Cutoff == "" && !d.Immediate {
		body["access_cutoff_at"] = was.AccessCutoffAt
	}
	if err := d.agree(ctx, client, was, body); err != nil {
		return err
	}
	return client.change(ctx, was, sent{method: http.MethodPut, path: "/dates", body: body})
}

// agree shows what would change, and asks.
func (d DatesCmd) agree(ctx context.Context, client *apiClient, was departures.DepartureView, body map[string]any) error {
	if d.Yes {
		return nil
	}
	if err := client.showDeparture(os.Stderr, was); err != nil {
		return err
	}
	var p departures.DatesPreview
	if err := client.call(ctx, http.MethodPost, "/api/v1/departures/"+was.ID.String()+"/dates"+previewPath, body, &p); err != nil {
		return err
	}
	if err := show(os.Stderr, moves(client, p)...); err != nil {
		return err
	}
	question := client.say("Change the dates?", "是否变更日期？")
	if p.TwoPeople {
		question = client.say("A second person has to agree. Ask for it?", "须经另一人审核，是否提交？")
	}
	if p.CutAtOnce {
		question = client.say("Access ends at once; that waits for nobody. ", "账号将立即停用，无需等待审核。") + question
	}
	return d.ask(ctx, client, question)
}

// moves are the dates that change, before and after, and why a second person decides. The end of the employment as an
// instant is shown where it does not follow from its day.
func moves(c *apiClient, p departures.DatesPreview) (lines [][2]string) {
	for _, m := range p.Changes {
		if loc, err := clock.LoadZone(p.Dates.TimeZone); m.Field == "employment_ended_at" && err == nil && clock.EndOfDay(p.Dates.EmploymentEndDate, loc).Equal(p.Dates.EmploymentEndedAt) {
			continue
		}
		lines = append(lines, [2]string{m.Label, m.Before + " → " + m.After})
	}
	if len(lines) == 0 {
		lines = append(lines, [2]string{c.say("dates", "日期"), c.say("nothing changes", "没有变化")})
	}
	for _, b := range p.Because {
		lines = append(lines, [2]string{c.say("decided by a second person", "须经另一人审核"), b.Text})
	}
	return lines
}

// keeping fills in the days that the departure has already, since the API derives what it is not told: who moves
// the end, or the cutoff, moves nothing else. Another last day is a new start.
func (w wishes) keeping(d departures.DepartureView) wishes {
	if w.Immediate || w.LastWorkingDay != "" {
		return w
	}
	w.LastWorkingDay = d.LastWorkingDay.String()
	if w.End == "" {
		w.End = d.EmploymentEndDate.String()
	}
	return w
}
