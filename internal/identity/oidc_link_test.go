package identity

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/models"
)

const issuer = "https://login.example.com"

func (o *owner) link(t *testing.T, subject string, by models.Actor) (link models.OIDCLink) {
	t.Helper()
	o.run(t, func(tx *database.Tx) (err error) {
		link, err = LinkLogin(tx, o.user.ID, issuer, subject, by)
		return err
	})
	return link
}

func TestALoginOpensOneUser(t *testing.T) {
	o := newOwner(t)
	by := models.Actor{EmployeeID: person(t, o.env.Facts), Role: models.RoleHRAdmin}
	var other models.User
	o.run(t, func(tx *database.Tx) (err error) {
		other, err = GrantTo(tx, person(t, o.env.Facts), models.RoleAuditor)
		return err
	})
	link := o.link(t, "s-1", by)
	try := func(user uuid.UUID, issuer, subject string) error {
		return database.Run(t.Context(), o.env.Facts, func(tx *database.Tx) error {
			_, err := LinkLogin(tx, user, issuer, subject, by)
			return err
		})
	}
	for name, c := range map[string]struct{ got, want error }{
		"somebody else's login":      {try(other.ID, issuer, "s-1"), ErrSubjectTaken},
		"a second login":             {try(o.user.ID, issuer, "s-2"), ErrAlreadyLinked},
		"nobody":                     {try(uuid.New(), issuer, "s-3"), ErrNoSuchUser},
		"no provider":                {try(other.ID, "", "s-3"), ErrNoProvider},
		"no subject":                 {try(other.ID, issuer, ""), ErrSubject},
		"a long subject":             {try(other.ID, issuer, strings.Repeat("长", 256)), ErrSubject},
		"a line break":               {try(other.ID, issuer, "s\n3"), ErrSubject},
		"no text":                    {try(other.ID, issuer, "\xff"), ErrSubject},
		"NUL":                        {try(other.ID, issuer, "s\x003"), ErrSubject},
		"same subject, other issuer": {try(other.ID, "https://other.example", "s-1"), nil},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
	links, err := Links(t.Context(), o.env.Facts, o.user.ID)
	if err != nil || len(links) != 1 || links[0].ID != link.ID || links[0].ConfirmedAt != nil {
		t.Errorf("the links: %+v, %v", links, err)
	}
	if n := o.entries(t, "login.linked"); n != 2 {
		t.Errorf("%d entries for two links", n)
	}
}

func TestI23_UnlinkingEndsTheSessionsOfTheLogin(t *testing.T) {
	o := newOwner(t)
	link := o.link(t, "s-1", models.System)
	byProvider, _ := o.session(t, models.ByOIDC)
	issue := func() (secret string) {
		o.run(t, func(tx *database.Tx) (err error) {
			held, err := rolesOf(tx.DB(), o.user.ID)
			if err != nil {
				return err
			}
			secret, _, err = Issue(tx, o.user.EmployeeID, held[0], "since the link", time.Hour, true)
			return err
		})
		return secret
	}
	token := issue()
	byPassword, _ := o.session(t, models.ByTOTP)
	unlink := func(user uuid.UUID) error {
		return database.Run(t.Context(), o.env.Facts, func(tx *database.Tx) error { return UnlinkLogin(tx, user, link.ID, models.System) })
	}
	if err := unlink(o.user.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := o.service.AuthenticateSession(t.Context(), byProvider); !errors.Is(err, ErrSessionUnknown) {
		t.Errorf("the session of the login: %v", err)
	}
	if _, err := o.service.AuthenticateSession(t.Context(), byPassword); err != nil {
		t.Errorf("the session by password: %v", err)
	}
	if _, err := Authenticate(t.Context(), o.env.Facts, token, true); !errors.Is(err, ErrTokenRevoked) {
		t.Errorf("a token from the time of a link that nobody confirmed: %v", err)
	}
	if err := unlink(o.user.ID); !errors.Is(err, ErrNoSuchLink) {
		t.Errorf("a second time: %v", err)
	}
	o.link(t, "s-1", models.System) // it is free again
}

func TestResettingAUserEndsItsLinks(t *testing.T) {
	o := newOwner(t)
	for _, end := range []func(tx *database.Tx) error{
		func(tx *database.Tx) error { _, err := o.service.Reset(tx, models.System, o.user.ID); return err },
		func(tx *database.Tx) error { return Disable(tx, o.user.ID, models.System) },
	} {
		o.link(t, "s-1", models.System)
		o.run(t, end)
		if links, err := Links(t.Context(), o.env.Facts, o.user.ID); err != nil || len(links) != 0 {
			t.Errorf("%+v, %v", links, err)
		}
	}
	var back models.User // the same login, for a user that the person gets later
	o.run(t, func(tx *database.Tx) (err error) {
		if back, err = EnsureUser(tx, o.user.EmployeeID, "back-again"); err != nil {
			return err
		}
		_, err = LinkLogin(tx, back.ID, issuer, "s-1", models.System)
		return err
	})
}

// Who linked a login with a user may hold that login: the user cannot approve what its linker asks
// for, until its owner has shown that the login is theirs, or the link is gone.
func TestI21_WhoLinkedALoginIsNotApprovedByIt(t *testing.T) {
	o := newOwner(t)
	linker := person(t, o.env.Facts)
	link := o.link(t, "s-1", models.Actor{EmployeeID: linker, Role: models.RoleHRAdmin})
	suspicious := func(requester uuid.UUID) (found bool) {
		o.run(t, func(tx *database.Tx) (err error) {
			found, err = CreatedOrReset(tx, requester, o.user.ID)
			return err
		})
		return found
	}
	if !suspicious(linker) || suspicious(person(t, o.env.Facts)) {
		t.Error("an unconfirmed link taints its linker's requests, and nobody else's")
	}
	o.run(t, func(tx *database.Tx) error { return confirmLink(tx, link, databasetest.Entry(t, tx)) })
	if suspicious(linker) {
		t.Error("a link that the owner confirmed")
	}
}

// A flow is the browser's that was sent away, once, for five minutes.
func TestAFlowIsTakenOnceByItsBrowser(t *testing.T) {
	o := newOwner(t)
	take := func(h handshake) error {
		return database.Run(t.Context(), o.env.Facts, func(tx *database.Tx) error { _, err := takeFlow(tx, h); return err })
	}
	begin := func() handshake {
		h, err := newHandshake()
		if err != nil {
			t.Fatal(err)
		}
		o.run(t, func(tx *database.Tx) error {
			return storeFlow(tx, models.OIDCFlow{StateHash: hash(h.state), BrowserHash: hash(h.secret), ExpiresAt: o.now(t).Add(FlowLasts)})
		})
		return h
	}
	mine, theirs := begin(), begin()
	for name, c := range map[string]struct {
		h    handshake
		want error
	}{
		"another browser": {handshake{secret: theirs.secret, state: mine.state}, ErrFlowUnknown},
		"no browser":      {handshake{state: mine.state}, ErrFlowUnknown},
		"another state":   {handshake{secret: mine.secret, state: "x"}, ErrFlowUnknown},
	} {
		if err := take(c.h); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := take(mine); err != nil {
		t.Errorf("the right one, after strangers tried: %v", err)
	}
	if err := take(mine); !errors.Is(err, ErrFlowUnknown) {
		t.Errorf("a second time: %v", err)
	}
	o.env.Advance(t, FlowLasts)
	if err := take(theirs); !errors.Is(err, ErrFlowUnknown) {
		t.Errorf("too late: %v", err)
	}
}
