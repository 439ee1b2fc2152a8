package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/i18n"
	"lethe/models"
)

// TestFinishedStreamEndsQuietly: the API closes the stream after the last event, and that is told as
// an end, not as a break, without asking again.
func TestFinishedStreamEndsQuietly(t *testing.T) {
	id, asked := uuid.New(), 0
	view := departureAt(id, models.StageWithdrawn, models.AccountsLinked, models.AccountLinked)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		send(w, "snapshot", 3, view)
	}))
	defer server.Close()
	for _, c := range []struct {
		language i18n.Language
		waiting  []departures.WaitingView
		want     string
	}{
		{i18n.English, nil, "03:04:05  finished: nothing more will happen\n"},
		{i18n.Chinese, nil, "03:04:05  已结束，不再有变化\n"},
		{i18n.English, []departures.WaitingView{{What: "account_stuck", Role: models.RoleITOps}}, "03:04:05  finished; waits for IT operations\n"},
	} {
		asked, view.Waiting = 0, c.waiting
		var out bytes.Buffer
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		client := &apiClient{base: server.URL, token: "secret", language: c.language, http: server.Client()}
		err := follow(ctx, client, id, plainPrinter(&out, c.language))
		if cancel(); err != nil || asked != 1 || !strings.HasSuffix(out.String(), c.want) || strings.Contains(out.String(), "lost") || strings.Contains(out.String(), "中断") {
			t.Errorf("asked %d times, %v, printed:\n%s", asked, err, out.String())
		}
	}
}

// TestCutStreamIsToldAsLost: a connection that breaks in the middle is no end.
func TestCutStreamIsToldAsLost(t *testing.T) {
	id, asked := uuid.New(), 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked > 1 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		send(w, "snapshot", 3, departureAt(id, models.StagePendingDeparture, models.AccountsLinked, models.AccountLinked))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	var out bytes.Buffer
	client := &apiClient{base: server.URL, token: "secret", language: i18n.English, http: server.Client()}
	if err := follow(t.Context(), client, id, plainPrinter(&out, i18n.English)); err != nil || strings.Count(out.String(), "connection lost") != 1 {
		t.Errorf("%v, printed:\n%s", err, out.String())
	}
}

func TestRefusalSpeaksTheLanguageAndNamesTheCommand(t *testing.T) {
	id, code := uuid.New(), "departure_exists"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusConflict)
		_ = json.NewEncoder(w).Encode(httpkit.Problem{Title: "该员工已有离职记录", Detail: "不会重复发起。", Hint: "请查看已有的离职记录。", Code: code, Location: "/api/v1/departures/" + id.String(),
			Errors: []httpkit.FieldError{{Location: "body.employee_id", Message: "该员工已有离职记录"}}})
	}))
	defer server.Close()
	client := &apiClient{base: server.URL, token: "secret", language: i18n.Chinese, http: server.Client()}
	err := client.call(t.Context(), http.MethodPost, "/", nil, nil)
	want := "未被受理：该员工已有离职记录。不会重复发起。查看进度：lethe watch " + id.String()
	if !errors.Is(err, errRefused) || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	code, client.no = "file_deleted", "E1" // there is nothing to follow, but to look back at; by the number once it is known
	err = client.call(t.Context(), http.MethodPost, "/", nil, nil)
	if want = "未被受理：该员工已有离职记录。不会重复发起。请查看已有的离职记录。\n  lethe watch E1"; err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestAnEmployeeIsFoundInAnyCase of the number, as the database takes it; of several that differ by case
// only, the one that is written so.
func TestAnEmployeeIsFoundInAnyCase(t *testing.T) {
	people := []map[string]any{
		{"id": uuid.New(), "employee_no": "DEMO-0010"}, {"id": uuid.New(), "employee_no": "DEMO-00101"},
		{"id": uuid.New(), "employee_no": "x-1"}, {"id": uuid.New(), "employee_no": "X-1"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Each person is a page, so that none is taken before all are seen.
		at := 0
		if cursor := r.URL.Query().Get("cursor"); cursor != "" {
			at = int(cursor[0] - '0')
		}
		page := map[string]any{"items": people[at : at+1]}
		if at+1 < len(people) {
			page["next_cursor"] = string(rune('1' + at))
		}
		_ = json.NewEncoder(w).Encode(page)
	}))
	defer server.Close()
	client := &apiClient{base: server.URL, token: "secret", language: i18n.Chinese, http: server.Client()}
	for no, want := range map[string]any{
		"DEMO-0010": people[0]["id"], "demo-0010": people[0]["id"], "Demo-00101": people[1]["id"], "x-1": people[2]["id"], "X-1": people[3]["id"],
		"DEMO-001": "没有此工号或姓名的员工",
	} {
		got, err := client.findEmployee(t.Context(), no)
		if text, refused := want.(string); refused && (err == nil || !strings.HasPrefix(err.Error(), text) || !strings.Contains(err.Error(), "\n  X-1")) || !refused && (err != nil || got.ID != want) {
			t.Errorf("%s: %v, %v, want %v", no, got, err, want)
		}
	}
	people[3]["employee_no"], people[2]["employee_no"] = "Demo-0010", "other"
	if got, err := client.findEmployee(t.Context(), "demo-0010"); err == nil || !strings.Contains(err.Error(), "请按原样填写工号") {
		t.Errorf("of two: %v, %v", got, err)
	}
}

func TestAPIThatIsDownIsToldWithAHint(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client := &apiClient{base: server.URL, token: "secret", language: i18n.English, http: &http.Client{}}
	for name, err := range map[string]error{
		"call":   client.call(t.Context(), http.MethodGet, "/", nil, nil),
		"follow": follow(t.Context(), client, uuid.New(), plainPrinter(&bytes.Buffer{}, i18n.English)),
	} {
		if !errors.Is(err, errUnreached) || !strings.Contains(err.Error(), server.URL) || !strings.Contains(err.Error(), "LETHE_API") || !strings.Contains(err.Error(), "nothing listens there") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWithoutArgumentsTheHelpIsPrinted runs this very binary as the command.
func TestWithoutArgumentsTheHelpIsPrinted(t *testing.T) {
	if os.Getenv("LETHE_TEST_RUN") == "1" {
		os.Exit(run(t.Context(), nil))
	}
	self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWithoutArgumentsTheHelpIsPrinted$")
	self.Env = append(os.Environ(), "LETHE_TEST_RUN=1")
	out, err := self.Output()
	if err != nil || !strings.Contains(string(out), "Usage: lethe") || !strings.Contains(string(out), "watch") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestCodecEndpoints: the bearer's endpoint is always there, in dev the secret one beside it.
func TestCodecEndpoints(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "path")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &runtime{}
	r.config.CodecPathSecretFile = secret
	for _, dev := range []bool{false, true} {
		r.config.Dev = dev
		mounts, err := r.codecEndpoints()
		if err != nil || mounts["/codec/"] == nil || (mounts["/codec/s3cret/"] != nil) != dev {
			t.Errorf("dev %v: %v, %v", dev, mounts, err)
		}
		ops := api.NewOps(api.OpsDeps{Codec: mounts})
		// Without a token the bearer's endpoint refuses; behind the secret path, nothing is asked.
		for path, want := range map[string]int{"/codec/decode": 401, "/codec/other/decode": 401, "/codec/s3cret/encode": map[bool]int{false: 401, true: 404}[dev]} {
			w := httptest.NewRecorder()
			ops.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, nil))
			if w.Code != want {
				t.Errorf("dev %v, %s: %d, want %d", dev, path, w.Code, want)
			}
		}
	}
	if err := os.WriteFile(secret, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.codecEndpoints(); err == nil {
		t.Error("an empty secret path is mounted")
	}
}
