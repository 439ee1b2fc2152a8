package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// Account is a user of the operating system that a child runs as.
type Account struct {
	Name     string
	UID, GID uint32
}

// credential drops every supplementary group.
func (a *Account) credential() *syscall.Credential {
	return &syscall.Credential{Uid: a.UID, Gid: a.GID, Groups: []uint32{}}
}

// serviceUser is created where the machine has no user for Postgres.
const serviceUser = "lethe-pg"

// postgresAccount finds the user that Postgres runs as when we are root, which
// Postgres refuses: "postgres" where Debian's package created it, else a
// system user of our own. nobody is not used: other services share it.
func postgresAccount(ctx context.Context, progress io.Writer) (*Account, error) {
	for _, name := range []string{"postgres", serviceUser} {
		account, err := lookupAccount(name)
		if err == nil {
			return account, nil
		}
		var unknown user.UnknownUserError
		if !errors.As(err, &unknown) {
			return nil, err
		}
	}
	say(progress, "creating the system user %s for Postgres", serviceUser)
	err := exec.CommandContext(ctx, "useradd", "--system", "--user-group", "--no-create-home",
		"--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", serviceUser).Run()
	if err != nil {
		return nil, fmt.Errorf("create the system user %s, since Postgres refuses to run as root (run as another user instead): %w", serviceUser, err)
	}
	return lookupAccount(serviceUser)
}

func lookupAccount(name string) (*Account, error) {
	found, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("look up the user %s: %w", name, err)
	}
	uid, errUID := strconv.ParseUint(found.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(found.Gid, 10, 32)
	if err := errors.Join(errUID, errGID); err != nil {
		return nil, fmt.Errorf("read the ids of the user %s: %w", name, err)
	}
	return &Account{Name: name, UID: uint32(uid), GID: uint32(gid)}, nil
}

// say writes one progress line; nil means nobody is looking.
func say(progress io.Writer, format string, args ...any) {
	if progress != nil {
		_, _ = fmt.Fprintf(progress, format+"\n", args...)
	}
}
