// Command bench measures Lethe beside its bare counterparts in one run on the same servers:
// departures per second against workflows of the same shape with empty activities, and what a
// person asleep in retention costs; judged looks against a handler that reads one row. Pairs are interleaved and medians compared, because the
// machines that run it are noisy.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"lethe/internal/launch"
	"lethe/internal/launch/launchtest"
)

type settings struct {
	departures int
	pairs      int
	inFlight   int
	sleepers   int
	levers     bool
	entries    int
	ledgerOnly bool
	people     int
	looks      bool
	imported   int
	reconciled int
	dryRuns    int
	timeout    time.Duration
}

func main() {
	var s settings
	flag.IntVar(&s.departures, "departures", 150, "departures in each half of a pair")
	flag.IntVar(&s.pairs, "pairs", 5, "interleaved pairs")
	flag.IntVar(&s.inFlight, "in-flight", 32, "departures under way at once")
	flag.IntVar(&s.sleepers, "sleepers", 1500, "people asleep in retention, for the bytes of each")
	flag.BoolVar(&s.levers, "levers", true, "also try each lever by itself")
	flag.IntVar(&s.entries, "entries", 1_000_000, "entries of the ledger; 0: the ledger is not measured")
	flag.BoolVar(&s.ledgerOnly, "ledger-only", false, "measure nothing but the ledger and its search")
	flag.IntVar(&s.people, "people", 0, "measure nothing but lists, with so many people; 0: they are not measured")
	flag.BoolVar(&s.looks, "looks", false, "measure nothing but judged looks")
	flag.IntVar(&s.imported, "import", 0, "measure nothing but the import of so many people; 0: it is not measured")
	flag.IntVar(&s.reconciled, "reconcile", 0, "measure nothing but the comparison of so many accounts with the facts; 0: it is not measured")
	flag.IntVar(&s.dryRuns, "dry-runs", 0, "measure nothing but dry runs of so many departures; 0: they are not measured")
	flag.DurationVar(&s.timeout, "timeout", 20*time.Minute, "limit for the whole run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	err := run(ctx, s)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	if s.people > 0 {
		return peopleLists(ctx, s)
	}
	if s.imported > 0 {
		return importPeople(ctx, s.imported)
	}
	if s.reconciled > 0 {
		return reconcileAccounts(ctx, s.reconciled)
	}
	if s.dryRuns > 0 {
		return dryRuns(ctx, s.dryRuns)
	}
	if s.looks {
		return disclosures(ctx)
	}
	if s.ledgerOnly {
		return runLedger(ctx, s)
	}
	w, err := open(ctx, nil)
	if err != nil {
		return err
	}
	defer w.close()
	fmt.Println("starting Temporal (SQLite file, WAL)")
	if err := w.openTemporal(ctx); err != nil {
		return err
	}
	if err := w.seed(ctx, s.departures*(s.pairs+1+len(levers))+100); err != nil {
		return err
	}
	if err := throughput(ctx, w, s); err != nil {
		return err
	}
	if s.levers {
		if err := tryLevers(ctx, w, s); err != nil {
			return err
		}
	}
	if err := asleep(ctx, w, s); err != nil {
		return err
	}
	if err := disclosures(ctx); err != nil || s.entries == 0 {
		return err
	}
	return ledgerRows(ctx, w.postgres, w.scratch.Path, s.entries)
}

// runLedger measures the ledger alone.
func runLedger(ctx context.Context, s settings) error {
	fmt.Println("starting Postgres (fsync on)")
	scratch, err := launchtest.NewScratch(benchFolder())
	if err != nil {
		return err
	}
	defer func() { _ = scratch.Remove() }()
	postgres, err := launch.Postgres(ctx, launch.PostgresOptions{Dir: filepath.Join(scratch.Path, "postgres")})
	if err != nil {
		return err
	}
	defer func() { _ = postgres.Stop(context.WithoutCancel(ctx)) }()
	return ledgerRows(ctx, postgres, scratch.Path, s.entries)
}

func benchFolder() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("lethe-bench-%d", os.Geteuid()))
}
