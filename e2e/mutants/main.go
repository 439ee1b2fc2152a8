// Command mutants puts faults into the program, one at a time and each in one place, and reports which
// of them no test notices. The faults are in the folder table. `make mutants` runs it beside the test
// servers; ARGS chooses mutations by parts of their names or files or by files of the table, JOBS says how many run at once.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"lethe/internal/launch/launchtest"
)

// wanted is the share of the mutations that change something which tests have to notice.
const wanted = 0.95

func main() {
	jobs := flag.Int("jobs", 2, "mutations at once")
	limit := flag.Duration("limit", time.Minute, "the longest that the tests of a package may take: one that hangs is noticed")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, *jobs, *limit, flag.Args())
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		code = 2
	}
	os.Exit(code)
}

func run(ctx context.Context, jobs int, limit time.Duration, names []string) (code int, err error) {
	root, err := launchtest.ModuleRoot()
	if err != nil {
		return 0, err
	}
	all, err := readTable(filepath.Join(root, "e2e", "mutants", "table"))
	if err != nil {
		return 0, err
	}
	scratch, err := os.MkdirTemp("", "lethe-mutants-")
	if err != nil {
		return 0, fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	r := runner{root: root, scratch: scratch, limit: limit}
	mutations := chosen(all, names)
	if err := r.green(ctx, mutations); err != nil {
		return 0, err
	}
	outcomes := r.runAll(ctx, mutations, max(jobs, 1))
	return report(os.Stdout, outcomes), ctx.Err()
}

// runAll tells each outcome as it comes.
func (r runner) runAll(ctx context.Context, mutations []mutation, jobs int) []outcome {
	var (
		waiting  = make(chan mutation)
		outcomes = make(chan outcome)
		workers  sync.WaitGroup
		all      []outcome
	)
	for range jobs {
		workers.Go(func() {
			for m := range waiting {
				outcomes <- r.run(ctx, m)
			}
		})
	}
	go func() {
		defer close(outcomes)
		for _, m := range mutations {
			if ctx.Err() != nil {
				break
			}
			waiting <- m
		}
		close(waiting)
		workers.Wait()
	}()
	for o := range outcomes {
		all = append(all, o)
		fmt.Printf("%3d/%d  %-8s  %-58s  %4s  %s\n", len(all), len(mutations), o.fate, o.name, o.took, o.by)
	}
	return all
}

// report counts and says what to do; the code is not 0 if there are too many survivors or wrong entries.
func report(to io.Writer, outcomes []outcome) (code int) {
	count := map[fate]int{}
	for _, o := range outcomes {
		count[o.fate]++
	}
	_, _ = fmt.Fprintf(to, "\n%d mutations: %d killed, %d harmless, %d survived, %d wrong\n",
		len(outcomes), count[killed], count[harmless], count[survived], count[wrong])
	for _, f := range []fate{survived, wrong} {
		for _, o := range outcomes {
			if o.fate == f {
				_, _ = fmt.Fprintf(to, "%s: %s (%s, %s) %s\n", f, o.name, o.at, o.file, o.by)
			}
		}
	}
	counted := count[killed] + count[survived]
	share := float64(count[killed]) / float64(max(counted, 1))
	if counted > 0 {
		_, _ = fmt.Fprintf(to, "noticed: %.3f of those that are not harmless; wanted: %.2f\n", share, wanted)
	}
	if count[wrong] > 0 || counted > 0 && share < wanted {
		return 1
	}
	return 0
}
