package reports

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/leavers"
	"lethe/internal/pdf"
	"lethe/internal/sheet"
)

// sheetRows is how many lines a workbook has at most: programs open no more.
const sheetRows = 1_000_000

// files are those of a report that are being written. They are small once they are packed, and never on a disk.
type files struct {
	language    i18n.Language
	texts       string // what the names of the report's texts begin with
	name, title string
	facts       [][]string // what the report is about
	wanted      []leavers.Format
	lines       int // of the tables
	out         bytes.Buffer
	zip         *zip.Writer
	tables      map[leavers.Format]sheet.Writer
	sums        map[leavers.Format]hash.Hash
	workbook    bytes.Buffer // goes into the zip file once it is whole: members follow one another
	doc         []byte
	err         error
}

// begin begins files with a name, of which the tables have what the report is about and then titles.
func (w *files) begin(formats []leavers.Format, name, title string, facts [][]string, titles []string) {
	w.wanted, w.name, w.title, w.facts = formats, name, w.texts+title, facts
	w.zip, w.tables, w.sums = zip.NewWriter(&w.out), map[leavers.Format]sheet.Writer{}, map[leavers.Format]hash.Hash{}
	for _, format := range formats {
		w.sums[format] = sha256.New()
		switch format {
		case leavers.CSV:
			to, err := w.zip.Create(w.file(format))
			w.try(err)
			if err == nil {
				w.table(format, sheet.CSV, to, titles)
			}
		case leavers.XLSX:
			w.table(format, sheet.XLSX, &w.workbook, titles)
		}
	}
}

func (w *files) try(err error) {
	if w.err == nil && err != nil {
		w.err = errors.New("writing a report failed") // the cause could quote it
	}
}

func (w *files) file(f leavers.Format) string { return w.name + "." + string(f) }

func (w *files) table(f leavers.Format, as sheet.Format, to io.Writer, titles []string) {
	table, err := sheet.NewWriter(io.MultiWriter(to, w.sums[f]), as)
	w.try(err)
	if err == nil {
		w.tables[f] = table
		w.try(table.Write([]string{tableMark + i18n.Text(w.language, w.title)}))
		for _, fact := range w.facts {
			w.try(table.Write(append([]string{tableMark + fact[0]}, fact[1:]...)))
		}
		w.try(table.Write(titles))
	}
}

// tableMark begins each line of a table that is before its titles: what the file is about, so that one without rows is not
// that of another report. They are as many in each file.
const tableMark = "# "

func (w *files) text(key string) string { return i18n.Text(w.language, w.texts+key) }

func (w *files) colon() string { return w.language.Of("：", ": ") }

func (w *files) aside(text string) string {
	return w.language.Of("（", " (") + text + w.language.Of("）", ")")
}

// line writes a line of the tables.
func (w *files) line(cells []string) {
	w.lines++
	for _, table := range w.tables {
		w.try(table.Write(cells))
	}
}

// document begins the pages, with what the report is about and what it comes to.
func (w *files) document(summary string) *pdf.Document {
	d := httpkit.NewPDF(w.language, w.title)
	d.Space(4)
	d.Table(pdf.Facts(w.facts...))
	d.Space(4)
	d.Text(pdf.SizeText, summary)
	return d
}

// close ends the tables, and the pages if there are any.
func (w *files) close(d *pdf.Document) error {
	for _, table := range w.tables {
		w.try(table.Close())
	}
	if d != nil {
		var err error
		w.doc, err = d.Bytes()
		w.try(err)
		_, _ = w.sums[leavers.PDF].Write(w.doc)
	}
	return w.err
}

func (w *files) digests() map[leavers.Format][]byte {
	all := make(map[leavers.Format][]byte, len(w.sums))
	for format, sum := range w.sums {
		all[format] = sum.Sum(nil)
	}
	return all
}

// leave records that the files leave by an entry of an action, and lets them.
func (s *server) leave(ctx context.Context, w *files, summary, action string, record func(tx *database.Tx) (uuid.UUID, string, error)) (*huma.StreamResponse, error) {
	var entry uuid.UUID
	var receipt string
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		entry, receipt, err = record(tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	content, err := w.pack(entry, receipt, summary, action)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		hctx.SetHeader("Content-Type", "application/zip")
		hctx.SetHeader("Content-Length", strconv.Itoa(len(content)))
		hctx.SetHeader("Content-Disposition", `attachment; filename="`+w.name+`.zip"`)
		hctx.SetStatus(http.StatusOK)
		_, _ = hctx.BodyWriter().Write(content)
	}}, nil
}

// pack ends the zip file, with the receipt and how to check all of it.
func (w *files) pack(entry uuid.UUID, receipt, summary, action string) ([]byte, error) {
	if slices.Contains(w.wanted, leavers.XLSX) {
		w.member(w.file(leavers.XLSX), w.workbook.Bytes())
	}
	if w.doc != nil {
		w.member(w.file(leavers.PDF), w.doc)
	}
	w.member("receipt.txt", []byte(receipt))
	lines := []string{i18n.Text(w.language, w.title), ""}
	for _, fact := range w.facts {
		lines = append(lines, fact[0]+w.colon()+fact[1])
	}
	lines = append(lines, "", summary, "", i18n.Text(w.language, "leavers_report.entry")+w.colon()+entry.String(), "SHA-256")
	for _, format := range leavers.Formats {
		if sum, made := w.sums[format]; made {
			lines = append(lines, "  "+hex.EncodeToString(sum.Sum(nil))+"  "+w.file(format))
		}
	}
	// The action is named as the log names it: who looks for its words finds the entry.
	lines = append(lines, "", fmt.Sprintf(i18n.Text(w.language, "leavers_report.check"), i18n.Text(w.language, "ledger.action."+action)), "")
	w.member("README.txt", []byte(strings.ReplaceAll(strings.Join(lines, "\n"), "\n", "\r\n")))
	w.try(w.zip.Close())
	return w.out.Bytes(), w.err
}

func (w *files) member(name string, content []byte) {
	to, err := w.zip.Create(name)
	w.try(err)
	if err == nil {
		_, err = to.Write(content)
		w.try(err)
	}
}
