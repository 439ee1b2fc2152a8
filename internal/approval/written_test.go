package approval

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"lethe/internal/database"
	"lethe/models"
)

// written opens what people wrote about a request.
func (w *world) written(t *testing.T, row models.Approval) Written {
	t.Helper()
	opened, err := OpenWritten(t.Context(), w.env.Facts, row)
	if err != nil {
		t.Fatal(err)
	}
	return opened[0]
}

// TestI25_WhatPeopleWroteAboutARequestIsSealed: reason and comment, which may tell of somebody, are in no
// column of the row in clear, and are shown.
func TestI25_WhatPeopleWroteAboutARequestIsSealed(t *testing.T) {
	w := newWorld(t)
	row, _ := w.ask(t)
	b := w.bearer(w.first, models.RoleReviewer)
	ctx := models.WithCaller(context.Background(), b.Caller("test"))
	if _, err := w.registry.Decide(ctx, w.env.Facts, b, row.ID, models.ApprovalApproved, "the debt is none of ours"); err != nil {
		t.Fatal(err)
	}
	row = w.get(t, row.ID)
	if got := w.written(t, row); got != (Written{Reason: "it is time", Comment: "the debt is none of ours"}) {
		t.Errorf("opened: %+v", got)
	}
	var text string
	if err := w.env.Facts.Read(t.Context()).Raw("SELECT a::text FROM approvals a WHERE id = ?", row.ID).Scan(&text).Error; err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"it is time", "the debt"} {
		if text == "" || strings.Contains(text, words) {
			t.Errorf("the row holds %q in clear", words)
		}
	}
	// Two of them exchanged open at neither place.
	other, _ := w.ask(t)
	other.ReasonSealed = row.ReasonSealed
	if _, err := OpenWritten(t.Context(), w.env.Facts, other); err == nil {
		t.Error("a reason opens beside another request")
	}
	for _, column := range []string{"reason", "comment"} {
		err := w.env.Facts.Read(t.Context()).Exec("UPDATE approvals SET " + column + " = 'plain'").Error
		if database.Code(database.Hide(err)) == "" {
			t.Errorf("%s takes plain text", column)
		}
	}
}

// TestI25_TheUpgradeSealsWhatPeopleWroteAndGoesOn: requests of version 0.2, open and ended; the first try
// ends in the middle, and what is not sealed is read meanwhile. Nothing else of them changes.
func TestI25_TheUpgradeSealsWhatPeopleWroteAndGoesOn(t *testing.T) {
	w := newWorld(t)
	var ids []models.Approval
	want := []Written{{Reason: "kanari-open"}, {Reason: "kanari-asked", Comment: "kanari-said"}, {Comment: "kanari-alone"}, {}}
	for i, what := range want {
		row, _ := w.ask(t)
		if i > 0 {
			if _, err := w.decide(w.first, row.ID, models.ApprovalRejected); err != nil {
				t.Fatal(err)
			}
		}
		w.exec(t, `ALTER TABLE approvals DISABLE TRIGGER USER`)
		w.exec(t, "UPDATE approvals SET reason_sealed = NULL, reason = ?, comment = ? WHERE id = ?", what.Reason, what.Comment, row.ID)
		w.exec(t, `ALTER TABLE approvals ENABLE TRIGGER USER`)
		ids = append(ids, w.get(t, row.ID))
	}
	all := func(when string) {
		t.Helper()
		for i, row := range ids {
			now := w.get(t, row.ID)
			if got := w.written(t, now); got != want[i] {
				t.Errorf("%s, request %d: %+v, want %+v", when, i, got, want[i])
			}
			if now.State != row.State || !bytes.Equal(now.Hash, row.Hash) || (now.EndedAt == nil) != (row.EndedAt == nil) {
				t.Errorf("%s, request %d is another one", when, i)
			}
		}
	}
	all("before")
	tired := errors.New("tired")
	calls := 0
	if err := SealPlain(t.Context(), w.env.Facts, func() error { calls++; return tired }); !errors.Is(err, tired) || calls != 1 {
		t.Fatalf("the first try: %d calls, %v", calls, err)
	}
	w.tx(t, t.Context(), func(tx *database.Tx) error { return sealPlain(tx, ids[1].ID) })
	all("half way")
	for range 2 { // the second does nothing
		if err := SealPlain(t.Context(), w.env.Facts, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	all("sealed")
	var found int
	w.exec(t, "CHECKPOINT")
	err := w.env.Facts.Read(t.Context()).Raw("SELECT position('kanari'::bytea IN pg_read_binary_file(pg_relation_filepath('approvals')))").Scan(&found).Error
	if err != nil || found != 0 {
		t.Errorf("a text lies in the table's file at %d, %v", found, err)
	}
	// The open one is decided about as it was asked for.
	if row, err := w.decide(w.second, ids[0].ID, models.ApprovalApproved); err != nil || row.State != models.ApprovalApproved {
		t.Errorf("deciding: %s, %v", row.State, err)
	}
}

// TestSealingIsTheOnlyChangeOfAnEndedRequest: the way by which the upgrade seals lets nothing else through.
func TestSealingIsTheOnlyChangeOfAnEndedRequest(t *testing.T) {
	w := newWorld(t)
	row, _ := w.ask(t)
	if _, err := w.decide(w.first, row.ID, models.ApprovalRejected); err != nil {
		t.Fatal(err)
	}
	w.exec(t, `ALTER TABLE approvals DISABLE TRIGGER USER; UPDATE approvals SET reason_sealed = NULL, reason = 'plain'; ALTER TABLE approvals ENABLE TRIGGER USER`)
	for what, sql := range map[string]string{
		"another state":     "UPDATE approvals SET reason = '', reason_sealed = @box, result_location = '/x'",
		"nothing sealed":    "UPDATE approvals SET reason = '', reason_sealed = nullif(@box::bytea, @box)",
		"still plain":       "UPDATE approvals SET reason_sealed = @box",
		"another plain one": "UPDATE approvals SET reason = 'other', reason_sealed = @box",
		"a comment with it": "UPDATE approvals SET reason = '', reason_sealed = @box, comment_sealed = @box",
	} {
		err := w.env.Facts.Read(t.Context()).Exec(sql, map[string]any{"box": boxHead}).Error
		if database.Code(database.Hide(err)) == "" {
			t.Errorf("%s is let through", what)
		}
	}
	w.exec(t, "UPDATE approvals SET reason = '', reason_sealed = ?", boxHead)
	if err := w.env.Facts.Read(t.Context()).Exec("UPDATE approvals SET reason_sealed = ?", append(boxHead[:len(boxHead):len(boxHead)], 1)).Error; err == nil {
		t.Error("what is sealed is replaced")
	}
}
