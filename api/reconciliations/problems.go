package reconciliations

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/reconcile"
	"lethe/models"
)

var codeRunning = httpkit.Code("reconciliation_running", http.StatusConflict)

func init() {
	httpkit.Explains(func(running *reconcile.RunningError) *httpkit.Problem {
		p := httpkit.NewProblem(codeRunning)
		if !running.None() {
			p.Location = httpkit.AddressOf(models.RefReconcile, running.ID)
		}
		return p
	})
	httpkit.Refuses(reconcile.ErrEnded, httpkit.Code("reconciliation_ended", http.StatusConflict))
	httpkit.Refuses(reconcile.ErrNothing, httpkit.Code("no_system_connected", http.StatusConflict))
}
