package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/ledger"
)

// recordConfiguration has the ledger say what a process runs with, if that is not what the last one of
// its kind ran with: its settings (a digest, without secrets), the connected systems, and the
// generations of the KEK.
func (r *runtime) recordConfiguration(ctx context.Context, process string) error {
	h := sha256.New()
	for _, a := range r.config.LogValue().Group() {
		if a.Key == "Listen" || a.Key == "OpsListen" {
			continue // several processes of a kind run side by side on addresses of their own
		}
		_, _ = fmt.Fprintf(h, "%s=%q\n", a.Key, a.Value.String())
	}
	settings := hex.EncodeToString(h.Sum(nil))
	systems, err := connector.ReadConfig(r.config.SystemsFile)
	if err != nil {
		return err
	}
	digest, names := connector.Digest(systems)
	err = database.Run(ctx, r.facts, func(tx *database.Tx) error {
		if _, err := ledger.RecordConfiguration(tx, "settings_of_"+process, settings, nil); err != nil {
			return err
		}
		if len(systems) == 0 {
			return nil
		}
		_, err := ledger.RecordConfiguration(tx, "systems", digest, map[string]string{"systems": names})
		return err
	})
	if err != nil {
		return fmt.Errorf("recording the configuration: %w", err)
	}
	return r.vault.RecordKEK(ctx, r.facts)
}
