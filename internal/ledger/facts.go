package ledger

import (
	"context"

	"lethe/models"
)

// DetailApprovedBy is who agreed to what another person asked for: an employee's id, of an entry whose actor is the
// requester.
const DetailApprovedBy = "approved_by"

// As says whose doing the entry is. Somebody who is behind the request is recorded with how they
// were authenticated; so is whoever asked for what a second person agreed to. What follows from a request by
// itself is the system's doing, and names who asked for it.
func (e Entry) As(ctx context.Context, by models.Actor) Entry {
	caller := models.CallerOf(ctx)
	if caller.Actor == by {
		return e
	}
	e.Actor = &by
	if caller.Requester != nil && caller.Requester.Actor == by {
		return e
	}
	if id := caller.Actor.ID(); id != nil && e.RequestedBy == "" {
		e.RequestedBy = id.String()
	}
	return e
}
