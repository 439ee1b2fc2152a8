package vault_test

import (
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/vault"
	"lethe/models"
)

func TestDestroy_OneCategoryOnlyAndForGood(t *testing.T) {
	b := newBench(t)
	p, kept := b.place(), b.place()
	kept.Category = models.CategoryPayBank
	sealed, category, err := b.seal(t.Context(), b.vault, p, "secret")
	must(t, err)
	other, _, err := b.seal(t.Context(), b.vault, kept, "salary")
	must(t, err)
	wantError(t, b.vault.Probe(t.Context(), category), vault.ErrNotDestroyed)

	must(t, b.vault.Destroy(t.Context(), category))
	must(t, b.vault.Destroy(t.Context(), category))
	must(t, b.vault.Probe(t.Context(), category, sealed))
	// The facts still say open, as a restored backup would: the keys alone refuse.
	_, err = b.open(t.Context(), b.vault, p, sealed)
	wantError(t, err, vault.ErrPurged)
	_, _, err = b.seal(t.Context(), b.vault, p, "again")
	wantError(t, err, vault.ErrPurged)
	if _, err := b.open(t.Context(), b.vault, kept, other); err != nil {
		t.Errorf("another category does not open any more: %v", err)
	}
	var rows int64
	must(t, b.Keys.Read(t.Context()).Table("data_keys").Where("category_id = ? AND destroyed_at IS NOT NULL", category).Count(&rows).Error)
	if rows != 1 {
		t.Errorf("%d rows of destroyed keys, want 1 that stays", rows)
	}
}

func TestDestroy_WithoutAKeyNoneIsMadeLater(t *testing.T) {
	b := newBench(t)
	category := b.categoryID(t, models.CategoryIdentity)
	wantError(t, b.vault.Probe(t.Context(), category), vault.ErrNotDestroyed)
	must(t, b.vault.Destroy(t.Context(), category))
	must(t, b.vault.Destroy(t.Context(), category))
	must(t, b.vault.Probe(t.Context(), category))
	_, _, err := b.seal(t.Context(), b.vault, b.place(), "late")
	wantError(t, err, vault.ErrPurged)
}

// TestDestroy_UnreferencedKeysToo seals in a transaction that fails: what it sealed may be in a dead
// tuple, and its key must go with the others.
func TestDestroy_UnreferencedKeysToo(t *testing.T) {
	b := newBench(t)
	var lost models.Sealed
	_ = database.Run(t.Context(), b.Facts, func(tx *database.Tx) error {
		var err error
		if lost, _, err = b.vault.Seal(tx, b.place(), []byte("lost")); err != nil {
			return err
		}
		return vault.ErrDamaged
	})
	_, category, err := b.seal(t.Context(), b.vault, b.place(), "kept")
	must(t, err)
	must(t, b.vault.Destroy(t.Context(), category))
	must(t, b.vault.Probe(t.Context(), category, lost))
	var wrapped int64
	must(t, b.Keys.Read(t.Context()).Table("data_keys").Where("wrapped IS NOT NULL").Count(&wrapped).Error)
	if wrapped != 0 {
		t.Errorf("%d wrapped keys are left", wrapped)
	}
}

func TestProbe_SampleOfALiveKey(t *testing.T) {
	b := newBench(t)
	p := b.place()
	p.Category = models.CategoryPayBank
	live, _, err := b.seal(t.Context(), b.vault, p, "salary")
	must(t, err)
	category := b.categoryID(t, models.CategoryIdentity)
	must(t, b.vault.Destroy(t.Context(), category))
	wantError(t, b.vault.Probe(t.Context(), category, live), vault.ErrNotDestroyed)
	must(t, b.vault.Probe(t.Context(), category, models.Sealed{}))
}

// TestDestroyedKey_DatabaseRefusesResurrection tries what a restored row or a hand at psql would do.
func TestDestroyedKey_DatabaseRefusesResurrection(t *testing.T) {
	b := newBench(t)
	_, category, err := b.seal(t.Context(), b.vault, b.place(), "secret")
	must(t, err)
	must(t, b.vault.Destroy(t.Context(), category))
	for _, sql := range []string{
		"UPDATE data_keys SET wrapped = 'x', destroyed_at = NULL WHERE category_id = ?",
		"DELETE FROM data_keys WHERE category_id = ?",
	} {
		err := database.Hide(b.Keys.Read(t.Context()).Exec(sql, category).Error)
		if database.Code(err) != "LT006" {
			t.Errorf("%s: %v, want LT006", sql, err)
		}
	}
}

func TestCreateCategories_UnknownEmployment(t *testing.T) {
	b := newBench(t)
	err := database.Run(t.Context(), b.Facts, func(tx *database.Tx) error { return b.vault.CreateCategories(tx, uuid.New()) })
	if err == nil {
		t.Error("categories without an employment")
	}
	p := b.place()
	p.Employment = uuid.New()
	_, _, err = b.seal(t.Context(), b.vault, p, "x")
	wantError(t, err, database.ErrNotFound)
}
