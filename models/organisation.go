package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/clock"
	"lethe/internal/closed"
)

// DemoJurisdiction exists only in databases marked dev; its rules count in seconds.
const DemoJurisdiction = "DEMO"

// LegalEntity employs people.
type LegalEntity struct {
	ID           uuid.UUID
	Code         string
	NameZh       string
	NameEn       string
	Jurisdiction string
	TimeZone     string
	// Region is the part of the jurisdiction whose public holidays count, as [clock.Regions] has them; empty: not known.
	Region string
	// CutoffTime is the local time of day, "15:04:05", at which access ends on the last working day.
	CutoffTime string
	CreatedAt  time.Time `gorm:"->"`
}

// DayKind is why a day is not what its day of the week says.
type DayKind string

// The kinds.
const (
	DayHoliday DayKind = "holiday"
	DayWorked  DayKind = "worked"
)

// DayKinds lists them all.
var DayKinds = closed.Of("day_kind", DayHoliday, DayWorked)

// Department is part of a legal entity.
type Department struct {
	ID             uuid.UUID
	LegalEntityID  uuid.UUID
	Code           string
	NameZh         string
	NameEn         string
	HeadEmployeeID *uuid.UUID
	ParentID       *uuid.UUID // the department above it
	CreatedAt      time.Time  `gorm:"->"`
}

// Site is a place of work.
type Site struct {
	ID        uuid.UUID
	Code      string
	NameZh    string
	NameEn    string
	CreatedAt time.Time `gorm:"->"`
}

// EmployeeStatus is the person's status as HR sees it.
type EmployeeStatus string

// The statuses.
const (
	StatusActive           EmployeeStatus = "active"
	StatusPendingDeparture EmployeeStatus = "pending_departure"
	StatusDeparted         EmployeeStatus = "departed"
	StatusPurged           EmployeeStatus = "purged"
)

// Statuses say what may follow each.
var Statuses = closed.States("employees.status", "status", [][]EmployeeStatus{
	{StatusActive, StatusPendingDeparture},
	{StatusPendingDeparture, StatusActive, StatusDeparted},
	{StatusDeparted, StatusActive, StatusPurged},
	{StatusPurged, StatusActive},
})

// Employee is the person: the skeleton that stays.
type Employee struct {
	ID           uuid.UUID
	EmployeeNo   string
	Name         string
	DepartmentID uuid.UUID
	SiteID       *uuid.UUID // where the person works; nil: not said
	Status       EmployeeStatus
	Revision     int64
	SearchNames  string    `gorm:"<-:create"` // archive.FoundBy
	CreatedAt    time.Time `gorm:"->"`
	UpdatedAt    time.Time `gorm:"->;autoUpdateTime:false"`
}

// Employment is one period of employment with one legal entity.
type Employment struct {
	ID            uuid.UUID
	EmployeeID    uuid.UUID
	LegalEntityID uuid.UUID
	DepartmentID  uuid.UUID
	Post          string
	Jurisdiction  string
	TimeZone      string
	HiredOn       clock.Date
	EndedAt       *time.Time
	CreatedAt     time.Time  `gorm:"->"`
	LedgerEntryID *uuid.UUID // the entry of the hiring; nil from before the ledger
}
