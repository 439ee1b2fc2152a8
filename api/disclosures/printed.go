package disclosures

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/subject"
	"lethe/models"
)

func (s *server) registerPrinted() {
	r := s.Resource("Looks at sensitive fields", identity.ScopeDisclosures)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /subject-requests/{id}/copy", Summary: "Print the copy that somebody asked for on paper", To: httpkit.Roles{httpkit.HR}, Session: true, NoSealedCodes: true,
		More: "Of an open request for a copy. It is a look at everything in the copy for the person's own request, judged and recorded like any other. 200: the copy as a PDF, once. 202: a reviewer decides first, as about a copy that is printed by who entered the paper; the same call prints it then. 403 disclosure_refused: nothing is printed. It needs a re-authentication of the last five minutes.",
		Shape: func(op *huma.Operation) {
			httpkit.AnsweringPDF(op)
			request := s.Huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[approvals.ApprovalView](), true, "ApprovalView")
			httpkit.Answering("application/json", http.StatusAccepted, "The request that a reviewer decides about", request)(op)
		},
		Problems: []int{http.StatusConflict},
	}, s.printCopy)
}

// printing is a copy on its way to paper.
type printing struct {
	asked       disclosure.Asked
	look        disclosure.Look
	agreed      bool
	relative    bool // it is for a near relative
	employments []disclosure.OwnEmployment
}

// printCopy judges the look by which HR sees what it prints, and prints it once that has committed.
func (s *server) printCopy(ctx context.Context, in *httpkit.ByID) (*huma.StreamResponse, error) {
	bearer, language, p := httpkit.BearerOf(ctx), in.Language(), printing{}
	var r disclosure.Request
	st := &approvals.Step{Operation: operations.LookAtFields, Route: "POST /subject-requests/" + in.ID.String() + "/copy", Fresh: true}
	st.Assess = func(tx *database.Tx) (_ []models.Cause, err error) {
		p = printing{}
		if err = httpkit.SteppedUp(bearer, tx.Now); err != nil {
			return nil, err
		}
		if r, err = subject.PaperCopy(tx, bearer, in.ID, language); err != nil {
			return nil, err
		}
		p.relative = r.Copy.ByRelative
		var id uuid.UUID
		if id, p.agreed, err = disclosure.Agreed(tx, bearer.Actor, in.ID); err != nil {
			return nil, err
		}
		if p.agreed {
			p.look.Disclosure, err = disclosure.Lock(tx, id)
			return nil, err
		}
		if p.asked, err = disclosure.Prepare(tx, bearer.Actor, r); err != nil || p.asked.Decision.Verdict != disclosure.Review {
			return nil, err
		}
		return []models.Cause{models.CauseLook}, nil
	}
	st.First = func(tx *database.Tx) (err error) {
		if p.asked.Waiting == nil {
			p.look, err = p.asked.Carry(tx, s.Vault, bearer.Actor)
			p.asked.Waiting = &p.look.ID
		}
		st.Command = operations.LookAsked{DisclosureID: *p.asked.Waiting}
		return err
	}
	st.Alone = func(tx *database.Tx) (_ httpkit.Creation, err error) {
		if !p.agreed {
			p.look, err = p.asked.Carry(tx, s.Vault, bearer.Actor)
		}
		if err == nil && (p.agreed || p.look.State == models.LookShown) {
			p.employments, err = disclosure.PrintCopy(tx, s.Vault, bearer.Actor, &p.look, language)
		}
		return httpkit.Done(models.Ref{Kind: models.RefDisclosure, ID: p.look.ID}), err
	}
	out, err := approvals.Take(ctx, s.Desk, language, st, func(uuid.UUID) (LookAnswer, error) { return s.answer(ctx, language, p.look) })
	if err != nil {
		return nil, s.notLooked(ctx, r, err)
	}
	if p.look.State != models.LookShown {
		return waits(out.Status, out.Location, out.Body.Shown())
	}
	return s.sendPrinted(ctx, language, p)
}

// waits answers with the request that a reviewer decides about.
func waits(status int, location string, request any) (*huma.StreamResponse, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, errors.New("writing a request failed")
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		hctx.SetHeader("Content-Type", "application/json")
		hctx.SetHeader("Location", location)
		hctx.SetStatus(status)
		_, _ = hctx.BodyWriter().Write(body)
	}}, nil
}

func (s *server) sendPrinted(ctx context.Context, language i18n.Language, p printing) (*huma.StreamResponse, error) {
	c := OwnCopy{Receipt: p.look.Receipt}
	if p.look.ShownAt != nil {
		c.MadeAt = *p.look.ShownAt
	}
	if err := s.fill(ctx, language, &c, p.look.EmployeeID, p.employments); err != nil {
		return nil, err
	}
	return sendCopy(c, p.employments, language, p.relative)
}
