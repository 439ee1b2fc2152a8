package launch

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func shell(t *testing.T, script string, change func(*Command)) *Process {
	t.Helper()
	command := Command{Name: "script", Path: "/bin/sh", Args: []string{"-c", script}}
	if change != nil {
		change(&command)
	}
	p, err := Start(command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

func TestStopAsksFirst(t *testing.T) {
	log := filepath.Join(t.TempDir(), "logs", "script.log")
	p := shell(t, `trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.02; done`, func(c *Command) { c.LogFile = log })
	within(t, 5*time.Second, "the script is ready", func() bool { return p.Tail() == "ready" })
	if err := p.Err(); err != nil {
		t.Fatalf("it runs, but Err is %v", err)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(log)
	if err != nil || string(content) != "ready\nbye\n" {
		t.Errorf("log %q, %v", content, err)
	}
	if p.Succeeded() {
		t.Error("exit status 3 counts as success")
	}
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	p := shell(t, `trap '' TERM; echo ready; while :; do sleep 0.02; done`, func(c *Command) { c.StopWithin = 100 * time.Millisecond })
	within(t, 5*time.Second, "the script is ready", func() bool { return p.Tail() == "ready" })
	if err := p.Stop(t.Context()); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("Stop = %v", err)
	}
	select {
	case <-p.Done():
	default:
		t.Error("it still runs")
	}
}

func TestExitErrorShowsTheLastLines(t *testing.T) {
	p := shell(t, `for i in $(seq 100); do echo line $i; done; echo "disk on fire" >&2; exit 7`, nil)
	<-p.Done()
	var exit *ExitError
	if !errors.As(p.Err(), &exit) || exit.Status != "exit status 7" {
		t.Fatalf("Err = %v", p.Err())
	}
	if !strings.HasSuffix(exit.Tail, "line 100\ndisk on fire") || strings.Contains(exit.Tail, "line 50\n") {
		t.Errorf("tail %q", exit.Tail)
	}
}

func TestLogStaysBounded(t *testing.T) {
	log := filepath.Join(t.TempDir(), "script.log")
	p := shell(t, `for i in $(seq 2000); do echo "a line of some length, number $i"; done`, func(c *Command) { c.LogFile, c.LogLimit = log, 4096 })
	<-p.Done()
	for _, path := range []string{log, log + ".1"} {
		info, err := os.Stat(path)
		if err != nil || info.Size() > 64<<10 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", path, info, err)
		}
	}
	if !strings.HasSuffix(p.Tail(), "number 2000") {
		t.Errorf("tail %q", p.Tail())
	}
}

// A grandchild that keeps the output open must not make its parent look alive.
func TestEndIsSeenDespiteGrandchildren(t *testing.T) {
	p := shell(t, `sleep 1000 & exit 0`, nil)
	select {
	case <-p.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the end was not seen")
	}
	if err := p.Kill(); err != nil { // takes the grandchild along
		t.Fatal(err)
	}
	within(t, 5*time.Second, "the whole group is gone", func() bool {
		return errors.Is(syscall.Kill(-p.Pid(), 0), syscall.ESRCH)
	})
}

func TestKilledParentLeavesNoOrphan(t *testing.T) {
	parent, line := startParent(t, "sleep")
	child, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(child, 0); err != nil {
		t.Fatalf("the child does not run: %v", err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	within(t, 5*time.Second, "the child is gone", func() bool { return !running(child) })
}

// running is false for zombies: whoever inherits them may not collect them.
func running(pid int) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(status), ") Z ")
}

func TestCheckPortNamesTheSetting(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	err = CheckPort(t.Context(), port, "LETHE_LISTEN")
	if !errors.Is(err, ErrPortTaken) || !strings.Contains(err.Error(), strconv.Itoa(port)) || !strings.Contains(err.Error(), "choose another with LETHE_LISTEN") {
		t.Errorf("CheckPort = %v", err)
	}
	// What a killed run leaves goes away soon: the check waits for it.
	time.AfterFunc(200*time.Millisecond, func() { _ = listener.Close() })
	if err := CheckPort(t.Context(), port, "LETHE_LISTEN"); err != nil {
		t.Errorf("the port became free: %v", err)
	}
}

func TestFreePortsDifferAndAreFree(t *testing.T) {
	ports, err := FreePorts(20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, port := range ports {
		if seen[port] || port < firstFreePort || port > lastFreePort {
			t.Errorf("port %d", port)
		}
		seen[port] = true
		if err := CheckPort(t.Context(), port, "test"); err != nil {
			t.Error(err)
		}
	}
}
