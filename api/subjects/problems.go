package subjects

import (
	"fmt"
	"net/http"

	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/internal/retention"
	"lethe/internal/subject"
)

var codeKept = httpkit.Code("erasure_kept", http.StatusConflict)

func init() {
	httpkit.Explains(func(e *retention.KeptError) *httpkit.Problem {
		p := httpkit.NewProblem(codeKept)
		if e.Rule.Version > 0 {
			p.Rule = fmt.Sprintf("%s/%s/%d", e.Rule.Jurisdiction, e.Rule.Category, e.Rule.Version)
		}
		return p
	})
	httpkit.Refuses(subject.ErrNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(subject.ErrOwn, httpkit.CodeOwnMatter)
	httpkit.Refuses(subject.ErrClosed, httpkit.Code("subject_request_closed", http.StatusConflict))
	httpkit.Refuses(subject.ErrTooMany, httpkit.Code("subject_requests_too_many", http.StatusConflict))
	httpkit.Refuses(subject.ErrGone, httpkit.Code("subject_gone", http.StatusConflict))
	httpkit.Refuses(subject.ErrNoExtension, httpkit.Code("subject_request_no_extension", http.StatusConflict))
	httpkit.Refuses(subject.ErrNoPaper, httpkit.Code("subject_request_no_paper", http.StatusConflict))
	httpkit.Refuses(subject.ErrNotDead, httpkit.Code("relative_not_dead", http.StatusConflict))
	httpkit.Refuses(subject.ErrProofOnce, httpkit.Code("relative_proof_once", http.StatusConflict))
	httpkit.Refuses(subject.ErrAfterDeath, httpkit.Code("subject_request_after_death", http.StatusConflict))
	httpkit.Refuses(subject.ErrObjected, httpkit.Code("relative_objected", http.StatusConflict))
	httpkit.Refuses(subject.ErrExtended, httpkit.Code("subject_request_extended", http.StatusConflict))
}

// kept says what stays, until when and by which rule.
func kept(e *retention.KeptError, language i18n.Language) *httpkit.Problem {
	p := httpkit.NewProblem(codeKept)
	p.RuleText = closed.Text(language, e.Category) + language.Of("：", ": ") + closed.Text(language, e.Kept)
	if e.Rule.Version > 0 {
		p.Rule = purges.RuleName(e.Rule)
		p.RuleText += fmt.Sprintf(i18n.Text(language, "erasure_kept_until"), language.Day(e.Until.UTC()), purges.Basis(language, e.Rule))
	}
	return p
}
