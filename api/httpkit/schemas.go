package httpkit

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/models"
)

// dateSchema describes clock.Date to clients: an RFC 3339 full-date.
type dateSchema struct{}

// Schema is what OpenAPI shows and validation checks.
func (dateSchema) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Format: "date", Examples: []any{"2026-03-31"}}
	s.PrecomputeMessages()
	return s
}

// idSchema describes ids to clients.
type idSchema struct{}

// Schema is what OpenAPI shows and validation checks.
func (idSchema) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Format: "uuid"}
	s.PrecomputeMessages()
	return s
}

// closedSchema describes a closed set to clients: its values are all that is let in.
type closedSchema[T ~string] struct{}

// Schema is what OpenAPI shows and validation checks.
func (closedSchema[T]) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, value := range closed.SetOf[T]().Values {
		s.Enum = append(s.Enum, value)
	}
	s.PrecomputeMessages()
	return s
}

// Describe tells the API of a closed set that is no model's.
func Describe[T ~string](a *API) { describeClosed[T](a.Huma.OpenAPI().Components.Schemas) }

func describeClosed[T ~string](registry huma.Registry) {
	registry.RegisterTypeAlias(reflect.TypeFor[T](), reflect.TypeFor[closedSchema[T]]())
}

// describeTypes tells the registry how types of the domain are written in JSON.
func describeTypes(registry huma.Registry) {
	registry.RegisterTypeAlias(reflect.TypeFor[clock.Date](), reflect.TypeFor[dateSchema]())
	registry.RegisterTypeAlias(reflect.TypeFor[uuid.UUID](), reflect.TypeFor[idSchema]())
	describeClosed[DocumentFormat](registry)
	describeClosed[models.ComparisonOutcome](registry)
	describeClosed[models.DriftKind](registry)
	describeClosed[models.Holding](registry)
	describeClosed[models.HoldingEffect](registry)
	describeClosed[models.SuccessionCause](registry)
	describeClosed[models.ReconciliationState](registry)
	describeClosed[models.LookRemark](registry)
	describeClosed[models.Role](registry)
	describeClosed[models.Category](registry)
	describeClosed[models.EmployeeStatus](registry)
	describeClosed[models.DayKind](registry)
	describeClosed[models.UserState](registry)
	describeClosed[models.IdentityDocument](registry)
	describeClosed[models.ContactRequest](registry)
	describeClosed[models.DepartureKind](registry)
	describeClosed[models.Initiator](registry)
	describeClosed[models.Stage](registry)
	describeClosed[models.AccountsState](registry)
	describeClosed[models.AccountState](registry)
	describeClosed[models.Finding](registry)
	describeClosed[models.OperationKind](registry)
	describeClosed[models.OperationMode](registry)
	describeClosed[models.OperationOrigin](registry)
	describeClosed[models.OperationState](registry)
	describeClosed[models.StepState](registry)
	describeClosed[models.CaseState](registry)
	describeClosed[models.Resolution](registry)
	describeClosed[models.DeadlineState](registry)
	describeClosed[models.PurgeState](registry)
	describeClosed[models.Decision](registry)
	describeClosed[models.ApprovalState](registry)
	describeClosed[models.VoidReason](registry)
	describeClosed[models.Cause](registry)
	describeClosed[models.DisclosureState](registry)
	describeClosed[models.DisclosureOutcome](registry)
	describeClosed[models.LookReview](registry)
	describeClosed[models.ConsentPurpose](registry)
	describeClosed[models.ConsentAnswer](registry)
	describeClosed[models.ConsentForm](registry)
	describeClosed[models.MessageState](registry)
	describeClosed[models.SubjectRequestKind](registry)
	describeClosed[models.SubjectRequestState](registry)
	describeClosed[models.SubjectAnswer](registry)
	describeClosed[models.FeedbackKind](registry)
	describeClosed[models.MessageEnd](registry)
	describeClosed[models.DutyGap](registry)
	describeClosed[models.EmergencyState](registry)
	describeClosed[models.EmergencyOutcome](registry)
}
