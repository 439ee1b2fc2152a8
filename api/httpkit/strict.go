package httpkit

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
)

const (
	maxBody      = 1 << 20 // bytes
	bodyDeadline = 5 * time.Second
)

// strictBody reads the body of every operation that has one, but of those that take a file, within its limits of size
// and time, and refuses what is not exactly one well-formed JSON value, before anything is decoded.
func strictBody(ctx huma.Context, next func(huma.Context)) {
	if body := ctx.Operation().RequestBody; body == nil || body.Content["application/json"] == nil {
		next(ctx)
		return
	}
	c := humagin.Unwrap(ctx)
	if !jsonContent(c.GetHeader("Content-Type")) {
		refuse(ctx, NewProblem(codeUnsupportedMediaType))
		return
	}
	body, p := readBody(c.Writer, c.Request)
	if p == nil {
		p = checkJSON(body)
	}
	if p != nil {
		refuse(ctx, p)
		return
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	next(ctx)
}

// jsonContent accepts application/json in UTF-8, and no type at all.
func jsonContent(header string) bool {
	if header == "" {
		return true
	}
	media, params, err := mime.ParseMediaType(header)
	if err != nil || media != "application/json" {
		return false
	}
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, *Problem) {
	if r.ContentLength > maxBody {
		return nil, NewProblem(codeBodyTooLarge)
	}
	// The deadline is for reading only: left in place it would end a handler that waits for a lock.
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyDeadline))
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, NewProblem(codeBodyTooLarge)
	case err != nil:
		return nil, NewProblem(codeBodyIncomplete)
	}
	return body, nil
}
