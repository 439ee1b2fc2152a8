package databasetest_test

import (
	"testing"
	"time"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
)

func TestNew_DatabasesAreFreshAndTheirClockMoves(t *testing.T) {
	first, second := databasetest.New(t), databasetest.New(t)
	if first.Installation.ID == second.Installation.ID || first.FactsURL == second.FactsURL || first.KeysURL == second.KeysURL {
		t.Error("two tests share an installation or a database")
	}
	before, err := first.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first.Advance(t, 400*24*time.Hour)
	after, err := first.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if moved := after.Sub(before); moved < 400*24*time.Hour || moved > 401*24*time.Hour {
		t.Errorf("the clock moved by %v", moved)
	}
	other, err := second.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if other.Sub(before) > time.Hour {
		t.Error("the clock of another test moved too")
	}
}

func TestNewUnmarked_IsNotInstalled(t *testing.T) {
	env := databasetest.NewUnmarked(t)
	if _, err := database.CheckInstallation(t.Context(), env.Facts, env.Keys, database.ModeDev); err != database.ErrNotInstalled {
		t.Errorf("CheckInstallation: %v, want ErrNotInstalled", err)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		databasetest.New(b)
	}
}
