package messages

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/internal/message"
)

var codeNotPossible = httpkit.Code("message_not_possible", http.StatusConflict)

func init() {
	httpkit.Refuses(message.ErrNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(message.ErrOwn, httpkit.CodeOwnMatter)
	httpkit.Refuses(message.ErrNoServer, httpkit.Code("message_no_server", http.StatusConflict))
	httpkit.Refuses(message.ErrAsker, httpkit.Code("message_asker", http.StatusUnprocessableEntity), "asker_id")
	httpkit.Refuses(message.ErrTooOften, httpkit.Code("message_too_often", http.StatusConflict))
	httpkit.Refuses(message.ErrAnswered, httpkit.Code("message_answered", http.StatusConflict))
	httpkit.Refuses(message.ErrContact, httpkit.Code("message_contact", http.StatusUnprocessableEntity), "contact")
}

// notPossible tells HR why.
func notPossible(e *message.NotPossibleError, language i18n.Language) *httpkit.Problem {
	p := httpkit.NewProblem(codeNotPossible)
	p.Rule, p.RuleText = string(e.Why), closed.Text(language, e.Why)
	return p
}
