package account

import (
	"context"
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

// inspected is a world whose systems are real SCIM servers, each with its fault; mail has none.
func inspected(t *testing.T, w *world, faults map[string]*control.Rule) (*Inspector, *control.Client) {
	t.Helper()
	var listed []connector.System
	var mail *control.Client
	for name, rule := range faults {
		sys, err := sandbox.New(sandbox.Options{Name: name, Kind: "mail", Token: "s", ControlToken: "c"})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(sys.Handler())
		client, err := scim.New(scim.Options{BaseURL: server.URL + "/scim/v2", Token: "s", Timeout: 20 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		c := control.NewClient(server.URL, "c")
		t.Cleanup(func() { client.Close(); c.Close(); server.Close(); _ = sys.Close() })
		if rule != nil {
			if err := c.SetFaults(t.Context(), control.Faults{Rules: []control.Rule{*rule}}); err != nil {
				t.Fatal(err)
			}
		} else {
			mail = c
		}
		listed = append(listed, connector.System{Name: name, Kind: name, Connector: client})
	}
	registry, err := connector.RegistryOf(listed...)
	if err != nil {
		t.Fatal(err)
	}
	return &Inspector{DB: w.env.Facts, Systems: registry, Limit: time.Second}, mail
}

func plant(t *testing.T, c *control.Client, plants ...control.Plant) {
	t.Helper()
	if _, err := c.Plant(t.Context(), plants...); err != nil {
		t.Fatal(err)
	}
}

// seenAt is what an inspection says of one system: its trouble, or each account with its remarks.
func seenAt(t *testing.T, i *Inspector, l *leaver, system string) (string, map[string][]models.LookRemark) {
	t.Helper()
	all, err := i.Inspect(t.Context(), l.employee, l.employment)
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(all, func(s Inspected) bool { return s.System == system })
	if n < 0 {
		t.Fatalf("%s is not named in %+v", system, all)
	}
	accounts := map[string][]models.LookRemark{}
	for _, a := range all[n].Accounts {
		accounts[a.ExternalID] = a.Remarks
	}
	return all[n].Trouble, accounts
}

// TestAnInspectionOfEachKind: what people should know of an account, and nothing of one that is as it should be.
func TestAnInspectionOfEachKind(t *testing.T) {
	w := newWorld(t)
	i, mail := inspected(t, w, map[string]*control.Rule{"mail": nil})
	plant(t, mail, control.Plant{ID: "somebody", EmployeeNo: "S", Groups: []string{"staff"}}) // the directory is not empty
	other := w.leaver(t)
	type remarks = map[string][]models.LookRemark
	is := func(r ...models.LookRemark) []models.LookRemark { return r }
	for name, c := range map[string]struct {
		prepare func(t *testing.T, l *leaver)
		want    func(l *leaver) remarks
	}{
		"as it should be": {
			func(t *testing.T, l *leaver) {
				plant(t, mail, control.Plant{ID: l.id("mail"), EmployeeNo: l.no, Groups: []string{"staff"}, Sessions: 2})
			},
			func(l *leaver) remarks { return remarks{l.id("mail"): nil} },
		},
		"off, the only owner of one group and the only member of two": {
			func(t *testing.T, l *leaver) {
				plant(t, mail, control.Plant{ID: l.id("mail"), EmployeeNo: l.no, Inactive: true, Groups: []string{"lonely " + l.no}, Owns: []string{"owned " + l.no}})
			},
			func(l *leaver) remarks {
				return remarks{l.id("mail"): is(models.RemarkOnlyOwner, models.RemarkOff, models.RemarkOnlyMember)}
			},
		},
		"one of two owners": {
			func(t *testing.T, l *leaver) {
				plant(t, mail, control.Plant{ID: "second " + l.no, EmployeeNo: "2" + l.no, Owns: []string{"two " + l.no}},
					control.Plant{ID: l.id("mail"), EmployeeNo: l.no, Owns: []string{"two " + l.no}})
			},
			func(l *leaver) remarks { return remarks{l.id("mail"): nil} },
		},
		"another number": {
			func(t *testing.T, l *leaver) {
				plant(t, mail, control.Plant{ID: l.id("mail"), EmployeeNo: "other", Groups: []string{"staff"}})
			},
			func(l *leaver) remarks { return remarks{l.id("mail"): is(models.RemarkOtherNumber)} },
		},
		"gone, and another that nobody registered": {
			func(t *testing.T, l *leaver) {
				plant(t, mail, control.Plant{ID: "new " + l.no, EmployeeNo: l.no, Groups: []string{"staff"}})
			},
			func(l *leaver) remarks {
				return remarks{l.id("mail"): is(models.RemarkGone), "new " + l.no: is(models.RemarkUnregistered)}
			},
		},
		"two with the number": {
			func(t *testing.T, l *leaver) {
				plant(t, mail, control.Plant{ID: l.id("mail"), EmployeeNo: l.no, Groups: []string{"staff"}}, control.Plant{ID: "too " + l.no, EmployeeNo: l.no, Groups: []string{"staff"}})
			},
			func(l *leaver) remarks { return remarks{l.id("mail"): nil, "too " + l.no: is(models.RemarkSeveral)} },
		},
		"somebody else's here": {
			func(t *testing.T, l *leaver) {
				plant(t, mail, control.Plant{ID: l.id("mail"), EmployeeNo: l.no, Groups: []string{"staff"}}, control.Plant{ID: other.id("mail"), EmployeeNo: l.no, Groups: []string{"staff"}})
			},
			func(l *leaver) remarks {
				return remarks{l.id("mail"): nil, other.id("mail"): is(models.RemarkOtherPerson)}
			},
		},
		"detached": {
			func(t *testing.T, l *leaver) {
				plant(t, mail, control.Plant{ID: l.id("mail"), EmployeeNo: l.no, Groups: []string{"staff"}})
				w.drive(t, w.unlink(t, l, func(o *UnlinkOrder) { o.Mode, o.Systems = models.ModeDetach, []string{"mail"} }))
			},
			func(l *leaver) remarks { return remarks{l.id("mail"): is(models.RemarkDetached)} },
		},
	} {
		l := w.leaver(t)
		c.prepare(t, l)
		trouble, got := seenAt(t, i, l, "mail")
		if want := c.want(l); trouble != "" || !cmp.Equal(got, want) {
			t.Errorf("%s: %q %v, want %v", name, trouble, got, want)
		}
	}
}

// TestAnInspectionWaitsForNoSystem: one that hangs is named with why, and the others are told beside it, in time.
func TestAnInspectionWaitsForNoSystem(t *testing.T) {
	w := newWorld(t)
	find := control.Match{Operation: control.OpFind}
	i, mail := inspected(t, w, map[string]*control.Rule{
		"mail":    nil,
		"finance": {Match: find, Kind: control.Delay, Delay: control.Duration(5 * time.Second)},
		"new":     {Match: find, Kind: control.CutBefore},
	})
	l := w.leaver(t)
	plant(t, mail, control.Plant{ID: l.id("mail"), EmployeeNo: l.no, Groups: []string{"staff"}})
	began := time.Now()
	for system, want := range map[string]string{"mail": "", "finance": "timeout", "new": "connection_cut", "attendance": ReasonUnknownSystem} {
		if trouble, _ := seenAt(t, i, l, system); trouble != want {
			t.Errorf("%s: %q, want %q", system, trouble, want)
		}
	}
	if took := time.Since(began); took > 4*(i.Limit+time.Second) {
		t.Errorf("four took %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := i.Inspect(ctx, l.employee, l.employment); err == nil {
		t.Error("who went away got an answer")
	}
}
