// Package control holds the wire types of a sandbox system's control calls and
// a client for them. Tests, the crash harness and the demo data use it to plant
// accounts, to order misbehaviour and to read what really happened.
package control

import (
	"errors"
	"time"
)

// Operations that a fault can match. OpRead and OpMutate stand for the class;
// an empty operation matches every call.
const (
	OpFind        = "find"         // GET /Users
	OpGet         = "get"          // GET /Users/{id}
	OpCreate      = "create"       // POST /Users
	OpReplace     = "replace"      // PUT /Users/{id}
	OpDisable     = "disable"      // PATCH active to false
	OpEnable      = "enable"       // PATCH active to true
	OpModify      = "modify"       // any other PATCH of a user
	OpRevoke      = "revoke"       // POST /Users/{id}/sessions/revocations
	OpDelete      = "delete"       // DELETE /Users/{id}
	OpGroupFind   = "group_find"   // GET /Groups, /Groups/{id}
	OpGroupAdd    = "group_add"    // a member added
	OpGroupRemove = "group_remove" // a member removed
	OpConfig      = "config"       // ServiceProviderConfig, Schemas, ResourceTypes

	OpRead   = "read"
	OpMutate = "mutate"

	// OpReenableByHand appears in effects only: somebody used the control call.
	OpReenableByHand = "reenable_by_hand"
)

// Kinds of fault.
const (
	Delay       = "delay"        // waits Rule.Delay, then goes on; combines with other rules
	Status      = "status"       // answers Rule.Status, with Retry-After if RetryAfter is set
	CutBefore   = "cut_before"   // cuts the connection, nothing happened
	CutAfter    = "cut_after"    // cuts the connection after the effect
	Lie         = "lie"          // answers success without the effect
	AcceptLater = "accept_later" // answers 202 and does it Rule.After later
	Residue     = "residue"      // revoke leaves a session, group_remove the membership
	Unknown     = "unknown"      // the account is not known: 404, empty lookups
	ShortPage   = "short_page"   // a list page lacks its last entry

	Foreign      = "foreign"       // answers Rule.Status, 404 if left out, as a proxy in front does: a page for people, or JSON that is no SCIM
	EmptyList    = "empty_list"    // a list has nobody in it
	IgnoreFilter = "ignore_filter" // a list has everybody in it, whatever was asked for
	ExactCase    = "exact_case"    // employee numbers are found only with the case of their letters
	HideGroups   = "hide_groups"   // users say that they are in no group
	RefuseForm   = "refuse_form"   // a PATCH written in Rule.Match.Form is not understood
	IgnoreForm   = "ignore_form"   // a PATCH written in Rule.Match.Form is answered with success and has no effect
	RemoveAll    = "remove_all"    // a remove of members with a value takes everybody out, as RFC 7644 section 3.5.2.2 reads
)

// Forms of PATCH, for Match.Form.
const (
	FormPath     = "path"     // of a user, with a path
	FormPathless = "pathless" // of a user or a group, the attribute inside the value
	FormFilter   = "filter"   // of a group, members[value eq "…"]
	FormValue    = "value"    // of a group, members and the member in the value
)

// Plant is an account to put into the system. The zero value of a field gets a
// sensible default: an id and a user name are made up.
type Plant struct {
	ID         string   `json:"id,omitempty"` // an existing id is replaced
	EmployeeNo string   `json:"employee_no"`
	ExternalID *string  `json:"external_id,omitempty"` // the employee number unless given
	UserName   string   `json:"user_name,omitempty"`
	Inactive   bool     `json:"inactive,omitempty"`
	Groups     []string `json:"groups,omitempty"` // display names, created when missing
	Owns       []string `json:"owns,omitempty"`   // of those, or besides, the ones that it is an owner of
	Sessions   int      `json:"sessions,omitempty"`
	Tokens     int      `json:"tokens,omitempty"`
	Emails     []string `json:"emails,omitempty"`
	// LastSignIn is when somebody signed in to it last; left out: the system does not tell.
	LastSignIn *time.Time `json:"last_sign_in,omitempty"`
}

// Account is an account as the system really has it, whatever it tells others.
type Account struct {
	ID         string   `json:"id"`
	EmployeeNo string   `json:"employee_no"`
	ExternalID string   `json:"external_id"`
	UserName   string   `json:"user_name"`
	Active     bool     `json:"active"`
	Groups     []string `json:"groups"` // display names, sorted
	Sessions   int      `json:"sessions"`
	Tokens     int      `json:"tokens"`
	Emails     []string `json:"emails"`
}

// Effect is one thing that was really done to an account. Changed is false when
// the account already was as ordered: a repeated call shows up without having
// had a second effect.
type Effect struct {
	Seq            uint64    `json:"seq"`
	At             time.Time `json:"at"`
	AccountID      string    `json:"account_id"`
	EmployeeNo     string    `json:"employee_no"`
	Op             string    `json:"op"`
	IdempotencyKey string    `json:"idempotency_key"`
	Changed        bool      `json:"changed"`
	Active         bool      `json:"active"` // after the effect
}

// Match says which calls a rule is about; empty fields match everything.
type Match struct {
	Operation  string `json:"operation,omitempty"`
	EmployeeNo string `json:"employee_no,omitempty"`
	ID         string `json:"id,omitempty"`
	Group      string `json:"group,omitempty"` // display name of the group that a PATCH is about
	Form       string `json:"form,omitempty"`  // in which a PATCH is written
	// Probability that a matching call is hit, above 0 and up to 1; left out it
	// is 1. Which calls are hit follows from the seed, the account, the operation
	// and how often it was called, so not from the order between accounts.
	Probability float64 `json:"probability,omitempty"`
}

// Rule is one fault. Without Count and For it holds until cleared.
type Rule struct {
	Match      Match    `json:"match"`
	Kind       string   `json:"kind"`
	Delay      Duration `json:"delay,omitempty"`       // for delay
	Status     int      `json:"status,omitempty"`      // for status and foreign: 400 to 599
	JSON       bool     `json:"json,omitempty"`        // for foreign: JSON instead of a page
	RetryAfter int      `json:"retry_after,omitempty"` // for status: seconds
	After      Duration `json:"after,omitempty"`       // for accept_later
	Count      int      `json:"count,omitempty"`       // hits left
	For        Duration `json:"for,omitempty"`         // from when it is set
}

// Faults are all rules of a system; setting them replaces the former ones. The
// first rule that hits a call wins, delays add to it.
type Faults struct {
	Seed  int64  `json:"seed"`
	Rules []Rule `json:"rules"`
}

// Call is one request that the system got.
type Call struct {
	At        time.Time `json:"at"`
	Op        string    `json:"op"`
	Method    string    `json:"method"`
	Path      string    `json:"path"` // without the query
	AccountID string    `json:"account_id"`
	Fault     string    `json:"fault"`
	Status    int       `json:"status"` // 0 when the connection was cut
}

// Stats counts calls by operation since the start of the process or the last reset.
type Stats struct {
	Calls map[string]int `json:"calls"`
	// Deletes counts every DELETE of a user ever asked for; it survives restarts.
	Deletes int `json:"deletes"`
}

// Duration is a time.Duration that JSON writes as Go does: "1.5s".
type Duration time.Duration

// UnmarshalText reads a duration that is not negative.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return errors.New("a duration is written like 500ms or 2s and is not negative")
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }
