package disclosures

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/disclosure"
)

type attachmentInput struct {
	httpkit.ByID
	AttachmentID uuid.UUID `path:"attachment_id" doc:"The document"`
}

// download records that a document leaves, and then sends it. It is cut as soon as it is destroyed, or whoever downloads
// it may not do so any more.
func (s *server) download(ctx context.Context, in *attachmentInput) (*huma.StreamResponse, error) {
	bearer := httpkit.BearerOf(ctx)
	var a archive.Attached
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		a, err = disclosure.Attachment(tx, bearer.Actor, in.ID, in.AttachmentID)
		return err
	})
	if err != nil {
		return nil, s.notPermitted(ctx, in.ID, err)
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		out, stop := s.AnswerAtLength(hctx, bearer, func(ctx context.Context) error {
			_, err := archive.AttachmentOf(s.DB.Read(ctx), a.ID)
			return err
		})
		defer stop()
		hctx.SetHeader("Content-Type", a.Type.Media())
		hctx.SetHeader("Content-Length", strconv.FormatInt(a.Size, 10))
		hctx.SetHeader("Content-Disposition", `attachment; filename="`+a.FieldKey+"-"+a.ID.String()+"."+string(a.Type)+`"`)
		hctx.SetStatus(http.StatusOK)
		if err := archive.WriteAttachment(hctx.Context(), s.DB, s.Vault, a, out); err != nil {
			s.Log.WarnContext(hctx.Context(), "a document was sent in part", "request_id", httpkit.RequestIDOf(hctx.Context()), "error", err.Error())
		}
	}}, nil
}
