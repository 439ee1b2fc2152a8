package httpkit

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/internal/pdf"
)

// DocumentFormat is what a document for a person is sent as.
type DocumentFormat string

// The formats.
const (
	DocumentJSON DocumentFormat = "json"
	DocumentPDF  DocumentFormat = "pdf"
)

// DocumentFormats lists them all.
var DocumentFormats = closed.Of("", DocumentJSON, DocumentPDF)

// AsDocument asks for a format.
type AsDocument struct {
	Format DocumentFormat `query:"format" default:"json" doc:"pdf: pages to read and to print, in the caller's language"`
}

const mediaPDF = "application/pdf"

// AnsweringPDF is a shape: 200 has a PDF, too.
func AnsweringPDF(op *huma.Operation) {
	Answering(mediaPDF, http.StatusOK, "The document", &huma.Schema{Type: huma.TypeString, Format: "binary"})(op)
}

// SendPDF answers with a document. The name of the file is the program's: it stays in lists of downloads.
func SendPDF(name string, content []byte) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		hctx.SetHeader("Content-Type", mediaPDF)
		hctx.SetHeader("Content-Disposition", `attachment; filename="`+name+`.pdf"`)
		hctx.SetStatus(http.StatusOK)
		_, _ = hctx.BodyWriter().Write(content)
	}}
}

// SendJSON answers with what could also be sent as pages.
func SendJSON(document any) (*huma.StreamResponse, error) {
	body, err := json.Marshal(document)
	if err != nil {
		return nil, errors.New("writing a document failed") // the cause would quote it
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		hctx.SetHeader("Content-Type", "application/json")
		hctx.SetStatus(http.StatusOK)
		_, _ = hctx.BodyWriter().Write(body)
	}}, nil
}

// NewPDF begins a document whose title is a text of the catalogue.
func NewPDF(language i18n.Language, title string) *pdf.Document {
	d := pdf.New(pdf.About{Title: i18n.Text(language, title), Unseen: []string{i18n.Text(language, "pdf.unseen")}})
	d.Title(i18n.Text(language, title))
	return d
}
