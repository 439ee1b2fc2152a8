package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"lethe/internal/launch"
)

// Daemon is one process of the product, which can be killed and started again.
type Daemon struct {
	name    string
	path    string
	args    []string
	env     func() []string
	logs    string // folder
	readyAt string // address of /readyz

	mu      sync.Mutex
	process *launch.Process
	runs    int
	paused  bool
}

// readyWithin is how long a process may take until it answers. The databases and Temporal may be
// recovering from a kill at that time, and two cores are shared with all other tests.
const readyWithin = 60 * time.Second

// Start starts the process and waits until it is ready.
func (d *Daemon) Start(ctx context.Context) error {
	if err := d.Launch(); err != nil {
		return err
	}
	return d.WaitReady(ctx)
}

// Launch starts the process without waiting; one that runs already is left alone.
func (d *Daemon) Launch() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.paused = false
	return d.launch()
}

func (d *Daemon) launch() error {
	if d.process != nil && d.process.Err() == nil {
		return nil
	}
	d.runs++
	p, err := launch.Start(launch.Command{
		Name: d.name, Path: d.path, Args: d.args, Env: d.env(), Dir: d.logs,
		LogFile:  filepath.Join(d.logs, fmt.Sprintf("%s-%03d.log", d.name, d.runs)),
		LogLimit: 1 << 30, // never rotated: the canary reads all of it
	})
	if err != nil {
		return err
	}
	d.process = p
	return nil
}

// WaitReady waits until the ops port says that the process is ready.
func (d *Daemon) WaitReady(ctx context.Context) error {
	return Eventually(ctx, readyWithin, func() error {
		if p := d.running(); p != nil && p.Err() != nil {
			return Final(p.Err())
		}
		return d.ping(ctx)
	})
}

func (d *Daemon) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.readyAt+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready: %s", d.name, resp.Status)
	}
	return nil
}

func (d *Daemon) running() *launch.Process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.process
}

// Kill ends the process by SIGKILL, as a crash would. A supervised one comes back.
func (d *Daemon) Kill() error {
	if p := d.running(); p != nil {
		return p.Kill()
	}
	return nil
}

// Stop asks the process to end and keeps it down.
func (d *Daemon) Stop(ctx context.Context) error {
	d.pause()
	if p := d.running(); p != nil {
		return p.Stop(ctx)
	}
	return nil
}

// KillForGood is Kill for a process that a supervisor shall leave down.
func (d *Daemon) KillForGood() error {
	d.pause()
	return d.Kill()
}

func (d *Daemon) pause() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.paused = true
}

// supervisorPause is how soon a supervisor starts a dead process again.
const supervisorPause = 200 * time.Millisecond

// Supervise starts the process again whenever it has ended, until ctx ends.
func (d *Daemon) Supervise(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(supervisorPause):
		}
		d.mu.Lock()
		var err error
		if !d.paused {
			err = d.launch()
		}
		d.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// Runs is how often the process was started.
func (d *Daemon) Runs() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.runs
}

// Logs are the paths of everything that the process wrote, run by run.
func (d *Daemon) Logs() ([]string, error) {
	return filepath.Glob(filepath.Join(d.logs, d.name+"-*.log*"))
}

// Deaths counts the failpoints that killed the process, by name.
func (d *Daemon) Deaths() (map[string]int, error) {
	paths, err := d.Logs()
	if err != nil {
		return nil, err
	}
	deaths := map[string]int{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading a log: %w", err)
		}
		for line := range strings.Lines(string(content)) {
			if place, ok := strings.CutPrefix(line, "failpoint "); ok {
				place, _, _ = strings.Cut(place, ":")
				deaths[place]++
			}
		}
	}
	return deaths, nil
}

// troubles is how many lines Troubles returns at most.
const troubles = 15

// Troubles are the last warnings and errors of all runs.
func (d *Daemon) Troubles() string {
	paths, err := d.Logs()
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err.Error()
		}
		for line := range strings.Lines(string(content)) {
			if !strings.Contains(line, `"level":"INFO"`) && !strings.Contains(line, `"level":"DEBUG"`) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return strings.Join(lines[max(0, len(lines)-troubles):], "\n")
}

// inherited is what a child needs of our environment.
func inherited() []string {
	var kept []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			kept = append(kept, name+"="+value)
		}
	}
	return kept
}

// Eventually calls check until it returns nil, and fails with its last error when the time is over.
// An error made by Final fails at once.
func Eventually(ctx context.Context, within time.Duration, check func() error) error {
	deadline := time.Now().Add(within)
	for {
		err := check()
		if err == nil {
			return nil
		}
		var final *finalError
		if errors.As(err, &final) {
			return final.err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s: %w", within, err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }

// Final marks an error that waiting longer will not mend.
func Final(err error) error { return &finalError{err} }
