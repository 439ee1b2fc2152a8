package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/closed"
)

// ConsentPurpose is what somebody is asked to agree to.
type ConsentPurpose string

// What people are asked for. Whatever rests on a contract or a law is not asked for.
const (
	// ConsentMessages: HR passes a message on after the person has left.
	ConsentMessages ConsentPurpose = "message_passing"
	// ConsentReference: HR confirms facts of the employment to a future employer.
	ConsentReference ConsentPurpose = "reference_check"
	// ConsentContacts: the company tells the emergency contacts that they were named.
	ConsentContacts ConsentPurpose = "contacts_informed"
)

// ConsentPurposes lists them all.
var ConsentPurposes = closed.Of("consent_purpose", ConsentMessages, ConsentReference, ConsentContacts)

// ConsentAnswer is what somebody said.
type ConsentAnswer string

// The answers.
const (
	ConsentGiven    ConsentAnswer = "given"
	ConsentDeclined ConsentAnswer = "declined"
	// ConsentWithdrawn: it was given before.
	ConsentWithdrawn ConsentAnswer = "withdrawn"
	// ConsentEnded: the person's data was deleted, and what was said before counts no more.
	ConsentEnded ConsentAnswer = "ended"
)

// ConsentAnswers lists them all.
var ConsentAnswers = closed.Of("consent_answer", ConsentGiven, ConsentDeclined, ConsentWithdrawn, ConsentEnded)

// ConsentForm is how somebody said it.
type ConsentForm string

// The forms.
const (
	// ConsentInPerson: by the own login.
	ConsentInPerson ConsentForm = "own_login"
	// ConsentWritten: on a paper that the person signed and HR recorded.
	ConsentWritten ConsentForm = "written"
	// ConsentByDeletion: nobody said it, the person's data was deleted.
	ConsentByDeletion ConsentForm = "deletion"
)

// ConsentForms lists them all.
var ConsentForms = closed.Of("consent_form", ConsentInPerson, ConsentWritten, ConsentByDeletion)

// Consent is one answer of one person about one purpose. It never changes: another answer is another row.
type Consent struct {
	ID uuid.UUID
	// Seq orders the answers of a person: the last one counts.
	Seq        int64 `gorm:"->"`
	EmployeeID uuid.UUID
	Purpose    ConsentPurpose
	Answer     ConsentAnswer
	Form       ConsentForm
	// PolicyVersion is the privacy policy that asked, AskedSince the version since which it asks for just this.
	PolicyVersion int
	AskedSince    int
	AnsweredAt    time.Time `gorm:"->"`
	// RecordedBy is the person, or who of HR recorded the paper; nil: nobody.
	RecordedBy *uuid.UUID
	// SignedOn and EvidenceSealed are of a paper: its date, and where it is kept.
	SignedOn       *clock.Date
	EvidenceSealed Sealed
	LedgerEntryID  uuid.UUID
}
