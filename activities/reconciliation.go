package activities

import (
	"context"
	"errors"
	"time"

	"lethe/internal/database"
	"lethe/internal/reconcile"
)

// Reconciliation serves the Reconciliation workflow and the Schedule before it.
type Reconciliation struct {
	DB     *database.DB
	Worker *reconcile.Worker
}

// ReconciliationFacts is what a Reconciliation workflow needs to know.
type ReconciliationFacts struct {
	State string `json:"state"`
	Done  bool   `json:"done"`
	// Systems are those to be compared.
	Systems []string      `json:"systems,omitempty"`
	WakeIn  time.Duration `json:"wake_in"`
}

// Comparison names one system of a run.
type Comparison struct {
	ID     string `json:"id"`
	System string `json:"system"`
}

// BeginReconciliation begins a run of all systems. One that is under way is enough, and so is that nothing is connected.
func (a *Reconciliation) BeginReconciliation(ctx context.Context) error {
	err := database.Run(ctx, a.DB, func(tx *database.Tx) error {
		_, err := reconcile.Begin(tx, a.Worker.Systems, reconcile.Order{})
		return err
	})
	var running *reconcile.RunningError
	if errors.As(err, &running) || errors.Is(err, reconcile.ErrNothing) {
		return nil
	}
	return err
}

// ReconciliationFacts says which systems of a run are to be compared, and ends it after the last.
func (a *Reconciliation) ReconciliationFacts(ctx context.Context, ref Ref) (ReconciliationFacts, error) {
	id, err := parse(ref.ID)
	if err != nil {
		return ReconciliationFacts{}, err
	}
	var f reconcile.RunFacts
	err = database.Run(ctx, a.DB, func(tx *database.Tx) error {
		f, err = reconcile.Look(tx, id)
		return err
	})
	if errors.Is(err, database.ErrNotFound) {
		return ReconciliationFacts{}, unknownRow()
	}
	return ReconciliationFacts{State: string(f.State), Done: f.Done, Systems: f.Systems, WakeIn: f.WakeIn}, err
}

// CompareSystem lists one system and compares it. It heartbeats until it returns.
func (a *Reconciliation) CompareSystem(ctx context.Context, c Comparison) error {
	id, err := parse(c.ID)
	if err != nil {
		return err
	}
	defer beat(ctx)()
	err = a.Worker.Compare(ctx, id, c.System)
	if errors.Is(err, database.ErrNotFound) {
		return unknownRow()
	}
	return err
}
