package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lethe/sandbox"
	"lethe/sandbox/control"
)

func TestMain(m *testing.M) {
	serveIfChild()
	goleak.VerifyTestMain(m)
}

const (
	scimToken    = "scim-token"
	controlToken = "control-token"
)

// rig is a system behind real HTTP.
type rig struct {
	t       *testing.T
	url     string
	control *control.Client
	http    *http.Client
	forward atomic.Int64
}

func start(t *testing.T, change ...func(*sandbox.Options)) *rig {
	t.Helper()
	r := &rig{t: t, http: &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}}
	o := sandbox.Options{
		Name: "mail", Kind: "mail", Token: scimToken, ControlToken: controlToken, MaxPage: 3,
		Clock: func() time.Time { return time.Now().Add(time.Duration(r.forward.Load())) },
	}
	for _, f := range change {
		f(&o)
	}
	sys, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sys.Handler())
	r.url, r.control = server.URL, control.NewClient(server.URL, controlToken)
	t.Cleanup(func() {
		r.control.Close()
		r.http.CloseIdleConnections()
		server.Close()
		if err := sys.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func (r *rig) plant(p control.Plant) control.Account {
	r.t.Helper()
	out, err := r.control.Plant(r.t.Context(), p)
	if err != nil {
		r.t.Fatal(err)
	}
	return out[0]
}

func (r *rig) account(id string) control.Account {
	r.t.Helper()
	a, err := r.control.Account(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r *rig) faults(seed int64, rules ...control.Rule) {
	r.t.Helper()
	if err := r.control.SetFaults(r.t.Context(), control.Faults{Seed: seed, Rules: rules}); err != nil {
		r.t.Fatal(err)
	}
}

// scim makes one SCIM call and returns the status and the body; 0 is a cut
// connection. Bodies are sent so that net/http does not repeat them.
func (r *rig) scim(method, path, body string) (int, map[string]any) {
	r.t.Helper()
	status, out, _ := r.send(method, "/scim/v2"+path, body, scimToken)
	return status, out
}

func (r *rig) send(method, path, body, token string) (int, map[string]any, http.Header) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.GetBody = nil
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return 0, nil, nil
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var out map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &out); err != nil {
			r.t.Fatalf("%s %s: %s: %v", method, path, raw, err)
		}
	}
	return resp.StatusCode, out, resp.Header
}

func patch(op string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + op + `]}`
}

const disable = `{"op":"replace","path":"active","value":false}`

func TestFaultsHitAsOrdered(t *testing.T) {
	r := start(t)
	a := r.plant(control.Plant{EmployeeNo: "E-1", Sessions: 1})
	b := r.plant(control.Plant{EmployeeNo: "E-2"})
	call := func(id string) int { s, _ := r.scim("PATCH", "/Users/"+id, patch(disable)); return s }

	r.faults(0, control.Rule{Match: control.Match{EmployeeNo: "E-1", Operation: control.OpDisable}, Kind: control.Status, Status: 429, RetryAfter: 9, Count: 2})
	if s := call(b.ID); s != 200 {
		t.Errorf("another account was hit: %d", s)
	}
	_, _, header := r.send("PATCH", "/scim/v2/Users/"+a.ID, patch(disable), scimToken)
	if header.Get("Retry-After") != "9" {
		t.Errorf("Retry-After %q", header.Get("Retry-After"))
	}
	if first, second := call(a.ID), call(a.ID); first != 429 || second != 200 {
		t.Errorf("count of two: then got %d, %d", first, second)
	}

	r.faults(0, control.Rule{Match: control.Match{ID: a.ID}, Kind: control.CutBefore, For: control.Duration(time.Minute)})
	if s, _ := r.scim("GET", "/Users/"+a.ID, ""); s != 0 {
		t.Errorf("got %d, want a cut connection", s)
	}
	r.forward.Add(int64(2 * time.Minute))
	if s, _ := r.scim("GET", "/Users/"+a.ID, ""); s != 200 {
		t.Errorf("got %d after the fault's time", s)
	}
	if f, err := r.control.Faults(t.Context()); err != nil || len(f.Rules) != 0 {
		t.Errorf("still listed: %v, %v", f, err)
	}
}

func TestFaultsFollowTheSeed(t *testing.T) {
	r := start(t)
	var accounts []control.Account
	for _, no := range []string{"E-1", "E-2"} {
		accounts = append(accounts, r.plant(control.Plant{EmployeeNo: no}))
	}
	const rounds = 40
	// run returns which calls were hit, per account; order says who calls first.
	run := func(seed int64, order ...int) (out [2]string) {
		r.faults(seed, control.Rule{Match: control.Match{Probability: 0.5, Operation: control.OpGet}, Kind: control.Status, Status: 503})
		for range rounds {
			for _, i := range order {
				s, _ := r.scim("GET", "/Users/"+accounts[i].ID, "")
				out[i] += map[bool]string{true: "x", false: "."}[s == 503]
			}
		}
		return out
	}
	first, again, other := run(1, 0, 1), run(1, 1, 0), run(2, 0, 1)
	if first != again {
		t.Errorf("the same seed, another order of calls:\n%v\n%v", first, again)
	}
	if first == other || first[0] == first[1] {
		t.Errorf("seeds and accounts make no difference:\n%v\n%v", first, other)
	}
	if n := strings.Count(first[0]+first[1], "x"); n < rounds/2 || n > rounds*3/2 {
		t.Errorf("%d of %d calls hit at a probability of one half", n, 2*rounds)
	}
}

func TestAcceptedIsDoneWhenDue(t *testing.T) {
	r := start(t)
	a := r.plant(control.Plant{EmployeeNo: "E-1"})
	r.faults(0, control.Rule{Kind: control.AcceptLater, After: control.Duration(time.Hour), Count: 1})
	if s, _ := r.scim("PATCH", "/Users/"+a.ID, patch(disable)); s != http.StatusAccepted {
		t.Fatalf("got %d", s)
	}
	r.forward.Add(int64(59 * time.Minute))
	if !r.account(a.ID).Active {
		t.Error("done too early")
	}
	r.forward.Add(int64(2 * time.Minute))
	if r.account(a.ID).Active {
		t.Error("not done when due")
	}
}

func TestEffectsTellWhatWasDone(t *testing.T) {
	r := start(t)
	a := r.plant(control.Plant{EmployeeNo: "E-1", Sessions: 2})
	for range 2 {
		r.scim("PATCH", "/Users/"+a.ID, patch(disable))
	}
	r.faults(0, control.Rule{Kind: control.Lie})
	r.scim("PATCH", "/Users/"+a.ID, patch(`{"op":"Replace","value":{"active":"True"}}`))
	r.scim("POST", "/Users/"+a.ID+"/sessions/revocations", "{}")
	if err := r.control.Reenable(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	effects, err := r.control.Effects(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, e := range effects {
		got = append(got, e.Op+map[bool]string{true: "!", false: ""}[e.Changed])
		if i > 0 && e.Seq <= effects[i-1].Seq {
			t.Errorf("sequence %d after %d", e.Seq, effects[i-1].Seq)
		}
	}
	if want := "disable! disable reenable_by_hand!"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if r.account(a.ID).Sessions != 2 {
		t.Error("a lie had an effect")
	}
}

func TestControlRefuses(t *testing.T) {
	r := start(t)
	for _, c := range []struct{ method, path, body string }{
		{"PUT", "/control/faults", `{"rules":[{"match":{},"kind":"nosuch"}]}`},
		{"PUT", "/control/faults", `{"rules":[{"match":{"operation":"nosuch"},"kind":"lie"}]}`},
		{"PUT", "/control/faults", `{"rules":[{"match":{"probability":1.5},"kind":"lie"}]}`},
		{"PUT", "/control/faults", `{"rules":[{"match":{},"kind":"status"}]}`},
		{"PUT", "/control/faults", `{"rules":[{"match":{},"kind":"delay"}]}`},
		{"PUT", "/control/faults", `{"rules":[{"match":{},"kind":"delay","delay":"-1s"}]}`},
		{"PUT", "/control/faults", `{"colour":"red"}`},
		{"PUT", "/control/faults", `{} {}`},
		{"POST", "/control/accounts", `{"items":[{"employee_no":"E","sessions":-1}]}`},
	} {
		if s, _, _ := r.send(c.method, c.path, c.body, controlToken); s != http.StatusBadRequest {
			t.Errorf("%s: got %d", c.body, s)
		}
	}
	if s, _, _ := r.send("POST", "/control/accounts/nosuch/reenable", "", controlToken); s != http.StatusNotFound {
		t.Errorf("unknown account: got %d", s)
	}
	for _, token := range []string{"", "wrong", scimToken} {
		if s, _, _ := r.send("GET", "/control/accounts", "", token); s != http.StatusUnauthorized {
			t.Errorf("control with token %q: got %d", token, s)
		}
	}
	if s, _, _ := r.send("GET", "/scim/v2/Users", "", controlToken); s != http.StatusUnauthorized {
		t.Errorf("SCIM with the control token: got %d", s)
	}
}

func TestServeNamesATakenPort(t *testing.T) {
	r := start(t)
	sys, err := sandbox.New(sandbox.Options{Name: "finance", Kind: "finance", Token: "a", ControlToken: "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer sys.Close()
	addr := strings.TrimPrefix(r.url, "http://")
	if err := sandbox.Serve(t.Context(), addr, sys); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("got %v, want an error that names %s", err, addr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sandbox.Serve(ctx, "127.0.0.1:0", sys) }()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("stopping: %v", err)
	}
}

func TestPage(t *testing.T) {
	r := start(t)
	r.plant(control.Plant{EmployeeNo: "<script>E-1", UserName: "secret.name", Emails: []string{"secret@example.test"}})
	r.faults(0, control.Rule{Match: control.Match{EmployeeNo: "E-9"}, Kind: control.Status, Status: 503})
	r.scim("GET", "/Users?count=1", "")
	get := func(language string) string {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", r.url+"/", nil)
		req.Header.Set("Accept-Language", language)
		resp, err := r.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%d: %s", resp.StatusCode, raw)
		}
		return string(raw)
	}
	for language, wants := range map[string][]string{
		"zh-CN,zh;q=0.9,en;q=0.8": {"邮件", "模拟系统", "启用", "status 503", "/scim/v2/Users"},
		"en-GB":                   {"Mail", "stand-in system", "active", "status 503"},
		"fr":                      {"stand-in system"},
	} {
		page := get(language)
		for _, want := range wants {
			if !strings.Contains(page, want) {
				t.Errorf("%s: %q is not on the page", language, want)
			}
		}
		for _, never := range []string{"<script>", "secret", "http://", "https://"} {
			if strings.Contains(page, never) {
				t.Errorf("%s: %q is on the page", language, never)
			}
		}
	}
}
