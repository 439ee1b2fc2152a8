package identity

import (
	"crypto/rand"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"

	"lethe/internal/database"
	"lethe/internal/vault"
)

// Options are an installation's settings. Zero values mean the defaults.
type Options struct {
	// Idle ends a session that was not used for so long, 30 minutes by default.
	Idle time.Duration
	// Absolute ends every session after so long, 12 hours by default.
	Absolute time.Duration
	// Argon are the parameters of new password hashes; stored ones that are weaker are raised at
	// the next login.
	Argon Argon
	// Insecure leaves cookies usable over plain HTTP, for development.
	Insecure bool
}

// Service is what the handlers of logins, credentials and sessions share.
type Service struct {
	db       *database.DB
	secrets  vault.Loose
	sessions *scs.SessionManager
	hasher   *hasher
	flood    *flood
	options  Options
	// loginKey keys the digests of logins that nobody has, which may be mistyped passwords. It
	// lives as long as the process: what it hides need never be found again.
	loginKey []byte
}

// New is the service on a database with the vault's part for secrets of no employment.
func New(db *database.DB, secrets vault.Loose, o Options) *Service {
	if o.Idle == 0 {
		o.Idle = 30 * time.Minute
	}
	if o.Absolute == 0 {
		o.Absolute = 12 * time.Hour
	}
	o.Argon = o.Argon.orDefault()
	s := &Service{db: db, secrets: secrets, hasher: newHasher(o.Argon), flood: newFlood(), options: o, loginKey: make([]byte, 32)}
	_, _ = rand.Read(s.loginKey) // never fails: it crashes the program instead
	s.sessions = s.newManager()
	return s
}

// Client is where a request comes from.
type Client struct {
	Address netip.Addr
	Agent   string // what the browser calls itself
	// Device is the value of the cookie that a browser keeps after a login.
	Device string
}
