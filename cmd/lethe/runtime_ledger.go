package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"lethe/cmd/lethe/install"
	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/internal/ledger/policy"
	"lethe/internal/ledger/witness"
)

// recording is what a process has of the ledger: its writer is attached to the facts; this orders
// and signs what all processes wrote, and has it witnessed.
type recording struct {
	origin    string
	keys      *ledger.Keys
	storage   *ledger.Storage
	db        *database.DB      // the sequencer's login
	sequencer *ledger.Sequencer // nil: others order and sign
	policy    *policy.Policy    // nil: nobody witnesses
	members   []witness.Member
	log       *slog.Logger

	mu     sync.Mutex
	feeder *witness.Feeder // of the current epoch, nil before the first
}

// sequencerConnections is the size of the sequencer's own pool.
const sequencerConnections = 3

// errFileWitness says that a witness was to run under the same administration.
var errFileWitness = errors.New("LETHE_WITNESS_FILE is for development: in production the witness is run by another administration (docs/operations.md)")

// errSignsNothing says that a process was told to order entries that it could not sign.
var errSignsNothing = errors.New("LETHE_SEQUENCER_DATABASE_URL is set, and LETHE_LEDGER_KEY_FILE has no key that signs checkpoints: " +
	"leave the one out, as for serve, or make the other by `lethe keys part worker`")

// errNoReceipts says that what answers auditors has another process's part of the keys.
var errNoReceipts = errors.New("LETHE_LEDGER_KEY_FILE has no key that signs receipts, which serve needs: make its part by `lethe keys part serve`")

func (r *runtime) openLedger(ctx context.Context) (err error) {
	c := r.config
	l := &recording{origin: install.Origin(c.LedgerOrigin, r.installation), log: r.log}
	r.ledger = l
	if l.keys, err = install.AttachWriter(ctx, r.facts, c.LedgerKeyFile, l.origin); err != nil {
		return err
	}
	if l.storage, err = ledger.OpenStorage(c.LedgerDir); err != nil {
		return err
	}
	if c.SequencerDatabaseURL == "" {
		return nil // the workers order and sign
	}
	if !l.keys.SignCheckpoints() {
		return errSignsNothing
	}
	o := database.Options{MaxConnections: sequencerConnections, LockTimeout: lockTimeout}
	if l.db, err = database.Open(ctx, c.SequencerDatabaseURL, o); err != nil {
		return fmt.Errorf("LETHE_SEQUENCER_DATABASE_URL: %w", err)
	}
	if err := database.RequireSequencer(ctx, l.db); err != nil {
		return err
	}
	l.sequencer = ledger.NewSequencer(l.db, l.storage, l.keys, ledger.Options{Origin: l.origin, Log: r.log})
	if err := l.openWitnesses(c); err != nil {
		return err
	}
	if l.policy != nil && !c.Dev {
		err := database.Run(ctx, r.facts, func(tx *database.Tx) error { return l.policy.RequireAdopted(tx, l.keys) })
		if err != nil {
			return err
		}
	}
	l.register()
	return nil
}

func (l *recording) openWitnesses(c config.Config) (err error) {
	if c.LedgerPolicyFile == "" {
		l.log.Warn("no witness guards the ledger: LETHE_LEDGER_POLICY_FILE is not set")
		return nil
	}
	if l.policy, err = policy.Load(c.LedgerPolicyFile); err != nil {
		return err
	}
	if l.policy.Origin != l.origin {
		return fmt.Errorf("the policy file is for the ledger %s, this one is %s (LETHE_LEDGER_ORIGIN)", l.policy.Origin, l.origin)
	}
	l.members = l.policy.Members(witnessTimeout)
	if c.WitnessFile == "" {
		return nil
	}
	if !c.Dev {
		return errFileWitness
	}
	own, err := fileWitness(c.WitnessFile, l.policy)
	if err != nil {
		return err
	}
	l.members = append(l.members, witness.Member{Verifier: own.Verifier(), Cosigner: own})
	return nil
}

// fileWitness is a witness within this process, whose memory lies beside its key.
func fileWitness(keyFile string, p *policy.Policy) (*witness.Witness, error) {
	signer, err := witness.LoadKeyFile(keyFile, time.Now)
	if err != nil {
		return nil, err
	}
	store, err := witness.OpenStore(keyFile + ".memory")
	if err != nil {
		return nil, err
	}
	return witness.New(signer, p.Logs(), store), nil
}

const (
	// witnessTimeout bounds one call to a witness.
	witnessTimeout = 5 * time.Second
	// feedEvery is how soon a new checkpoint is offered.
	feedEvery = 200 * time.Millisecond
	// watchEvery is how often the ledger's state is looked at, for alarms and new epochs.
	watchEvery = 500 * time.Millisecond
)

// run sequences, has checkpoints witnessed, and raises alarms, until ctx ends.
func (l *recording) run(ctx context.Context) {
	if l.sequencer == nil {
		return
	}
	var all sync.WaitGroup
	all.Go(func() { l.sequencer.Run(ctx) })
	all.Go(func() { l.feed(ctx) })
	all.Go(func() { l.watch(ctx) })
	all.Wait()
}

// feed offers the checkpoints of the current epoch; each epoch is a log of its own to a witness.
func (l *recording) feed(ctx context.Context) {
	if l.policy == nil || len(l.members) == 0 {
		return
	}
	for ctx.Err() == nil {
		epoch := l.sequencer.Status().Epoch
		if epoch == 0 { // not seen yet
			pause(ctx, watchEvery)
			continue
		}
		feeder := witness.NewFeeder(l.storage.Log(epoch), ledger.TreeName(l.origin, epoch), l.members, l.policy.Quorum, l.log)
		l.mu.Lock()
		l.feeder = feeder
		l.mu.Unlock()
		inner, cancel := context.WithCancel(ctx)
		var running sync.WaitGroup
		running.Go(func() { feeder.Run(inner, feedEvery) })
		for ctx.Err() == nil && l.sequencer.Status().Epoch == epoch {
			pause(ctx, watchEvery)
		}
		cancel()
		running.Wait()
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (l *recording) close() {
	if l.db != nil {
		_ = l.db.Close()
	}
}
