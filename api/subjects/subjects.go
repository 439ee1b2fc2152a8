// Package subjects serves what people ask for of the own data, and what was answered.
package subjects

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/api/render"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/internal/subject"
	"lethe/internal/vault"
	"lethe/models"
)

type server struct {
	*approvals.Desk
	Vault vault.Sealer
}

// readers see the requests of all but themselves.
var readers = httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor}

// Register serves the resources.
func Register(desk *approvals.Desk, v vault.Sealer) {
	s := &server{desk, v}
	httpkit.Describe[retention.Kept](desk.API)
	httpkit.Describe[models.NearRelative](desk.API)
	r := s.Resource("Requests about the own data", identity.ScopePeople)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /me/requests", Summary: "Ask for a correction, an erasure or a copy of the own data", Former: true, To: httpkit.Everyone, Session: true, NoSealedCodes: true, Status: http.StatusCreated,
		More: "It is answered by the date that the answer tells. A copy is given at once by POST /me/copy.", Problems: []int{http.StatusConflict},
	}, s.ask)
	httpkit.Handle(r, httpkit.Route{At: "GET /me/requests", Summary: "List the own requests with their answers, newest first", Former: true, To: httpkit.Everyone}, s.listOwn)
	httpkit.Handle(r, httpkit.Route{At: "POST /me/requests/{id}/withdrawal", Summary: "Withdraw an own request that was not answered yet", Former: true, To: httpkit.Everyone, Session: true, NoSealedCodes: true}, s.withdraw)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /employees/{id}/requests", Summary: "Enter what somebody asked for on paper", To: httpkit.Roles{httpkit.HR}, NoSealedCodes: true, Status: http.StatusCreated, Problems: []int{http.StatusConflict},
	}, s.enter)
	httpkit.Handle(r, httpkit.Route{At: "GET /subject-requests", Summary: "List what people asked for of their own data, newest first", To: readers}, s.list)
	httpkit.Handle(r, httpkit.Route{At: "GET /subject-requests/{id}", Summary: "Read a request with what was written; that is recorded", To: readers, More: "Of an open one for an erasure it says what the law lets go, and when."}, s.get)
	httpkit.Handle(r, httpkit.Route{At: "POST /subject-requests/{id}/extension", Summary: "Put the answer off once, with a reason, where the law gives more time", To: httpkit.Roles{httpkit.HR}, NoSealedCodes: true}, s.extend)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /subject-requests/{id}/proof", Summary: "Say, as the second person, that one has seen the proof that a relative brought", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer}, Session: true, NoSealedCodes: true, Problems: []int{http.StatusConflict},
		More: "Of a near relative's request nothing is granted or printed before. It needs a re-authentication of the last five minutes.",
	}, s.seeProof)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /subject-requests/{id}/answer", Summary: "Answer a request, and carry out what is granted", To: httpkit.Roles{httpkit.HR}, NoSealedCodes: true, OrRequest: true, Problems: []int{http.StatusConflict},
		More: "A correction is written with the answer. An erasure removes what rests on consent alone, and brings deletion dates forward as far as the law lets them, which two people agree to; nothing is deleted at once. 409 erasure_kept: what stays, by which rule, until when.",
	}, s.answer)
}

// SubjectRequest is what somebody asked for. The own ones come with what was written; in a list of all nothing of that is shown.
type SubjectRequest struct {
	ID          uuid.UUID                  `json:"id"`
	EmployeeID  uuid.UUID                  `json:"employee_id"`
	Person      *render.PersonView         `json:"person,omitempty" doc:"employee_id, by name"`
	Kind        models.SubjectRequestKind  `json:"kind"`
	KindText    string                     `json:"kind_text"`
	Fields      []string                   `json:"fields" doc:"Keys of the field catalogue; none: it names none"`
	FieldsText  []string                   `json:"fields_text"`
	State       models.SubjectRequestState `json:"state"`
	StateText   string                     `json:"state_text"`
	Form        models.ConsentForm         `json:"form" doc:"written: HR entered a paper"`
	FormText    string                     `json:"form_text"`
	EnteredAt   time.Time                  `json:"entered_at"`
	ReceivedOn  *clock.Date                `json:"received_on,omitempty" doc:"Of a paper"`
	AnswerDueAt time.Time                  `json:"answer_due_at"`
	Overdue     bool                       `json:"overdue" doc:"It is open, and should have been answered"`
	ExtendedAt  *time.Time                 `json:"extended_at,omitempty"`
	Answer      models.SubjectAnswer       `json:"answer,omitempty"`
	AnswerText  string                     `json:"answer_text,omitempty"`
	FinishedAt  *time.Time                 `json:"finished_at,omitempty" doc:"When it was answered, withdrawn or ended"`
	Department  string                     `json:"department,omitempty" doc:"Of who answered"`
	EnteredBy   *render.PersonView         `json:"entered_by,omitempty" doc:"Who of HR entered a paper: not for the person"`
	AnsweredBy  *render.PersonView         `json:"answered_by,omitempty" doc:"Who answered: not for the person"`
	Written     *RequestTexts              `json:"written,omitempty" doc:"What was written; it is cleared once the person's data is deleted"`
	ByRelative  bool                       `json:"by_relative" doc:"A near relative of somebody who died asks"`
	Objected    bool                       `json:"objected" doc:"Of such a one: the person had arranged in life that relatives get nothing"`
	Relative    *RelativeView              `json:"relative,omitempty" doc:"Who asks: of one that is read by itself"`
	ProofSeenBy *render.PersonView         `json:"proof_seen_by,omitempty" doc:"The second person who saw the proof"`
	ProofSeenAt *time.Time                 `json:"proof_seen_at,omitempty"`
	Printed     *int                       `json:"printed,omitempty" doc:"Of one for a copy that came on paper: how often the copy was printed. Not for the person, who sees the looks"`
	MayBeErased []ErasableCategory         `json:"may_be_erased,omitempty" doc:"Of an open request for an erasure, for HR: each category of former employments"`
}

// RequestTexts are what was written for a request.
type RequestTexts struct {
	Text      string `json:"text"`
	KeptAt    string `json:"kept_at,omitempty" doc:"Where a paper is kept"`
	Extension string `json:"extension,omitempty" doc:"Why the answer was put off"`
	Answer    string `json:"answer,omitempty"`
	Basis     string `json:"basis,omitempty" doc:"On what it rests that not all was granted"`
}

// ErasableCategory is what the request may do to a category.
type ErasableCategory struct {
	EmploymentID uuid.UUID       `json:"employment_id"`
	Category     models.Category `json:"category"`
	CategoryText string          `json:"category_text"`
	Deadline     time.Time       `json:"deadline"`
	Earliest     *time.Time      `json:"earliest,omitempty" doc:"To when it may be brought forward; left out: it stays"`
	Kept         retention.Kept  `json:"kept,omitempty" doc:"Why it stays"`
	KeptText     string          `json:"kept_text,omitempty"`
	Rule         string          `json:"rule"`
	Basis        string          `json:"basis"`
}

// NewSubjectRequest is the body of a request.
type NewSubjectRequest struct {
	Kind   models.SubjectRequestKind `json:"kind"`
	Fields []string                  `json:"fields,omitempty" maxItems:"50" doc:"Keys of the field catalogue that it is about" example:"home_address"`
	Text   string                    `json:"text,omitempty" maxLength:"2000" doc:"What is wrong and how it would be right; what is to be deleted. Sealed, cleared once the person's data is deleted"`
}

// HandedIn is what somebody handed in.
type HandedIn struct {
	ReceivedOn clock.Date `json:"received_on" doc:"The time for the answer counts from it"`
	KeptAt     string     `json:"kept_at" minLength:"1" maxLength:"200" doc:"Where it is kept. Sealed, cleared once the person's data is deleted" example:"人事档案柜 3-12"`
}

// NewRelative is a near relative of somebody who died.
type NewRelative struct {
	Name     string              `json:"name" minLength:"1" maxLength:"200" doc:"Who asks. Sealed, as the rest of it"`
	Relation models.NearRelative `json:"relation" doc:"How they are related to the person"`
	Proof    string              `json:"proof" minLength:"1" maxLength:"2000" doc:"Which documents were seen, of the death and of the relation: kinds, no numbers"`
	Interest string              `json:"interest" minLength:"1" maxLength:"2000" doc:"The own lawful interest for which they ask"`
	Objected bool                `json:"objected,omitempty" doc:"The person had arranged in life that relatives get nothing: it is refused"`
}

// RelativeView is who asks for somebody who died.
type RelativeView struct {
	Name         string              `json:"name"`
	Relation     models.NearRelative `json:"relation"`
	RelationText string              `json:"relation_text"`
	Proof        string              `json:"proof"`
	Interest     string              `json:"interest"`
}

type askInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewSubjectRequest
}

func (s *server) ask(ctx context.Context, in *askInput) (*httpkit.CreatedAnswer[SubjectRequest], error) {
	b := in.Body
	return s.keep(ctx, in.Idempotent.Key, "POST /me/requests", b, in.Language(), subject.New{
		EmployeeID: httpkit.ActorOf(ctx).EmployeeID, Kind: b.Kind, Fields: b.Fields, Text: b.Text,
	})
}

type enterInput struct {
	httpkit.Idempotent
	httpkit.ByID
	Body struct {
		NewSubjectRequest
		Paper    HandedIn     `json:"paper"`
		Relative *NewRelative `json:"relative,omitempty" doc:"A near relative of somebody who died asks; left out: the person"`
	}
}

func (s *server) enter(ctx context.Context, in *enterInput) (*httpkit.CreatedAnswer[SubjectRequest], error) {
	b := in.Body
	n := subject.New{EmployeeID: in.ID, Kind: b.Kind, Fields: b.Fields, Text: b.Text, Paper: &subject.Paper{ReceivedOn: b.Paper.ReceivedOn, KeptAt: b.Paper.KeptAt}}
	if b.Relative != nil {
		who := subject.Relative(*b.Relative)
		n.Relative = &who
	}
	return s.keep(ctx, in.Key, "POST /employees/"+in.ID.String()+"/requests", b, in.Language(), n)
}

func (s *server) keep(ctx context.Context, key, route string, body any, language i18n.Language, n subject.New) (*httpkit.CreatedAnswer[SubjectRequest], error) {
	made, err := s.Create(ctx, key, route, body, func(tx *database.Tx) (httpkit.Creation, error) {
		r, err := subject.Ask(tx, httpkit.ActorOf(ctx), n)
		return httpkit.Created(models.Ref{Kind: models.RefSubject, ID: r.ID}), err
	})
	if errors.Is(err, database.ErrNotFound) {
		return nil, httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	}
	if err != nil {
		return nil, err
	}
	view, err := s.one(ctx, language, made.ID)
	return httpkit.CreatedOf(made, view, err)
}

func (s *server) one(ctx context.Context, language i18n.Language, id uuid.UUID) (SubjectRequest, error) {
	r, err := subject.Get(ctx, s.DB, id)
	if err != nil {
		return SubjectRequest{}, err
	}
	return httpkit.One(s.views(ctx, language, []models.SubjectRequest{r}))
}

// views show rows: those of whoever asks with what was written.
func (s *server) views(ctx context.Context, language i18n.Language, rows []models.SubjectRequest) ([]SubjectRequest, error) {
	by := httpkit.ActorOf(ctx)
	var ids []uuid.UUID
	for _, r := range rows {
		ids = append(ids, render.GivenOf(&r.EmployeeID, &r.EnteredBy, r.AnsweredBy, r.ProofSeenBy)...)
	}
	people, err := s.PeopleInLog(ctx, language, ids)
	if err != nil {
		return nil, err
	}
	now, err := s.DB.Now(ctx)
	if err != nil {
		return nil, err
	}
	own := slices.Clone(rows)
	for i := range own {
		if own[i].EmployeeID != by.EmployeeID { // not opened
			own[i].TextSealed, own[i].EvidenceSealed, own[i].ExtensionSealed, own[i].AnswerSealed, own[i].BasisSealed = models.Sealed{}, models.Sealed{}, models.Sealed{}, models.Sealed{}, models.Sealed{}
		}
	}
	written, err := subject.WrittenFor(ctx, s.DB, own...)
	if err != nil {
		return nil, err
	}
	labels, err := archive.LabelsNow(s.DB.Read(ctx))
	if err != nil {
		return nil, err
	}
	printed, err := disclosure.Printed(s.DB.Read(ctx), httpkit.Each(rows, func(r models.SubjectRequest) uuid.UUID { return r.ID }))
	if err != nil {
		return nil, err
	}
	views := make([]SubjectRequest, len(rows))
	for i, r := range rows {
		views[i] = requestView(r, people, labels, language, r.EmployeeID == by.EmployeeID, now)
		if r.EmployeeID == by.EmployeeID {
			w := RequestTexts(written[i])
			views[i].Written = &w
		} else if r.Kind == models.SubjectCopy && r.Form == models.ConsentWritten {
			times := printed[r.ID]
			views[i].Printed = &times
		}
	}
	return views, nil
}

func requestView(r models.SubjectRequest, people render.Named, labels archive.Labels, language i18n.Language, own bool, now time.Time) SubjectRequest {
	v := SubjectRequest{
		ID: r.ID, EmployeeID: r.EmployeeID, Person: people.Of(&r.EmployeeID), Kind: r.Kind, KindText: closed.Text(language, r.Kind),
		Fields: append([]string{}, r.Fields...), FieldsText: []string{}, State: r.State, StateText: closed.Text(language, r.State),
		Form: r.Form, FormText: closed.Text(language, r.Form), EnteredAt: r.EnteredAt.UTC(), ReceivedOn: r.ReceivedOn, AnswerDueAt: r.AnswerDueAt.UTC(),
		Overdue: r.State == models.SubjectOpen && !r.AnswerDueAt.After(now), ExtendedAt: render.UTC(r.ExtendedAt), Answer: r.Answer, FinishedAt: render.UTC(r.FinishedAt),
	}
	for _, key := range r.Fields {
		label, _ := labels.Of(language, key)
		v.FieldsText = append(v.FieldsText, label)
	}
	if r.Answer != "" {
		v.AnswerText = closed.Text(language, r.Answer)
	}
	if r.AnsweredBy != nil {
		v.Department = people[*r.AnsweredBy].Department
	}
	v.ByRelative, v.Objected, v.ProofSeenAt = r.ByRelative, r.Objected, render.UTC(r.ProofSeenAt)
	if !own {
		v.ProofSeenBy = people.Of(r.ProofSeenBy)
		v.AnsweredBy = people.Of(r.AnsweredBy)
		if r.Form == models.ConsentWritten {
			v.EnteredBy = people.Of(&r.EnteredBy)
		}
	}
	return v
}

type listOwnInput struct {
	httpkit.Paging
	httpkit.Speaking
}

func (s *server) listOwn(ctx context.Context, in *listOwnInput) (*httpkit.Answer[httpkit.Page[SubjectRequest]], error) {
	own := httpkit.ActorOf(ctx).EmployeeID
	return s.page(ctx, in.Paging, in.Language(), subject.Filter{EmployeeID: &own, Own: true})
}

type listInput struct {
	httpkit.Paging
	httpkit.Speaking
	EmployeeID uuid.UUID                  `query:"employee_id" doc:"Only those of this person"`
	State      models.SubjectRequestState `query:"state" doc:"Only those in this state"`
	Kind       models.SubjectRequestKind  `query:"kind" doc:"Only those of this kind"`
	Overdue    httpkit.YesNo              `query:"overdue" enum:"true,false" doc:"true: only those that should have been answered"`
}

func (s *server) list(ctx context.Context, in *listInput) (*httpkit.Answer[httpkit.Page[SubjectRequest]], error) {
	return s.page(ctx, in.Paging, in.Language(), subject.Filter{
		EmployeeID: httpkit.Given(in.EmployeeID), State: in.State, Kind: in.Kind, Overdue: in.Overdue == "true", NotOf: httpkit.ActorOf(ctx).EmployeeID,
	})
}

func (s *server) page(ctx context.Context, p httpkit.Paging, language i18n.Language, f subject.Filter) (*httpkit.Answer[httpkit.Page[SubjectRequest]], error) {
	before, err := p.After()
	if err != nil {
		return nil, err
	}
	f.Before, f.Limit = before, p.Limit
	rows, err := subject.List(ctx, s.DB, f)
	if err != nil {
		return nil, err
	}
	rows, next := httpkit.Cut(p, rows, func(r models.SubjectRequest) uuid.UUID { return r.ID })
	views, err := s.views(ctx, language, rows)
	return httpkit.AnswerOf(httpkit.PageOf(views, next), err)
}

// get is one request with what was written: that it is read is recorded first (I18).
func (s *server) get(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[SubjectRequest], error) {
	r, err := subject.Get(ctx, s.DB, in.ID)
	if err != nil {
		return nil, err
	}
	by, language := httpkit.ActorOf(ctx), in.Language()
	if r.EmployeeID == by.EmployeeID {
		return nil, httpkit.NewProblem(httpkit.CodeNotFound) // GET /me/requests has the own ones
	}
	var erasables []retention.Erasable
	err = database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		if err = subject.RecordRead(tx, r); err == nil && by.Role == models.RoleHRAdmin && r.Kind == models.SubjectErasure && r.State == models.SubjectOpen {
			erasables, err = retention.Erasables(tx, r.EmployeeID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	v, err := httpkit.One(s.views(ctx, language, []models.SubjectRequest{r}))
	if err != nil {
		return nil, err
	}
	written, err := subject.WrittenFor(ctx, s.DB, r)
	if err != nil {
		return nil, err
	}
	w := RequestTexts(written[0])
	v.Written = &w
	who, err := subject.RelativeOf(ctx, s.DB, r)
	if err != nil {
		return nil, err
	}
	if who != nil {
		v.Relative = &RelativeView{who.Name, who.Relation, closed.Text(language, who.Relation), who.Proof, who.Interest}
	}
	for _, e := range erasables {
		v.MayBeErased = append(v.MayBeErased, erasableView(e, language))
	}
	return httpkit.AnswerOf(v, nil)
}

func erasableView(e retention.Erasable, language i18n.Language) ErasableCategory {
	v := ErasableCategory{
		EmploymentID: e.EmploymentID, Category: e.Category, CategoryText: closed.Text(language, e.Category), Deadline: e.Deadline.UTC(),
		Kept: e.Kept, Rule: purges.RuleName(e.Rule), Basis: purges.Basis(language, e.Rule),
	}
	if e.Kept == "" {
		v.Earliest = render.UTC(&e.Earliest)
	} else {
		v.KeptText = closed.Text(language, e.Kept)
	}
	return v
}

func (s *server) withdraw(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[SubjectRequest], error) {
	return s.changed(ctx, in.Language(), in.ID, func(tx *database.Tx) error {
		_, err := subject.Withdraw(tx, httpkit.ActorOf(ctx), in.ID)
		return err
	})
}

func (s *server) seeProof(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[SubjectRequest], error) {
	return s.changed(ctx, in.Language(), in.ID, func(tx *database.Tx) error {
		_, err := subject.SeeProof(tx, httpkit.BearerOf(ctx), in.ID)
		return err
	})
}

type extendInput struct {
	httpkit.ByID
	Body struct {
		Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"Why it takes longer: the person reads it. Sealed, cleared once the person's data is deleted"`
	}
}

func (s *server) extend(ctx context.Context, in *extendInput) (*httpkit.Answer[SubjectRequest], error) {
	return s.changed(ctx, in.Language(), in.ID, func(tx *database.Tx) error {
		_, err := subject.Extend(tx, httpkit.ActorOf(ctx), in.ID, in.Body.Reason)
		return err
	})
}

func (s *server) changed(ctx context.Context, language i18n.Language, id uuid.UUID, do func(tx *database.Tx) error) (*httpkit.Answer[SubjectRequest], error) {
	if err := database.Run(ctx, s.DB, do); err != nil {
		return nil, err
	}
	s.EndOvertaken(ctx)
	return httpkit.AnswerOf(s.one(ctx, language, id))
}

type answerInput struct {
	httpkit.Idempotent
	httpkit.ByID
	Body NewSubjectAnswer
}

// NewSubjectAnswer is the body of an answer.
type NewSubjectAnswer struct {
	Answer          models.SubjectAnswer `json:"answer"`
	Text            string               `json:"text" minLength:"1" maxLength:"2000" doc:"For the person. Sealed, cleared once the person's data is deleted"`
	Basis           string               `json:"basis,omitempty" maxLength:"2000" doc:"On which law or duty it rests that not all is granted, in words; wanted unless all is"`
	Fields          map[string]*string   `json:"fields,omitempty" doc:"Of a correction: what is written, by the keys of the field catalogue, name or post; null removes a value"`
	EraseFields     []string             `json:"erase_fields,omitempty" maxItems:"50" doc:"Of an erasure: fields that rest on consent alone, removed with the answer"`
	EraseCategories []models.Category    `json:"erase_categories,omitempty" maxItems:"20" doc:"Of an erasure: whose deletion dates come forward as far as the law lets them; two people agree"`
	approvals.ApprovalFields
}

func (s *server) answer(ctx context.Context, in *answerInput) (*approvals.Outcome[SubjectRequest], error) {
	b, language := in.Body, in.Language()
	a := subject.Answer{Answer: b.Answer, Text: b.Text, Basis: b.Basis, Fields: b.Fields, EraseFields: b.EraseFields, EraseCategories: b.EraseCategories}
	out, err := approvals.Take(ctx, s.Desk, language, &approvals.Step{
		Operation: operations.EraseForSubject, Command: operations.SubjectAnswered{RequestID: in.ID, Answer: a}, Reason: b.ApprovalReason,
		Key: in.Key, Route: "POST /subject-requests/" + in.ID.String() + "/answer", Body: b,
		Assess: func(tx *database.Tx) ([]models.Cause, error) { return a.Assess(tx, in.ID) },
		Alone: func(tx *database.Tx) (httpkit.Creation, error) {
			_, err := subject.Give(tx, s.Vault, httpkit.ActorOf(ctx), in.ID, a, false)
			return httpkit.Done(models.Ref{Kind: models.RefSubject, ID: in.ID}), err
		},
	}, func(id uuid.UUID) (SubjectRequest, error) { return s.one(ctx, language, id) })
	var stays *retention.KeptError
	if errors.As(err, &stays) {
		return nil, kept(stays, language)
	}
	return out, err
}
