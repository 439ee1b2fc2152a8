package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
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

	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/ledger/evidence"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/internal/vault"
	"lethe/models"
)

// fixture is the API on a real database, with a person for each role: the employee and the head are
// in department A, everybody else in B.
type fixture struct {
	t        testing.TB
	env      *databasetest.Env
	server   *server
	http     *httptest.Server
	log      *bytes.Buffer
	vault    *vault.Vault
	systems  *connector.Registry
	exports  *evidence.Maker
	a, b     uuid.UUID
	people   map[models.Role]uuid.UUID
	tokens   map[models.Role]string
	tokenIDs map[models.Role]uuid.UUID
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{
		t: t, env: databasetest.New(t), log: &bytes.Buffer{}, people: map[models.Role]uuid.UUID{},
		tokens: map[models.Role]string{}, tokenIDs: map[models.Role]uuid.UUID{},
	}
	path := filepath.Join(t.TempDir(), "kek")
	if err := vault.CreateKEKFile(path); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.LoadKEKFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f.vault = vault.New(f.env.Keys, kek, f.env.Installation.ID)
	f.populate()
	f.systems, err = connector.RegistryOf(
		connector.System{Name: "mail", Kind: "mail", Connector: stillSystem{}},
		connector.System{Name: "finance", Kind: "finance", Connector: stillSystem{err: &connector.Error{Code: connector.CodeUnauthorized}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	// What is served runs as the processes do, who may do less than the owner.
	app := f.env.AsApp(t)
	people := identity.New(app, f.vault, identity.Options{Insecure: true, Argon: quick})
	approvals, err := operations.New(operations.Deps{Vault: f.vault, Identity: people, Systems: f.systems}, approval.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.exports, err = evidence.NewMaker(evidence.Options{
		DB: f.env.Facts, Storage: f.env.LedgerStorage, Origin: f.env.LedgerOrigin(), Dir: t.TempDir(), Patience: time.Nanosecond,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	handler, s := build(Deps{
		Ledger: f.env.LedgerStorage, Exports: f.exports, ExportLimit: exportLimit,
		DB: app, Vault: f.vault, Identity: people, Approvals: approvals, Systems: f.systems,
		TemporalUIURL: "http://temporal.example/", TemporalNamespace: "lethe", Dev: true, Version: "test",
		Log: slog.New(slog.NewTextHandler(f.log, nil)),
	})
	f.server = s
	f.http = httptest.NewServer(handler)
	t.Cleanup(f.http.Close)
	return f
}

// exportLimit is how many entries one person exports alone.
const exportLimit = 20

// quick is argon2id for tests: what it costs is not what they are about.
var quick = identity.Argon{Memory: 64, Passes: 1, Lanes: 1}

// stillSystem answers health checks and nothing else.
type stillSystem struct {
	connector.Connector
	err error
}

func (s stillSystem) Health(context.Context) error { return s.err }

func (f *fixture) populate() {
	entity, heads := uuid.New(), uuid.New()
	f.a, f.b = uuid.New(), uuid.New()
	f.exec("INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, 'L', '甲', 'A', 'CN', 'Asia/Shanghai')", entity)
	for id, code := range map[uuid.UUID]string{f.a: "A", f.b: "B", heads: "H"} {
		f.exec("INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, ?, '部', 'D')", id, entity, code)
	}
	f.run(archive.InstallCatalogue)
	f.run(func(tx *database.Tx) error { return retention.InstallRules(tx, true) })
	for _, role := range models.Roles {
		department := f.b
		if role == models.RoleEmployee || role == models.RoleDepartmentHead {
			department = f.a
		}
		f.people[role] = f.hire("R-"+string(role), department)
		f.tokens[role], f.tokenIDs[role] = f.token(f.people[role], role)
	}
	f.exec("UPDATE departments SET head_employee_id = ? WHERE id = ?", f.people[models.RoleDepartmentHead], f.a)
}

func (f *fixture) exec(sql string, args ...any) {
	f.t.Helper()
	if err := databasetest.Exec(f.t, f.env.Facts, sql, args...); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
}

func (f *fixture) run(do func(tx *database.Tx) error) {
	f.t.Helper()
	if err := database.Run(context.Background(), f.env.Facts, do); err != nil {
		f.t.Fatal(err)
	}
}

// hire makes a person with a linked mail account.
func (f *fixture) hire(no string, department uuid.UUID) uuid.UUID {
	f.t.Helper()
	var id uuid.UUID
	f.run(func(tx *database.Tx) error {
		var employment uuid.UUID
		var err error
		id, employment, err = archive.Create(tx, f.vault, archive.NewEmployee{
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

func (f *fixture) token(employee uuid.UUID, role models.Role) (secret string, id uuid.UUID) {
	f.t.Helper()
	f.run(func(tx *database.Tx) (err error) {
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

// reply is what the API answered.
type reply struct {
	status  int
	header  http.Header
	body    []byte
	problem Problem
}

// ask sends a request as a role; headers are pairs.
func (f *fixture) ask(role models.Role, method, path, body string, headers ...string) reply {
	f.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, f.http.URL+path, content)
	if err != nil {
		f.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if role != "" {
		r.Header.Set("Authorization", "Bearer "+f.tokens[role])
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got := reply{status: response.StatusCode, header: response.Header}
	if got.body, err = io.ReadAll(response.Body); err != nil {
		f.t.Fatal(err)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), problemType) {
		if err := json.Unmarshal(got.body, &got.problem); err != nil {
			f.t.Fatalf("a problem that is no JSON: %v", err)
		}
	}
	f.fits(method, path, got)
	return got
}

// fits checks a JSON answer against what the OpenAPI document says of it.
func (f *fixture) fits(method, path string, got reply) {
	f.t.Helper()
	if got.status >= 300 || !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
		return
	}
	path, _, _ = strings.Cut(path, "?")
	api := f.server.api.OpenAPI()
	for at, op := range f.operations() {
		verb, pattern, _ := strings.Cut(at, " ")
		if verb != method || !addressed(pattern, path) || len(got.body) == 0 {
			continue
		}
		documented := op.Responses[strconv.Itoa(got.status)]
		if documented == nil || documented.Content["application/json"] == nil {
			f.t.Errorf("%s answers %d with JSON, which the document does not say", at, got.status)
			return
		}
		var value any
		if err := json.Unmarshal(got.body, &value); err != nil {
			f.t.Fatalf("%s: %v", got.body, err)
		}
		var found huma.ValidateResult
		huma.Validate(api.Components.Schemas, documented.Content["application/json"].Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, value, &found)
		for _, err := range found.Errors {
			f.t.Errorf("%s: the answer does not fit the document: %v", at, err)
		}
		return
	}
}

// addressed says whether a path is one of a pattern's.
func addressed(pattern, path string) bool {
	parts, given := strings.Split(pattern, "/"), strings.Split(path, "/")
	return slices.EqualFunc(parts, given, func(a, b string) bool { return a == b || strings.HasPrefix(a, "{") })
}

// into decodes the body of a successful answer.
func (r reply) into(t testing.TB, target any) {
	t.Helper()
	if r.status >= 300 {
		t.Fatalf("answered %d %s", r.status, r.body)
	}
	if err := json.Unmarshal(r.body, target); err != nil {
		t.Fatalf("%s: %v", r.body, err)
	}
}

// rows counts the rows of every table, so that a test sees whatever was written.
func (f *fixture) rows() map[string]int64 {
	f.t.Helper()
	var tables []string
	db := f.env.Facts.Read(context.Background())
	if err := db.Raw("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").Scan(&tables).Error; err != nil {
		f.t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, table := range tables {
		var n int64
		if err := db.Table(table).Count(&n).Error; err != nil {
			f.t.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

// resign begins a departure that is far enough in the future to stay pending.
func (f *fixture) resign(employee uuid.UUID) DepartureView {
	f.t.Helper()
	var view DepartureView
	f.ask(models.RoleHRAdmin, "POST", "/api/v1/departures", f.notice(employee, 30)).into(f.t, &view)
	return view
}

func (f *fixture) notice(employee uuid.UUID, days int) string {
	return `{"employee_id": "` + employee.String() + `", "kind": "resignation", "last_working_day": "` + f.day(days) + `"}`
}

// day is a date so many days from today in the employees' zone.
func (f *fixture) day(days int) string {
	f.t.Helper()
	now, err := f.env.Facts.Now(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	zone, err := clock.LoadZone("Asia/Shanghai")
	if err != nil {
		f.t.Fatal(err)
	}
	return clock.Today(now, zone).AddDays(days).String()
}
