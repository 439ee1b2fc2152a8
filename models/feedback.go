package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// FeedbackKind is what somebody says about a screen.
type FeedbackKind string

// The kinds of feedback.
const (
	FeedbackBad  FeedbackKind = "bad"
	FeedbackGood FeedbackKind = "good"
	FeedbackWish FeedbackKind = "wish"
)

// FeedbackKinds lists them all.
var FeedbackKinds = closed.Of("feedback_kind", FeedbackBad, FeedbackGood, FeedbackWish)

// Feedback is what somebody said about a screen, and what was answered. Whoever answers does not see who said it.
type Feedback struct {
	ID         uuid.UUID
	EmployeeID uuid.UUID
	Role       Role
	Kind       FeedbackKind
	// Screen is the program's name of the screen, Version the program's.
	Screen      string
	Version     string
	DoingSealed Sealed // what they were doing; may be left out
	TextSealed  Sealed
	SaidAt      time.Time
	AnsweredBy  *uuid.UUID
	AnsweredAt  *time.Time
	// AnswerSealed is for who said it.
	AnswerSealed Sealed
}

// TableName is a word without a plural.
func (Feedback) TableName() string { return "feedback" }
