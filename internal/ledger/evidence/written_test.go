package evidence_test

import (
	"strings"
	"testing"

	"lethe/internal/ledger/evidence"
	"lethe/internal/ledger/querylog"
)

// TestI25_WhatAnExportWasAskedForIsSealed: reason and filters, whose words may be a name, are in no column
// in clear; the pack says them. The upgrade carries over those of version 0.2, made and waiting.
func TestI25_WhatAnExportWasAskedForIsSealed(t *testing.T) {
	w := newWorld(t, 6)
	request := evidence.Request{Reason: "kanari-reason", Filter: querylog.Filter{Query: "离职"}}
	made := w.pack(request)
	if made.manifest.Reason != "kanari-reason" || !strings.Contains(string(made.manifest.Selection.Filters), "离职") {
		t.Errorf("the pack says %q and %s", made.manifest.Reason, made.manifest.Selection.Filters)
	}
	waits := w.order(request)
	g := w.env.Facts.Read(t.Context())
	plain := func(when string) {
		t.Helper()
		var text string
		if err := g.Raw("SELECT string_agg(x::text, '') FROM query_log_exports x").Scan(&text).Error; err != nil {
			t.Fatal(err)
		}
		for _, words := range []string{"kanari", "离职"} {
			if text == "" || strings.Contains(text, words) {
				t.Errorf("%s: %q lies in clear", when, words)
			}
		}
	}
	plain("new")
	for _, column := range []string{"reason = 'plain'", `filters = '{"q": "plain"}'`} {
		if err := g.Exec("UPDATE query_log_exports SET " + column).Error; err == nil {
			t.Errorf("%s is taken", column)
		}
	}

	var filters string
	opened, err := made.export.Open(t.Context(), w.env.Facts)
	if err != nil {
		t.Fatal(err)
	}
	filters = string(opened.Filters)
	for _, sql := range []string{
		"ALTER TABLE query_log_exports DISABLE TRIGGER USER",
		"UPDATE query_log_exports SET reason_sealed = NULL, filters_sealed = NULL, reason = 'kanari-reason', filters = '" + filters + "'",
		"ALTER TABLE query_log_exports ENABLE TRIGGER USER",
	} {
		if err := g.Exec(sql).Error; err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := evidence.SealPlain(t.Context(), w.env.Facts, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	plain("upgraded")
	if done, err := w.maker.Once(t.Context()); err != nil || !done {
		t.Fatalf("Once: %v, %v", done, err)
	}
	e, err := evidence.Get(t.Context(), w.env.Facts, waits)
	if err != nil || e.State != evidence.Done {
		t.Fatalf("the export is %s (%s), %v", e.State, e.Failure, err)
	}
	after := unpack(t, w.maker.Path(e), e)
	if after.manifest.Reason != "kanari-reason" || len(after.lines) < len(made.lines) {
		t.Errorf("the pack of 0.2's request: %q, %d lines", after.manifest.Reason, len(after.lines))
	}
}
