package successions

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/internal/succession"
)

var codeUnfit = httpkit.Code("successor_unfit", http.StatusUnprocessableEntity)

func init() {
	httpkit.Refuses(succession.ErrNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(succession.ErrOwn, httpkit.CodeOwnMatter)
	httpkit.Refuses(succession.ErrChanged, httpkit.Code("successors_changed", http.StatusConflict), "base_version")
	httpkit.Refuses(succession.ErrTaken, httpkit.Code("succession_taken", http.StatusConflict))
	httpkit.Refuses(succession.ErrNoPerson, httpkit.Code("succession_no_person", http.StatusConflict))
}

// unfit tells HR why somebody cannot succeed, at the field that names them.
func unfit(e *succession.UnfitError, location string, language i18n.Language) *httpkit.Problem {
	p := httpkit.AtField(location, codeUnfit)
	p.Rule, p.RuleText = string(e.Why), closed.Text(language, e.Why)
	return p
}
