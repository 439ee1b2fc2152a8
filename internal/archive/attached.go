package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// Attached is an attachment with whose it is.
type Attached struct {
	models.Attachment
	EmployeeID uuid.UUID
	Category   models.Category
}

func attached(g *gorm.DB) *gorm.DB {
	return g.Table("attachments a").Select("a.*, m.employee_id, c.category").Joins("JOIN employments m ON m.id = a.employment_id").
		Joins("JOIN employment_categories c ON c.id = a.category_id").Where("a.name_sealed IS NOT NULL AND c.state = 'open'").Order("a.id")
}

// Attachments are the documents of all employments of a person that are not destroyed, as they were added. Their names
// stay sealed.
func Attachments(ctx context.Context, db *database.DB, employeeID uuid.UUID) (all []Attached, err error) {
	err = attached(db.Read(ctx)).Where("m.employee_id = ?", employeeID).Scan(&all).Error
	return all, database.Wrap("listing attachments", err)
}

// AttachmentOf is one document that is not destroyed.
func AttachmentOf(g *gorm.DB, id uuid.UUID) (Attached, error) {
	a, err := database.First[Attached](attached(g).Where("a.id = ?", id))
	return a, database.Found("reading an attachment", err, ErrAttachmentNotFound)
}

// RemoveAttachment destroys a document that does not belong into the file. What a legal hold wants kept is ErrHeld.
func RemoveAttachment(tx *database.Tx, id uuid.UUID) error {
	found, err := AttachmentOf(tx.DB(), id)
	if err != nil {
		return err
	}
	if models.CallerOf(tx.Context()).Actor.EmployeeID == found.EmployeeID {
		return ErrOwnFile
	}
	employment, err := LockEmployment(tx, found.EmploymentID)
	if err != nil {
		return err
	}
	a, err := database.Lock[models.Attachment](tx, "an attachment", id)
	if err != nil {
		return database.Found("locking an attachment", err, ErrAttachmentNotFound) // somebody else removed it
	}
	err = refuseHeld(tx, employment, map[string]*string{a.FieldKey: nil}, map[string]models.Category{a.FieldKey: found.Category})
	if err != nil {
		return err
	}
	if err := tx.DB().Where("attachment_id = ?", id).Delete(&models.AttachmentChunk{}).Error; err != nil {
		return database.Wrap("removing the content of an attachment", err)
	}
	if err := database.UpdateOne(tx.DB().Where("id = ?", id).Delete(&models.Attachment{})); err != nil {
		return fmt.Errorf("removing an attachment: %w", err)
	}
	_, err = ledger.Append(tx, attachmentEntry(a, actionDetached, found.EmployeeID))
	return err
}

// NamedAttachment is a document with its name, as a look shows it.
type NamedAttachment struct {
	models.Attachment
	Name string
}

// OpenAttachments are the documents of a field for a look that was judged and recorded in the same transaction: their
// names. The content follows by [WriteAttachment].
func OpenAttachments(tx *database.Tx, opener vault.Opener, f LookField) ([]NamedAttachment, error) {
	var rows []models.Attachment
	err := tx.DB().Where("employment_id = ? AND field_key = ? AND name_sealed IS NOT NULL", f.EmploymentID, f.Key).Order(database.ByID).Find(&rows).Error
	if err != nil {
		return nil, database.Wrap("reading attachments", err)
	}
	var all []NamedAttachment
	for _, a := range rows {
		name, err := opener.Open(tx, nameCell(a, f.Category), a.NameSealed)
		if err != nil {
			return nil, fmt.Errorf("opening the name of an attachment: %w", err)
		}
		if all = append(all, NamedAttachment{a, string(name)}); string(name) == a.FieldKey {
			all[len(all)-1].Name = ""
		}
		clear(name)
	}
	return all, nil
}

// WriteAttachment writes the content of a document, piece by piece, each opened in a transaction of its own. Once its
// destruction has begun it is [vault.ErrPurged].
func WriteAttachment(ctx context.Context, db *database.DB, opener vault.Opener, a Attached, to io.Writer) error {
	for n := range a.Chunks {
		var content []byte
		err := database.Run(ctx, db, func(tx *database.Tx) error {
			chunk, err := database.First[models.AttachmentChunk](tx.DB().Where("attachment_id = ? AND n = ?", a.ID, n))
			if err != nil {
				return database.Found("reading a piece of an attachment", err, vault.ErrPurged)
			}
			content, err = opener.Open(tx, chunkCell(a.Attachment, a.Category, n, n == a.Chunks-1), chunk.ContentSealed)
			return err
		})
		if err != nil {
			return fmt.Errorf("opening an attachment: %w", err)
		}
		_, err = to.Write(content)
		clear(content)
		if err != nil {
			return errors.Join(errors.New("sending an attachment"), err)
		}
	}
	return nil
}

// ClearAttachments destroys the documents of a category that is being purged, and the pieces of uploads that go on; called
// again, there are none. The rows stay, without their names: the certificate counts them.
func ClearAttachments(tx *database.Tx, categoryID uuid.UUID) error {
	if err := tx.DB().Where("category_id = ?", categoryID).Delete(&models.AttachmentChunk{}).Error; err != nil {
		return database.Wrap("clearing the attachments of a category", err)
	}
	err := tx.DB().Model(&models.Attachment{}).Where("category_id = ? AND name_sealed IS NOT NULL", categoryID).Update("name_sealed", nil).Error
	return database.Wrap("clearing the names of attachments", err)
}
