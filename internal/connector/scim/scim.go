// Package scim is the connector for systems that speak SCIM 2.0 (RFC 7643,
// RFC 7644).
//
// What the protocol leaves open is settled so:
//
//   - An account is disabled by PATCH of active and taken out of its groups by PATCH
//     of each group. DELETE is never sent: a deleted account cannot be relinked, and
//     some providers free its name for somebody else. Neither is PUT: it takes away
//     what others put in meanwhile.
//   - Providers disagree on the form of PATCH. Each form is followed by the other one
//     if it was refused, or if it was answered with success and had none; the one
//     that worked is remembered.
//   - A group is asked to remove members[value eq "…"], and the account to leave the
//     group. A remove of members with the member in a value empties the group for
//     everybody where the provider follows RFC 7644 section 3.5.2.2 to the letter; it
//     is sent only where the systems file says that it may be.
//   - Filters are not believed until they were seen to find; where they do not, the
//     whole list is read and searched here.
//   - Only the protocol's own 404, read twice, is a missing account.
//   - SCIM has no operation that ends sessions. POST
//     /Users/{id}/sessions/revocations is asked for; a provider that does not
//     know it answers 404 or 501, which is NotOffered. Sessions that it reports
//     in the access extension then show up as residue.
//   - The link between an account and the employee is kept on our side only, so
//     Detach has nothing to send.
//   - A user without the attribute active is a bad answer. It is never taken for
//     a disabled one, and switched off all the same.
package scim

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"lethe/internal/connector"
)

// Options of a client. BaseURL, Token and Timeout are required.
type Options struct {
	BaseURL string        // the SCIM root, such as https://mail.example/scim/v2
	Token   string        // bearer token
	Timeout time.Duration // of one HTTP call, redirects and body included
	// Match is the attribute that carries the employee number; see
	// connector.SystemConfig.
	Match string
	// RemoveByValue says that the system honours a value beside a remove of members.
	RemoveByValue bool
	// PageSize is the count asked for in lists; 0 means 100.
	PageSize int
	// CheckAfter is when to read back after a 202 that does not say; 0 means 5 s.
	CheckAfter time.Duration
	// Now is the clock against which a Retry-After date is read when the answer
	// itself has no Date, and by which filters are trusted; nil is the wall clock.
	Now func() time.Time
}

// Client is the connector of one system. It is safe for concurrent use.
type Client struct {
	opts  Options
	base  string
	http  *http.Client
	match attribute
	// Forms of PATCH that worked: for active, for leaving and for joining groups.
	users, leaves, joins form
	// Until when the filters by number and by member count as ones that find.
	findTrusted, groupsTrusted instant
	most                       atomic.Int64 // users in the largest list of everybody so far
}

// form remembers which of a list of PATCH forms worked last.
type form struct{ atomic.Int32 }

// instant is a time that goroutines share; zero is long ago.
type instant struct{ nanos atomic.Int64 }

func (i *instant) set(t time.Time)  { i.nanos.Store(t.UnixNano()) }
func (i *instant) until() time.Time { return time.Unix(0, i.nanos.Load()) }

func (c *Client) now() time.Time { return c.opts.Now() }

// New returns a client. It opens no connection yet.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.BaseURL)
	if err != nil || u.Host == "" {
		return nil, errors.New("scim: base URL must be absolute")
	}
	if o.Token == "" || o.Timeout <= 0 {
		return nil, errors.New("scim: token and timeout are required")
	}
	if o.PageSize <= 0 {
		o.PageSize = 100
	}
	if o.CheckAfter <= 0 {
		o.CheckAfter = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Client{
		opts: o, base: strings.TrimRight(o.BaseURL, "/"), http: newHTTPClient(o.Timeout), match: attributeOf(o.Match),
	}, nil
}

// Factory builds a client of a registry entry.
func Factory(c connector.SystemConfig) (connector.Connector, error) {
	return New(Options{
		BaseURL: c.BaseURL, Token: c.Token, Timeout: c.Timeout(), Match: c.Match,
		RemoveByValue: c.RemoveMembers == connector.RemoveByValue,
	})
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

var (
	_ connector.Connector = (*Client)(nil)
	_ connector.Lister    = (*Client)(nil)
	_ connector.Inspector = (*Client)(nil)
)
