package disclosures

import (
	"context"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// NewComparison is the body of a comparison.
type NewComparison struct {
	Field        string            `json:"field" minLength:"1" maxLength:"64" doc:"A number of the field catalogue" example:"id_number"`
	Value        string            `json:"value" minLength:"1" maxLength:"200" doc:"The number that somebody names. It is kept nowhere"`
	Purpose      access.Purpose    `json:"purpose"`
	Reason       string            `json:"reason" minLength:"1" maxLength:"2000" doc:"What happened, in a sentence. Sealed, kept as long as the log"`
	Evidence     map[string]string `json:"evidence,omitempty" doc:"What the purpose demands, by the keys that GET /disclosure-purposes lists"`
	RequestedBy  *RequestedBy      `json:"requested_by,omitempty" doc:"Who asked HR for it"`
	EmploymentID *uuid.UUID        `json:"employment_id,omitempty" doc:"Left out: the latest employment"`
}

// Comparison is what a comparison came to.
type Comparison struct {
	DisclosureView
	Notice        string     `json:"notice,omitempty" doc:"What the field may be used for: it is part of the entry"`
	LedgerEntryID *uuid.UUID `json:"ledger_entry_id,omitempty"`
	Receipt       string     `json:"receipt,omitempty" doc:"A signed promise that the entry is in the ledger"`
}

type comparisonInput struct {
	httpkit.Idempotent
	httpkit.ByID
	Body NewComparison
}

// compare judges a comparison like a look, and records it with what it came to.
func (s *server) compare(ctx context.Context, in *comparisonInput) (*httpkit.CreatedAnswer[Comparison], error) {
	b, bearer, language := in.Body, httpkit.BearerOf(ctx), in.Language()
	r := disclosure.Request{
		EmployeeID: in.ID, EmploymentID: b.EmploymentID, Fields: []string{b.Field}, Compare: &b.Value, Purpose: b.Purpose, Reason: b.Reason,
		Evidence: b.Evidence, RequestedBy: b.RequestedBy.given(), Language: language,
		Proved: func(now time.Time) bool { return identity.Fresh(bearer, now) },
	}
	var look disclosure.Look
	made, err := s.Create(ctx, in.Key, "POST /employees/"+in.ID.String()+"/comparisons", b, func(tx *database.Tx) (_ httpkit.Creation, err error) {
		asked, err := disclosure.Prepare(tx, bearer.Actor, r)
		if err != nil {
			return httpkit.Creation{}, err
		}
		look, err = asked.Carry(tx, s.Vault, bearer.Actor)
		return httpkit.Created(models.Ref{Kind: models.RefDisclosure, ID: look.ID}), err
	})
	if err == nil && look.ID != made.ID { // it was made before, and what was tried now is not kept
		look = disclosure.Look{}
		look.Disclosure, err = disclosure.Get(ctx, s.DB, made.ID)
	}
	if err != nil {
		return nil, s.notLooked(ctx, r, err)
	}
	answer, err := s.comparison(ctx, language, look)
	return httpkit.CreatedOf(made, answer, err)
}

func (s *server) comparison(ctx context.Context, language i18n.Language, look disclosure.Look) (Comparison, error) {
	answer, err := s.answer(ctx, language, look)
	c := Comparison{DisclosureView: answer.DisclosureView}
	if answer.Receipt != "" {
		c.Notice, c.LedgerEntryID, c.Receipt = answer.Notice, answer.LedgerEntryID, answer.Receipt
	}
	return c, err
}
