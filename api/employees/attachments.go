package employees

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// AttachmentView is a document of a file, without its name and content: those a look shows.
type AttachmentView struct {
	ID           uuid.UUID             `json:"id"`
	EmploymentID uuid.UUID             `json:"employment_id"`
	Field        string                `json:"field" doc:"A key of the field catalogue"`
	FieldText    string                `json:"field_text"`
	Type         models.AttachmentType `json:"type"`
	TypeText     string                `json:"type_text"`
	Size         int64                 `json:"size" doc:"Bytes"`
	UploadedAt   time.Time             `json:"uploaded_at"`
	UploadedBy   *render.PersonView    `json:"uploaded_by,omitempty"`
}

func (s *server) registerAttachments() {
	r := s.Resource("Attachments", identity.ScopePeople)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /employees/{id}/attachments", Summary: "Add a document to a file", To: httpkit.Roles{httpkit.HR}, Status: http.StatusCreated,
		More:  "The body is the document itself: PDF, JPEG or PNG, at most 20 MiB. Its name comes in Content-Disposition. It is opened by a look.",
		Shape: httpkit.TakesFile(models.AttachmentPDF.Media(), models.AttachmentJPEG.Media(), models.AttachmentPNG.Media()),
	}, s.attach)
	httpkit.Handle(r, httpkit.Route{At: "GET /employees/{id}/attachments", Summary: "List the documents of a file, without their names", To: httpkit.Roles{httpkit.HR}}, s.listAttachments)
	httpkit.Handle(r, httpkit.Route{At: "GET /attachments/{id}", Summary: "Read what a document is, without its name", To: httpkit.Roles{httpkit.HR}}, s.getAttachment)
	httpkit.Handle(r, httpkit.Route{At: "DELETE /attachments/{id}", Summary: "Destroy a document that does not belong into the file", To: httpkit.Roles{httpkit.HR}, Status: http.StatusNoContent}, s.removeAttachment)
}

type attachInput struct {
	httpkit.ByID
	httpkit.Idempotent
	httpkit.Upload
	Field string `query:"field" required:"true" minLength:"1" maxLength:"64" doc:"A field of the catalogue that takes documents" example:"contract_scan"`
}

// attach seals the document as it comes, and then keeps it. A repeated upload is known by its content.
func (s *server) attach(ctx context.Context, in *attachInput) (*httpkit.CreatedAnswer[AttachmentView], error) {
	content, err := in.Content(archive.MaxAttachment)
	if err != nil {
		return nil, err
	}
	upload := archive.Upload{EmployeeID: in.ID, FieldKey: in.Field, Name: in.Name(), Media: in.Media(), Content: content}
	received, err := archive.Receive(ctx, s.DB, s.Vault, upload)
	if err != nil {
		return nil, refusedUpload(err)
	}
	// Who sent it may have been disabled meanwhile (I23): an upload takes its time.
	if _, err := identity.Recheck(ctx, s.DB, httpkit.BearerOf(ctx)); err != nil {
		return nil, errors.Join(err, archive.Discard(ctx, s.DB, received.ID))
	}
	command := map[string]string{"field": in.Field, "name": upload.Name, "media": upload.Media, "digest": received.Digest}
	made, err := s.Create(ctx, in.Key, "POST /employees/"+in.ID.String()+"/attachments", command, func(tx *database.Tx) (httpkit.Creation, error) {
		return httpkit.Created(models.Ref{Kind: models.RefAttachment, ID: received.ID}), received.Keep(tx, s.Vault)
	})
	if err != nil || made.ID != received.ID {
		err = errors.Join(err, archive.Discard(ctx, s.DB, received.ID))
	}
	if err != nil {
		return nil, refusedUpload(err)
	}
	view, err := s.attachment(ctx, made.ID, in.Language())
	return httpkit.CreatedOf(made, view, err)
}

// refusedUpload is the problem of an upload.
func refusedUpload(err error) error {
	var p *httpkit.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, database.ErrNotFound):
		return httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	}
	return located("header.content-disposition.", err)
}

func (s *server) listAttachments(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[httpkit.Page[AttachmentView]], error) {
	if _, err := archive.Get(ctx, s.DB, httpkit.ActorOf(ctx), in.ID, in.Language()); err != nil {
		return nil, refusedUpload(err)
	}
	rows, err := archive.Attachments(ctx, s.DB, in.ID)
	if err != nil {
		return nil, fmt.Errorf("listing documents: %w", err)
	}
	views, err := s.attachments(ctx, in.Language(), rows)
	return httpkit.AnswerOf(httpkit.Page[AttachmentView]{Items: views}, err)
}

func (s *server) getAttachment(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[AttachmentView], error) {
	return httpkit.AnswerOf(s.attachment(ctx, in.ID, in.Language()))
}

func (s *server) attachment(ctx context.Context, id uuid.UUID, language i18n.Language) (AttachmentView, error) {
	a, err := archive.AttachmentOf(s.DB.Read(ctx), id)
	if err != nil {
		return AttachmentView{}, err
	}
	return httpkit.One(s.attachments(ctx, language, []archive.Attached{a}))
}

func (s *server) attachments(ctx context.Context, language i18n.Language, rows []archive.Attached) ([]AttachmentView, error) {
	var ids []uuid.UUID
	for _, a := range rows {
		ids = append(ids, a.UploadedBy)
	}
	people, err := s.PeopleInLog(ctx, language, ids)
	if err != nil {
		return nil, err
	}
	labels, err := archive.LabelsNow(s.DB.Read(ctx))
	if err != nil {
		return nil, err
	}
	return httpkit.Each(rows, func(a archive.Attached) AttachmentView {
		label, _ := labels.Of(language, a.FieldKey)
		return AttachmentView{
			ID: a.ID, EmploymentID: a.EmploymentID, Field: a.FieldKey, FieldText: label, Type: a.Type, TypeText: closed.Text(language, a.Type),
			Size: a.Size, UploadedAt: a.UploadedAt.UTC(), UploadedBy: people.Of(&a.UploadedBy),
		}
	}), nil
}

func (s *server) removeAttachment(ctx context.Context, in *httpkit.ByID) (*struct{}, error) {
	return nil, database.Run(ctx, s.DB, func(tx *database.Tx) error { return archive.RemoveAttachment(tx, in.ID) })
}
