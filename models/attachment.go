package models

import (
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// AttachmentType is what the content of an attachment is.
type AttachmentType string

// The types that are taken: what scanners and phones make, and every browser shows.
const (
	AttachmentPDF  AttachmentType = "pdf"
	AttachmentJPEG AttachmentType = "jpeg"
	AttachmentPNG  AttachmentType = "png"
)

// AttachmentTypes lists them all.
var AttachmentTypes = closed.Of("attachment_type", AttachmentPDF, AttachmentJPEG, AttachmentPNG)

// Media is the media type (RFC 6838) of the content.
func (t AttachmentType) Media() string {
	switch t {
	case AttachmentPDF:
		return "application/pdf"
	case AttachmentJPEG:
		return "image/jpeg"
	case AttachmentPNG:
		return "image/png"
	}
	return ""
}

// Attachment is a document of a file, such as a scanned contract. Its content stands in chunks, each sealed by the key
// of the category.
type Attachment struct {
	ID           uuid.UUID
	EmploymentID uuid.UUID
	CategoryID   uuid.UUID
	FieldKey     string
	Type         AttachmentType
	Size         int64 // bytes
	Chunks       int
	// NameSealed is the name of the document; NULL once it was destroyed.
	NameSealed    Sealed
	UploadedAt    time.Time
	UploadedBy    uuid.UUID
	LedgerEntryID uuid.UUID
}

// AttachmentChunk is a piece of the content, from 0 on.
type AttachmentChunk struct {
	AttachmentID  uuid.UUID
	N             int
	CategoryID    uuid.UUID
	ContentSealed Sealed
}
