package retention

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// TestI25_TheMatterOfAHoldIsSealed: no row and no entry has it in clear; who reads holds reads it. The
// upgrade carries over what version 0.2 kept, of released holds too, and goes on where it ended.
func TestI25_TheMatterOfAHoldIsSealed(t *testing.T) {
	w := newWorld(t)
	department := w.department["DE"]
	orders := []HoldOrder{
		{EmployeeID: w.hire(t, "CN").employee, Matter: "kanari-person", By: w.hr},
		{Query: HoldQuery{DepartmentID: &department}, Matter: "kanari-filter", Categories: []models.Category{models.CategoryContract}, By: w.hr},
		{EmployeeID: w.hire(t, "DE").employee, Matter: "kanari-released", By: w.hr},
	}
	var ids []uuid.UUID
	for _, o := range orders {
		hold, err := w.hold(o)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, hold.ID)
	}
	w.release(t, ids[2])
	shown := func(when string) {
		t.Helper()
		listed, _, err := Holds(t.Context(), w.env.Facts, HoldFilter{Limit: 10})
		if err != nil || len(listed) != len(orders) {
			t.Fatalf("%s: %d holds, %v", when, len(listed), err)
		}
		for i, o := range orders {
			one, err := GetHold(t.Context(), w.env.Facts, ids[i])
			if err != nil || one.Matter != o.Matter || listed[i].Matter != o.Matter {
				t.Errorf("%s: %q and %q, want %q: %v", when, one.Matter, listed[i].Matter, o.Matter, err)
			}
		}
	}
	nothingPlain := func(when string) {
		t.Helper()
		for _, table := range []string{"holds", "ledger_content"} {
			if text := query[string](t, w, "SELECT string_agg(r::text, '') FROM "+table+" r"); strings.Contains(text, "kanari") || text == "" {
				t.Errorf("%s: %s has a matter in clear", when, table)
			}
		}
	}
	shown("new")
	nothingPlain("new")
	if err := w.try(func(tx *database.Tx) error {
		return database.Hide(tx.DB().Exec("UPDATE holds SET matter = 'plain'").Error)
	}); database.Code(err) == "" {
		t.Error("plain text is taken")
	}

	w.exec(t, "ALTER TABLE holds DISABLE TRIGGER USER")
	for i, o := range orders {
		w.exec(t, "UPDATE holds SET matter_sealed = NULL, matter = ? WHERE id = ?", o.Matter, ids[i])
	}
	w.exec(t, `ALTER TABLE holds ENABLE TRIGGER USER; ALTER TABLE holds ENABLE ALWAYS TRIGGER holds_fixed`)
	shown("of 0.2")
	tired := errors.New("tired")
	if err := SealPlainMatters(t.Context(), w.env.Facts, func() error { return tired }); !errors.Is(err, tired) {
		t.Fatalf("the first try: %v", err)
	}
	for range 2 {
		if err := SealPlainMatters(t.Context(), w.env.Facts, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	shown("upgraded")
	nothingPlain("upgraded")
	if placed := query[int](t, w, "SELECT count(*) FROM holds WHERE released_at IS NULL"); placed != 2 {
		t.Errorf("%d holds are active", placed)
	}
}
