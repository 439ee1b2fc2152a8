package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// ErrNoPostgres is wrapped when the machine has no Postgres to start and none
// can be installed. The text says what to install.
var ErrNoPostgres = errors.New("no Postgres found")

// oldestPostgres is the first major version that the migrations run on.
const oldestPostgres = 15

// findPostgres is the folder with the newest usable initdb and postgres.
func findPostgres(ctx context.Context, opts PostgresOptions) (string, error) {
	if folder := newestPostgres(debianFolders()); folder != "" {
		return folder, nil
	}
	if folder := postgresOnPath(ctx); folder != "" {
		return folder, nil
	}
	if err := installPostgres(ctx, opts); err != nil {
		return "", err
	}
	if folder := newestPostgres(debianFolders()); folder != "" {
		return folder, nil
	}
	return "", fmt.Errorf("%w: the installed package brought no version from %d on; install one, or set DATABASE_URL", ErrNoPostgres, oldestPostgres)
}

// debianFolders are where Debian, and the packages of postgresql.org for other
// systems, put the servers, which are not on the PATH.
func debianFolders() []string {
	var all []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"} {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		all = append(all, found...)
	}
	return all
}

var firstNumber = regexp.MustCompile(`\d+`)

// newestPostgres picks by the major version in the folder's name; empty when
// none is new enough and complete.
func newestPostgres(folders []string) string {
	best, bestVersion := "", oldestPostgres-1
	for _, folder := range folders {
		version, err := strconv.Atoi(firstNumber.FindString(filepath.Base(filepath.Dir(folder))))
		if err == nil && version > bestVersion && complete(folder) {
			best, bestVersion = folder, version
		}
	}
	return best
}

func complete(folder string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		info, err := os.Stat(filepath.Join(folder, name))
		if err != nil || info.Mode()&0o111 == 0 {
			return false
		}
	}
	return true
}

// postgresOnPath asks a server on the PATH for its version.
func postgresOnPath(ctx context.Context) string {
	path, err := exec.LookPath("postgres")
	if err != nil {
		return ""
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return ""
	}
	output, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return ""
	}
	version, err := strconv.Atoi(firstNumber.FindString(string(output)))
	if err != nil || version < oldestPostgres || !complete(filepath.Dir(path)) {
		return ""
	}
	return filepath.Dir(path)
}

// installPostgres installs Debian's package where we may. The shared cluster
// that the package would make and start is switched off first: we want the
// binaries only, and port 5432 belongs to the machine's owner.
func installPostgres(ctx context.Context, opts PostgresOptions) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%w: install PostgreSQL %d or newer, or set DATABASE_URL", ErrNoPostgres, oldestPostgres)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: run `sudo apt-get install postgresql` (or set DATABASE_URL) and start again", ErrNoPostgres)
	}
	say(opts.Progress, "installing PostgreSQL with apt-get")
	steps := [][]string{
		{"apt-get", "update", "-q"},
		{"apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql-common"},
		{"sed", "-i", `s/^#*\s*create_main_cluster\s*=.*/create_main_cluster = false/`, "/etc/postgresql-common/createcluster.conf"},
		{"apt-get", "install", "-q", "-y", "--no-install-recommends", "postgresql"},
	}
	for _, step := range steps {
		if err := run(ctx, opts.Progress, step[0], step[1:]...); err != nil {
			return fmt.Errorf("install PostgreSQL (`apt-get install postgresql` does it by hand): %w", err)
		}
	}
	return nil
}
