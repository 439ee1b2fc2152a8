package sandbox_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lethe/sandbox"
	"lethe/sandbox/control"
)

const childEnv = "SANDBOX_TEST_STATE"

// serveIfChild turns the test binary into a sandbox process that can be killed.
func serveIfChild() {
	path := os.Getenv(childEnv)
	if path == "" {
		return
	}
	sys, err := sandbox.New(options(path))
	if err == nil {
		listener, listenErr := sandbox.Listen("127.0.0.1:0", sys)
		if err = listenErr; err == nil {
			fmt.Println("http://" + listener.Addr().String())
			err = sandbox.ServeListener(context.Background(), listener, sys)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func options(path string) sandbox.Options {
	return sandbox.Options{
		Name: "mail", Kind: "mail", StatePath: path, Durable: true, Token: scimToken, ControlToken: controlToken,
	}
}

func startProcess(t *testing.T, path string) (cmd *exec.Cmd, r *rig) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), childEnv+"="+path), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	r = &rig{t: t, url: strings.TrimSpace(line), http: &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}}
	r.control = control.NewClient(r.url, controlToken)
	t.Cleanup(func() { r.control.Close(); r.http.CloseIdleConnections() })
	return cmd, r
}

// What was answered before a kill -9 is there afterwards.
func TestStateSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "mail.json")
	process, r := startProcess(t, path)
	var plants []control.Plant
	for i := range 40 {
		plants = append(plants, control.Plant{ID: fmt.Sprint("a", i), EmployeeNo: fmt.Sprint("E-", i), Groups: []string{"staff"}})
	}
	if _, err := r.control.Plant(t.Context(), plants...); err != nil {
		t.Fatal(err)
	}
	r.faults(7, control.Rule{Match: control.Match{EmployeeNo: "E-39"}, Kind: control.AcceptLater, Count: 5})
	if s, _ := r.scim("PATCH", "/Users/a39", patch(disable)); s != http.StatusAccepted {
		t.Fatalf("got %d", s)
	}
	// Eight callers disable accounts one by one until the process is killed under
	// them; each keeps what it was told.
	var mu sync.Mutex
	told := make(map[string]bool)
	enough := make(chan struct{}, 40)
	var callers sync.WaitGroup
	for c := range 8 {
		callers.Go(func() {
			for i := c; i < 39; i += 8 {
				s, _ := r.scim("PATCH", fmt.Sprint("/Users/a", i), patch(disable))
				if s != 200 {
					return
				}
				mu.Lock()
				told[fmt.Sprint("a", i)] = true
				mu.Unlock()
				enough <- struct{}{}
			}
		})
	}
	for range 15 {
		<-enough
	}
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	callers.Wait()
	_ = process.Wait()
	torn, err := os.OpenFile(path+".journal", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := torn.WriteString(`{"seq":99999,"drop_account":"a0"`); err != nil { // cut by the kill
		t.Fatal(err)
	}
	torn.Close()

	// The second process writes after the torn record and is killed as well; the
	// third one has to read both.
	process, r = startProcess(t, path)
	r.plant(control.Plant{ID: "late", EmployeeNo: "E-40"})
	if err := process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = process.Wait()

	_, r = startProcess(t, path)
	all, err := r.control.Accounts(t.Context(), "")
	if err != nil || len(all) != 41 {
		t.Fatalf("%d accounts, %v", len(all), err)
	}
	for _, a := range all {
		if told[a.ID] && a.Active {
			t.Errorf("%s is active again", a.ID)
		}
	}
	if a := r.account("a39"); a.Active { // accepted before, due at once
		t.Error("what was accepted for later was forgotten")
	}
	if f, err := r.control.Faults(t.Context()); err != nil || len(f.Rules) != 1 || f.Rules[0].Count != 4 {
		t.Errorf("faults: %+v, %v", f, err)
	}
	if effects, err := r.control.Effects(t.Context(), ""); err != nil || len(effects) < len(told)+1 {
		t.Errorf("%d effects for %d answers, %v", len(effects), len(told), err)
	}
	if len(told) < 15 {
		t.Errorf("only %d were told", len(told))
	}
}

func TestStateComesBackAfterClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.json")
	read := func(r *rig) (out struct {
		Accounts []control.Account
		Effects  []control.Effect
		Deletes  int
	}) {
		var err error
		if out.Accounts, err = r.control.Accounts(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		if out.Effects, err = r.control.Effects(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		stats, err := r.control.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out.Deletes = stats.Deletes
		return out
	}
	var before, after any
	t.Run("first", func(t *testing.T) {
		r := start(t, func(o *sandbox.Options) { o.StatePath = path })
		a := r.plant(control.Plant{EmployeeNo: "E-1", Groups: []string{"b", "a"}, Sessions: 2, Tokens: 1, Emails: []string{"x@example.test"}})
		r.plant(control.Plant{EmployeeNo: "E-2", Inactive: true})
		r.scim("PATCH", "/Users/"+a.ID, patch(disable))
		r.scim("DELETE", "/Users/nosuch", "")
		if _, err := sandbox.New(options(path)); err == nil || !strings.Contains(err.Error(), "in use") {
			t.Errorf("a second process on the same state: %v", err)
		}
		before = read(r)
	})
	if raw, err := os.ReadFile(path + ".journal"); err != nil || len(raw) != 0 {
		t.Errorf("the journal was not folded: %d bytes, %v", len(raw), err)
	}
	t.Run("second", func(t *testing.T) {
		r := start(t, func(o *sandbox.Options) { o.StatePath = path })
		after = read(r)
		r.plant(control.Plant{EmployeeNo: "E-3"})
	})
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("state (-before +after):\n%s", diff)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// A kill between renaming the snapshot and emptying the journal leaves records
// that the snapshot already has; a damaged record in the middle is not ignored.
func TestJournalIsReplayedOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mail.json")
	snapshot := `{"format":1,"seq":5,"accounts":[],"effects":[],"deletes":1}`
	for journal, ok := range map[string]bool{
		`{"seq":4,"deletes":1}` + "\n" + `{"seq":5,"deletes":1}` + "\n" + `{"seq":6,"deletes":1}` + "\n": true,
		`{"seq":6,` + "\n" + `{"seq":7,"deletes":1}` + "\n":                                              false,
	} {
		for name, content := range map[string]string{path: snapshot, path + ".journal": journal} {
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if !ok {
			if _, err := sandbox.New(options(path)); err == nil {
				t.Error("a damaged journal was accepted")
			}
			continue
		}
		t.Run("replay", func(t *testing.T) {
			r := start(t, func(o *sandbox.Options) { o.StatePath = path })
			if stats, err := r.control.Stats(t.Context()); err != nil || stats.Deletes != 2 {
				t.Errorf("got %+v, %v; want 2", stats, err)
			}
		})
	}
}

// With thousands of accounts hundreds of writes a second have to be possible.
func TestWritesAreFast(t *testing.T) {
	r := start(t, func(o *sandbox.Options) { o.StatePath = filepath.Join(t.TempDir(), "mail.json") })
	var plants []control.Plant
	for i := range 20_000 {
		plants = append(plants, control.Plant{ID: fmt.Sprint("a", i), EmployeeNo: fmt.Sprint("E-", i), Groups: []string{"staff"}})
	}
	if _, err := r.control.Plant(t.Context(), plants...); err != nil {
		t.Fatal(err)
	}
	const callers, each = 8, 250
	began := time.Now()
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range each {
				if s, _ := r.scim("PATCH", fmt.Sprint("/Users/a", c*each+i), patch(disable)); s != 200 {
					t.Errorf("got %d", s)
				}
			}
		})
	}
	wg.Wait()
	rate := callers * each / time.Since(began).Seconds()
	t.Logf("%.0f writes/s", rate)
	if rate < 300 {
		t.Errorf("%.0f writes/s, want at least 300", rate)
	}
}
