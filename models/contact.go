package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/closed"
)

// ContactRequest is how an emergency contact asked to be removed from somebody's file.
type ContactRequest string

// The ways.
const (
	ContactWritten  ContactRequest = "written"
	ContactCalled   ContactRequest = "called_back" // by phone, and called back at the number on file
	ContactInPerson ContactRequest = "in_person"
)

// ContactRequests lists them all.
var ContactRequests = closed.Of("contact_request", ContactWritten, ContactCalled, ContactInPerson)

// ContactRemoval is that an emergency contact was removed on their own request: which one of whose file, never who it was.
// It never changes.
type ContactRemoval struct {
	ID             uuid.UUID
	EmployeeID     uuid.UUID
	EmploymentID   uuid.UUID
	Contact        int
	Form           ContactRequest
	ReceivedOn     clock.Date
	EvidenceSealed Sealed
	RemovedBy      uuid.UUID
	RemovedAt      time.Time
	LedgerEntryID  uuid.UUID
}
