package activities

import (
	"context"
	"errors"
	"log/slog"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"lethe/internal/database"
	"lethe/internal/failpoint"
	"lethe/internal/retention"
	"lethe/models"
)

var escalations = promauto.NewCounter(prometheus.CounterOpts{
	Name: "lethe_purge_escalations_total", Help: "How often it was shown that nobody decides about a purge.",
})

// Purge serves the Purge workflow.
type Purge struct {
	DB     *database.DB
	Purger *retention.Purger
	// Began turns the departure's stage purging, in the transaction of its first intent.
	Began func(tx *database.Tx, departureID uuid.UUID) error
	// ClearFile empties the departure's own sealed columns, in the transaction that clears the rest.
	ClearFile func(tx *database.Tx, departureID uuid.UUID) error
	// Purged tells the departure what was certified, in the transaction of the certificate.
	Purged retention.Certified
}

// PurgeFacts says whether a purge's steps may be carried out now.
func (a *Purge) PurgeFacts(ctx context.Context, ref Ref) (PurgeFacts, error) {
	id, err := parse(ref.ID)
	if err != nil {
		return PurgeFacts{}, err
	}
	failpoint.Hit("purge.facts.before")
	var f retention.PurgeFacts
	err = database.Run(ctx, a.DB, func(tx *database.Tx) error {
		if f, err = retention.LookAtPurge(tx, id); err == nil {
			failpoint.Hit("purge.facts.inside")
		}
		return err
	})
	if errors.Is(err, database.ErrNotFound) {
		return PurgeFacts{}, unknownRow()
	}
	if err != nil {
		return PurgeFacts{}, err
	}
	failpoint.Hit("purge.facts.after")
	if f.Escalated {
		escalations.Inc()
		slog.WarnContext(ctx, "nobody decides about a purge", "purge", id.String(), "state", string(f.State))
	}
	return PurgeFacts{State: string(f.State), Done: f.Done, Run: f.Run, WakeIn: f.WakeIn}, nil
}

// RunPurge carries out all steps of a purge, or what an interrupted run left of them. If the
// database's predicate does not let it begin, it is not done and the facts say why.
func (a *Purge) RunPurge(ctx context.Context, ref Ref) (PurgeResult, error) {
	id, err := parse(ref.ID)
	if err != nil {
		return PurgeResult{}, err
	}
	defer beat(ctx)()
	intent, err := a.commitIntent(ctx, id)
	if errors.Is(err, database.ErrNotFound) {
		return PurgeResult{}, unknownRow()
	}
	if err != nil || !intent.Began {
		return PurgeResult{}, err
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"tombstone", func() error { return a.Purger.Tombstone(ctx, id) }},
		{"destroy_keys", func() error { return a.Purger.DestroyKeys(ctx, id) }},
		{"clear", func() error { return a.Purger.Clear(ctx, id, a.clearFile) }},
		{"probe", func() error { return a.Purger.Probe(ctx, id) }},
		{"certify", func() error { _, err := a.Purger.Certify(ctx, id, a.purged); return err }},
	}
	for _, step := range steps {
		failpoint.Hit("purge." + step.name + ".before")
		if err := step.do(); err != nil {
			return PurgeResult{}, err
		}
		failpoint.Hit("purge." + step.name + ".after")
	}
	return PurgeResult{Done: true}, nil
}

func (a *Purge) commitIntent(ctx context.Context, id uuid.UUID) (intent retention.Intent, err error) {
	failpoint.Hit("purge.intent.before")
	err = database.Run(ctx, a.DB, func(tx *database.Tx) error {
		if intent, err = retention.CommitIntent(tx, id); err != nil {
			return err
		}
		if intent.First {
			if err := a.Began(tx, intent.DepartureID); err != nil {
				return err
			}
		}
		failpoint.Hit("purge.intent.inside")
		return nil
	})
	if err != nil {
		return retention.Intent{}, err
	}
	failpoint.Hit("purge.intent.after")
	return intent, nil
}

func (a *Purge) clearFile(tx *database.Tx, departureID uuid.UUID) error {
	failpoint.Hit("purge.clear.inside")
	return a.ClearFile(tx, departureID)
}

func (a *Purge) purged(tx *database.Tx, certificate models.DestructionCertificate, categories []models.Category) error {
	failpoint.Hit("purge.certify.inside")
	return a.Purged(tx, certificate, categories)
}
