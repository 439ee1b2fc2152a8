package launch

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func startTestPostgres(t *testing.T, opts PostgresOptions) *PostgresServer {
	t.Helper()
	server, err := Postgres(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Kill() })
	return server
}

func TestPostgresKeepsDataThroughStopAndKill(t *testing.T) {
	opts := PostgresOptions{Dir: filepath.Join(closedFolder(t), "pg")}
	server := startTestPostgres(t, opts)
	for range 2 { // the second time it exists
		if err := server.CreateDatabase(t.Context(), `odd "name`); err != nil {
			t.Fatal(err)
		}
	}
	conn := connect(t, server.URL("postgres"))
	var version int
	if err := conn.QueryRow(t.Context(), `SELECT current_setting('server_version_num')::int / 10000`).Scan(&version); err != nil || version < oldestPostgres {
		t.Errorf("version %d, %v", version, err)
	}
	execute(t, conn, `CREATE TABLE kept (n int)`)
	execute(t, conn, `INSERT INTO kept VALUES (1)`)
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	opts.Port = server.Port()
	server = startTestPostgres(t, opts)
	execute(t, connect(t, server.URL("postgres")), `INSERT INTO kept VALUES (2)`)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}

	server = startTestPostgres(t, opts)
	var sum int
	if err := connect(t, server.URL("postgres")).QueryRow(t.Context(), `SELECT sum(n) FROM kept`).Scan(&sum); err != nil || sum != 3 {
		t.Errorf("sum %d, %v", sum, err)
	}

	_, err := Postgres(t.Context(), PostgresOptions{Dir: opts.Dir})
	if !errors.Is(err, ErrInUse) {
		t.Errorf("a second server on the same folder: %v", err)
	}
}

func TestPostgresAsksForItsPasswordAndListensOnLoopbackOnly(t *testing.T) {
	server := startTestPostgres(t, PostgresOptions{Dir: filepath.Join(closedFolder(t), "pg"), Settings: map[string]string{"fsync": "off"}})
	wrong := strings.Replace(server.URL("postgres"), server.password, "guess", 1)
	if conn, err := pgx.Connect(t.Context(), wrong); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a wrong password is accepted")
	}
	conn := connect(t, server.URL("postgres"))
	for setting, want := range map[string]string{"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "synchronous_commit": "on"} {
		var got string
		if err := conn.QueryRow(t.Context(), `SELECT current_setting($1)`, setting).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v", setting, got, err)
		}
	}
	info, err := os.Stat(filepath.Join(server.dir, passwordFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("password file: %v %v", info, err)
	}
	if data, err := os.Stat(filepath.Join(server.dir, dataFolder)); err != nil || data.Mode().Perm() != 0o700 {
		t.Errorf("data folder: %v %v", data, err)
	}
}

// A failing statement quotes rows in its detail; the server's log must not.
func TestPostgresLogShowsNoValues(t *testing.T) {
	server := startTestPostgres(t, PostgresOptions{Dir: filepath.Join(closedFolder(t), "pg"), Settings: map[string]string{"fsync": "off"}})
	conn := connect(t, server.URL("postgres"))
	execute(t, conn, `CREATE TABLE one (secret text PRIMARY KEY)`)
	for range 2 {
		_, _ = conn.Exec(t.Context(), `INSERT INTO one VALUES ($1)`, "CANARY-VALUE")
		_, _ = conn.Exec(t.Context(), `INSERT INTO one VALUES ('CANARY-VALUE')`)
	}
	within(t, 5*time.Second, "the failure is logged", func() bool { return strings.Contains(server.Tail(), "duplicate key") })
	content, err := os.ReadFile(filepath.Join(server.dir, "postgres.log"))
	if err != nil || strings.Contains(string(content), "CANARY") {
		t.Errorf("the log quotes a value (%v):\n%s", err, content)
	}
}

// The parent is killed while a backend computes and so notices nothing: the
// next start must not wait for it, nor fail.
func TestPostgresRecoversFromAKilledParent(t *testing.T) {
	dir := filepath.Join(closedFolder(t), "pg")
	parent, url := startParent(t, "postgres:"+dir)
	busy := connect(t, url)
	execute(t, busy, `CREATE TABLE kept AS SELECT 1 AS n`)
	go func() { _, _ = busy.Exec(t.Context(), `SELECT count(*) FROM generate_series(1, 10000000000)`) }()
	time.Sleep(200 * time.Millisecond)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	server := startTestPostgres(t, PostgresOptions{Dir: dir})
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the start took %s", took)
	}
	execute(t, connect(t, server.URL("postgres")), `INSERT INTO kept VALUES (2)`)
}

func TestPostgresIgnoresAReusedPidAndAHalfMadeFolder(t *testing.T) {
	dir := filepath.Join(closedFolder(t), "pg")
	if err := os.MkdirAll(filepath.Join(dir, "data.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	opts := PostgresOptions{Dir: dir, Settings: map[string]string{"fsync": "off"}}
	if err := startTestPostgres(t, opts).Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data.new")); err == nil {
		t.Error("the half-made folder is still there")
	}
	// A stranger of the same user now has the server's old number.
	account, err := postgresUser(t)
	if err != nil {
		t.Fatal(err)
	}
	stranger := shell(t, "sleep 1000", func(c *Command) { c.Dir, c.RunAs = "/", account })
	pidFile := filepath.Join(dir, "data", "postmaster.pid")
	content, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(content), "\n")
	if err := os.WriteFile(pidFile, []byte(itoa(stranger.Pid())+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	startTestPostgres(t, opts)
	if stranger.Err() != nil {
		t.Error("the stranger was stopped")
	}
}

func postgresUser(t *testing.T) (*Account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	return postgresAccount(t.Context(), nil)
}

func TestPostgresNamesATakenPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	_, err = Postgres(t.Context(), PostgresOptions{
		Dir: filepath.Join(closedFolder(t), "pg"), Port: listener.Addr().(*net.TCPAddr).Port, PortSetting: "LETHE_POSTGRES_PORT",
	})
	if !errors.Is(err, ErrPortTaken) || !strings.Contains(err.Error(), "LETHE_POSTGRES_PORT") {
		t.Errorf("Postgres = %v", err)
	}
}

func TestPostgresShowsWhyItDoesNotStart(t *testing.T) {
	_, err := Postgres(t.Context(), PostgresOptions{Dir: filepath.Join(closedFolder(t), "pg"), Settings: map[string]string{"max_connections": "many"}})
	var exit *ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "max_connections") {
		t.Errorf("Postgres = %v", err)
	}
}

func TestNewestPostgresComparesNumbers(t *testing.T) {
	root := t.TempDir()
	var folders []string
	for _, version := range []string{"9.6", "14", "15", "100", "101"} {
		folder := filepath.Join(root, version, "bin")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"initdb", "postgres"} {
			if version == "101" && name == "initdb" {
				continue // client package only
			}
			if err := os.WriteFile(filepath.Join(folder, name), nil, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		folders = append(folders, folder)
	}
	if got := newestPostgres(folders); got != filepath.Join(root, "100", "bin") {
		t.Errorf("newest is %s", got)
	}
	if got := newestPostgres(folders[:2]); got != "" {
		t.Errorf("%s is too old", got)
	}
}
