package launch

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	dataFolder   = "data"
	passwordFile = "password"
)

// When we are root, the user that Postgres runs as often can't reach the
// checkout: a home folder is closed to others, /root always is. Its data folder
// is therefore opened by us and handed down as file descriptor 3, and Postgres
// is given that as its path; nothing outside has to be opened up to it.
const (
	inheritedFolder   = "/proc/self/fd/3"
	inheritedPassword = "/proc/self/fd/4"
)

// cluster is the data folder of one private Postgres.
type cluster struct {
	dir      string // absolute
	binaries string
	account  *Account // nil: as ourselves
	progress io.Writer
}

// path is what Postgres is told for something that it inherits or can open.
func (c *cluster) path(own, inherited string) string {
	if c.account == nil {
		return own
	}
	return inherited
}

// prepare makes the data folder at the first start, clears away what a killed
// run left at later ones, and returns the superuser's password.
func (c *cluster) prepare(ctx context.Context) (string, error) {
	data := filepath.Join(c.dir, dataFolder)
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		say(c.progress, "creating a private Postgres in %s", c.dir)
		if err := c.initialise(ctx, data); err != nil {
			return "", err
		}
	} else if err != nil {
		return "", fmt.Errorf("look at the data folder of Postgres: %w", err)
	}
	if err := c.clearOrphans(ctx, data); err != nil {
		return "", err
	}
	password, err := os.ReadFile(filepath.Join(c.dir, passwordFile))
	if err != nil {
		return "", fmt.Errorf("read the password of the private Postgres: %w", err)
	}
	return strings.TrimSpace(string(password)), nil
}

// initialise makes the folder beside its final place and moves it there when it
// is complete, so that a kill in between leaves nothing that looks usable.
func (c *cluster) initialise(ctx context.Context, data string) error {
	fresh := data + ".new"
	if _, err := os.Stat(fresh); err == nil {
		if err := killAll(fresh); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove a half-made data folder: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return fmt.Errorf("create the data folder of Postgres: %w", err)
	}
	if err := c.own(fresh); err != nil {
		return err
	}
	path := filepath.Join(c.dir, passwordFile)
	if err := writeSynced(path, rand.Text()+"\n"); err != nil {
		return fmt.Errorf("write the password of the private Postgres: %w", err)
	}
	if err := c.runInitdb(ctx, fresh, path); err != nil {
		return err
	}
	if err := os.Rename(fresh, data); err != nil {
		return fmt.Errorf("move the new data folder into place: %w", err)
	}
	return nil
}

// own gives a file to the user that Postgres runs as.
func (c *cluster) own(path string) error {
	if c.account == nil {
		return nil
	}
	if err := os.Chown(path, int(c.account.UID), int(c.account.GID)); err != nil {
		return fmt.Errorf("give %s to the user %s: %w", filepath.Base(path), c.account.Name, err)
	}
	return nil
}

func (c *cluster) runInitdb(ctx context.Context, data, password string) error {
	folder, err := os.Open(data)
	if err != nil {
		return fmt.Errorf("open the data folder of Postgres: %w", err)
	}
	defer func() { _ = folder.Close() }()
	secret, err := c.passwordForInitdb(password)
	if err != nil {
		return err
	}
	defer func() { _ = secret.Close() }()
	process, err := Start(Command{
		Name: "initdb",
		Path: filepath.Join(c.binaries, "initdb"),
		Args: []string{"-D", c.path(data, inheritedFolder), "--username=" + Superuser, "--pwfile=" + c.path(password, inheritedPassword),
			"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"},
		Dir:        "/",
		Env:        postgresEnvironment(),
		ExtraFiles: []*os.File{folder, secret},
		RunAs:      c.account,
	})
	if err != nil {
		return err
	}
	select {
	case <-process.Done():
	case <-ctx.Done():
		return errors.Join(ctx.Err(), process.Kill())
	}
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err != nil || !process.Succeeded() {
		return process.Err()
	}
	return nil
}

// passwordForInitdb opens a copy of the password that only initdb's user may
// read and that has no name any more.
func (c *cluster) passwordForInitdb(path string) (*os.File, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the password of the private Postgres: %w", err)
	}
	copied := path + ".initdb"
	if err := writeSynced(copied, string(content)); err != nil {
		return nil, fmt.Errorf("hand the password to initdb: %w", err)
	}
	defer func() { _ = os.Remove(copied) }()
	if err := c.own(copied); err != nil {
		return nil, err
	}
	file, err := os.Open(copied)
	if err != nil {
		return nil, fmt.Errorf("hand the password to initdb: %w", err)
	}
	return file, nil
}

// orphanGrace is how long the server of a killed run may take to end itself.
const orphanGrace = 10 * time.Second

// clearOrphans ends what still runs on the data folder and removes its pid
// file. We hold the folder's lock, so the launcher of those processes is dead.
func (c *cluster) clearOrphans(ctx context.Context, data string) error {
	pids, err := processesIn(data)
	if err != nil {
		return fmt.Errorf("look for what a former run left: %w", err)
	}
	if len(pids) == 0 {
		return removePidFile(data)
	}
	say(c.progress, "stopping the Postgres of a former run")
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGINT) // the server: fast shutdown; a backend: cancel
	}
	deadline := time.After(orphanGrace)
	for len(pids) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			if err := killAll(data); err != nil {
				return err
			}
			return removePidFile(data)
		case <-time.After(50 * time.Millisecond):
		}
		if pids, err = processesIn(data); err != nil {
			return fmt.Errorf("look for what a former run left: %w", err)
		}
	}
	return removePidFile(data)
}

// KillServersIn kills the servers whose data is in folders of this one, and waits until none is left.
func KillServersIn(folder string) error {
	clusters, err := filepath.Glob(filepath.Join(folder, "*", dataFolder))
	for _, data := range clusters {
		err = errors.Join(err, killAll(data))
	}
	return err
}

// killAll kills every process in the folder and waits until none is left.
func killAll(data string) error {
	for range 100 {
		pids, err := processesIn(data)
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("processes of a killed Postgres do not end")
}

// removePidFile is safe only while no process runs in the folder. Left in
// place, the file stops Postgres when its number was given to another process.
func removePidFile(data string) error {
	if err := os.Remove(filepath.Join(data, "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the pid file of a former run: %w", err)
	}
	return nil
}

// writeSynced writes a file with mode 0600 so that it survives a power cut.
func writeSynced(path, content string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(content)
	return errors.Join(err, file.Sync(), file.Close())
}

// run executes a tool of the system and shows its output as it comes.
func run(ctx context.Context, output io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
