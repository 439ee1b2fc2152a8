package disclosures

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/screening"
	"lethe/internal/subject"
	"lethe/models"
)

// DisclosureView is a look, without values. To the subject it tells department, purpose, result and time alone.
type DisclosureView struct {
	ID          uuid.UUID              `json:"id"`
	EmployeeID  uuid.UUID              `json:"employee_id" doc:"Whose data it is"`
	Person      *render.PersonView     `json:"person,omitempty" doc:"employee_id, by name"`
	Fields      []string               `json:"fields" doc:"Keys of the field catalogue; none: nothing was asked for, what somebody wanted was registered"`
	FieldsText  []string               `json:"fields_text"`
	Purpose     string                 `json:"purpose" doc:"A purpose; of what was registered, the matter"`
	PurposeText string                 `json:"purpose_text"`
	State       models.DisclosureState `json:"state"`
	StateText   string                 `json:"state_text"`
	AskedAt     time.Time              `json:"asked_at"`
	Department  string                 `json:"department" doc:"Of who asked to look"`
	ShownAt     *time.Time             `json:"shown_at,omitempty"`
	ShownTimes  int                    `json:"shown_times"`
	ObjectedAt  *time.Time             `json:"objected_at,omitempty" doc:"When the subject objected to it"`
	AnswerDueAt *time.Time             `json:"answer_due_at,omitempty" doc:"Until when the objection has to be answered"`
	AnsweredAt  *time.Time             `json:"answered_at,omitempty"`
	Objection   string                 `json:"objection,omitempty" doc:"What the subject objects to: of one that is read by itself"`
	Answer      string                 `json:"answer,omitempty"`
	Judgement   *Judgement             `json:"judgement,omitempty" doc:"How it was judged and what came of it: not for the subject"`
}

// Judgement is what HR, reviewers and auditors see of a look.
type Judgement struct {
	Looker      *render.PersonView       `json:"looker,omitempty" doc:"Who asked to look"`
	Rule        disclosure.Rule          `json:"rule" doc:"The rule that decided"`
	RuleText    string                   `json:"rule_text"`
	Flags       []disclosure.Rule        `json:"flags" doc:"The rules by which somebody should look at it"`
	FlagsText   []string                 `json:"flags_text"`
	Compares    bool                     `json:"compares" doc:"Nothing was to be shown, but whether a number is the one in the file"`
	Matched     *bool                    `json:"matched,omitempty" doc:"Of a comparison that was made: whether it is"`
	MatchedText string                   `json:"matched_text,omitempty"`
	Matter      screening.Category       `json:"matter,omitempty" doc:"For what the text was refused"`
	MatterText  string                   `json:"matter_text,omitempty"`
	RequestedBy *render.PersonView       `json:"requested_by,omitempty" doc:"The colleague who asked HR for it"`
	OpenUntil   *time.Time               `json:"open_until,omitempty" doc:"Until when it may be opened, or shown again"`
	ReviewDueAt *time.Time               `json:"review_due_at,omitempty" doc:"Until when a second person has to look at it"`
	ReviewedAt  *time.Time               `json:"reviewed_at,omitempty"`
	Reviewer    *render.PersonView       `json:"reviewer,omitempty"`
	Review      models.LookReview        `json:"review,omitempty"`
	ReviewText  string                   `json:"review_text,omitempty"`
	Outcome     models.DisclosureOutcome `json:"outcome,omitempty"`
	OutcomeText string                   `json:"outcome_text,omitempty"`
	Pressed     bool                     `json:"pressed" doc:"HR was urged to look"`
	ClosedAt    *time.Time               `json:"closed_at,omitempty"`
	Written     *Written                 `json:"written,omitempty" doc:"What was written for it: of one that is read by itself, which is recorded"`
}

// Written is what people wrote for a look.
type Written struct {
	Reason      string            `json:"reason,omitempty"`
	Evidence    []EvidenceWritten `json:"evidence"`
	RequestedBy string            `json:"requested_by,omitempty" doc:"An outsider"`
	OutcomeNote string            `json:"outcome_note,omitempty"`
	ReviewNote  string            `json:"review_note,omitempty"`
}

// EvidenceWritten is a piece of evidence.
type EvidenceWritten struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Value string `json:"value"`
	Text  string `json:"text" doc:"The value in words"`
}

// LookAnswer is a look with the values that it showed, if it did.
type LookAnswer struct {
	DisclosureView
	Values        map[string]string `json:"values" doc:"The values by their keys; empty until it is shown. A field that the file has nothing for is left out"`
	Shown         []ShownField      `json:"shown" doc:"The same with their names and notices, in the order of the file"`
	Notice        string            `json:"notice,omitempty" doc:"What the values may be used for: it is part of the entry"`
	LedgerEntryID *uuid.UUID        `json:"ledger_entry_id,omitempty"`
	Receipt       string            `json:"receipt,omitempty" doc:"A signed promise that the entry is in the ledger"`
}

// ShownField is one field that was shown.
type ShownField struct {
	Key    string  `json:"key"`
	Label  string  `json:"label"`
	Value  *string `json:"value,omitempty" doc:"Left out: the file has nothing for it"`
	Text   *string `json:"text,omitempty" doc:"The value as it is read: of a choice in words"`
	Notice string  `json:"notice"`
	// Attachments are documents; their content is downloaded by their addresses.
	Attachments []ShownAttachment `json:"attachments,omitempty" doc:"Of a field that takes them"`
}

// ShownAttachment is a document that a look shows.
type ShownAttachment struct {
	ID       uuid.UUID             `json:"id"`
	Name     string                `json:"name,omitempty" doc:"Left out: it has none"`
	Type     models.AttachmentType `json:"type"`
	TypeText string                `json:"type_text"`
	Size     int64                 `json:"size" doc:"Bytes"`
	Content  string                `json:"content,omitempty" doc:"Where to download it, as often as the look may be shown; each time is recorded"`
}

func lookAnswer(view DisclosureView, look disclosure.Look, language i18n.Language) LookAnswer {
	a := LookAnswer{DisclosureView: view, Values: map[string]string{}, Shown: []ShownField{}}
	if look.Receipt != "" {
		a.Notice, a.LedgerEntryID, a.Receipt = look.Notice, &look.LedgerEntryID, look.Receipt
	}
	for _, f := range look.Shown {
		shown := shownField(f, language)
		for i, d := range shown.Attachments {
			shown.Attachments[i].Content = httpkit.AddressOf(models.RefDisclosure, look.ID) + "/attachments/" + d.ID.String()
		}
		a.Shown = append(a.Shown, shown)
		if f.Value != nil {
			a.Values[f.Key] = *f.Value
		}
	}
	return a
}

// shownField is a field as it is shown; where its documents are downloaded is the look's to say.
func shownField(f disclosure.Shown, language i18n.Language) ShownField {
	shown := ShownField{Key: f.Key, Label: f.Label, Value: f.Value, Text: f.Text, Notice: f.Notice}
	for _, d := range f.Attachments {
		shown.Attachments = append(shown.Attachments, ShownAttachment{ID: d.ID, Name: d.Name, Type: d.Type, TypeText: closed.Text(language, d.Type), Size: d.Size})
	}
	return shown
}

// views shows looks: to their subjects without names and rules.
func (s *server) views(ctx context.Context, language i18n.Language, rows []models.Disclosure) ([]DisclosureView, error) {
	return s.viewsFor(ctx, language, rows, httpkit.ActorOf(ctx).EmployeeID)
}

// viewsFor shows looks as they are for somebody to read.
func (s *server) viewsFor(ctx context.Context, language i18n.Language, rows []models.Disclosure, reader uuid.UUID) ([]DisclosureView, error) {
	var ids []uuid.UUID
	for _, d := range rows {
		ids = append(ids, render.GivenOf(&d.EmployeeID, &d.ActorID, d.RequestedBy, d.ReviewedBy)...)
	}
	people, err := s.PeopleInLog(ctx, language, ids)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, d := range rows {
		keys = append(keys, d.Fields...)
	}
	labels, err := archive.LabelsOf(s.DB.Read(ctx), keys)
	if err != nil {
		return nil, err
	}
	var requests []uuid.UUID
	for _, d := range rows {
		requests = append(requests, render.GivenOf(d.SubjectRequestID)...)
	}
	relatives, err := subject.OfRelatives(s.DB.Read(ctx), requests)
	return httpkit.Each(rows, func(d models.Disclosure) DisclosureView {
		v := view(d, people, labels, language, reader == d.EmployeeID)
		if d.SubjectRequestID != nil && slices.Contains(relatives, *d.SubjectRequestID) {
			v.PurposeText = i18n.Text(language, "copy.relative_request")
		}
		return v
	}), err
}

func view(d models.Disclosure, people render.Named, labels archive.Labels, language i18n.Language, subject bool) DisclosureView {
	v := DisclosureView{
		ID: d.ID, EmployeeID: d.EmployeeID, Person: people.Of(&d.EmployeeID), Fields: append([]string{}, d.Fields...), Purpose: d.Purpose,
		PurposeText: purposeText(d, language), State: d.State, StateText: closed.Text(language, d.State), AskedAt: d.AskedAt.UTC(),
		Department: people[d.ActorID].Department, ShownAt: render.UTC(d.ShownAt), ShownTimes: d.ShownTimes,
		ObjectedAt: render.UTC(d.ObjectedAt), AnswerDueAt: render.UTC(d.AnswerDueAt), AnsweredAt: render.UTC(d.AnsweredAt),
	}
	v.FieldsText = httpkit.Each(v.Fields, func(key string) string {
		label, _ := labels.Of(language, key)
		return label
	})
	if !subject {
		v.Judgement = judgement(d, people, language)
	}
	return v
}

func purposeText(d models.Disclosure, language i18n.Language) string {
	if len(d.Fields) == 0 {
		return closed.Text(language, screening.Category(d.Purpose))
	}
	return closed.Text(language, access.Purpose(d.Purpose))
}

func judgement(d models.Disclosure, people render.Named, language i18n.Language) *Judgement {
	j := &Judgement{
		Looker: people.Of(&d.ActorID), Rule: disclosure.Rule(d.Rule), RuleText: closed.Text(language, disclosure.Rule(d.Rule)), Flags: []disclosure.Rule{},
		Matter: screening.Category(d.Matter), RequestedBy: people.Of(d.RequestedBy), OpenUntil: render.UTC(d.OpenUntil),
		ReviewDueAt: render.UTC(d.ReviewDueAt), ReviewedAt: render.UTC(d.ReviewedAt), Reviewer: people.Of(d.ReviewedBy), Review: d.Review,
		Outcome: d.Outcome, Pressed: d.Pressed, ClosedAt: render.UTC(d.ClosedAt),
	}
	for _, flag := range d.Flags {
		j.Flags = append(j.Flags, disclosure.Rule(flag))
	}
	j.FlagsText = closed.Texts(language, j.Flags)
	if j.Compares, j.Matched = d.Compares, d.Matched; d.Matched != nil {
		j.MatchedText = i18n.Text(language, "comparison.matched."+strconv.FormatBool(*d.Matched))
	}
	if d.Matter != "" {
		j.MatterText = closed.Text(language, j.Matter)
	}
	if d.Review != "" {
		j.ReviewText = closed.Text(language, d.Review)
	}
	if d.Outcome != "" {
		j.OutcomeText = closed.Text(language, d.Outcome)
	}
	return j
}

// readers see all looks.
var readers = httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor}

type listLooksInput struct {
	httpkit.Paging
	httpkit.Speaking
	EmployeeID uuid.UUID              `query:"employee_id" doc:"Only those at this person's file"`
	LookerID   uuid.UUID              `query:"looker_id" doc:"Only those that this person asked for"`
	State      models.DisclosureState `query:"state" doc:"Only those in this state: shown ones wait for their outcome"`
	ReviewDue  httpkit.YesNo          `query:"review_due" enum:"true,false" doc:"true: only those whose review is still to come"`
	Unanswered httpkit.YesNo          `query:"unanswered" enum:"true,false" doc:"true: only those to which the subject objected and nobody answered"`
}

func (s *server) listLooks(ctx context.Context, in *listLooksInput) (*httpkit.Answer[httpkit.Page[DisclosureView]], error) {
	f := disclosure.Filter{EmployeeID: httpkit.Given(in.EmployeeID), ActorID: httpkit.Given(in.LookerID), State: in.State, NotOf: httpkit.ActorOf(ctx).EmployeeID}
	f.ReviewDue, f.Unanswered = in.ReviewDue == "true", in.Unanswered == "true"
	return s.list(ctx, in.Paging, in.Language(), f)
}

type ofPersonInput struct {
	httpkit.Paging
	httpkit.Speaking
	ID uuid.UUID `path:"id" doc:"Whose data it is"`
}

// listOfPerson is who looked at somebody's file: for the person, and for those who see all looks.
func (s *server) listOfPerson(ctx context.Context, in *ofPersonInput) (*httpkit.Answer[httpkit.Page[DisclosureView]], error) {
	actor := httpkit.ActorOf(ctx)
	err := s.Visible(ctx, actor, in.ID)
	if errors.Is(err, database.ErrNotFound) || actor.EmployeeID != in.ID && !slices.Contains(readers, actor.Role) {
		return nil, httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	}
	if err != nil {
		return nil, err
	}
	return s.list(ctx, in.Paging, in.Language(), disclosure.Filter{EmployeeID: &in.ID})
}

func (s *server) list(ctx context.Context, p httpkit.Paging, language i18n.Language, f disclosure.Filter) (*httpkit.Answer[httpkit.Page[DisclosureView]], error) {
	before, err := p.After()
	if err != nil {
		return nil, err
	}
	f.Before, f.Limit = before, p.Limit
	rows, err := disclosure.List(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	rows, next := httpkit.Cut(p, rows, func(d models.Disclosure) uuid.UUID { return d.ID })
	views, err := s.views(ctx, language, rows)
	return httpkit.AnswerOf(httpkit.PageOf(views, next), err)
}

// getLook is one look with what was written for it: that somebody else than the looker reads it is recorded first (I18).
func (s *server) getLook(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[DisclosureView], error) {
	row, err := disclosure.Get(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	actor := httpkit.ActorOf(ctx)
	if seesAll := slices.Contains(readers, actor.Role); !seesAll && actor.EmployeeID != row.EmployeeID {
		return nil, httpkit.NewProblem(httpkit.CodeNotFound)
	}
	v, err := httpkit.One(s.views(ctx, in.Language(), []models.Disclosure{row}))
	if err != nil {
		return nil, err
	}
	if v.Judgement == nil {
		later, err := disclosure.Later(ctx, s.DB, row)
		v.Objection, v.Answer = later.Objection, later.Answer
		return httpkit.AnswerOf(v, err)
	}
	if row.ActorID != actor.EmployeeID {
		if err := database.Run(ctx, s.DB, func(tx *database.Tx) error { return disclosure.RecordRead(tx, row) }); err != nil {
			return nil, err
		}
	}
	later, err := disclosure.Later(ctx, s.DB, row)
	if err != nil {
		return nil, err
	}
	v.Objection, v.Answer = later.Objection, later.Answer
	v.Judgement.Written, err = s.written(ctx, row, later, in.Language())
	return httpkit.AnswerOf(v, err)
}

func (s *server) written(ctx context.Context, row models.Disclosure, later disclosure.Afterwards, language i18n.Language) (*Written, error) {
	statements, err := disclosure.Statements(ctx, s.DB, row)
	if err != nil {
		return nil, err
	}
	w := &Written{Reason: statements[0].Reason, RequestedBy: statements[0].RequestedBy, OutcomeNote: later.Outcome, ReviewNote: later.Review, Evidence: []EvidenceWritten{}}
	for _, p := range disclosure.Purposes() {
		if string(p.Purpose) != row.Purpose {
			continue
		}
		for _, e := range p.Evidence {
			value, given := statements[0].Evidence[e.Key]
			if !given {
				continue
			}
			shown := EvidenceWritten{Key: e.Key, Label: i18n.Text(language, "evidence_key."+e.Key), Value: value, Text: value}
			if e.Kind == disclosure.Choice {
				shown.Text = i18n.Text(language, "evidence_choice."+value)
			}
			w.Evidence = append(w.Evidence, shown)
		}
	}
	return w, nil
}
