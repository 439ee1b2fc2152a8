package approvals

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/retention"
	"lethe/models"
)

// ApprovalView is a request for a second person's agreement.
type ApprovalView struct {
	ID             uuid.UUID            `json:"id"`
	Operation      string               `json:"operation" doc:"What is to be done: stable, for programs" example:"departure.annul"`
	OperationText  string               `json:"operation_text"`
	State          models.ApprovalState `json:"state"`
	StateText      string               `json:"state_text"`
	Changes        []ChangeView         `json:"changes" doc:"What would change, or what was decided: for the requester and for those who may decide, until data of the person is deleted"`
	Because        []CauseView          `json:"because" doc:"Why it takes two people; told to whom the changes are"`
	Targets        []TargetView         `json:"targets" doc:"What it is about"`
	Requester      render.PersonView    `json:"requester"`
	Reason         string               `json:"reason"`
	RequestedAt    time.Time            `json:"requested_at"`
	ExpiresAt      time.Time            `json:"expires_at" doc:"Undecided, it ends then"`
	DecidedBy      *render.PersonView   `json:"decided_by,omitempty"`
	Comment        string               `json:"comment,omitempty" doc:"What the second person said"`
	EndedAt        *time.Time           `json:"ended_at,omitempty"`
	VoidReason     models.VoidReason    `json:"void_reason,omitempty" doc:"Why it is void"`
	VoidReasonText string               `json:"void_reason_text,omitempty"`
	ResultLocation string               `json:"result_location,omitempty" doc:"Once approved: where what it led to is"`
	Approvers      []models.Role        `json:"approvers" doc:"The roles that decide about it"`
	ApproversText  []string             `json:"approvers_text"`
	Hash           string               `json:"hash" doc:"Of the command and of everything it was judged on, as the log holds it: hexadecimal"`
}

// ChangeView is one thing that would change.
type ChangeView struct {
	Field  string `json:"field" doc:"Stable, for programs"`
	Label  string `json:"label"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	Rule   string `json:"rule,omitempty" doc:"Of a deadline: jurisdiction, category and version of its rule" example:"CN/contract/1"`
	Basis  string `json:"basis,omitempty" doc:"Why the rule keeps it so long"`
	Sealed bool   `json:"sealed,omitempty" doc:"A sealed text: shown only where the request is read by itself, which is recorded"`
}

// CauseView is why a step takes two people.
type CauseView struct {
	Cause models.Cause `json:"cause"`
	Text  string       `json:"cause_text"`
}

// CauseViews says in a language why something takes two people.
func CauseViews(causes []models.Cause, language i18n.Language) []CauseView {
	return httpkit.Each(causes, func(c models.Cause) CauseView { return CauseView{c, closed.Text(language, c)} })
}

// TargetView is a row that a request is about.
type TargetView struct {
	Kind string    `json:"kind" example:"departure"`
	ID   uuid.UUID `json:"id"`
}

func (s *Desk) registerApprovals() {
	r := s.Resource("Approvals", "")
	httpkit.Handle(r, httpkit.Route{At: "GET /approvals", Summary: "List what waits for a second person, newest first", To: httpkit.Staff}, s.listApprovals)
	httpkit.Handle(r, httpkit.Route{At: "GET /approvals/{id}", Summary: "Read a request, with what would change", To: httpkit.Staff}, s.getApproval)
	httpkit.Handle(r, httpkit.Route{At: "POST /approvals/{id}/decision", Summary: "Decide about a request, as the second person", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer}}, s.decideApproval)
	httpkit.Handle(r, httpkit.Route{At: "POST /approvals/{id}/withdrawal", Summary: "Take the own request back", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor, httpkit.IT}}, s.withdrawApproval)
}

type listApprovalsInput struct {
	httpkit.Paging
	httpkit.Speaking
	State models.ApprovalState `query:"state" doc:"Only those in this state"`
}

func (s *Desk) listApprovals(ctx context.Context, in *listApprovalsInput) (*httpkit.Answer[httpkit.Page[ApprovalView]], error) {
	before, err := in.Position()
	if err != nil {
		return nil, err
	}
	visible := s.ApprovalsOf(httpkit.ActorOf(ctx))
	f := approval.Filter{State: in.State, Before: before, Limit: in.Limit, VisibleTo: &visible}
	rows, err := approval.List(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	rows, next := httpkit.Cut(in.Paging, rows, func(a models.Approval) uuid.UUID { return a.ID })
	views, err := s.approvalViews(ctx, rows, in.Language())
	return httpkit.AnswerOf(httpkit.PageOf(views, next), err)
}

// ApprovalsOf is which requests somebody sees: the own ones and those that the role decides about;
// auditors see that there are others, without what is in them. Nobody sees those about themselves.
func (s *Desk) ApprovalsOf(actor models.Actor) approval.Visibility {
	return approval.Visibility{
		Person: actor.EmployeeID, Operations: s.Approvals.DecidedBy(actor.Role), All: actor.Role == models.RoleAuditor,
	}
}

func (s *Desk) getApproval(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[ApprovalView], error) {
	row, err := approval.Get(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	if !s.ApprovalsOf(httpkit.ActorOf(ctx)).Sees(row) {
		return nil, httpkit.NewProblem(httpkit.CodeNotFound)
	}
	view, err := s.oneApproval(ctx, row, in.Language())
	if err != nil {
		return nil, err
	}
	err = s.openSealed(ctx, row, &view, in.Language())
	return httpkit.AnswerOf(view, err)
}

// openSealed adds the texts that are sealed where they are kept. That they are read is recorded first.
func (s *Desk) openSealed(ctx context.Context, row models.Approval, view *ApprovalView, language i18n.Language) error {
	if row.State != models.ApprovalPending || !slices.ContainsFunc(view.Changes, func(c ChangeView) bool { return c.Sealed }) {
		return nil
	}
	if err := approval.RecordRead(ctx, s.DB, row); err != nil {
		return err
	}
	told, err := s.Approvals.Tell(ctx, s.DB, row)
	if err != nil {
		return err
	}
	words, err := s.wordsOf(ctx, told)
	view.Changes = ChangeViews(told[row.ID].Changes, words, language)
	return err
}

type approvalDecisionInput struct {
	httpkit.ByID
	Body struct {
		Decision models.ApprovalState `json:"decision" enum:"approved,rejected"`
		Comment  string               `json:"comment,omitempty" maxLength:"500" doc:"For the requester and the log. No names, numbers or illnesses"`
	}
}

func (s *Desk) decideApproval(ctx context.Context, in *approvalDecisionInput) (*httpkit.Answer[ApprovalView], error) {
	decided, err := s.Approvals.Decide(ctx, s.DB, httpkit.BearerOf(ctx), in.ID, in.Body.Decision, in.Body.Comment)
	if err != nil {
		return nil, err
	}
	if err := overtaken(decided, in.Body.Decision); err != nil {
		return nil, err
	}
	if targets, err := approval.Targets(decided); err == nil && decided.State == models.ApprovalApproved {
		for _, t := range targets {
			s.endChanged(ctx, t.ID)
			if t.Kind == models.RefPermission || t.Kind == models.RefEmployee {
				s.EndOvertaken(ctx)
			}
		}
	}
	return s.getApproval(ctx, &in.ByID)
}

func (s *Desk) withdrawApproval(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[ApprovalView], error) {
	if _, err := s.Approvals.Withdraw(ctx, s.DB, in.ID); err != nil {
		return nil, err
	}
	return s.getApproval(ctx, in)
}

// overtaken is the problem if a request ended otherwise than was decided.
func overtaken(row models.Approval, wanted models.ApprovalState) error {
	if row.State == wanted {
		return nil
	}
	p := overtakenProblem(row.ID, row.State)
	if row.VoidReason == models.VoidRequesterEnded {
		ended := httpkit.NewProblem(codeRequesterEnded)
		ended.Location = p.Location
		return ended
	}
	return p
}

func overtakenProblem(id uuid.UUID, state models.ApprovalState) *httpkit.Problem {
	code := codeApprovalEnded
	switch state {
	case models.ApprovalExpired:
		code = codeApprovalExpired
	case models.ApprovalVoid:
		code = codeApprovalVoid
	}
	p := httpkit.NewProblem(code)
	p.Location = httpkit.AddressOf(models.RefApproval, id)
	return p
}

func isNotFound(err error) bool { return errors.Is(err, database.ErrNotFound) }

func (s *Desk) oneApproval(ctx context.Context, row models.Approval, language i18n.Language) (ApprovalView, error) {
	return httpkit.One(s.approvalViews(ctx, []models.Approval{row}, language))
}

// approvalViews shows requests with who is behind them and what people wrote; what they would change to those
// whom they concern. A sealed text stays out.
func (s *Desk) approvalViews(ctx context.Context, rows []models.Approval, language i18n.Language) ([]ApprovalView, error) {
	written, err := approval.OpenWritten(ctx, s.DB, rows...)
	if err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	var open []models.Approval
	actor := httpkit.ActorOf(ctx)
	for _, row := range rows {
		ids = append(ids, render.GivenOf(&row.RequesterID, row.DecidedBy)...)
		if actor.EmployeeID == row.RequesterID || s.Approvals.Decides(actor.Role, row.Operation) {
			open = append(open, row)
		}
	}
	people, err := s.People(ctx, language, ids)
	if err != nil {
		return nil, err
	}
	told, err := s.Approvals.Tell(ctx, s.DB, open...)
	if err != nil {
		return nil, err
	}
	words, err := s.wordsOf(ctx, told)
	if err != nil {
		return nil, err
	}
	views := make([]ApprovalView, len(rows))
	for i, row := range rows {
		if views[i], err = s.approvalView(row, written[i], people, language); err != nil {
			return nil, err
		}
		shown := told[row.ID].Changes
		for k := range shown {
			if shown[k].Sealed {
				shown[k].Before, shown[k].After = "", ""
			}
		}
		views[i].Changes = ChangeViews(shown, words, language)
		views[i].Because = CauseViews(told[row.ID].Causes, language)
	}
	return views, nil
}

func (s *Desk) approvalView(row models.Approval, written approval.Written, people render.Named, language i18n.Language) (ApprovalView, error) {
	op, _ := s.Approvals.Operation(row.Operation)
	v := ApprovalView{
		ID: row.ID, Operation: row.Operation, OperationText: i18n.Text(language, "approval.operation."+row.Operation),
		State: row.State, StateText: closed.Text(language, row.State),
		Requester: people[row.RequesterID], DecidedBy: people.Of(row.DecidedBy),
		Reason: written.Reason, RequestedAt: row.RequestedAt.UTC(), ExpiresAt: row.ExpiresAt.UTC(), Comment: written.Comment, EndedAt: render.UTC(row.EndedAt),
		VoidReason: row.VoidReason, ResultLocation: httpkit.ResultAddress(row.Result), Approvers: op.Approvers, ApproversText: closed.Texts(language, op.Approvers), Hash: hex.EncodeToString(row.Hash),
	}
	if row.VoidReason != "" {
		v.VoidReasonText = closed.Text(language, row.VoidReason)
	}
	targets, err := approval.Targets(row)
	v.Targets = make([]TargetView, len(targets))
	for i, t := range targets {
		v.Targets[i] = TargetView{t.Kind, t.ID}
	}
	return v, err
}

// Words are what changes name beside the catalogues of texts: rules of retention, and fields of the file.
type Words struct {
	Rules  map[string]models.RetentionRule
	Fields archive.Labels
}

// wordsOf reads those that changes name.
func (s *Desk) wordsOf(ctx context.Context, told map[uuid.UUID]approval.Told) (w Words, err error) {
	var names []string
	for _, of := range told {
		for _, c := range of.Changes {
			if c.Rule != "" {
				names = append(names, c.Rule)
			}
		}
	}
	if w.Rules, err = retention.RulesNamed(ctx, s.DB, names); err != nil {
		return w, err
	}
	w.Fields, err = archive.LabelsNow(s.DB.Read(ctx))
	return w, err
}

// ChangeViews says in a language what changes, in the words that the changes name.
func ChangeViews(changes []approval.Change, words Words, language i18n.Language) []ChangeView {
	views := make([]ChangeView, len(changes))
	for i, c := range changes {
		label, ok := i18n.Lookup(language, "approval.field."+c.Field)
		if !ok {
			label = i18n.Text(language, c.Field)
		}
		if len(c.About) > 0 {
			label += language.Of("：", ": ") + language.List(httpkit.Each(c.About, func(about string) string { return i18n.Text(language, language.One(about)) }))
		}
		rule := words.Rules[c.Rule]
		basis := rule.BasisEn
		if language == i18n.Chinese {
			basis = rule.BasisZh
		}
		views[i] = ChangeView{
			Field: c.Field, Label: label, Before: wordsText(language, words, c, c.Before), After: wordsText(language, words, c, c.After),
			Rule: c.Rule, Basis: basis, Sealed: c.Sealed,
		}
	}
	return views
}

// localTime is an instant as a zone's clock shows it, with the zone; what is none is what it is.
func localTime(language i18n.Language, zone, value string) string {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return value
	}
	loc, err := clock.LoadZone(zone)
	if err != nil {
		return value
	}
	return language.Minute(at.In(loc)) + " (" + zone + ", UTC" + at.In(loc).Format("-07:00") + ")"
}

// wordsText is a value that is made of codes, in words, a day, or an instant by the clock of its zone; any other is what it
// is.
func wordsText(language i18n.Language, of Words, c approval.Change, value string) string {
	words := c.Words
	if _, err := time.Parse(time.RFC3339, value); c.Zone != "" && err == nil {
		return localTime(language, c.Zone, value)
	}
	if words == "" {
		if day, err := clock.ParseDate(value); err == nil && day.String() == value {
			return language.Day(clock.StartOfDay(day, time.UTC))
		}
		return language.One(value)
	}
	if value == "" {
		return value
	}
	var texts []string
	for code := range strings.FieldsSeq(value) {
		text, ok := i18n.Lookup(language, words+"."+code)
		if words == approval.WordsOfFile {
			text, ok = of.Fields.Of(language, code)
		}
		if !ok {
			text = code
		}
		texts = append(texts, text)
	}
	if language == i18n.Chinese {
		return strings.Join(texts, "、")
	}
	return strings.Join(texts, ", ")
}
