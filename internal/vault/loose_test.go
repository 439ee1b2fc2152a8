package vault_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/vault"
	"lethe/models"
)

func TestLooseValuesOpenAtTheirPlaceOnly(t *testing.T) {
	b := newBench(t)
	place, plain := "users.totp_sealed/"+uuid.NewString(), []byte("a secret of twenty bytes")
	sealed := b.sealLoose(t, place, plain)
	if bytes.Contains(sealed.Box(), plain) {
		t.Fatal("the box shows the secret")
	}
	if got, err := b.vault.OpenLoose(t.Context(), place, sealed); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("opened %q, %v", got, err)
	}
	if _, err := b.vault.OpenLoose(t.Context(), place+"x", sealed); !errors.Is(err, vault.ErrDamaged) {
		t.Errorf("at another place: %v", err)
	}
	kek, err := vault.LoadKEKFile(b.kekPath)
	must(t, err)
	other := vault.New(b.Keys, kek, uuid.New())
	if _, err := other.OpenLoose(t.Context(), place, sealed); err == nil {
		t.Error("another installation opens it")
	}
	for i := range sealed.Box() {
		box := bytes.Clone(sealed.Box())
		box[i] ^= 1
		if _, err := b.vault.OpenLoose(t.Context(), place, models.NewSealed(box)); !errors.Is(err, vault.ErrDamaged) {
			t.Fatalf("byte %d altered: %v", i, err)
		}
	}
}

// TestLooseValuesSurviveTheRotationOfTheKEK: a generation that wraps a loose key is not retired
// before the key was rewrapped, and the value opens without it.
func TestLooseValuesSurviveTheRotationOfTheKEK(t *testing.T) {
	b := newBench(t)
	sealed := b.sealLoose(t, "approvals/1", []byte("command"))
	if err := b.vault.AddKEK(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.vault.RetireKEK(t.Context(), 1); !errors.Is(err, vault.ErrKEKInUse) {
		t.Fatalf("retired a generation in use: %v", err)
	}
	if n, err := b.vault.Rewrap(t.Context()); err != nil || n != 1 {
		t.Fatalf("rewrapped %d, %v", n, err)
	}
	if err := b.vault.RetireKEK(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if got, err := b.vault.OpenLoose(t.Context(), "approvals/1", sealed); err != nil || string(got) != "command" {
		t.Errorf("opened %q, %v", got, err)
	}
}

func TestShreddedLooseValueIsGone(t *testing.T) {
	b := newBench(t)
	sealed := b.sealLoose(t, "approvals/1", []byte("command"))
	for range 2 { // the second changes nothing
		if err := b.vault.ShredLoose(t.Context(), sealed); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.vault.OpenLoose(t.Context(), "approvals/1", sealed); !errors.Is(err, vault.ErrPurged) {
		t.Errorf("opened after shredding: %v", err)
	}
	if err := b.vault.ShredLoose(t.Context(), models.Sealed{}); err != nil {
		t.Errorf("shredding nothing: %v", err)
	}
	if n, err := b.vault.Rewrap(t.Context()); err != nil || n != 0 {
		t.Errorf("rewrapped %d, %v", n, err)
	}
}

func (b *bench) sealLoose(t *testing.T, place string, plain []byte) models.Sealed {
	t.Helper()
	sealed, err := b.vault.SealLoose(t.Context(), place, plain)
	must(t, err)
	return sealed
}
