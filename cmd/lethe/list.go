package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"lethe/api"
	"lethe/internal/clock"
)

// ListCmd lists departures.
type ListCmd struct {
	Search string `arg:"" optional:"" help:"Part of a name or number. 姓名或工号的一部分。"`
	Stage  string `placeholder:"STAGE" help:"pending_departure, departed, purging, purged, withdrawn or annulled. 只看某一阶段。"`
	Sort   string `placeholder:"BY" help:"last_working_day, access_cutoff_at or employment_ended_at, earliest first; else the newest first. 排序方式。"`
	Limit  int    `default:"50" help:"How many at most, up to 200. 最多显示多少条。"`
	Lang   string `help:"zh or en; else the terminal's language. 显示语言。"`
}

// Run prints a line for each.
func (l ListCmd) Run(ctx context.Context) error {
	client, err := newClient(l.Lang)
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(l.Limit)}}
	for name, value := range map[string]string{"q": l.Search, "stage": l.Stage, "sort": l.Sort} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var page api.Page[api.DepartureView]
	if err := client.call(ctx, http.MethodGet, "/api/v1/departures?"+query.Encode(), nil, &page); err != nil {
		return err
	}
	if len(page.Items) == 0 {
		fmt.Fprintln(os.Stderr, client.say("no departures", "没有符合条件的离职记录"))
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, client.say("number\tlast day\tend of access\tstage\taccounts\tname\twaits for", "工号\t最后工作日\t账号停用时间\t阶段\t账号\t姓名\t等待"))
	for _, d := range page.Items {
		var waits []string
		for _, w := range d.Waiting {
			waits = append(waits, fmt.Sprintf("%s (%s)", w.WhatText, w.RoleText))
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", d.Person.EmployeeNo, d.LastWorkingDay, cutoffIn(d), d.StageText, d.AccountsStateText, d.Person.Name, strings.Join(waits, "; "))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("printing departures: %w", err)
	}
	if page.NextCursor != nil {
		fmt.Fprintln(os.Stderr, client.say("there are more: search, or raise --limit", "还有更多：请检索，或调大 --limit"))
	}
	return nil
}

// cutoffIn is when the access ends, by the clock of the departure's zone.
func cutoffIn(d api.DepartureView) string {
	zone, err := clock.LoadZone(d.TimeZone)
	if err != nil {
		return d.AccessCutoffAt.Format(time.RFC3339)
	}
	return d.AccessCutoffAt.In(zone).Format("2006-01-02 15:04 MST")
}

// findDeparture is the departure with an id, or the newest one of the person with a number.
func (c *apiClient) findDeparture(ctx context.Context, named string) (uuid.UUID, error) {
	if id, err := uuid.Parse(named); err == nil {
		return id, nil
	}
	person, err := c.findEmployee(ctx, named)
	if err != nil {
		return uuid.Nil, err
	}
	var page api.Page[api.DepartureView]
	if err := c.call(ctx, http.MethodGet, "/api/v1/departures?limit=1&employee_id="+person.String(), nil, &page); err != nil {
		return uuid.Nil, err
	}
	if len(page.Items) == 0 {
		return uuid.Nil, errors.New(c.say("this person is not leaving and never left", "该员工没有离职记录"))
	}
	return page.Items[0].ID, nil
}
