package ledger

import (
	"context"

	"lethe/models"
)

// As says whose doing the entry is. Somebody who is behind the request is recorded with how they
// were authenticated. What follows from a request by itself is the system's doing, and names who
// asked for it.
func (e Entry) As(ctx context.Context, by models.Actor) Entry {
	caller := models.CallerOf(ctx)
	if caller.Actor == by {
		return e
	}
	e.Actor = &by
	if id := caller.Actor.ID(); id != nil && e.RequestedBy == "" {
		e.RequestedBy = id.String()
	}
	return e
}
