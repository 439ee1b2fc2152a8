package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"lethe/api/approvals"
	"lethe/api/departures"
	"lethe/internal/clock"
	"lethe/internal/i18n"
)

// The exit codes of the commands for people, besides 0 (done) and 1 (refused, or it could not be done).
const (
	exitUsage     = 2 // what was written cannot be meant, or nobody is there to be asked
	exitRequested = 3 // a second person decides; what was asked for is not done
)

// consent is what commands take that change something: they show what will happen, and ask.
type consent struct {
	Yes bool `short:"y" help:"Do not ask; for scripts. 不再询问，供脚本使用。"`
}

// usage ends a command that was written in a way that cannot be meant.
func (c *apiClient) usage(english, chinese string) error {
	return &outcomeError{c.say(english, chinese), exitUsage}
}

// possible refuses, before anything is read, to ask where nobody answers.
func (y consent) possible(c *apiClient) error {
	if y.Yes || c.asked != nil {
		return nil
	}
	return c.usage("this asks before it changes anything, and here is no terminal to ask at: add --yes",
		"执行前需要确认，但当前不是终端，无法询问：请加上 --yes")
}

// ask shows what will happen and waits for a yes. Ctrl-C, the end of the input and any other answer are a no.
func (y consent) ask(ctx context.Context, c *apiClient, question string) error {
	if y.Yes {
		return nil
	}
	fmt.Fprintf(os.Stderr, "%s [y/N] ", question)
	answers := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(c.asked).ReadString('\n')
		answers <- strings.ToLower(strings.TrimSpace(line))
	}()
	answer := ""
	select {
	case answer = <-answers:
	case <-ctx.Done():
		fmt.Fprintln(os.Stderr)
	}
	switch answer {
	case "y", "yes", "是":
		return nil
	}
	return errors.New(c.say("nothing was changed", "未做任何更改"))
}

// sent is one command to the API, and what it came to.
type sent struct {
	method, path string
	body         any
	keyed        bool   // a repetition is known by its key
	zone         string // of the person whom it is about
}

// carryOut sends a command and reads what came of it. A request that a second person decides about is an error
// which says so, with [exitRequested].
func (c *apiClient) carryOut(ctx context.Context, s sent, answer any) (err error) {
	var raw json.RawMessage
	if s.keyed {
		err = c.create(ctx, s.path, s.body, &raw)
	} else {
		err = c.call(ctx, s.method, s.path, s.body, &raw)
	}
	if err != nil {
		return err
	}
	var request approvals.ApprovalView
	if json.Unmarshal(raw, &request) == nil && request.Operation != "" {
		return c.requested(request, s.zone)
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("reading the API's answer: %w", err)
	}
	return nil
}

// requested says who decides, and until when.
func (c *apiClient) requested(a approvals.ApprovalView, zone string) error {
	var roles []string
	for _, role := range a.Approvers {
		roles = append(roles, i18n.Text(c.language, "role."+string(role)))
	}
	text := c.say("not done yet, a second person decides: %s. May decide: %s. Undecided it ends %s.",
		"尚未执行，须经另一人审核：%s。可由%s审核；%s 前未审核即失效。")
	return &outcomeError{fmt.Sprintf(text, a.OperationText, strings.Join(roles, c.say(", ", "、")), inZone(a.ExpiresAt, zone)), exitRequested}
}

// onTerminal is what people wrote, without what moves the cursor: a note must not look like lines of ours.
func onTerminal(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\t':
			return ' '
		case r != '\n' && unicode.IsControl(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// show prints lines of a name and a value; of a value of several lines, each beside the others.
func show(w io.Writer, lines ...[2]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		label := line[0]
		for part := range strings.SplitSeq(onTerminal(line[1]), "\n") {
			if part != "" {
				_, _ = fmt.Fprintf(t, "  %s\t%s\n", label, part)
				label = ""
			}
		}
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	return nil
}

// planned are the dates of a departure, of one that runs or would begin.
type planned struct {
	lastDay, endDate clock.Date
	cutoff, ended    time.Time
	zone             string
}

func datesOf(d departures.DepartureView) planned {
	return planned{d.LastWorkingDay, d.EmploymentEndDate, d.AccessCutoffAt, d.EmploymentEndedAt, d.TimeZone}
}

// lines are the dates for people, each by the clock of the employment's zone.
func (p planned) lines(c *apiClient) [][2]string {
	end := p.endDate.String() + c.say(", end of the day, ", "，当日结束，") + p.zone
	if loc, err := clock.LoadZone(p.zone); err != nil || !clock.EndOfDay(p.endDate, loc).Equal(p.ended) {
		end = inZone(p.ended, p.zone)
	}
	return [][2]string{
		{c.label("last_working_day"), p.lastDay.String() + c.say(", ", "，") + p.zone},
		{c.label("access_cutoff_at"), inZone(p.cutoff, p.zone)},
		{c.label("employment_end_date"), end},
	}
}

// showDeparture prints whose departure it is, how it stands, and what it waits for.
func (c *apiClient) showDeparture(w io.Writer, d departures.DepartureView) error {
	_, _ = fmt.Fprintf(w, "%s %s: %s, %s\n", d.Person.EmployeeNo, d.Person.Name, d.KindText, d.StageText)
	lines := append(datesOf(d).lines(c), [2]string{c.say("accounts", "账号"), d.AccountsStateText})
	for _, w := range d.Waiting {
		lines = append(lines, [2]string{c.say("waits for", "等待"), w.WhatText + " (" + w.RoleText + ")"})
	}
	return show(w, lines...)
}

// label is what a date is called wherever people read of it.
func (c *apiClient) label(field string) string { return i18n.Text(c.language, "approval.field."+field) }
