package render

import (
	"context"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/models"
)

// Visible answers with database.ErrNotFound for people whom the actor may not see, as for those who
// do not exist.
func (s *Renderer) Visible(ctx context.Context, actor models.Actor, employeeID uuid.UUID) error {
	_, err := database.First[models.Employee](s.DB.Read(ctx).Scopes(archive.VisibleTo(actor)).
		Select("employees.id").Where("employees.id = ?", employeeID))
	return database.Wrap("looking whether a person is visible", err)
}
