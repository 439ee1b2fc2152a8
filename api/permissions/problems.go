package permissions

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/permission"
)

func init() {
	httpkit.Explains(func(e *permission.InvalidError) *httpkit.Problem {
		p := httpkit.NewProblem(httpkit.CodeValidationFailed)
		for _, i := range e.Problems {
			p.Errors = append(p.Errors, httpkit.FieldError{Location: "body." + i.Location, Code: i.Code})
		}
		return p
	})
	httpkit.Refuses(permission.ErrNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(permission.ErrChanged, httpkit.Code("permissions_changed", http.StatusConflict), "base_version")
	httpkit.Refuses(permission.ErrSame, httpkit.Code("permissions_same", http.StatusUnprocessableEntity))
	httpkit.Refuses(permission.ErrNotConfigurer, httpkit.Code("not_configurer", http.StatusForbidden))
	httpkit.Refuses(permission.ErrGains, httpkit.Code("permissions_gain", http.StatusForbidden))
}
