package disclosures

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/closed"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/models"
)

var (
	codeRefused = httpkit.Code("disclosure_refused", http.StatusForbidden)
	codeWaiting = httpkit.Code("disclosure_waiting", http.StatusConflict)
	codeLapsed  = httpkit.Code("disclosure_lapsed", http.StatusConflict)
)

func init() {
	httpkit.Explains(func(e *disclosure.WaitingError) *httpkit.Problem { return at(codeWaiting, e.ID) })
	httpkit.Refuses(disclosure.ErrNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(disclosure.ErrProve, httpkit.CodeStepUpRequired)
	httpkit.Refuses(disclosure.ErrOwn, httpkit.CodeOwnMatter)
	httpkit.Refuses(disclosure.ErrNotLooker, httpkit.Code("disclosure_of_another", http.StatusForbidden))
	httpkit.Refuses(disclosure.ErrNotOpen, httpkit.Code("disclosure_not_open", http.StatusConflict))
	httpkit.Refuses(disclosure.ErrNotShown, httpkit.Code("disclosure_not_shown", http.StatusConflict))
	httpkit.Refuses(disclosure.ErrClosed, httpkit.Code("disclosure_closed", http.StatusConflict))
	httpkit.Refuses(disclosure.ErrNoReview, httpkit.Code("disclosure_without_review", http.StatusConflict))
	httpkit.Refuses(disclosure.ErrObjected, httpkit.Code("disclosure_objected", http.StatusConflict))
	httpkit.Refuses(disclosure.ErrNoObjection, httpkit.Code("disclosure_without_objection", http.StatusConflict))
	httpkit.Refuses(disclosure.ErrAnswered, httpkit.Code("objection_answered", http.StatusConflict))
	httpkit.Refuses(disclosure.ErrNoSheet, httpkit.Code("disclosure_without_registration", http.StatusConflict))
	httpkit.Refuses(disclosure.ErrReviewed, httpkit.Code("disclosure_reviewed", http.StatusConflict))
}

func at(code string, id uuid.UUID) *httpkit.Problem {
	p := httpkit.NewProblem(code)
	p.Location = httpkit.AddressOf(models.RefDisclosure, id)
	return p
}

// refused is the problem of a look that was judged and recorded.
func (s *server) refused(ctx context.Context, look disclosure.Look, language i18n.Language) (err error) {
	p := at(codeRefused, look.ID)
	p.Rule, p.RuleText = look.Rule, closed.Text(language, disclosure.Rule(look.Rule))
	p.Matter, p.MatterText, p.Reply = matterOf(look.Disclosure, language)
	if p.Alternatives, err = s.instead(ctx, look.Disclosure, language); err != nil {
		return err
	}
	p.LedgerEntryID, p.Receipt = &look.LedgerEntryID, look.Receipt
	return p
}
