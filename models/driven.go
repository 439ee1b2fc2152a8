// Package models holds the rows of the database as structs, one file for each aggregate, without
// logic beyond what one row knows of itself.
package models

import (
	"time"

	"github.com/google/uuid"
)

// Driven is what every row that a workflow drives carries. A command raises Revision; the facts
// activity copies it to SeenRevision and sets WakeAt, the next instant at which the row wants to
// be looked at (nil: none). The relay nudges rows with an unseen revision or a passed WakeAt.
type Driven struct {
	Revision     int64
	SeenRevision int64
	WakeAt       *time.Time
	// NudgedAt is set by the database on insert, on Touch and by the relay.
	NudgedAt *time.Time `gorm:"->"`
}

// DrivenKind names a table of driven rows.
type DrivenKind string

// The driven rows, each with a workflow type of its own.
const (
	DrivenDeparture DrivenKind = "departure"
	DrivenOperation DrivenKind = "operation"
	DrivenRetention DrivenKind = "retention"
	DrivenPurge     DrivenKind = "purge"
	DrivenBatch     DrivenKind = "batch"
	// DrivenReconciliation is one run that compares systems with the facts.
	DrivenReconciliation DrivenKind = "reconciliation"
)

// DrivenKinds lists them all, in the order in which the relay polls.
var DrivenKinds = []DrivenKind{DrivenOperation, DrivenDeparture, DrivenPurge, DrivenRetention, DrivenBatch, DrivenReconciliation}

// Table is the kind's table.
func (k DrivenKind) Table() string {
	switch k {
	case DrivenDeparture:
		return "departures"
	case DrivenOperation:
		return "account_operations"
	case DrivenRetention:
		return "retentions"
	case DrivenPurge:
		return "purges"
	case DrivenBatch:
		return "batches"
	case DrivenReconciliation:
		return "reconciliations"
	}
	panic("unknown driven kind " + string(k))
}

// DrivenRef points to one driven row.
type DrivenRef struct {
	Kind DrivenKind
	ID   uuid.UUID
}
