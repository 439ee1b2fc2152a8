package databasetest

import (
	"context"
	"sync"
	"time"

	"lethe/internal/reasons"
	"lethe/internal/vault"
	"lethe/models"
)

// keeper is a vault of its own on the keys database of a test, made when somebody writes something.
type keeper struct {
	env   *Env
	kek   string
	once  sync.Once
	vault *vault.Vault
	err   error
}

func (k *keeper) open() (*vault.Vault, error) {
	k.once.Do(func() {
		if k.err = vault.CreateKEKFile(k.kek); k.err != nil {
			return
		}
		var kek *vault.KEK
		if kek, k.err = vault.LoadKEKFile(k.kek); k.err == nil {
			k.vault = vault.New(k.env.Keys, kek, k.env.Installation.ID)
		}
	})
	return k.vault, k.err
}

func (k *keeper) SealReason(ctx context.Context, at time.Time, place, text string) (models.Sealed, error) {
	v, err := k.open()
	if err != nil {
		return models.Sealed{}, err
	}
	return v.SealReason(ctx, at, place, text)
}

func (k *keeper) OpenReasons(ctx context.Context, texts []reasons.Text) ([]string, error) {
	v, err := k.open()
	if err != nil {
		return nil, err
	}
	return v.OpenReasons(ctx, texts)
}
