package scim_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lethe/internal/connector"
	"lethe/internal/connector/conformance"
	"lethe/internal/connector/scim"
	"lethe/sandbox"
	"lethe/sandbox/control"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	for name, dialect := range map[string]sandbox.Dialect{
		"both forms": sandbox.DialectBoth, "path only": sandbox.DialectPath, "pathless only": sandbox.DialectPathless,
	} {
		t.Run(name, func(t *testing.T) {
			conformance.Run(t, func(t *testing.T) conformance.Harness { return startSandbox(t, dialect).harness() })
		})
	}
}

// rig is a sandbox behind real HTTP, its control client and a SCIM client.
type rig struct {
	t       *testing.T
	control *control.Client
	client  *scim.Client
	hasty   *scim.Client // with a short timeout
	forward atomic.Int64 // how far its clock was moved
	dialect sandbox.Dialect
	pages   int
}

func startSandbox(t *testing.T, dialect sandbox.Dialect) *rig {
	t.Helper()
	r := &rig{t: t, pages: 3, dialect: dialect}
	sys, err := sandbox.New(sandbox.Options{
		Name: "mail", Kind: "mail", Token: "scim-token", ControlToken: "control-token",
		Clock:   func() time.Time { return time.Now().Add(time.Duration(r.forward.Load())) },
		MaxPage: r.pages, Dialect: dialect,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sys.Handler())
	r.control = control.NewClient(server.URL, "control-token")
	for timeout, c := range map[time.Duration]**scim.Client{10 * time.Second: &r.client, 250 * time.Millisecond: &r.hasty} {
		if *c, err = scim.New(scim.Options{BaseURL: server.URL + "/scim/v2/", Token: "scim-token", Timeout: timeout}); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		r.client.Close()
		r.hasty.Close()
		r.control.Close()
		server.Close()
		if err := sys.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

var sandboxOps = map[conformance.Op]string{
	"": "", conformance.AnyRead: control.OpRead, conformance.AnyEffect: control.OpMutate,
	conformance.Lookup: control.OpFind, conformance.Read: control.OpGet, conformance.Disable: control.OpDisable,
	conformance.Enable: control.OpEnable, conformance.Revoke: control.OpRevoke,
	conformance.LeaveGroup: control.OpGroupRemove, conformance.JoinGroup: control.OpGroupAdd,
	conformance.Check: control.OpConfig, conformance.Groups: control.OpGroupFind,
}

var sandboxFaults = map[conformance.FaultKind]control.Rule{
	conformance.Slow:         {Kind: control.Delay, Delay: control.Duration(time.Minute)},
	conformance.Status:       {Kind: control.Status},
	conformance.CutBefore:    {Kind: control.CutBefore},
	conformance.CutAfter:     {Kind: control.CutAfter},
	conformance.Lie:          {Kind: control.Lie},
	conformance.AcceptLater:  {Kind: control.AcceptLater, After: control.Duration(time.Hour)},
	conformance.LeaveResidue: {Kind: control.Residue},
	conformance.Forget:       {Kind: control.Unknown},
	conformance.CutList:      {Kind: control.ShortPage},
	conformance.Foreign:      {Kind: control.Foreign},
	conformance.IgnoreSearch: {Kind: control.IgnoreFilter},
	conformance.EmptySearch:  {Kind: control.EmptyList},
	conformance.ExactSearch:  {Kind: control.ExactCase},
	conformance.HideGroups:   {Kind: control.HideGroups},
	conformance.IgnoreForm:   {Kind: control.IgnoreForm, Match: control.Match{Form: control.FormPath}},
	conformance.RefuseGroup:  {Kind: control.Status},
	conformance.RefuseForm:   {Kind: control.RefuseForm, Match: control.Match{Form: control.FormFilter}},
}

var statusOf = map[connector.Code]int{
	connector.CodeUnauthorized: http.StatusUnauthorized, connector.CodeRateLimited: http.StatusTooManyRequests,
	connector.CodeUnavailable: http.StatusServiceUnavailable, connector.CodeConflict: http.StatusConflict,
}

func (r *rig) harness() conformance.Harness {
	return conformance.Harness{
		Connector: r.client, Impatient: r.hasty, Plant: r.plant, Actual: r.actual, Effects: r.effects,
		Fault: func(t conformance.T, f conformance.Fault) {
			rule := sandboxFaults[f.Kind]
			rule.Match.Operation, rule.Count = sandboxOps[f.On], f.Count
			rule.Match.ID, rule.Match.Group = f.Account, f.Group
			rule.Status, rule.RetryAfter = statusOf[f.Meaning], int(f.RetryAfter/time.Second)
			rules := []control.Rule{rule}
			switch f.Kind {
			case conformance.RefuseGroup:
				rules[0].Status = http.StatusForbidden
			case conformance.IgnoreForm:
				if r.dialect == sandbox.DialectPath {
					rules = nil // there is no other form
				}
			case conformance.RefuseForm: // and the other form means everybody
				rules = append(rules, control.Rule{Kind: control.RemoveAll})
			}
			r.must(t, r.control.SetFaults(r.t.Context(), control.Faults{Rules: rules}))
		},
		Clear:    func(t conformance.T) { r.must(t, r.control.ClearFaults(r.t.Context())) },
		Settle:   func(conformance.T) { r.forward.Add(int64(2 * time.Hour)) },
		Reenable: func(t conformance.T, id string) { r.must(t, r.control.Reenable(r.t.Context(), id)) },
		Requests: func(t conformance.T, op conformance.Op) int { return r.stats(t).Calls[sandboxOps[op]] },
		Deletions: func(t conformance.T) int {
			return r.stats(t).Deletes
		},
		PageSize: r.pages,
	}
}

func (r *rig) must(t conformance.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("controlling the sandbox: %v", err)
	}
}

func (r *rig) stats(t conformance.T) control.Stats {
	t.Helper()
	s, err := r.control.Stats(r.t.Context())
	r.must(t, err)
	return s
}

func (r *rig) plant(t conformance.T, a conformance.Account) string {
	t.Helper()
	p := control.Plant{
		EmployeeNo: a.EmployeeNo, UserName: a.UserName, Inactive: a.Inactive, Groups: a.Groups,
		Sessions: a.Sessions, Tokens: a.Tokens, LastSignIn: a.LastSignIn,
	}
	if a.Email != "" {
		p.Emails = []string{a.Email}
	}
	planted, err := r.control.Plant(r.t.Context(), p)
	r.must(t, err)
	return planted[0].ID
}

func (r *rig) actual(t conformance.T, id string) (conformance.Account, bool) {
	t.Helper()
	all, err := r.control.Accounts(r.t.Context(), "")
	r.must(t, err)
	i := slices.IndexFunc(all, func(a control.Account) bool { return a.ID == id })
	if i < 0 {
		return conformance.Account{}, false
	}
	a := all[i]
	out := conformance.Account{
		EmployeeNo: a.EmployeeNo, UserName: a.UserName, Inactive: !a.Active, Sessions: a.Sessions, Tokens: a.Tokens,
	}
	if len(a.Groups) > 0 {
		out.Groups = a.Groups
	}
	if len(a.Emails) > 0 {
		out.Email = a.Emails[0]
	}
	return out, true
}

func (r *rig) effects(t conformance.T, id string) []conformance.Effect {
	t.Helper()
	list, err := r.control.Effects(r.t.Context(), id)
	r.must(t, err)
	var out []conformance.Effect
	for _, e := range list {
		for op, name := range sandboxOps {
			if name == e.Op {
				out = append(out, conformance.Effect{Kind: op, Key: e.IdempotencyKey, Changed: e.Changed})
			}
		}
	}
	return out
}
