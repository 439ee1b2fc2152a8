package scim_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"

	"lethe/internal/connector"
	"lethe/internal/connector/conformance/wild"
	"lethe/internal/connector/scim"
	"lethe/internal/launch/launchtest"
)

var oneSeed = flag.Uint64("wild.seed", 0, "run only the generated server of this seed")

// TestI12_I14_GeneratedServers: whatever a server says, nothing is settled that is active or a member,
// nobody else is changed, and everything is done that can be.
func TestI12_I14_GeneratedServers(t *testing.T) {
	n, seed := min(launchtest.Steps(t, 200), 10_000), rand.Uint64()>>16
	if *oneSeed != 0 {
		n, seed = 1, *oneSeed
	}
	t.Logf("%d servers from seed %d; one again: go test ./internal/connector/scim -run GeneratedServers -wild.seed=…", n, seed)
	settled, failed := 0, 0
	for i := range n {
		c := wild.Begin(seed+uint64(i), "DEMO-0050")
		done := unlinkAt(t, c)
		if done {
			settled++
		}
		if wrong := c.Wrong(done); len(wrong) > 0 {
			failed++
			t.Errorf("%s\n%v", c, wrong)
		}
		if failed > 10 {
			t.Fatal("and so on")
		}
	}
	t.Logf("%d of %d settled", settled, n)
	if n >= 200 && (settled < n/20 || settled > n*19/20) {
		t.Errorf("%d of %d settled: the grammar tries nothing", settled, n)
	}
}

// tries is how often an unlinking is tried before people are asked.
const tries = 4

// unlinkAt does at the server what the step of an account does, and says whether it settles.
func unlinkAt(t *testing.T, c *wild.Case) bool {
	server := httptest.NewUnstartedServer(c.Server)
	server.Config.ErrorLog = nil
	server.Start()
	defer server.Close()
	client, err := scim.New(scim.Options{BaseURL: server.URL, Token: "t", Timeout: 5 * time.Second, Match: c.Server.Grammar.Match, PageSize: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	person, _ := c.Server.Leaver()
	confirmed := map[string]bool{}
	for range tries {
		ref := connector.AccountRef{EmployeeNo: c.Number}
		if c.Linked {
			ref.ExternalID = person.ID
		}
		settled, again := unlinkOnce(t.Context(), client, ref, confirmed)
		if !again {
			return settled
		}
	}
	return false
}

// unlinkOnce is one run. confirmed are the steps that need not be taken again.
func unlinkOnce(ctx context.Context, c *scim.Client, ref connector.AccountRef, confirmed map[string]bool) (settled, again bool) {
	id := ref.ExternalID
	if id == "" {
		ids, err := c.Find(ctx, ref.EmployeeNo)
		if err != nil || len(ids) != 1 {
			return err == nil && len(ids) == 0, passing(err)
		}
		id = ids[0]
	}
	s, err := c.ReadBack(ctx, id)
	switch {
	case errors.Is(err, connector.ErrNotFound):
		if ref.ExternalID == "" {
			return true, false
		}
		ref.ExternalID = ""
		return unlinkOnce(ctx, c, ref, confirmed)
	case err != nil && !s.Exists:
		return false, passing(err)
	case s.EmployeeNo != "" && !connector.SameNumber(s.EmployeeNo, ref.EmployeeNo):
		return false, false
	}
	var failed error
	for _, step := range []struct {
		name string
		call func(context.Context, string) (connector.Result, error)
	}{{"disable", c.Disable}, {"revoke", c.RevokeSessions}, {"leave", c.LeaveGroups}} {
		if confirmed[step.name] {
			continue
		}
		if _, err := step.call(ctx, id); err == nil {
			confirmed[step.name] = true
		} else if failed == nil || passing(err) {
			failed = err
		}
	}
	s, err = c.ReadBack(ctx, id)
	switch {
	case errors.Is(err, connector.ErrNotFound):
		return true, false
	case err != nil:
		return false, passing(err) || passing(failed)
	case s.Active:
		clear(confirmed)
		return false, true
	}
	left, err := c.Residue(ctx, id)
	if err != nil || failed != nil {
		return false, passing(err) || passing(failed)
	}
	return len(left) == 0, false
}

func passing(err error) bool {
	var e *connector.Error
	return errors.As(err, &e) && e.Temporary
}
