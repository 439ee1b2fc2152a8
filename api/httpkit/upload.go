package httpkit

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
)

// pieceReadLimit is for the slowest client that is worth waiting for.
const pieceReadLimit = 30 * time.Second

// Upload is the body of a call that takes a file as it is, of whatever size its handler allows. Each piece has a time
// limit of its own in place of the one that the bodies of other calls have.
type Upload struct {
	ContentType string `header:"Content-Type" doc:"The media type of the file"`
	Disposition string `header:"Content-Disposition" doc:"attachment, with the name of the file (RFC 6266)" example:"attachment; filename*=UTF-8''%E5%90%88%E5%90%8C.pdf"`

	request *http.Request
	writer  http.ResponseWriter
}

// Resolve keeps the request, whose body the handler reads.
func (u *Upload) Resolve(ctx huma.Context) []error {
	c := humagin.Unwrap(ctx)
	u.request, u.writer = c.Request, c.Writer
	return nil
}

// Name is the name of the file; empty if none was given.
func (u *Upload) Name() string {
	_, params, err := mime.ParseMediaType(u.Disposition)
	if err != nil {
		return ""
	}
	return params["filename"]
}

// Media is the media type of the file, without parameters; empty if the client did not say.
func (u *Upload) Media() string {
	media, _, _ := mime.ParseMediaType(u.ContentType)
	if media == "application/octet-stream" || media == "application/x-www-form-urlencoded" { // what curl says of any file
		return ""
	}
	return media
}

// Takes refuses a file that says to be of another media type than some.
func (u *Upload) Takes(media ...string) error {
	if m := u.Media(); m != "" && !slices.Contains(media, m) {
		return NewProblem(codeUnsupportedMediaType)
	}
	return nil
}

// Content is the file. One that is larger than most, or that breaks off, is a problem when it is read.
func (u *Upload) Content(most int64) (io.Reader, error) {
	if u.request.ContentLength > most {
		return nil, NewProblem(codeBodyTooLarge)
	}
	return &upload{from: http.MaxBytesReader(u.writer, u.request.Body, most), control: http.NewResponseController(u.writer)}, nil
}

type upload struct {
	from    io.Reader
	control *http.ResponseController
}

// Read reads a piece.
func (u *upload) Read(p []byte) (int, error) {
	_ = u.control.SetReadDeadline(time.Now().Add(pieceReadLimit))
	_ = u.control.SetWriteDeadline(time.Now().Add(pieceReadLimit + pieceWriteLimit)) // the answer comes after the last piece
	n, err := u.from.Read(p)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		_ = u.control.SetReadDeadline(time.Time{})
	case errors.As(err, &tooLarge):
		err = NewProblem(codeBodyTooLarge)
	default:
		err = fmt.Errorf("%w: %w", NewProblem(codeBodyIncomplete), err)
	}
	return n, err
}

// TakesFile is a shape: the body is a file of one of the media types.
func TakesFile(media ...string) func(op *huma.Operation) {
	return func(op *huma.Operation) {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
		for _, m := range media {
			op.RequestBody.Content[m] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
		}
	}
}
