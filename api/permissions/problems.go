package permissions

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/permission"
)

func init() {
	httpkit.Refuses(permission.ErrNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(permission.ErrChanged, httpkit.Code("permissions_changed", http.StatusConflict), "base_version")
	httpkit.Refuses(permission.ErrSame, httpkit.Code("permissions_same", http.StatusUnprocessableEntity))
	httpkit.Refuses(permission.ErrNotConfigurer, httpkit.Code("not_configurer", http.StatusForbidden))
	httpkit.Refuses(permission.ErrGains, httpkit.Code("permissions_gain", http.StatusForbidden))
}
