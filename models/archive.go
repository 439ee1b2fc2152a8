package models

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/closed"
)

// Category groups fields that share one purpose, one data key and one deadline.
type Category string

// The categories. Each employment has all of them from its first day.
const (
	CategoryContract         Category = "contract"
	CategoryEmergencyContact Category = "emergency_contact"
	CategoryIdentity         Category = "identity"
	CategoryPayBank          Category = "pay_bank"
	CategorySocialInsurance  Category = "social_insurance"
	CategoryDepartureFile    Category = "departure_file"
	CategoryAccountSnapshot  Category = "account_snapshot"
)

// Categories lists them all.
var Categories = closed.Of("category",
	CategoryContract, CategoryEmergencyContact, CategoryIdentity, CategoryPayBank,
	CategorySocialInsurance, CategoryDepartureFile, CategoryAccountSnapshot)

// CategoryState is the life of one category of one employment.
type CategoryState string

// The states of a category.
const (
	CategoryOpen    CategoryState = "open"
	CategoryPurging CategoryState = "purging"
	CategoryPurged  CategoryState = "purged"
)

// CategoryStates say what may follow each.
var CategoryStates = closed.States("employment_categories.state", "", [][]CategoryState{
	{CategoryOpen, CategoryPurging}, {CategoryPurging, CategoryPurged}, {CategoryPurged},
})

// EmploymentCategory is the row on which sealing, opening, holds and purges meet.
type EmploymentCategory struct {
	ID           uuid.UUID
	EmploymentID uuid.UUID
	Category     Category
	State        CategoryState
	DataKeyID    *uuid.UUID
	PurgingAt    *time.Time
	PurgedAt     *time.Time
	CreatedAt    time.Time `gorm:"->"`
}

// FieldType is what the values of a field are, and how one is judged when it is written.
type FieldType string

// The types of fields.
const (
	FieldText           FieldType = "text"
	FieldNumber         FieldType = "number"
	FieldMoney          FieldType = "money"
	FieldDate           FieldType = "date"
	FieldChoice         FieldType = "choice"
	FieldPhone          FieldType = "phone"
	FieldDocumentNumber FieldType = "document_number"
	FieldBankAccount    FieldType = "bank_account"
	FieldAddress        FieldType = "address"
	FieldEmail          FieldType = "email"
	FieldAttachment     FieldType = "attachment" // documents, each by itself
)

// FieldTypes lists them all.
var FieldTypes = closed.Of("field_type", FieldText, FieldNumber, FieldMoney, FieldDate, FieldChoice, FieldPhone,
	FieldDocumentNumber, FieldBankAccount, FieldAddress, FieldEmail, FieldAttachment)

// FieldOption is one value of a field that is a choice.
type FieldOption struct {
	Code string `json:"code"`
	Zh   string `json:"zh"`
	En   string `json:"en"`
	// Retired: it is written no more; values that hold it keep its text.
	Retired bool `json:"retired,omitempty"`
}

// FieldDefinition is one entry of the field catalogue.
type FieldDefinition struct {
	Key         string `gorm:"primaryKey"`
	Section     string
	Position    int
	Category    Category
	Sensitivity string
	Type        FieldType
	Choices     []FieldOption `gorm:"serializer:json"`
	LabelZh     string
	LabelEn     string
	NoticeZh    string
	NoticeEn    string

	// Of a company's own field: its section's label, its legal basis, the purposes for which it is opened (of the
	// program's fields NULL: those of their group), and whether it takes no new values.
	SectionZh string
	SectionEn string
	BasisZh   string
	BasisEn   string
	Purposes  Names `gorm:"type:text[]"`
	Retired   bool
	// Of the program's field: what the company says beside its notice, or in its place.
	OwnNoticeZh string
	OwnNoticeEn string
}

// Own says whether the field is the company's own.
func (f FieldDefinition) Own() bool { return f.Purposes != nil }

// OpensFor says whether a field may be opened for a purpose, as far as the field itself says so.
func (f FieldDefinition) OpensFor(purpose string) bool {
	return !f.Own() || slices.Contains(f.Purposes, purpose)
}

// FieldValue is one sealed value of one employment.
type FieldValue struct {
	ID           uuid.UUID
	EmploymentID uuid.UUID
	CategoryID   uuid.UUID
	FieldKey     string
	ValueSealed  Sealed
	UpdatedAt    time.Time `gorm:"autoUpdateTime:false"`
}
