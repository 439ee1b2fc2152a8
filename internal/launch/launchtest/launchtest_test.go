package launchtest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// With this variable the test binary starts a Postgres of its own, prints its
// address and ends at once, as a test binary does.
const aloneRole = "LETHE_TEST_LAUNCHTEST_ALONE"

func TestMain(m *testing.M) {
	if os.Getenv(aloneRole) != "" {
		os.Stdout.WriteString(Postgres())
		return
	}
	goleak.VerifyTestMain(m, Goroutines()...)
}

func TestServersAreSharedAndAnswer(t *testing.T) {
	url := Postgres()
	if Postgres() != url {
		t.Error("a second call starts a second server")
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	var mayCreate bool
	err = conn.QueryRow(t.Context(), `SELECT rolcreatedb FROM pg_roles WHERE rolname = current_user`).Scan(&mayCreate)
	if err != nil || !mayCreate {
		t.Errorf("may create databases: %v, %v", mayCreate, err)
	}
	address, namespace := Temporal()
	if namespace == "" {
		t.Error("no namespace")
	}
	dialed, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = dialed.Close()
}

// A test binary that runs without the test bed has servers of its own, which
// end with it, and whose folder the next one removes.
func TestAloneAProcessTakesItsServerAlong(t *testing.T) {
	scratch := t.TempDir()
	run := func() string {
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{aloneRole + "=1", "TMPDIR=" + scratch, "PATH=" + os.Getenv("PATH"), "HOME=" + scratch}
		output, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(output)
	}
	url := run()
	if !strings.HasPrefix(url, "postgres://") {
		t.Fatalf("address %q", url)
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			break
		}
		_ = conn.Close(t.Context())
		if time.Now().After(deadline) {
			t.Fatal("the server outlived its process")
		}
	}
	run()
	left, err := filepath.Glob(filepath.Join(scratch, "lethe-test-*", "run-*"))
	if err != nil || len(left) != 1 {
		t.Errorf("folders left: %v, %v", left, err)
	}
}
