// Testbed runs a command, usually `go test ./...`, beside one private Postgres
// and one Temporal dev server that all tests of the run share:
//
//	go run ./e2e/testbed -- go test ./...
//
// It passes signals on and returns the command's exit code.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"lethe/internal/launch"
	"lethe/internal/launch/launchtest"
)

func main() {
	command := os.Args[1:]
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) == 0 {
		fmt.Fprintln(os.Stderr, "usage: testbed -- command [arguments]")
		os.Exit(2)
	}
	code, err := run(command)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// run starts the servers, runs the command, and stops the servers.
func run(command []string) (code int, err error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	starting, cancel := context.WithCancel(context.Background())
	defer cancel()
	bed := make(chan result, 1)
	go func() {
		b, err := start(starting)
		bed <- result{b, err}
	}()
	var started result
	select {
	case started = <-bed:
	case <-signals:
		cancel()
		started = <-bed
		return 1, errors.Join(errors.New("interrupted"), started.bed.stop())
	}
	defer func() { err = errors.Join(err, started.bed.stop()) }()
	if started.err != nil {
		return 1, started.err
	}
	return execute(command, started.bed.environment(), signals)
}

type result struct {
	bed *testBed
	err error
}

// testBed is the shared servers; parts that did not start are nil.
type testBed struct {
	scratch  *launchtest.Scratch
	postgres *launch.PostgresServer
	temporal *launch.TemporalServer
}

// start returns what has been started even when it fails, so that it can be stopped.
func start(ctx context.Context) (*testBed, error) {
	bed := &testBed{}
	root, err := launchtest.ModuleRoot()
	if err != nil {
		return bed, err
	}
	if bed.scratch, err = launchtest.NewScratch(launchtest.RunsFolder(root)); err != nil {
		return bed, err
	}
	postgres := launchtest.PostgresOptions(bed.scratch.Path)
	postgres.Progress = os.Stderr
	if bed.postgres, err = launch.Postgres(ctx, postgres); err != nil {
		return bed, err
	}
	temporal, err := launchtest.TemporalOptions(bed.scratch.Path)
	if err != nil {
		return bed, err
	}
	if bed.temporal, err = launch.Temporal(ctx, temporal); err != nil {
		return bed, err
	}
	fmt.Fprintf(os.Stderr, "test servers: Postgres on port %d, Temporal on %s\n", bed.postgres.Port(), bed.temporal.Address())
	return bed, nil
}

// environment is ours with the servers' addresses.
func (b *testBed) environment() []string {
	return append(os.Environ(),
		launchtest.DatabaseURL+"="+b.postgres.URL("postgres"),
		launchtest.TemporalAddress+"="+b.temporal.Address(),
		launchtest.TemporalNamespace+"="+b.temporal.Namespace(),
	)
}

// stop ends the servers and removes their data, and says which of them had
// ended before: then the tests' failures have that reason.
func (b *testBed) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var failures []error
	if b.temporal != nil {
		failures = append(failures, b.temporal.Err(), b.temporal.Stop(ctx))
	}
	if b.postgres != nil {
		// The data are thrown away: no need to wait for its checkpoint.
		failures = append(failures, b.postgres.Err(), b.postgres.Kill())
	}
	if b.scratch != nil {
		failures = append(failures, b.scratch.Remove())
	}
	return errors.Join(failures...)
}

// execute runs the command in the terminal's foreground group, so that Ctrl-C
// reaches it directly; signals sent to us alone are passed on.
func execute(command, environment []string, signals <-chan os.Signal) (int, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = environment
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 1, fmt.Errorf("start the command: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case received := <-signals:
				_ = cmd.Process.Signal(received) // it may have ended just now
			case <-ended:
				return
			}
		}
	}()
	err := cmd.Wait()
	close(ended)
	return exitCode(cmd.ProcessState, err)
}

// exitCode follows the shell: 128 and the number for a command that a signal ended.
func exitCode(state *os.ProcessState, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 1, fmt.Errorf("wait for the command: %w", err)
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return state.ExitCode(), nil
}
