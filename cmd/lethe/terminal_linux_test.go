package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lethe/models"
)

// TestCtrlCAtATerminal presses Ctrl-C at the question of a real terminal, with this very binary as lethe; a y at the
// same question begins the departure.
func TestCtrlCAtATerminal(t *testing.T) {
	if args := os.Getenv("LETHE_TEST_TERMINAL"); args != "" {
		ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
		code := run(ctx, strings.Split(args, " "))
		stop()
		os.Exit(code)
	}
	o := newOffice(t)
	leaver := o.hired("E1", "张伟")
	for _, c := range []struct {
		press      string
		code, then int
	}{{"\x03", 1, 0}, {"y\n", 0, 1}} {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCtrlCAtATerminal$")
		command.Env = append(os.Environ(), "LETHE_TEST_TERMINAL=depart E1 --last-working-day="+o.day(30)+" --lang=zh", "LETHE_API="+o.address, "LETHE_TOKEN="+o.tokens[models.RoleHRAdmin])
		shown := atTerminal(t, command, "[y/N]", c.press)
		if code := command.ProcessState.ExitCode(); code != c.code || len(o.departures(leaver)) != c.then {
			t.Errorf("after %q: exit %d, %d departures\n%s", c.press, code, len(o.departures(leaver)), shown)
		}
	}
}

// atTerminal runs a command at a terminal of its own, presses keys once it shows something, and returns all that it
// showed.
func atTerminal(t *testing.T, command *exec.Cmd, shows, press string) string {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = keyboard.Close() }()
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	screen, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	command.Stdin, command.Stdout, command.Stderr = screen, screen, screen
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	_ = screen.Close()
	var shown bytes.Buffer
	pressed := false
	time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
	for piece := make([]byte, 4096); ; {
		n, err := keyboard.Read(piece)
		shown.Write(piece[:n])
		if !pressed && strings.Contains(shown.String(), shows) {
			pressed = true
			if _, err := keyboard.WriteString(press); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil { // the other side is closed: the command has ended
			_ = command.Wait()
			return shown.String()
		}
	}
}
