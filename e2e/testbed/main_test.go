package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// With this variable the test binary is the program itself.
const programRole = "LETHE_TEST_TESTBED_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(programRole) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(arguments ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], arguments...)
	cmd.Env = append(os.Environ(), programRole+"=1")
	return cmd
}

func TestTheCommandSeesTheServersAndItsExitCodeIsReturned(t *testing.T) {
	output, err := program("--", "sh", "-c", `echo $LETHE_TEST_DATABASE_URL $LETHE_TEST_TEMPORAL_ADDRESS $LETHE_TEST_TEMPORAL_NAMESPACE; exit 7`).Output()
	exit, ok := err.(*exec.ExitError)
	if !ok || exit.ExitCode() != 7 {
		t.Fatalf("ended with %v", err)
	}
	words := strings.Fields(string(output))
	if len(words) != 3 || !strings.HasPrefix(words[0], "postgres://") || !strings.HasPrefix(words[1], "127.0.0.1:") {
		t.Fatalf("the command saw %q", words)
	}
	if conn, err := net.Dial("tcp", words[1]); err == nil {
		_ = conn.Close()
		t.Error("Temporal outlived the run")
	}
}

func TestSignalsArePassedOn(t *testing.T) {
	cmd := program("--", "sh", "-c", `trap 'exit 5' TERM; echo ready; while :; do sleep 0.02; done`)
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(output).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 5 {
		t.Errorf("ended with %v", err)
	}
}

func TestNoCommandIsAnError(t *testing.T) {
	if err := program("--").Run(); err == nil || err.(*exec.ExitError).ExitCode() != 2 {
		t.Errorf("ended with %v", err)
	}
}
