// Package pdftest reads back what package pdf wrote, as somebody who copies the text out of a reader gets it.
package pdftest

import (
	"bytes"
	"compress/zlib"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	object   = regexp.MustCompile(`(?s)(\d+) 0 obj\n(.*?)endobj`)
	resource = regexp.MustCompile(`/(F\d+) (\d+) 0 R`)
	mapping  = regexp.MustCompile(`/ToUnicode (\d+) 0 R`)
	rangeOf  = regexp.MustCompile(`(?m)^<([0-9A-F]{4})><[0-9A-F]{4}><([0-9A-F]{4})>$`)
	contents = regexp.MustCompile(`/Contents\s+(\d+) 0 R`)
	words    = regexp.MustCompile(`([\d.]+) ([\d.]+) TD\n/(F\d+) [\d.]+ Tf[^\[]*\[([^\]]*)\] TJ`)
	codes    = regexp.MustCompile(`<([0-9A-F]*)>`)
)

// Pages is the text of each page, a line for each base line; the columns of a table follow one another in it.
func Pages(t testing.TB, document []byte) []string {
	t.Helper()
	objects, fonts := map[string][]byte{}, map[string]map[string]string{}
	var order []string
	for _, m := range object.FindAllSubmatch(document, -1) {
		objects[string(m[1])] = m[2]
		order = append(order, string(m[1]))
	}
	for _, o := range objects {
		for _, m := range resource.FindAllSubmatch(o, -1) {
			unicode := mapping.FindSubmatch(objects[string(m[2])])
			if unicode == nil {
				continue
			}
			fonts[string(m[1])] = map[string]string{}
			for _, pair := range rangeOf.FindAllSubmatch(objects[string(unicode[1])], -1) {
				r, err := strconv.ParseUint(string(pair[2]), 16, 32)
				if err != nil {
					t.Fatal(err)
				}
				fonts[string(m[1])][string(pair[1])] = string(rune(r))
			}
		}
	}
	var pages []string
	for _, n := range order {
		if c := contents.FindSubmatch(objects[n]); c != nil {
			pages = append(pages, page(t, inflated(t, objects[string(c[1])]), fonts))
		}
	}
	return pages
}

// Text is the text of all pages.
func Text(t testing.TB, document []byte) string {
	t.Helper()
	return strings.Join(Pages(t, document), "\n")
}

func page(t testing.TB, content string, fonts map[string]map[string]string) string {
	t.Helper()
	var b strings.Builder
	at := ""
	for _, m := range words.FindAllStringSubmatch(content, -1) {
		if at != "" && m[2] != at {
			b.WriteString("\n")
		}
		at = m[2]
		for _, hex := range codes.FindAllStringSubmatch(m[4], -1) {
			for i := 0; i+4 <= len(hex[1]); i += 4 {
				r, ok := fonts[m[3]][hex[1][i:i+4]]
				if !ok {
					t.Fatalf("a glyph of %s stands for nothing", m[3])
				}
				b.WriteString(r)
			}
		}
	}
	return b.String()
}

func inflated(t testing.TB, o []byte) string {
	t.Helper()
	_, stream, _ := bytes.Cut(o, []byte("stream\n"))
	r, err := zlib.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
