package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api"
	"lethe/internal/account"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/internal/vault"
	"lethe/models"
)

// office is the API on a real database, with an HR administrator and IT operations at their terminals.
type office struct {
	t          *testing.T
	env        *databasetest.Env
	vault      *vault.Vault
	department uuid.UUID
	tokens     map[models.Role]string
	address    string
	broken     sync.Map // method and path, of which the first answer breaks: how many bytes of it arrive
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, env: databasetest.New(t), tokens: map[models.Role]string{}}
	path := filepath.Join(t.TempDir(), "kek")
	o.must(vault.CreateKEKFile(path))
	kek, err := vault.LoadKEKFile(path)
	o.must(err)
	o.vault = vault.New(o.env.Keys, kek, o.env.Installation.ID)
	entity := uuid.New()
	o.department = uuid.New()
	o.must(databasetest.Exec(t, o.env.Facts, "INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, 'L', '甲', 'A', 'CN', 'Asia/Shanghai')", entity))
	o.must(databasetest.Exec(t, o.env.Facts, "INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, 'D', '研发部', 'Development')", o.department, entity))
	o.do(archive.InstallCatalogue)
	o.do(func(tx *database.Tx) error { return retention.InstallRules(tx, true) })
	for _, role := range []models.Role{models.RoleHRAdmin, models.RoleITOps} {
		o.do(func(tx *database.Tx) (err error) {
			id := o.hire(tx, "R-"+string(role), "王管")
			if _, err = identity.GrantTo(tx, id, role); err == nil {
				o.tokens[role], _, err = identity.Issue(tx, id, role, "test", time.Hour, true)
			}
			return err
		})
	}
	systems, err := connector.RegistryOf()
	o.must(err)
	app := o.env.AsApp(t)
	people := identity.New(app, o.vault, identity.Options{Insecure: true})
	approvals, err := operations.New(operations.Deps{Vault: o.vault, Identity: people, Systems: systems}, approval.Options{})
	o.must(err)
	handler := api.New(api.Deps{
		DB: app, Vault: o.vault, Identity: people, Approvals: approvals, Systems: systems, Ledger: o.env.LedgerStorage,
		Dev: true, Log: slog.New(slog.DiscardHandler),
	})
	server := httptest.NewServer(o.breaking(handler))
	t.Cleanup(server.Close)
	o.address = server.URL
	return o
}

// breaking carries requests out, and cuts the connection in the first answer to those that are to break.
func (o *office) breaking(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrives, lost := o.broken.LoadAndDelete(r.Method + " " + r.URL.Path)
		if !lost {
			handler.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		if n := arrives.(int); n > 0 {
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes()[:n])
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	})
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) do(command func(tx *database.Tx) error) {
	o.t.Helper()
	o.must(database.Run(o.t.Context(), o.env.Facts, command))
}

// hire makes a person with a linked mail account.
func (o *office) hire(tx *database.Tx, no, name string) uuid.UUID {
	o.t.Helper()
	id, employment, err := archive.Create(tx, o.vault, archive.NewEmployee{EmployeeNo: no, Name: name, DepartmentID: o.department, Post: "工程师", HiredOn: clock.NewDate(2020, time.March, 1)})
	if err == nil {
		_, err = account.Link(tx, employment, "mail", "mail", nil)
	}
	o.must(err)
	return id
}

func (o *office) hired(no, name string) (id uuid.UUID) {
	o.t.Helper()
	o.do(func(tx *database.Tx) error { id = o.hire(tx, no, name); return nil })
	return id
}

// day is a date so many days from today in the employees' zone.
func (o *office) day(days int) string {
	o.t.Helper()
	now, err := o.env.Facts.Now(o.t.Context())
	o.must(err)
	zone, err := clock.LoadZone("Asia/Shanghai")
	o.must(err)
	return clock.Today(now, zone).AddDays(days).String()
}

// dayInWords is day as it is read in Chinese.
func (o *office) dayInWords(days int) string {
	o.t.Helper()
	d, err := clock.ParseDate(o.day(days))
	o.must(err)
	return fmt.Sprintf("%d年%d月%d日", d.Year, d.Month, d.Day)
}

// at is a role's terminal, where somebody answers questions with what is given.
func (o *office) at(role models.Role, language i18n.Language, answers io.Reader) *apiClient {
	return &apiClient{base: o.address, token: o.tokens[role], language: language, http: &http.Client{}, asked: answers}
}

// runs carries a command out as a script does, and returns its exit code and what it printed, errors last.
func (o *office) runs(role models.Role, args ...string) (int, string) {
	o.t.Helper()
	o.t.Setenv("LETHE_API", o.address)
	o.t.Setenv("LETHE_TOKEN", o.tokens[role])
	var code int
	text := printed(o.t, func() { code = run(o.t.Context(), args) })
	if strings.Contains(text, "/api/v1") {
		o.t.Errorf("lethe %v prints an address of the API:\n%s", args, text)
	}
	return code, text
}

// printed is what is written to standard output and then to standard error.
func printed(t *testing.T, do func()) string {
	t.Helper()
	var texts [2]string
	out, errs := os.Stdout, os.Stderr
	defer func() { os.Stdout, os.Stderr = out, errs }()
	var files [2]*os.File
	for i := range files {
		file, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = file.Close() })
		files[i] = file
	}
	os.Stdout, os.Stderr = files[0], files[1]
	do()
	for i, file := range files {
		content, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(content)
	}
	return texts[0] + texts[1]
}

// departures are those of a person.
func (o *office) departures(person uuid.UUID) []models.Departure {
	o.t.Helper()
	var rows []models.Departure
	o.must(o.env.Facts.Read(context.Background()).Where("employee_id = ?", person).Order("created_at").Find(&rows).Error)
	return rows
}
