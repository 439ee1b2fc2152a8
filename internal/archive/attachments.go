package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// Bounds of attachments.
const (
	// MaxAttachment is how many bytes an attachment may have.
	MaxAttachment = 20 << 20
	// chunkSize is how many of them are sealed at once.
	chunkSize = 256 << 10
	// maxAttachments is how many one field of an employment may have.
	maxAttachments = 20
	maxFileName    = 120
	// abandonedAfter is when pieces are given up whose upload did not come to its end.
	abandonedAfter = time.Hour
)

// Why an attachment is refused.
var (
	ErrAttachmentEmpty    = errors.New("the attachment is empty")
	ErrAttachmentTooLarge = errors.New("the attachment is larger than an attachment may be")
	// ErrAttachmentType says that the content is none of the types that are taken.
	ErrAttachmentType = errors.New("the content is no PDF, JPEG or PNG")
	// ErrAttachmentLies says that the content is of another type than it is said to be.
	ErrAttachmentLies = errors.New("the content is of another type than it is said to be")
	ErrTooManyOfField = errors.New("the field has as many attachments as it may")
	// ErrNotAttachable says that the field takes no attachments.
	ErrNotAttachable = errors.New("the field takes no attachments")
	// ErrAttachmentNotFound says that there is no such attachment, or none any more.
	ErrAttachmentNotFound = errors.New("there is no such attachment")
)

const (
	actionAttached = "attachment.added"
	actionDetached = "attachment.removed"
)

// Upload is a document that somebody adds to a file.
type Upload struct {
	EmployeeID uuid.UUID
	FieldKey   string
	// Name is the document's name, without a folder; empty: it is called as its field.
	Name string
	// Media is the media type that the content is said to be of; empty: nothing was said.
	Media   string
	Content io.Reader
}

// Received is a document whose content is there, sealed, and which nobody sees before it is kept.
type Received struct {
	models.Attachment
	// Digest is the SHA-256 of the content, in hex, by which a repeated upload is known. It is kept nowhere in clear.
	Digest string

	upload   Upload
	category models.Category
}

// Receive seals the content piece by piece, each in a transaction of its own: a slow upload holds neither locks nor
// memory. What is refused leaves nothing; after any other error, and if what was received is not kept, the caller
// discards it.
func Receive(ctx context.Context, db *database.DB, sealer vault.Sealer, u Upload) (r Received, err error) {
	r = Received{upload: u, Attachment: models.Attachment{ID: models.NewID(), FieldKey: u.FieldKey}}
	var found problems
	if u.Name != "" {
		r.upload.Name = path.Base(strings.ReplaceAll(u.Name, `\`, "/"))
		if code := checkText(&r.upload.Name, maxFileName); code != "" {
			found.Add("name", code)
		}
	}
	if err := found.Err(); err != nil {
		return r, err
	}
	err = database.Run(ctx, db, r.fits)
	if err != nil {
		return r, err
	}
	if err := r.receive(ctx, db, sealer); err != nil {
		return r, errors.Join(err, Discard(ctx, db, r.ID))
	}
	return r, nil
}

// fits locks the file and says whether another document may be added to it.
func (r *Received) fits(tx *database.Tx) error {
	if models.CallerOf(tx.Context()).Actor.EmployeeID == r.upload.EmployeeID {
		return ErrOwnFile
	}
	employee, employment, err := LatestFile(tx, r.upload.EmployeeID)
	if err != nil {
		return err
	}
	if employee.Status == models.StatusPurged {
		return ErrPurged
	}
	field, err := database.First[models.FieldDefinition](tx.DB().Where("key = ? AND type = ? AND NOT retired", r.FieldKey, models.FieldAttachment))
	if err != nil {
		return database.Found("reading the field catalogue", err, ErrNotAttachable)
	}
	r.EmploymentID, r.category = employment.ID, field.Category
	something := ""
	if err := refuseHeld(tx, employment, map[string]*string{r.FieldKey: &something}, map[string]models.Category{r.FieldKey: field.Category}); err != nil {
		return err
	}
	var n int64
	err = tx.DB().Model(&models.Attachment{}).Where("employment_id = ? AND field_key = ? AND name_sealed IS NOT NULL", r.EmploymentID, r.FieldKey).Count(&n).Error
	if err == nil && n >= maxAttachments {
		return ErrTooManyOfField
	}
	return database.Wrap("counting attachments", err)
}

func (r *Received) receive(ctx context.Context, db *database.DB, sealer vault.Sealer) error {
	digest := sha256.New()
	buffer, ahead := make([]byte, chunkSize), make([]byte, chunkSize)
	defer clear(buffer)
	defer clear(ahead)
	n, err := io.ReadFull(r.upload.Content, buffer)
	for {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("reading an attachment: %w", err)
		}
		last, next := err != nil, 0
		if r.Chunks == 0 {
			if refused := r.judge(buffer[:n]); refused != nil {
				return refused
			}
		}
		if !last { // whether a piece is the last one is known with the next
			if next, err = io.ReadFull(r.upload.Content, ahead); next == 0 && errors.Is(err, io.EOF) {
				last = true
			}
		}
		if r.Size += int64(n); r.Size > MaxAttachment {
			return ErrAttachmentTooLarge
		}
		if err := r.seal(ctx, db, sealer, digest, buffer[:n], last); err != nil {
			return err
		}
		if last {
			r.Digest = hex.EncodeToString(digest.Sum(nil))
			return nil
		}
		buffer, ahead, n = ahead, buffer, next
	}
}

// judge finds the type of the content by how it begins.
func (r *Received) judge(begin []byte) error {
	switch {
	case len(begin) == 0:
		return ErrAttachmentEmpty
	case bytes.HasPrefix(begin, []byte("%PDF-")): // ISO 32000-2, 7.5.2
		r.Type = models.AttachmentPDF
	case bytes.HasPrefix(begin, []byte("\xff\xd8\xff")): // ISO/IEC 10918-1, B.1.1.3
		r.Type = models.AttachmentJPEG
	case bytes.HasPrefix(begin, []byte("\x89PNG\r\n\x1a\n")): // ISO/IEC 15948, 5.2
		r.Type = models.AttachmentPNG
	default:
		return ErrAttachmentType
	}
	if r.upload.Media != "" && r.upload.Media != r.Type.Media() {
		return ErrAttachmentLies
	}
	return nil
}

func (r *Received) seal(ctx context.Context, db *database.DB, sealer vault.Sealer, digest hash.Hash, content []byte, last bool) error {
	_, _ = digest.Write(content) // never fails
	err := database.Run(ctx, db, func(tx *database.Tx) error {
		sealed, category, err := sealer.Seal(tx, r.chunk(r.category, r.Chunks, last), content)
		if errors.Is(err, vault.ErrPurged) {
			return ErrPurged
		}
		if err != nil {
			return err
		}
		r.CategoryID = category
		return database.Wrap("keeping a piece of an attachment", tx.DB().Create(&models.AttachmentChunk{
			AttachmentID: r.ID, N: r.Chunks, CategoryID: category, ContentSealed: sealed,
		}).Error)
	})
	r.Chunks++
	return err
}

// chunk is where a piece is sealed for. That it is the last one is part of it: a document that was cut does not open.
func (r *Received) chunk(category models.Category, n int, last bool) vault.Cell {
	return chunkCell(r.Attachment, category, n, last)
}

func chunkCell(a models.Attachment, category models.Category, n int, last bool) vault.Cell {
	field := a.FieldKey + "/" + strconv.Itoa(n)
	if last {
		field += "/end"
	}
	return vault.Cell{Table: "attachment_chunks", Row: a.ID, Employment: a.EmploymentID, Category: category, Field: field}
}

func nameCell(a models.Attachment, category models.Category) vault.Cell {
	return vault.Cell{Table: "attachments", Row: a.ID, Employment: a.EmploymentID, Category: category, Field: a.FieldKey}
}

// Keep adds a received document to its file.
func (r *Received) Keep(tx *database.Tx, sealer vault.Sealer) error {
	employment := r.EmploymentID
	if err := r.fits(tx); err != nil {
		return err
	}
	if r.EmploymentID != employment { // hired again meanwhile
		return ErrAttachmentNotFound
	}
	name := []byte(r.upload.Name)
	if len(name) == 0 {
		name = []byte(r.FieldKey)
	}
	sealed, _, err := sealer.Seal(tx, nameCell(r.Attachment, r.category), name)
	if errors.Is(err, vault.ErrPurged) {
		return ErrPurged
	}
	if err != nil {
		return fmt.Errorf("sealing the name of an attachment: %w", err)
	}
	by := models.CallerOf(tx.Context()).Actor.EmployeeID
	r.NameSealed, r.UploadedBy = sealed, by
	r.LedgerEntryID, err = ledger.AppendWith(tx, attachmentEntry(r.Attachment, actionAttached, r.upload.EmployeeID),
		`INSERT INTO attachments (id, employment_id, category_id, field_key, type, size, chunks, name_sealed, uploaded_by, ledger_entry_id)
		SELECT ?::uuid, ?::uuid, ?::uuid, ?::text, ?::text, ?::bigint, ?::int, ?::bytea, ?::uuid, entry_id FROM pending`,
		r.ID, r.EmploymentID, r.CategoryID, r.FieldKey, string(r.Type), r.Size, r.Chunks, sealed, by)
	return err
}

func attachmentEntry(a models.Attachment, action string, subject uuid.UUID) ledger.Entry {
	return ledger.Entry{
		Kind: ledger.KindArchive, Action: action, Subject: &subject, Object: "attachment/" + a.ID.String(),
		Details: map[string]string{"employment": a.EmploymentID.String(), "fields": a.FieldKey},
	}
}

// Discard removes what was received and not kept. It does so even if ctx has ended.
func Discard(ctx context.Context, db *database.DB, id uuid.UUID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := db.Read(ctx).Exec("DELETE FROM attachment_chunks c WHERE c.attachment_id = ? AND NOT EXISTS (SELECT FROM attachments a WHERE a.id = c.attachment_id)", id).Error
	return database.Wrap("discarding an attachment", err)
}

// DiscardAbandoned removes the pieces of uploads that did not come to their end.
func DiscardAbandoned(ctx context.Context, db *database.DB) error {
	err := db.Read(ctx).Exec(`DELETE FROM attachment_chunks WHERE attachment_id IN (
		SELECT f.attachment_id FROM attachment_chunks f WHERE f.n = 0 AND f.uploaded_at < lethe_now() - make_interval(secs => ?)
			AND NOT EXISTS (SELECT FROM attachments a WHERE a.id = f.attachment_id) LIMIT 100)`, abandonedAfter.Seconds()).Error
	return database.Wrap("discarding broken uploads", err)
}

// abandonedEvery is how often it is looked for uploads that were broken off.
const abandonedEvery = 10 * time.Minute

// Keep removes what broken uploads left, until ctx ends. Every process may.
func Keep(ctx context.Context, db *database.DB, log *slog.Logger) {
	tick := time.NewTicker(abandonedEvery)
	defer tick.Stop()
	for {
		if err := DiscardAbandoned(ctx, db); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "what broken uploads left stays for now", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
