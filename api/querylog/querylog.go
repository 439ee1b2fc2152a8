package querylog

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/ledger/querylog"
	"lethe/models"
)

// LogEntryView is one entry of the query log.
type LogEntryView struct {
	ID                uuid.UUID         `json:"id"`
	At                time.Time         `json:"at"`
	Index             *int64            `json:"index" doc:"Its place in the ledger; null: not sequenced yet, which takes less than a second"`
	Epoch             int               `json:"epoch,omitempty"`
	Kind              ledger.Kind       `json:"kind"`
	KindText          string            `json:"kind_text"`
	Action            string            `json:"action,omitempty"`
	ActionText        string            `json:"action_text,omitempty"`
	Actor             *LogPersonView    `json:"actor,omitempty" doc:"Who did it; left out: the system, or nobody known"`
	ActorRole         string            `json:"actor_role,omitempty"`
	ActorRoleText     string            `json:"actor_role_text,omitempty"`
	Authenticated     string            `json:"authenticated,omitempty" doc:"How the actor proved who they are"`
	AuthenticatedText string            `json:"authenticated_text,omitempty"`
	Subject           *LogPersonView    `json:"subject,omitempty" doc:"Whom it is about"`
	Object            string            `json:"object,omitempty" doc:"The row that it is about" example:"departure/0190d5a0-…"`
	RequestedBy       string            `json:"requested_by,omitempty" doc:"Who asked the actor for it"`
	Purpose           string            `json:"purpose,omitempty"`
	PurposeText       string            `json:"purpose_text,omitempty"`
	Reason            string            `json:"reason,omitempty"`
	Result            ledger.Result     `json:"result,omitempty"`
	ResultText        string            `json:"result_text,omitempty"`
	Rule              string            `json:"rule,omitempty"`
	RuleText          string            `json:"rule_text,omitempty" doc:"The rule that decided, in words"`
	RequestID         string            `json:"request_id,omitempty"`
	Details           map[string]string `json:"details,omitempty"`
	DetailsText       []DetailView      `json:"details_text,omitempty" doc:"The same for people, by key"`
	State             querylog.State    `json:"state" doc:"Whether it is what was written: its commitments were computed anew. Of a tampered entry nothing is shown"`
	StateText         string            `json:"state_text"`
}

// LogPersonView names a person in the log.
type LogPersonView struct {
	EmployeeID uuid.UUID `json:"employee_id"`
	EmployeeNo string    `json:"employee_no,omitempty"`
	Name       string    `json:"name" doc:"A pseudonym once the person's data is deleted"`
	Purged     bool      `json:"purged,omitempty"`
}

// LogPage is one page of the query log, and the proof that it was looked at.
type LogPage struct {
	httpkit.Page[LogEntryView]
	LedgerEntryID uuid.UUID `json:"ledger_entry_id" doc:"The entry that records this search"`
	Receipt       string    `json:"receipt" doc:"A signed promise that this entry is in the ledger"`
	Tampered      int       `json:"tampered" doc:"How many of these entries somebody changed in the database"`
	Warning       string    `json:"warning,omitempty" doc:"What to do about it"`
}

func (s *server) registerQueryLog() {
	r := s.Resource("Query log", "")
	httpkit.Handle(r, httpkit.Route{
		At: "GET /query-log", Summary: "Search the query log, newest first", To: httpkit.Roles{httpkit.Auditor},
		More: "Each search is itself recorded before anything is shown. Each entry is checked against what was committed to when it was written.",
	}, s.searchLog)
}

type searchLogInput struct {
	httpkit.Paging
	httpkit.Speaking
	LogFilter
}

// LogFilter chooses entries.
type LogFilter struct {
	Search     string        `query:"q" doc:"Up to five words of two characters at least, each of which is part of a reason, an asker, a name or number, or of what happened in words (Chinese or English), or is an id; 100 characters at most"`
	Actor      uuid.UUID     `query:"actor" doc:"Who did it: an employee's id"`
	EmployeeID uuid.UUID     `query:"employee_id" doc:"Whom it is about"`
	Kind       ledger.Kind   `query:"kind" doc:"Only entries of this kind"`
	Action     string        `query:"action" maxLength:"64" doc:"One of those that entries have"`
	Purpose    string        `query:"purpose" maxLength:"64" doc:"Only entries with this purpose, a code"`
	Result     ledger.Result `query:"result" doc:"Only entries with this result"`
	From       time.Time     `query:"from" doc:"At or after, RFC 3339"`
	To         time.Time     `query:"to" doc:"Before, RFC 3339"`
}

func (f LogFilter) filter() querylog.Filter {
	return querylog.Filter{
		Query: f.Search, Actor: httpkit.Given(f.Actor), Subject: httpkit.Given(f.EmployeeID), Kind: f.Kind, Action: f.Action,
		Purpose: f.Purpose, Result: f.Result, From: httpkit.Instant(f.From), To: httpkit.Instant(f.To),
	}
}

// knownAction refuses an action that no entry has: it would find nothing, in silence. prefix is where the
// filters are.
func knownAction(prefix, action string) error {
	if action == "" || slices.Contains(i18n.Keys("ledger.action."), action) {
		return nil
	}
	return httpkit.NewProblem(httpkit.CodeValidationFailed, httpkit.FieldError{
		Location: prefix + "action", Code: httpkit.FieldNotAllowed, Allowed: i18n.Keys("ledger.action."),
	})
}

func (s *server) searchLog(ctx context.Context, in *searchLogInput) (*httpkit.Answer[LogPage], error) {
	before, err := in.Position()
	if err != nil {
		return nil, err
	}
	if err := knownAction("query.", in.Action); err != nil {
		return nil, err
	}
	found, err := querylog.Search(ctx, s.DB, in.filter(), before, in.Limit)
	if err != nil {
		return nil, refused(err, "query.")
	}
	labels, err := archive.LabelsNow(s.DB.Read(ctx))
	if err != nil {
		return nil, err
	}
	page := LogPage{LedgerEntryID: found.EntryID, Receipt: found.Receipt, Tampered: found.Tampered}
	page.Items = make([]LogEntryView, len(found.Rows))
	for i, row := range found.Rows {
		page.Items[i] = logEntryView(row, found.People, labels, in.Language())
	}
	if found.Next != nil {
		page.NextCursor = in.CursorAfter(*found.Next)
	}
	if found.Tampered > 0 {
		page.Warning = fmt.Sprintf(i18n.Plural(in.Language(), "query_log.tampered_warning", found.Tampered), found.Tampered)
		slog.ErrorContext(ctx, "entries of the query log were tampered with", "count", found.Tampered, "request_id", httpkit.RequestIDOf(ctx))
	}
	return &httpkit.Answer[LogPage]{Body: page}, nil
}

func logEntryView(row querylog.Row, people map[uuid.UUID]querylog.Person, labels archive.Labels, language i18n.Language) LogEntryView {
	v := LogEntryView{
		ID: row.ID, At: row.At, Index: row.Index, Epoch: row.Epoch, Kind: row.Kind, KindText: closed.Text(language, row.Kind),
		State: row.State, StateText: closed.Text(language, row.State),
	}
	if row.Kind == "" {
		v.KindText = ""
	}
	c := row.Content
	if c == nil {
		return v
	}
	v.Action, v.ActionText = c.Action, i18n.Text(language, "ledger.action."+c.Action)
	if c.Purpose == "access_link" { // the mail with the link of somebody who has left, which passes nothing on
		v.ActionText = wordOf(language, c.Action, "query_log.link.", "ledger.action.")
	}
	v.Actor, v.Subject = logPerson(c.ActorID, people, language), logPerson(c.SubjectID, people, language)
	v.ActorRole, v.Authenticated, v.Object, v.RequestedBy = c.ActorRole, c.Authenticated, c.Object, c.RequestedBy
	v.ActorRoleText, v.AuthenticatedText = closed.Text(language, models.Role(c.ActorRole)), closed.Text(language, models.Authentication(c.Authenticated))
	if c.ActorRole == "" { // a link asked for by a login, a wrong code
		v.ActorRoleText = i18n.Text(language, "query_log.not_logged_in")
	}
	v.Purpose, v.Reason, v.Result, v.Rule = c.Purpose, c.Reason, ledger.Result(c.Result), c.Rule
	v.PurposeText, v.RuleText = wordOf(language, c.Purpose, "purpose.", "screening.category.", "query_log.purpose."), wordOf(language, c.Rule, "disclosure_rule.", "ledger.rule.")
	v.ResultText = closed.Text(language, v.Result)
	v.RequestID, v.Details, v.DetailsText = c.RequestID, c.Details, detailViews(language, labels, c.Details)
	return v
}

// wordOf is a code in words; one that the program does not have any more stays what it is.
func wordOf(language i18n.Language, code string, texts ...string) string {
	for _, of := range texts {
		if text, ok := i18n.Lookup(language, of+code); ok && code != "" {
			return text
		}
	}
	return code
}

func logPerson(id *uuid.UUID, people map[uuid.UUID]querylog.Person, language i18n.Language) *LogPersonView {
	if id == nil {
		return nil
	}
	p := people[*id]
	v := &LogPersonView{EmployeeID: *id, EmployeeNo: p.EmployeeNo, Name: p.Name, Purged: p.Purged}
	if p.Purged {
		v.Name = i18n.Text(language, "query_log.purged_person") + " " + p.Pseudonym()
	}
	return v
}
