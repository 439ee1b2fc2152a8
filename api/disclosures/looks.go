package disclosures

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/invalid"
	"lethe/internal/operations"
	"lethe/internal/screening"
	"lethe/models"
)

// NewDisclosure is the body of a look.
type NewDisclosure struct {
	Fields       []string          `json:"fields" minItems:"1" maxItems:"20" doc:"Keys of the field catalogue" example:"emergency_contact_phone"`
	Purpose      access.Purpose    `json:"purpose"`
	Reason       string            `json:"reason" minLength:"1" maxLength:"2000" doc:"What happened, in a sentence. It explains, and never suffices. Sealed, kept as long as the log"`
	Evidence     map[string]string `json:"evidence,omitempty" doc:"What the purpose demands, by the keys that GET /disclosure-purposes lists"`
	RequestedBy  *RequestedBy      `json:"requested_by,omitempty" doc:"Who asked HR for it"`
	EmploymentID *uuid.UUID        `json:"employment_id,omitempty" doc:"Left out: the latest employment"`
}

// RequestedBy is who asked HR: a colleague, or an outsider by a description.
type RequestedBy struct {
	EmployeeID  *uuid.UUID `json:"employee_id,omitempty"`
	Description string     `json:"description,omitempty" maxLength:"200" doc:"Of an outsider. Sealed, kept as long as the log" example:"自称借款人的来电者"`
}

func (r *RequestedBy) given() disclosure.RequestedBy {
	if r == nil {
		return disclosure.RequestedBy{}
	}
	return disclosure.RequestedBy{EmployeeID: r.EmployeeID, Description: r.Description}
}

func (s *server) registerLooks() {
	lookers := httpkit.Roles{httpkit.HR, httpkit.Head} // whom the permissions let
	r := s.Resource("Looks at sensitive fields", identity.ScopeDisclosures)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /employees/{id}/disclosures", Summary: "Look at sensitive fields, for a purpose and a reason", To: lookers, NoSealedCodes: true,
		More:      "It is judged by rules. 200: the values, once, with their notice. 202: a reviewer decides first; its target is the look, which POST /disclosures/{id}/opening opens then. 403 disclosure_refused: nothing is shown, with the rule and what can be done instead. Each attempt is an entry of the log, and the subject sees it.",
		OrRequest: true,
	}, s.disclose)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /employees/{id}/comparisons", Summary: "Compare a number that somebody names with the one in a file", To: lookers, NoSealedCodes: true, Status: http.StatusCreated,
		More: "Judged and recorded like a look. Nothing is shown but whether both are the same; the number is not kept. A field of a person is compared at most three times within a day, by whomever. What a reviewer would have to decide about is refused: ask to look.",
	}, s.compare)
	httpkit.Handle(r, httpkit.Route{At: "GET /employees/{id}/disclosures", Summary: "List who looked at somebody's sensitive fields, newest first", More: "The subject sees the department, the purpose, the result and the time.", Former: true, To: httpkit.Everyone}, s.listOfPerson)
	httpkit.Handle(r, httpkit.Route{At: "GET /disclosures", Summary: "List looks, newest first", To: readers}, s.listLooks)
	httpkit.Handle(r, httpkit.Route{At: "GET /disclosures/{id}", Summary: "Read a look, with its reason; that is recorded", More: "The subject sees department, purpose, result and time, and the own objection with its answer.", Former: true, To: httpkit.Everyone}, s.getLook)
	httpkit.Handle(r, httpkit.Route{At: "POST /disclosures/{id}/opening", Summary: "Open a look that a reviewer agreed to, once; or show again what was shown within half an hour", To: lookers, NoSealedCodes: true}, s.openLook)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /disclosures/{id}/attachments/{attachment_id}", Summary: "Download a document that a look showed, while it may be shown; this is recorded", To: lookers, NoSealedCodes: true,
		Shape: func(op *huma.Operation) {
			for _, t := range models.AttachmentTypes {
				httpkit.Answering(t.Media(), http.StatusOK, "The document", &huma.Schema{Type: huma.TypeString, Format: "binary"})(op)
			}
		},
		Problems: []int{http.StatusConflict},
	}, s.download)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /disclosures/{id}/registration", Summary: "Print the sheet of what was given to an authority (对外提供登记); this is recorded", NoSealedCodes: true,
		More: "Of a look for an authority's order that was shown: the fields, authority, officials, document, who gave it and when, in Chinese and English. With the values for who looked, while the look may be shown; otherwise without.",
		To:   httpkit.Roles{httpkit.HR, httpkit.Head, httpkit.Reviewer, httpkit.Auditor}, Problems: []int{http.StatusConflict},
		Shape: httpkit.Answering("text/html", http.StatusOK, "The sheet", &huma.Schema{Type: huma.TypeString}),
	}, s.printSheet)
	httpkit.Handle(r, httpkit.Route{At: "POST /disclosures/{id}/outcome", Summary: "Tell what came of a look", To: lookers}, s.closeLook)
	httpkit.Handle(r, httpkit.Route{At: "POST /disclosures/{id}/review", Summary: "Review a look that was shown without a reviewer before, as the second person", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer}, NoSealedCodes: true}, s.reviewLook)
	httpkit.Handle(r, httpkit.Route{At: "POST /disclosures/{id}/objection", Summary: "Object to a look at the own data", Former: true, To: httpkit.Everyone}, s.object)
	httpkit.Handle(r, httpkit.Route{At: "POST /disclosures/{id}/objection/answer", Summary: "Answer an objection, as somebody else than the looker", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer}}, s.answerObjection)
	httpkit.Handle(r, httpkit.Route{At: "POST /pleas", Summary: "Register that somebody wanted somebody's data for what it is never opened for", To: httpkit.Roles{httpkit.HR}, Status: http.StatusCreated}, s.registerPlea)
}

type disclosureInput struct {
	httpkit.Idempotent
	httpkit.ByID
	Body NewDisclosure
}

// disclose judges a look, and records and opens it in the same transaction. What is refused is committed and then
// answered as a problem; what a reviewer decides about is a request for two people. A repeated request shows again what it
// came to.
func (s *server) disclose(ctx context.Context, in *disclosureInput) (*approvals.Outcome[LookAnswer], error) {
	b, bearer, language := in.Body, httpkit.BearerOf(ctx), in.Language()
	r := disclosure.Request{
		EmployeeID: in.ID, EmploymentID: b.EmploymentID, Fields: b.Fields, Purpose: b.Purpose, Reason: b.Reason, Evidence: b.Evidence,
		RequestedBy: b.RequestedBy.given(), Language: language,
		Proved: func(now time.Time) bool { return identity.Fresh(bearer, now) },
	}
	var asked disclosure.Asked
	var look disclosure.Look
	st := &approvals.Step{Operation: operations.LookAtFields, Key: in.Key, Route: "POST /employees/" + in.ID.String() + "/disclosures", Body: b, Fresh: true}
	st.Assess = func(tx *database.Tx) (_ []models.Cause, err error) {
		look = disclosure.Look{}
		if asked, err = disclosure.Prepare(tx, bearer.Actor, r); err != nil || asked.Decision.Verdict != disclosure.Review {
			return nil, err
		}
		return []models.Cause{models.CauseLook}, nil
	}
	st.First = func(tx *database.Tx) (err error) {
		if asked.Waiting == nil {
			look, err = asked.Carry(tx, s.Vault, bearer.Actor)
			asked.Waiting = &look.ID
		}
		st.Command = operations.LookAsked{DisclosureID: *asked.Waiting}
		return err
	}
	st.Alone = func(tx *database.Tx) (_ httpkit.Creation, err error) {
		look, err = asked.Carry(tx, s.Vault, bearer.Actor)
		return httpkit.Done(models.Ref{Kind: models.RefDisclosure, ID: look.ID}), err
	}
	out, err := approvals.Take(ctx, s.Desk, language, st, func(id uuid.UUID) (LookAnswer, error) {
		if look.ID != id { // it was made before, and what was tried now is not kept
			return s.again(ctx, language, id)
		}
		return s.answer(ctx, language, look)
	})
	return out, s.notLooked(ctx, r, err)
}

// notLooked is why a look was not judged to its end. That somebody has to prove first who they are is recorded before they
// hear it.
func (s *server) notLooked(ctx context.Context, r disclosure.Request, err error) error {
	var wrong *invalid.ValuesError
	switch {
	case errors.As(err, &wrong):
		p := httpkit.ProblemOf(ctx, err)
		p.Alternatives = alternatives(disclosure.InsteadOfEvidence(wrong, r.Purpose), r.Language)
		return p
	case errors.Is(err, database.ErrNotFound):
		return httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	case errors.Is(err, disclosure.ErrProve):
		if unrecorded := database.Run(ctx, s.DB, func(tx *database.Tx) error { return disclosure.RecordUnproved(tx, r) }); unrecorded != nil {
			return unrecorded
		}
		if httpkit.BearerOf(ctx).SessionID == uuid.Nil {
			return httpkit.NewProblem(httpkit.CodeSessionRequired)
		}
	}
	return err
}

// again answers a request that was made before.
func (s *server) again(ctx context.Context, language i18n.Language, id uuid.UUID) (LookAnswer, error) {
	row, err := disclosure.Get(ctx, s.DB, id)
	if err == nil && row.State == models.LookShown {
		return s.open(ctx, language, id)
	}
	if err != nil {
		return LookAnswer{}, err
	}
	return s.answer(ctx, language, disclosure.Look{Disclosure: row})
}

// answer shows what a look came to.
func (s *server) answer(ctx context.Context, language i18n.Language, look disclosure.Look) (LookAnswer, error) {
	switch look.State {
	case models.LookRefused:
		if look.Rule == string(disclosure.RuleOwnFile) {
			return LookAnswer{}, httpkit.NewProblem(httpkit.CodeOwnMatter)
		}
		return LookAnswer{}, s.refused(ctx, look, language)
	case models.LookLapsed:
		return LookAnswer{}, at(codeLapsed, look.ID)
	}
	view, err := httpkit.One(s.views(ctx, language, []models.Disclosure{look.Disclosure}))
	return lookAnswer(view, look, language), err
}

func (s *server) openLook(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[LookAnswer], error) {
	return httpkit.AnswerOf(s.open(ctx, in.Language(), in.ID))
}

func (s *server) open(ctx context.Context, language i18n.Language, id uuid.UUID) (LookAnswer, error) {
	var look disclosure.Look
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		look, err = disclosure.Open(tx, s.Vault, httpkit.ActorOf(ctx), id, language)
		return err
	})
	if err != nil {
		return LookAnswer{}, s.notPermitted(ctx, id, err)
	}
	return s.answer(ctx, language, look)
}

// notPermitted records that a look is refused whose looker may not look any more, before they hear it.
func (s *server) notPermitted(ctx context.Context, id uuid.UUID, err error) error {
	if !errors.Is(err, disclosure.ErrNotPermitted) {
		return err
	}
	if unrecorded := database.Run(ctx, s.DB, func(tx *database.Tx) error { return disclosure.RecordNotPermitted(tx, id) }); unrecorded != nil {
		return unrecorded
	}
	return err
}

type outcomeInput struct {
	httpkit.ByID
	Body struct {
		Outcome models.DisclosureOutcome `json:"outcome"`
		Note    string                   `json:"note,omitempty" maxLength:"500" doc:"To whom it was passed on; what else there is to say. Sealed, kept as long as the log"`
		Pressed bool                     `json:"pressed,omitempty" doc:"HR was urged to look"`
	}
}

func (s *server) closeLook(ctx context.Context, in *outcomeInput) (*httpkit.Answer[DisclosureView], error) {
	return s.changed(ctx, in.Language(), func(tx *database.Tx) (models.Disclosure, error) {
		return disclosure.Close(tx, httpkit.ActorOf(ctx), in.ID, disclosure.Outcome(in.Body))
	})
}

type reviewInput struct {
	httpkit.ByID
	Body struct {
		Review models.LookReview `json:"review"`
		Note   string            `json:"note,omitempty" maxLength:"500" doc:"What was wrong, if something was. Sealed, kept as long as the log"`
	}
}

func (s *server) reviewLook(ctx context.Context, in *reviewInput) (*httpkit.Answer[DisclosureView], error) {
	return s.changed(ctx, in.Language(), func(tx *database.Tx) (models.Disclosure, error) {
		return disclosure.Judge(tx, httpkit.ActorOf(ctx), in.ID, in.Body.Review, in.Body.Note)
	})
}

type objectionInput struct {
	httpkit.ByID
	Body struct {
		Objection string `json:"objection" minLength:"1" maxLength:"500" doc:"What is wrong with it. Sealed, kept as long as the log"`
	}
}

func (s *server) object(ctx context.Context, in *objectionInput) (*httpkit.Answer[DisclosureView], error) {
	return s.changed(ctx, in.Language(), func(tx *database.Tx) (models.Disclosure, error) {
		return disclosure.Object(tx, httpkit.ActorOf(ctx), in.ID, in.Body.Objection)
	})
}

type answerInput struct {
	httpkit.ByID
	Body struct {
		Answer string `json:"answer" minLength:"1" maxLength:"2000" doc:"For the subject. Sealed, kept as long as the log"`
	}
}

func (s *server) answerObjection(ctx context.Context, in *answerInput) (*httpkit.Answer[DisclosureView], error) {
	return s.changed(ctx, in.Language(), func(tx *database.Tx) (models.Disclosure, error) {
		return disclosure.Answer(tx, httpkit.ActorOf(ctx), in.ID, in.Body.Answer)
	})
}

func (s *server) changed(ctx context.Context, language i18n.Language, do func(tx *database.Tx) (models.Disclosure, error)) (*httpkit.Answer[DisclosureView], error) {
	var row models.Disclosure
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		row, err = do(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return httpkit.AnswerOf(httpkit.One(s.views(ctx, language, []models.Disclosure{row})))
}

// NewPlea is the body of what somebody wanted.
type NewPlea struct {
	EmployeeID  uuid.UUID          `json:"employee_id" doc:"Whose data was wanted"`
	Matter      screening.Category `json:"matter"`
	RequestedBy *RequestedBy       `json:"requested_by,omitempty" doc:"Who wanted it"`
	Said        string             `json:"said,omitempty" maxLength:"2000" doc:"What the asker said. Sealed, kept as long as the log"`
	Pressed     bool               `json:"pressed,omitempty" doc:"HR was urged"`
}

// Plea is what was registered, with what can be said and done.
type Plea struct {
	DisclosureView
	Reply        httpkit.Reply         `json:"reply"`
	Alternatives []httpkit.Alternative `json:"alternatives"`
	Receipt      string                `json:"receipt,omitempty" doc:"A signed promise that the entry is in the ledger"`
}

type pleaInput struct {
	httpkit.Idempotent
	httpkit.Speaking
	Body NewPlea
}

func (s *server) registerPlea(ctx context.Context, in *pleaInput) (*httpkit.CreatedAnswer[Plea], error) {
	var look disclosure.Look
	b, language := in.Body, in.Language()
	made, err := s.Create(ctx, in.Key, "POST /pleas", b, func(tx *database.Tx) (_ httpkit.Creation, err error) {
		look, err = disclosure.Register(tx, httpkit.ActorOf(ctx), disclosure.Plea{EmployeeID: b.EmployeeID, Matter: b.Matter, RequestedBy: b.RequestedBy.given(), Said: b.Said, Pressed: b.Pressed})
		return httpkit.Created(models.Ref{Kind: models.RefDisclosure, ID: look.ID}), err
	})
	if errors.Is(err, database.ErrNotFound) {
		return nil, httpkit.AtField("employee_id", httpkit.CodeEmployeeNotFound)
	}
	if err != nil {
		return nil, err
	}
	if look.ID != made.ID {
		if look.Disclosure, err = disclosure.Get(ctx, s.DB, made.ID); err != nil {
			return nil, err
		}
	}
	view, err := httpkit.One(s.views(ctx, language, []models.Disclosure{look.Disclosure}))
	if err != nil {
		return nil, err
	}
	_, _, reply := matterOf(look.Disclosure, language)
	instead, err := s.instead(ctx, look.Disclosure, language)
	return httpkit.CreatedOf(made, Plea{view, *reply, instead, look.Receipt}, err)
}
