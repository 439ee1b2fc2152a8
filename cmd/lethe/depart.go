package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/google/uuid"

	"lethe/api"
)

// DepartCmd starts a departure through the API.
type DepartCmd struct {
	EmployeeNo     string `arg:"" help:"Who leaves. 离职员工的工号。"`
	Kind           string `default:"resignation" help:"resignation, mutual_agreement, dismissal, contract_end, retirement, death or assignment_end. 离职类型。"`
	LastWorkingDay string `placeholder:"YYYY-MM-DD" help:"The last working day. 最后工作日。"`
	Immediate      bool   `help:"Today, with accounts disabled now; in development the default when no day is given. 即时离职，账号立即停用；开发环境未填日期时默认如此。"`
	ConfirmPast    bool   `help:"The last working day may be in the past. 确认最后工作日可早于今天。"`
	CountFromEnd   bool   `help:"Ask a second person to let deletion dates count from the end of the employment instead of today. 请另一人审核，让删除期限自离职日期起算。"`
	Follow         bool   `short:"f" help:"Print each change as it happens, until nothing more can. 持续显示进展。"`
	Lang           string `help:"zh or en; else the terminal's language. 显示语言。"`
}

// Run starts it, and follows it if asked to.
func (d DepartCmd) Run(ctx context.Context) error {
	client, err := newClient(d.Lang)
	if err != nil {
		return err
	}
	employee, err := client.findEmployee(ctx, d.EmployeeNo)
	if err != nil {
		return err
	}
	order := map[string]any{"employee_id": employee, "kind": d.Kind}
	if d.LastWorkingDay != "" {
		order["last_working_day"] = d.LastWorkingDay
	}
	if d.Immediate || (d.LastWorkingDay == "" && client.development()) {
		order["immediate"] = true
	}
	if d.ConfirmPast {
		order["confirm_past"] = true
	}
	if d.CountFromEnd {
		order["count_from_end"] = true
	}
	var departure api.DepartureView
	if err := client.call(ctx, http.MethodPost, "/api/v1/departures", order, &departure, "Idempotency-Key", uuid.NewString()); err != nil {
		return err
	}
	if departure.Stage == "" { // the answer is a request: nothing has begun
		fmt.Fprintf(os.Stderr, "需另一人审核后才会开始 · waits for a second person before anything happens: /api/v1/approvals/%s\n", departure.ID)
		return nil
	}
	fmt.Println(departure.ID)
	for _, w := range departure.Waiting {
		if w.ApprovalID != nil {
			fmt.Fprintf(os.Stderr, "%s: /api/v1/approvals/%s\n", w.WhatText, w.ApprovalID)
		}
	}
	if !d.Follow {
		return nil
	}
	return follow(ctx, client, departure.ID, newPrinter(os.Stdout, client.language))
}

// findEmployee finds a person by the employee number, in whatever case it is given: as it is written, or
// else the only one that differs by case alone.
func (c *apiClient) findEmployee(ctx context.Context, no string) (uuid.UUID, error) {
	var page struct {
		Items []struct {
			ID         uuid.UUID `json:"id"`
			EmployeeNo string    `json:"employee_no"`
		} `json:"items"`
		NextCursor *string `json:"next_cursor"`
	}
	var alike []uuid.UUID
	query := url.Values{"q": {no}, "limit": {"200"}}
	for {
		page.NextCursor = nil
		if err := c.call(ctx, http.MethodGet, "/api/v1/employees?"+query.Encode(), nil, &page); err != nil {
			return uuid.Nil, err
		}
		for _, e := range page.Items {
			switch {
			case e.EmployeeNo == no:
				return e.ID, nil
			case strings.EqualFold(e.EmployeeNo, no):
				alike = append(alike, e.ID)
			}
		}
		switch {
		case page.NextCursor != nil:
		case len(alike) == 1:
			return alike[0], nil
		case len(alike) > 1:
			return uuid.Nil, errors.New(c.say("several employees have this number in different cases: write it exactly", "有多名员工的工号仅大小写不同，请按原样填写"))
		default:
			return uuid.Nil, errors.New(c.say("there is no employee with this number", "没有此工号的员工"))
		}
		query.Set("cursor", *page.NextCursor)
	}
}
