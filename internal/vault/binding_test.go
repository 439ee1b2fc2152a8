package vault_test

import (
	"path/filepath"
	"testing"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/vault"
	"lethe/models"
)

// otherKEK is the vault of a process that was given the key file of another installation.
func (b *bench) otherKEK(t *testing.T) *vault.Vault {
	t.Helper()
	path := filepath.Join(t.TempDir(), "other.json")
	must(t, vault.CreateKEKFile(path))
	kek, err := vault.LoadKEKFile(path)
	must(t, err)
	return vault.New(b.Keys, kek, b.Installation.ID)
}

// TestI25_ProcessesStartOnlyWithTheKeysOfTheFacts: before and after the databases were bound to each
// other, with another key-encryption key, with keys missing, and after two people gave those up.
func TestI25_ProcessesStartOnlyWithTheKeysOfTheFacts(t *testing.T) {
	b := newBench(t)
	p, kept := b.place(), b.place()
	kept.Category = models.CategoryPayBank
	lostBox, _, err := b.seal(t.Context(), b.vault, p, "lost")
	must(t, err)
	keptBox, _, err := b.seal(t.Context(), b.vault, kept, "kept")
	must(t, err)
	wantError(t, b.otherKEK(t).CheckBinding(t.Context(), b.Facts), vault.ErrOtherKEK) // an upgrade binds nothing unseen
	app := b.AsApp(t)
	must(t, b.vault.CheckBinding(t.Context(), app))
	must(t, b.again(t).CheckBinding(t.Context(), app))
	wantError(t, b.otherKEK(t).CheckBinding(t.Context(), app), vault.ErrOtherKEK)

	// The keys database is from before the first value was sealed, and the databases bound.
	g := b.Keys.Read(t.Context())
	must(t, g.Exec("DELETE FROM data_keys WHERE category = ?", models.CategoryIdentity).Error)
	must(t, g.Exec("DELETE FROM loose_keys").Error)
	wantError(t, b.vault.CheckBinding(t.Context(), app), vault.ErrKeysLost)
	lost, err := vault.FindLost(t.Context(), b.Facts, b.Keys)
	must(t, err)
	if len(lost) != 1 || lost[0].RowID != b.categoryID(t, models.CategoryIdentity) {
		t.Fatalf("lost are %v, want the category of the first value", lost)
	}
	must(t, database.Run(t.Context(), b.Facts, func(tx *database.Tx) error {
		_, err := vault.AcceptLost(tx, lost, ledger.Entry{Reason: "the disk is gone"})
		return err
	}))
	must(t, b.vault.CheckBinding(t.Context(), app))
	must(t, b.vault.CheckBinding(t.Context(), app))
	if _, err := b.open(t.Context(), b.vault, p, lostBox); err == nil {
		t.Error("a value opens whose key is lost")
	}
	if plain, err := b.open(t.Context(), b.vault, kept, keptBox); err != nil || plain != "kept" {
		t.Errorf("what kept its key: %q, %v", plain, err)
	}
	anew, _, err := b.seal(t.Context(), b.vault, p, "anew")
	must(t, err)
	if plain, err := b.open(t.Context(), b.vault, p, anew); err != nil || plain != "anew" {
		t.Errorf("sealed anew: %q, %v", plain, err)
	}
	must(t, b.vault.CheckBinding(t.Context(), app))
}
