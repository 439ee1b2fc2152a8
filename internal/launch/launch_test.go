package launch

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The test binary plays a second role: started with this variable it is a
// parent that launches something, says so, and waits to be killed.
const parentRole = "LETHE_TEST_LAUNCH_PARENT"

func TestMain(m *testing.M) {
	if role := os.Getenv(parentRole); role != "" {
		playParent(role)
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("lethe/internal/launch.spawnForever"))
}

// playParent starts what the role names, prints one line and sleeps.
func playParent(role string) {
	kind, argument, _ := strings.Cut(role, ":")
	var line string
	var err error
	switch kind {
	case "sleep":
		var p *Process
		if p, err = Start(Command{Name: "sleep", Path: "sleep", Args: []string{"1000"}}); err == nil {
			line = fmt.Sprint(p.Pid())
		}
	case "postgres":
		var s *PostgresServer
		if s, err = Postgres(context.Background(), PostgresOptions{Dir: argument}); err == nil {
			line = s.URL("postgres")
		}
	}
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	fmt.Println(line)
	time.Sleep(time.Hour)
}

// startParent runs the test binary in a parent's role and returns its line.
func startParent(t *testing.T, role string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), parentRole+"="+role)
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil || strings.HasPrefix(line, "failed") {
		t.Fatalf("the parent did not start: %q %v", line, err)
	}
	return cmd, strings.TrimSpace(line)
}

// within fails the test unless the condition comes true in time.
func within(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", limit, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// closedFolder is one that only we can enter, as a home folder is.
func closedFolder(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	return folder
}
