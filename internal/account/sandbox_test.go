package account

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
	"lethe/internal/connector/scim"
	"lethe/models"
	"lethe/sandbox"
	"lethe/sandbox/control"
)

// TestOverHTTP unlinks and relinks at three real SCIM servers that misbehave in different ways.
func TestOverHTTP(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	t0 := time.Now()
	now := func() time.Time { // the servers live by the database's clock, which the test moves
		at, err := w.env.Facts.Now(t.Context())
		if err != nil {
			return t0
		}
		return at
	}
	controls := map[string]*control.Client{}
	var listed []connector.System
	for _, name := range systems {
		sys, err := sandbox.New(sandbox.Options{Name: name, Kind: name, Token: "s", ControlToken: "c", Clock: now})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(sys.Handler())
		client, err := scim.New(scim.Options{BaseURL: server.URL + "/scim/v2", Token: "s", Timeout: short.HTTPTimeout, CheckAfter: time.Second, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		controls[name] = control.NewClient(server.URL, "c")
		t.Cleanup(func() {
			client.Close()
			controls[name].Close()
			server.Close()
			_ = sys.Close()
		})
		if _, err := controls[name].Plant(t.Context(), control.Plant{
			ID: l.id(name), EmployeeNo: l.no, Groups: []string{"staff", "vpn"}, Sessions: 2, Tokens: 1,
		}); err != nil {
			t.Fatal(err)
		}
		listed = append(listed, connector.System{Name: name, Kind: name, Connector: client})
	}
	for name, rule := range map[string]control.Rule{
		"mail":       {Match: control.Match{Operation: control.OpDisable}, Kind: control.CutAfter, Count: 1},
		"finance":    {Match: control.Match{Operation: control.OpDisable}, Kind: control.Lie, Count: 1},
		"attendance": {Match: control.Match{Operation: control.OpDisable}, Kind: control.AcceptLater, After: control.Duration(2 * time.Second), Count: 1},
	} {
		if err := controls[name].SetFaults(t.Context(), control.Faults{Rules: []control.Rule{rule}}); err != nil {
			t.Fatal(err)
		}
	}
	registry, err := connector.RegistryOf(listed...)
	if err != nil {
		t.Fatal(err)
	}
	w.service = New(w.env.Facts, w.vault, registry, short)

	op := w.unlink(t, l, nil)
	if f := w.drive(t, op); f.State != models.OperationSettled {
		v, _ := Operation(t.Context(), w.env.Facts, op.ID)
		t.Fatalf("unlinking is %s\n%s", f.State, describe(v))
	}
	for _, name := range systems {
		a, err := controls[name].Account(t.Context(), l.id(name))
		if err != nil {
			t.Fatal(err)
		}
		if a.Active || len(a.Groups)+a.Sessions+a.Tokens > 0 {
			t.Errorf("%s: %+v", name, a)
		}
		effects, err := controls[name].Effects(t.Context(), l.id(name))
		if err != nil {
			t.Fatal(err)
		}
		effects = slices.DeleteFunc(effects, func(e control.Effect) bool { return e.Op != control.OpDisable || !e.Changed })
		if len(effects) != 1 {
			t.Errorf("%s: I14: disabled %d times", name, len(effects))
		}
	}

	back, _ := w.relink(t, l, nil)
	if f := w.drive(t, back); f.State != models.OperationSettled {
		v, _ := Operation(t.Context(), w.env.Facts, back.ID)
		t.Fatalf("relink is %s\n%s", f.State, describe(v))
	}
	for _, name := range systems {
		a, err := controls[name].Account(t.Context(), l.id(name))
		if err != nil {
			t.Fatal(err)
		}
		if !a.Active || !cmp.Equal(a.Groups, []string{"staff", "vpn"}) {
			t.Errorf("%s: %+v", name, a)
		}
		if stats, err := controls[name].Stats(t.Context()); err != nil || stats.Deletes != 0 {
			t.Errorf("%s: %d DELETEs, %v", name, stats.Deletes, err)
		}
	}
}
