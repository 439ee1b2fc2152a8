// Package approvals serves requests for a second person's agreement, and makes them for the steps of all other resources.
package approvals

import (
	"reflect"

	"lethe/api/render"
	"lethe/internal/approval"
)

// Desk is where what may need two people is asked for.
type Desk struct {
	*render.Renderer
	Approvals *approval.Registry
}

// Register serves the resource; the other ones ask at the desk.
func Register(r *render.Renderer, operations *approval.Registry) *Desk {
	r.RequestView = reflect.TypeFor[ApprovalView]()
	d := &Desk{Renderer: r, Approvals: operations}
	d.registerApprovals()
	return d
}
