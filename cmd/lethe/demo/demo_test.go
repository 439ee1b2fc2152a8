package demo

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/retention"
	"lethe/internal/vault"
)

func TestTheCompany(t *testing.T) {
	people := People()
	if len(people) != 200 {
		t.Errorf("there are %d people", len(people))
	}
	byNo, names, departments := map[string]Person{}, map[string]string{}, map[string]int{}
	for _, p := range people {
		if other, twice := byNo[p.No]; twice {
			t.Errorf("%s is %s and %s", p.No, p.Name, other.Name)
		}
		entity, _, _ := strings.Cut(p.No, "-")
		if other := names[entity+p.Name]; other != "" {
			t.Errorf("%s and %s are both called %s", p.No, other, p.Name)
		}
		byNo[p.No], names[entity+p.Name] = p, p.No
		departments[p.Department]++
	}
	if len(departments) != 8 {
		t.Errorf("there are %d departments", len(departments))
	}
	bearers := map[string]bool{}
	for role, no := range Bearers {
		if byNo[no].No == "" || leaves(no) || bearers[no] {
			t.Errorf("%s cannot be the person of %s: unknown, leaving, or another role's", no, role)
		}
		bearers[no] = true
	}
	for _, o := range Others {
		if byNo[o.No].No == "" || leaves(o.No) || bearers[o.No] {
			t.Errorf("%s cannot be the person of %s: unknown, leaving, or another role's", o.No, o.Name)
		}
		bearers[o.No] = true
	}
	for _, l := range leavers {
		if byNo[l.no].No == "" {
			t.Errorf("%s leaves and is not there", l.no)
		}
	}
	if diff := cmp.Diff(people, People()); diff != "" {
		t.Errorf("the people differ from call to call:\n%s", diff)
	}
}

func TestPlantsMatchTheLinks(t *testing.T) {
	ids := map[string]bool{}
	for _, system := range Systems {
		plants := Plants(system)
		if len(plants) != 200 {
			t.Errorf("%s holds %d accounts", system, len(plants))
		}
		for _, p := range plants {
			if ids[p.ID] || p.ID != externalID(system, p.EmployeeNo) {
				t.Errorf("the account of %s in %s has the id of another", p.EmployeeNo, system)
			}
			ids[p.ID] = true
		}
	}
}

// A start that is killed in the middle leaves something that the next one completes, once.
func TestSeedGoesOnWhereItWasKilled(t *testing.T) {
	e, sealer := empty(t)
	wanted := func(want bool) {
		t.Helper()
		if got, err := Wanted(t.Context(), e.Facts); err != nil || got != want {
			t.Fatalf("a seed is wanted: %v, %v", got, err)
		}
	}
	wanted(true)
	ctx, kill := context.WithCancel(t.Context())
	err := Seed(ctx, e.Facts, sealer, func(done, _ int) {
		if done == 25 {
			kill()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the killed seed ended with %v", err)
	}
	wanted(true)
	if err := Seed(t.Context(), e.Facts, sealer, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	wanted(false)

	got := map[string]int{}
	for _, table := range []string{"legal_entities", "departments", "employees", "employments", "linked_accounts", "departures"} {
		var n int
		if err := e.Facts.Read(t.Context()).Raw("SELECT count(*) FROM " + table).Scan(&n).Error; err != nil {
			t.Fatal(err)
		}
		got[table] = n
	}
	want := map[string]int{
		"legal_entities": 4, "departments": 8, "employees": 200, "employments": 200, "linked_accounts": 600, "departures": len(leavers),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// empty is an installation without people.
func empty(t *testing.T) (*databasetest.Env, vault.Sealer) {
	t.Helper()
	e := databasetest.New(t)
	path := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(path); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(path)
	if err != nil {
		t.Fatal(err)
	}
	err = database.Run(t.Context(), e.Facts, func(tx *database.Tx) error {
		if err := archive.InstallCatalogue(tx); err != nil {
			return err
		}
		return retention.InstallRules(tx, true)
	})
	if err != nil {
		t.Fatal(err)
	}
	return e, vault.New(e.Keys, kek, e.Installation.ID)
}
