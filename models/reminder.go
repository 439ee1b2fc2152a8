package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// DigestEvery is how often somebody is sent what waits for them.
type DigestEvery string

// How often.
const (
	DigestDaily  DigestEvery = "daily"  // each working day
	DigestWeekly DigestEvery = "weekly" // the first working day of a week
	DigestNever  DigestEvery = "never"
)

// DigestEverys lists them all.
var DigestEverys = closed.Of("digest_every", DigestDaily, DigestWeekly, DigestNever)

// Reminder is how somebody who works here is told by mail what waits for them.
type Reminder struct {
	ID            uuid.UUID
	UserID        uuid.UUID
	AddressSealed Sealed
	Digest        DigestEvery
	// Urgent: what cannot wait is told at once. What is about security is told in any case.
	Urgent        bool
	Language      string // zh or en
	SetAt         time.Time
	LedgerEntryID uuid.UUID
}

// ReminderKind is what a mail to somebody who works here is about.
type ReminderKind string

// The reminders.
const (
	ReminderDigest ReminderKind = "digest" // what waits
	ReminderUrgent ReminderKind = "urgent" // what cannot wait
)
