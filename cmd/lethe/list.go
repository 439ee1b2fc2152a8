package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/models"
)

// ListCmd lists departures.
type ListCmd struct {
	Search string `arg:"" optional:"" help:"Part of a name or number. 姓名或工号的一部分。"`
	Stage  string `placeholder:"STAGE" enum:"pending_departure,departed,purging,purged,withdrawn,annulled," default:"" help:"pending_departure, departed, purging, purged, withdrawn or annulled. 只看某一阶段。"`
	Sort   string `placeholder:"BY" enum:"last_working_day,access_cutoff_at,employment_ended_at," default:"" help:"last_working_day, access_cutoff_at or employment_ended_at, earliest first; else the newest first. 排序方式。"`
	From   string `placeholder:"YYYY-MM-DD" help:"Whose last working day is then or later. 最后工作日不早于这一天。"`
	To     string `placeholder:"YYYY-MM-DD" help:"Whose last working day is then or earlier. 最后工作日不晚于这一天。"`
	Limit  int    `default:"50" help:"How many at most, up to 200. 最多显示多少条。"`
	spoken
}

// Run prints a line for each.
func (l ListCmd) Run(ctx context.Context) error {
	client, err := newClient(l.spoken, models.RoleHRAdmin)
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(l.Limit)}}
	for name, value := range map[string]string{"q": l.Search, "stage": l.Stage, "sort": l.Sort, "last_working_day_from": l.From, "last_working_day_to": l.To} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var page httpkit.Page[departures.DepartureView]
	if err := client.call(ctx, http.MethodGet, "/api/v1/departures?"+query.Encode(), nil, &page); err != nil {
		return err
	}
	if len(page.Items) == 0 {
		fmt.Fprintln(os.Stderr, client.say("no departures", "没有符合条件的离职记录"))
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, client.say("number\tlast day\tend of access\tstage\taccounts\tdepartment\tname\twaits for", "工号\t最后工作日\t账号停用时间\t阶段\t账号\t部门\t姓名\t等待"))
	for _, d := range page.Items {
		var waits []string
		for _, w := range d.Waiting {
			what := w.WhatText
			if w.SystemText != "" {
				what += " · " + w.SystemText
			}
			waits = append(waits, fmt.Sprintf("%s (%s)", what, w.RoleText))
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Person.EmployeeNo, d.LastWorkingDay, inZone(d.AccessCutoffAt, d.TimeZone), d.StageText, d.AccountsStateText, d.Person.Department, d.Person.Name, strings.Join(waits, "; "))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing departures: %w", err)
	}
	if page.NextCursor != nil {
		fmt.Fprintln(os.Stderr, client.say("there are more: search, or raise --limit", "还有更多：请检索，或调大 --limit"))
	}
	return nil
}
