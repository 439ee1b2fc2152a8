package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// MessageState is how far a message to somebody who has left came.
type MessageState string

// The states of a message.
const (
	// MessageWaiting: the colleague who is to be named has not agreed yet.
	MessageWaiting MessageState = "waiting"
	// MessageQueued: it is sent once the mail server takes it.
	MessageQueued MessageState = "queued"
	// MessageSending: it is being handed to the mail server.
	MessageSending MessageState = "sending"
	// MessageSent: the mail server took it.
	MessageSent MessageState = "sent"
	// MessageUnsure: the connection ended before the mail server answered. It may have taken it, and is not asked again.
	MessageUnsure MessageState = "unsure"
	// MessageEnded: it was not sent, and will not be.
	MessageEnded MessageState = "ended"
)

// MessageStates say what may follow each.
var MessageStates = closed.States("messages.state", "message_state", [][]MessageState{
	{MessageWaiting, MessageQueued, MessageEnded},
	{MessageQueued, MessageSending, MessageEnded},
	{MessageSending, MessageQueued, MessageSent, MessageUnsure, MessageEnded},
	{MessageSent}, {MessageUnsure}, {MessageEnded},
})

// MessageEnd is why a message is not sent.
type MessageEnd string

// Why messages end.
const (
	EndAskerDeclined MessageEnd = "asker_declined"
	EndAskerSilent   MessageEnd = "asker_silent"
	EndNotLeft       MessageEnd = "not_left"
	EndNotAgreed     MessageEnd = "not_agreed"
	EndNoAddress     MessageEnd = "no_address"
	EndDeleted       MessageEnd = "data_deleted"
	EndRefused       MessageEnd = "refused"
	EndGivenUp       MessageEnd = "given_up"
	EndCallTaken     MessageEnd = "call_taken" // somebody of HR looks after the emergency already
	EndCannotAct     MessageEnd = "cannot_act" // whom it was for does not work here any more
	EndNothingWaits  MessageEnd = "nothing_waits"
)

// MessageEnds lists them all.
var MessageEnds = closed.Of("message_end", EndAskerDeclined, EndAskerSilent, EndNotLeft, EndNotAgreed, EndNoAddress, EndDeleted, EndRefused, EndGivenUp, EndCallTaken, EndCannotAct, EndNothingWaits)

// Message tells somebody who has left that somebody would like to hear from them; or, with a CallID, somebody of HR that
// there is an emergency call; or it brings a link; or it reminds of what waits. The address is never part of it.
type Message struct {
	ID         uuid.UUID
	EmployeeID uuid.UUID // to whom
	// RequestedBy is who of HR passes it on; nil: it brings a link, or is a reminder. AskerID is the colleague whom it names; nil: it names nobody.
	RequestedBy *uuid.UUID
	AskerID     *uuid.UUID
	CallID      *uuid.UUID
	// Link: it brings the link by which somebody who has left reaches the own data.
	Link bool
	// Reminder: it tells what waits. ReminderOf is the day, or the instant of one that is urgent: each is told once.
	Reminder    ReminderKind
	ReminderOf  *string
	State       MessageState
	EndedAs     MessageEnd
	RequestedAt time.Time
	// ConfirmUntil is until when the colleague may agree.
	ConfirmUntil *time.Time
	ConfirmedAt  *time.Time
	// ContactSealed is by what the colleague can be reached; it goes once the message is sent or ended.
	ContactSealed Sealed
	Attempts      int
	NextAt        *time.Time
	FinishedAt    *time.Time
	LedgerEntryID uuid.UUID
}
