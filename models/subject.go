package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/closed"
)

// SubjectRequestKind is what somebody asks for of the own data.
type SubjectRequestKind string

// The kinds of requests.
const (
	SubjectCorrection SubjectRequestKind = "correction"
	SubjectErasure    SubjectRequestKind = "erasure"
	SubjectCopy       SubjectRequestKind = "copy"
)

// SubjectRequestKinds lists them all.
var SubjectRequestKinds = closed.Of("subject_request_kind", SubjectCorrection, SubjectErasure, SubjectCopy)

// NearRelative is how somebody is related to a person who died (Civil Code Art. 1045).
type NearRelative string

// The near relatives.
const (
	RelativeSpouse      NearRelative = "spouse"
	RelativeParent      NearRelative = "parent"
	RelativeChild       NearRelative = "child"
	RelativeSibling     NearRelative = "sibling"
	RelativeGrandparent NearRelative = "grandparent"
	RelativeGrandchild  NearRelative = "grandchild"
)

// NearRelatives lists them all.
var NearRelatives = closed.Of("near_relative", RelativeSpouse, RelativeParent, RelativeChild, RelativeSibling, RelativeGrandparent, RelativeGrandchild)

// SubjectRequestState is how far a request came.
type SubjectRequestState string

// The states of a request.
const (
	SubjectOpen      SubjectRequestState = "open"
	SubjectAnswered  SubjectRequestState = "answered"
	SubjectWithdrawn SubjectRequestState = "withdrawn"
	// SubjectEnded: the person's data was deleted before it was answered.
	SubjectEnded SubjectRequestState = "ended"
)

// SubjectRequestStates say what may follow each.
var SubjectRequestStates = closed.States("subject_requests.state", "subject_request_state", [][]SubjectRequestState{
	{SubjectOpen, SubjectAnswered, SubjectWithdrawn, SubjectEnded},
	{SubjectAnswered}, {SubjectWithdrawn}, {SubjectEnded},
})

// SubjectAnswer is what was answered to a request.
type SubjectAnswer string

// The answers.
const (
	SubjectGranted SubjectAnswer = "granted"
	SubjectPartly  SubjectAnswer = "partly"
	SubjectRefused SubjectAnswer = "refused"
)

// SubjectAnswers lists them all.
var SubjectAnswers = closed.Of("subject_answer", SubjectGranted, SubjectPartly, SubjectRefused)

// SubjectRequest is what somebody asked for of the own data. What was written is cleared once the data is gone.
type SubjectRequest struct {
	ID         uuid.UUID
	EmployeeID uuid.UUID
	Kind       SubjectRequestKind
	Fields     Codes // keys of the field catalogue; none: it names none
	State      SubjectRequestState
	// Form is the own login, or a paper that HR entered.
	Form       ConsentForm
	EnteredBy  uuid.UUID
	EnteredAt  time.Time
	ReceivedOn *clock.Date // of a paper
	TextSealed Sealed
	// EvidenceSealed is where a paper is kept.
	EvidenceSealed Sealed
	// ByRelative: a near relative asks, of somebody who died; RelativeSealed says who. Objected: the person had arranged
	// otherwise. ProofSeenBy is the second person who saw the proof.
	ByRelative      bool
	Objected        bool
	RelativeSealed  Sealed
	ProofSeenBy     *uuid.UUID
	ProofSeenAt     *time.Time
	AnswerDueAt     time.Time
	ExtendedAt      *time.Time
	ExtensionSealed Sealed // why
	// EscalatedAt is when it was shown that its answer is overdue.
	EscalatedAt   *time.Time
	Answer        SubjectAnswer
	AnsweredBy    *uuid.UUID
	AnswerSealed  Sealed
	BasisSealed   Sealed // on what a refusal rests
	FinishedAt    *time.Time
	LedgerEntryID uuid.UUID
}
