// Package apitest is the whole API on a real database, for the tests of its packages.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/config"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/imports"
	"lethe/internal/ledger/evidence"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/internal/vault"
	"lethe/models"
)

// Fixture is the API on a real database, with a person for each role: the employee and the head are
// in department A, everybody else in B.
type Fixture struct {
	T         testing.TB
	Env       *databasetest.Env
	App       *database.DB // the facts, as the processes may use them
	API       *httpkit.API
	Approvals *approval.Registry
	HTTP      *httptest.Server
	Log       *bytes.Buffer
	Vault     *vault.Vault
	Systems   *connector.Registry
	Exports   *evidence.Maker
	A, B      uuid.UUID
	People    map[models.Role]uuid.UUID
	Tokens    map[models.Role]string
	TokenIDs  map[models.Role]uuid.UUID
}

// New serves a database of its own until the test ends.
func New(t testing.TB) *Fixture {
	t.Helper()
	f := &Fixture{
		T: t, Env: databasetest.New(t), Log: &bytes.Buffer{}, People: map[models.Role]uuid.UUID{},
		Tokens: map[models.Role]string{}, TokenIDs: map[models.Role]uuid.UUID{},
	}
	path := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(path); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f.Vault = vault.New(f.Env.Keys, kek, f.Env.Installation.ID)
	f.populate()
	f.Systems, err = connector.RegistryOf(
		connector.System{Name: "mail", Kind: "mail", Connector: stillSystem{}},
		connector.System{Name: "finance", Kind: "finance", Connector: stillSystem{err: &connector.Error{Code: connector.CodeUnauthorized}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	// What is served runs as the processes do, who may do less than the owner.
	app := f.Env.AsApp(t)
	f.App = app
	people := identity.New(app, f.Vault, identity.Options{Insecure: true, Argon: quick})
	approvals, err := operations.New(operations.Deps{Vault: f.Vault, Identity: people, Systems: f.Systems}, approval.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.Exports, err = evidence.NewMaker(evidence.Options{
		DB: f.Env.Facts, Storage: f.Env.LedgerStorage, Origin: f.Env.LedgerOrigin(), Dir: t.TempDir(), Patience: time.Nanosecond,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Approvals = approvals
	f.API = api.Assemble(api.Deps{
		Mail: true, ContactsTold: true, Ledger: f.Env.LedgerStorage, Exports: f.Exports, ExportLimit: ExportLimit, BatchLimits: BatchLimits,
		DB: app, Vault: f.Vault, Identity: people, Approvals: approvals, Systems: f.Systems,
		TemporalUIURL: "http://temporal.example/", TemporalNamespace: "lethe", Dev: true, Version: "test", Settings: shown,
		Log: slog.New(slog.NewTextHandler(f.Log, nil)),
	})
	f.HTTP = httptest.NewServer(f.API.Router)
	t.Cleanup(f.HTTP.Close)
	return f
}

// shown are settings of each kind.
var shown = config.Config{
	SessionIdle: 30 * time.Minute, SessionAbsolute: 12 * time.Hour, ApprovalExpiry: 72 * time.Hour, ExportKeep: time.Second, ApprovalsRequired: []string{"purge.decide"},
}.Shown()

// BatchLimits are how much one person lets happen by a file of departures.
var BatchLimits = imports.Limits{People: 20, CompanyShare: 90, DepartmentShare: 90}

// ExportLimit is how many entries one person exports alone.
const ExportLimit = 20

// quick is argon2id for tests: what it costs is not what they are about.
var quick = identity.Argon{Memory: 64, Passes: 1, Lanes: 1}

// stillSystem answers health checks, and that nobody carries a number.
type stillSystem struct {
	connector.Connector
	err error
}

func (s stillSystem) Health(context.Context) error { return s.err }

func (s stillSystem) Find(context.Context, string) ([]string, error) { return []string{}, s.err }

func (f *Fixture) populate() {
	entity, heads := uuid.New(), uuid.New()
	f.A, f.B = uuid.New(), uuid.New()
	f.Exec("INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, 'L', '甲', 'A', 'CN', 'Asia/Shanghai')", entity)
	for id, code := range map[uuid.UUID]string{f.A: "A", f.B: "B", heads: "H"} {
		f.Exec("INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, ?, '部', 'D')", id, entity, code)
	}
	f.Run(archive.InstallCatalogue)
	f.Run(func(tx *database.Tx) error { return retention.InstallRules(tx, true) })
	for _, role := range models.Roles {
		department := f.B
		if role == models.RoleEmployee || role == models.RoleDepartmentHead {
			department = f.A
		}
		f.People[role] = f.Hire("R-"+string(role), department)
		f.Tokens[role], f.TokenIDs[role] = f.Token(f.People[role], role)
	}
	f.Exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", f.People[models.RoleDepartmentHead], f.A)
}

// Exec runs a statement as the owner of the database.
func (f *Fixture) Exec(sql string, args ...any) {
	f.T.Helper()
	if err := databasetest.Exec(f.T, f.Env.Facts, sql, args...); err != nil {
		f.T.Fatalf("%s: %v", sql, err)
	}
}

// Run commits what do writes.
func (f *Fixture) Run(do func(tx *database.Tx) error) {
	f.T.Helper()
	if err := database.Run(context.Background(), f.Env.Facts, do); err != nil {
		f.T.Fatal(err)
	}
}

// Hire makes a person with a linked mail account.
func (f *Fixture) Hire(no string, department uuid.UUID) uuid.UUID {
	f.T.Helper()
	var id uuid.UUID
	f.Run(func(tx *database.Tx) error {
		var employment uuid.UUID
		var err error
		id, employment, err = archive.Create(tx, f.Vault, archive.NewEmployee{
			EmployeeNo: no, Name: "Person " + no, DepartmentID: department, HiredOn: clock.NewDate(2020, time.March, 1),
		})
		if err != nil {
			return err
		}
		_, err = account.Link(tx, employment, "mail", "mail", nil)
		return err
	})
	return id
}

// Token grants a role and issues a token for it.
func (f *Fixture) Token(employee uuid.UUID, role models.Role) (secret string, id uuid.UUID) {
	f.T.Helper()
	f.Run(func(tx *database.Tx) (err error) {
		if _, err := identity.GrantTo(tx, employee, role); err != nil {
			return err
		}
		var token models.APIToken
		secret, token, err = identity.Issue(tx, employee, role, "", 1000*time.Hour, true)
		id = token.ID
		return err
	})
	return secret, id
}

// Reply is what the API answered.
type Reply struct {
	Status  int
	Header  http.Header
	Body    []byte
	Problem httpkit.Problem
}

// endless is a stream that nothing ends but who follows it.
const endless = "/api/v1/emergency-calls/events"

// Ask sends a request as a role; headers are pairs.
func (f *Fixture) Ask(role models.Role, method, path, body string, headers ...string) Reply {
	f.T.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, f.HTTP.URL+path, content)
	if err != nil {
		f.T.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if role != "" {
		r.Header.Set("Authorization", "Bearer "+f.Tokens[role])
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		f.T.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got := Reply{Status: response.StatusCode, Header: response.Header}
	content = response.Body
	if path == endless && got.Status == http.StatusOK {
		content = io.LimitReader(content, 1) // that it began
	}
	if got.Body, err = io.ReadAll(content); err != nil {
		f.T.Fatal(err)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), httpkit.ProblemType) {
		if err := json.Unmarshal(got.Body, &got.Problem); err != nil {
			f.T.Fatalf("a problem that is no JSON: %v", err)
		}
	}
	f.fits(method, path, got)
	return got
}

// fits checks an answer against what the OpenAPI document says: that there is one of this status and kind,
// and of JSON that it has this shape.
func (f *Fixture) fits(method, path string, got Reply) {
	f.T.Helper()
	path, _, _ = strings.Cut(path, "?")
	api := f.API.Huma.OpenAPI()
	for at, op := range f.Operations() {
		verb, pattern, _ := strings.Cut(at, " ")
		if verb != method || !addressed(pattern, path) || len(got.Body) == 0 || pattern != path && f.Operations()[method+" "+path] != nil {
			continue
		}
		documented := op.Responses[strconv.Itoa(got.Status)]
		media, _, _ := strings.Cut(got.Header.Get("Content-Type"), ";")
		if documented == nil || documented.Content[media] == nil {
			f.T.Errorf("%s answers %d with %s, which the document does not say", at, got.Status, media)
			return
		}
		if media != "application/json" {
			return
		}
		var value any
		if err := json.Unmarshal(got.Body, &value); err != nil {
			f.T.Fatalf("%s: %v", got.Body, err)
		}
		var found huma.ValidateResult
		huma.Validate(api.Components.Schemas, documented.Content["application/json"].Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, &found)
		for _, err := range found.Errors {
			f.T.Errorf("%s: the answer does not fit the document: %v", at, err)
		}
		return
	}
}

// addressed says whether a path is one of a pattern's.
func addressed(pattern, path string) bool {
	parts, given := strings.Split(pattern, "/"), strings.Split(path, "/")
	return slices.EqualFunc(parts, given, func(a, b string) bool { return a == b || strings.HasPrefix(a, "{") })
}

// Into decodes the body of a successful answer.
func (r Reply) Into(t testing.TB, target any) {
	t.Helper()
	if r.Status >= 300 {
		t.Fatalf("answered %d %s", r.Status, r.Body)
	}
	if err := json.Unmarshal(r.Body, target); err != nil {
		t.Fatalf("%s: %v", r.Body, err)
	}
}

// Rows counts the rows of every table, so that a test sees whatever was written.
func (f *Fixture) Rows() map[string]int64 {
	f.T.Helper()
	var tables []string
	db := f.Env.Facts.Read(context.Background())
	if err := db.Raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").Scan(&tables).Error; err != nil {
		f.T.Fatal(err)
	}
	counts := map[string]int64{}
	for _, table := range tables {
		var n int64
		if err := db.Table(table).Count(&n).Error; err != nil {
			f.T.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

// Resign begins a departure that is far enough in the future to stay pending.
func (f *Fixture) Resign(employee uuid.UUID) departures.DepartureView {
	f.T.Helper()
	var view departures.DepartureView
	f.Ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.Notice(employee, 30)).Into(f.T, &view)
	return view
}

// Notice is the body of a resignation so many days from today.
func (f *Fixture) Notice(employee uuid.UUID, days int) string {
	return `{"employee_id": "` + employee.String() + `", "kind": "resignation", "last_working_day": "` + f.Day(days) + `"}`
}

// Now is what the clock says that the tests move.
func (f *Fixture) Now() time.Time {
	f.T.Helper()
	now, err := f.Env.Facts.Now(context.Background())
	if err != nil {
		f.T.Fatal(err)
	}
	return now
}

// AdvanceTo moves the clock to an instant that is still to come.
func (f *Fixture) AdvanceTo(at time.Time) {
	f.T.Helper()
	now := f.Now()
	if !now.Before(at) {
		f.T.Fatalf("it is %v, which is after %v", now, at)
	}
	f.Env.Advance(f.T, at.Sub(now)+time.Second)
}

// Day is a date so many days from today in the employees' zone.
func (f *Fixture) Day(days int) string {
	f.T.Helper()
	zone, err := clock.LoadZone("Asia/Shanghai")
	if err != nil {
		f.T.Fatal(err)
	}
	return clock.Today(f.Now(), zone).AddDays(days).String()
}

// Routes is every registered operation, as the OpenAPI document lists it.
func (f *Fixture) Routes() []string { return slices.Sorted(maps.Keys(f.Operations())) }

// Operations are those routes with what the document says of them.
func (f *Fixture) Operations() map[string]*huma.Operation {
	all := map[string]*huma.Operation{}
	for path, item := range f.API.Huma.OpenAPI().Paths {
		for method, op := range map[string]*huma.Operation{
			http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
		} {
			if op != nil {
				all[method+" "+path] = op
			}
		}
	}
	return all
}
