// Package launch starts the servers that `lethe dev` and the tests need (a
// private Postgres, the Temporal dev server) and our own processes, and makes
// sure that none of them outlives its parent, not even one killed by SIGKILL.
package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Command says what to start and how to stop it.
type Command struct {
	Name string   // what messages call it, e.g. "postgres"
	Path string   // the executable
	Args []string // without the executable
	Dir  string   // working directory; empty for the parent's
	Env  []string // the whole environment; nil for the parent's

	LogFile    string         // where its output goes, mode 0600; empty for nowhere
	LogLimit   int64          // bytes before the log is rotated to LogFile.1; 0 for 10 MB
	ExtraFiles []*os.File     // handed down as file descriptors 3, 4, …
	RunAs      *Account       // nil for the parent's user
	StopSignal syscall.Signal // asks it to end; 0 for SIGTERM
	StopWithin time.Duration  // after this it is killed; 0 for 10 s
}

// Process is a child in a process group of its own, so that Ctrl-C in a
// terminal reaches only the parent, which then stops its children in order.
type Process struct {
	command Command
	cmd     *exec.Cmd
	log     *logFile
	done    chan struct{} // closed when it has ended and its output is written
	err     error         // readable after done
}

// ExitError says that a process ended, with the last lines it wrote.
type ExitError struct {
	Name    string
	Status  string // e.g. "exit status 1", "signal: killed"
	LogFile string
	Tail    string // its last lines
}

// Error shows the tail: it usually holds the reason.
func (e *ExitError) Error() string {
	text := fmt.Sprintf("%s stopped (%s)", e.Name, e.Status)
	if e.Tail != "" {
		text += "; its last lines:\n" + indent(e.Tail)
	}
	if e.LogFile != "" {
		text += "\nThe rest is in " + e.LogFile
	}
	return text
}

// Start runs the command until it ends, is stopped, or this process dies.
func Start(command Command) (*Process, error) {
	log, err := openLog(command.LogFile, command.LogLimit)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", command.Name, err)
	}
	output, input, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a pipe for %s: %w", command.Name, err), log.Close())
	}
	cmd := exec.Command(command.Path, command.Args...)
	cmd.Dir, cmd.Env, cmd.ExtraFiles = command.Dir, command.Env, command.ExtraFiles
	// A file, not a writer: Wait must return when the process ends, even while
	// children of its own still hold the pipe.
	cmd.Stdout, cmd.Stderr = input, input
	cmd.SysProcAttr = attributes(command.RunAs)

	err = spawn(cmd)
	closeErr := input.Close()
	if err = errors.Join(err, closeErr); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", command.Name, err), output.Close(), log.Close())
	}
	p := &Process{command: command, cmd: cmd, log: log, done: make(chan struct{})}
	copied := make(chan struct{})
	go p.copyOutput(output, copied)
	go p.watch(copied)
	return p, nil
}

// copyOutput ends when the last holder of the pipe is gone.
func (p *Process) copyOutput(output *os.File, copied chan<- struct{}) {
	defer close(copied)
	p.log.copyFrom(output)
}

// outputGrace is how long the output of an ended process may still arrive.
const outputGrace = 500 * time.Millisecond

// watch waits for the end and keeps its reason.
func (p *Process) watch(copied <-chan struct{}) {
	err := p.cmd.Wait()
	select {
	case <-copied:
	case <-time.After(outputGrace):
	}
	status := "exit status 0"
	if err != nil {
		status = err.Error()
	}
	p.err = &ExitError{Name: p.command.Name, Status: status, LogFile: p.command.LogFile, Tail: p.log.Tail()}
	close(p.done)
}

// Name is what messages call the process.
func (p *Process) Name() string { return p.command.Name }

// Pid is the process id, which is also the id of its group.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended, for whatever reason.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is nil while the process runs and an [*ExitError] afterwards.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Succeeded says whether the process has ended with exit status 0.
func (p *Process) Succeeded() bool {
	select {
	case <-p.done:
		return p.cmd.ProcessState.Success()
	default:
		return false
	}
}

// Tail is what the process wrote last, at most 20 lines.
func (p *Process) Tail() string { return p.log.Tail() }

// Signal sends a signal to the process alone, not to its children. A process
// that has ended is no error.
func (p *Process) Signal(signal syscall.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.command.Name, err)
	}
	return nil
}

// errSlow is why a process was killed that nobody was in a hurry about.
var errSlow = errors.New("it did not stop within its time")

// Stop asks the process to end, kills its group when it takes too long or ctx
// ends first, and returns once it is gone. It reports a kill as an error, which
// wraps ctx's cause if that was the reason; an exit status that is not zero is none.
func (p *Process) Stop(ctx context.Context) error {
	signal, within := p.command.StopSignal, p.command.StopWithin
	if signal == 0 {
		signal = syscall.SIGTERM
	}
	if within == 0 {
		within = 10 * time.Second
	}
	if err := p.Signal(signal); err != nil {
		return err
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	reason := errSlow
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	case <-ctx.Done():
		reason = context.Cause(ctx)
	}
	if err := p.Kill(); err != nil {
		return err
	}
	return fmt.Errorf("%s was killed: %w", p.command.Name, reason)
}

// Kill ends the process and its group at once by SIGKILL and returns once the
// process is gone.
func (p *Process) Kill() error {
	err := syscall.Kill(-p.Pid(), syscall.SIGKILL)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill %s: %w", p.command.Name, err)
	}
	<-p.done
	return nil
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n  ")
}
