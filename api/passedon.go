package api

import (
	"context"

	"github.com/google/uuid"

	"lethe/internal/identity"
	"lethe/models"
)

// passedOn marks what its holder cannot look after any more: the role does (I32). It never ends by that.
func passedOn[V any](ctx context.Context, s *server, role models.Role, views []V, holder func(*V) (by *uuid.UUID, mark **models.Role)) error {
	var persons []uuid.UUID
	for i := range views {
		if by, _ := holder(&views[i]); by != nil {
			persons = append(persons, *by)
		}
	}
	absent, err := identity.Absent(ctx, s.DB, role, persons)
	if err != nil {
		return err
	}
	for i := range views {
		if by, mark := holder(&views[i]); by != nil && absent[*by] {
			*mark = &role
		}
	}
	return nil
}

// holdHolder is who placed a hold that is in force.
func holdHolder(v *HoldView) (*uuid.UUID, **models.Role) {
	if v.ReleasedAt != nil {
		return nil, nil
	}
	return v.PlacedBy, &v.PassedTo
}

// purgeHolder is who rejected a purge that still waits.
func purgeHolder(v *PurgeView) (*uuid.UUID, **models.Role) {
	if v.State != models.PurgeRejected {
		return nil, nil
	}
	return v.RejectedBy, &v.PassedTo
}
