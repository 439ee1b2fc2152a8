package enrolment

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp/totp"

	"lethe/api"
	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/connector"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/internal/vault"
	"lethe/models"
)

// world is the API over HTTP, on databases of its own, as the processes' login.
type world struct {
	t          *testing.T
	env        *databasetest.Env
	vault      *vault.Vault
	people     *identity.Service
	address    string
	department uuid.UUID
}

const password = "four unlikely words together"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, env: databasetest.New(t), department: uuid.New()}
	path := filepath.Join(t.TempDir(), "kek")
	w.must(vault.CreateKEKFile(path))
	kek, err := vault.LoadKEKFile(path)
	w.must(err)
	w.vault = vault.New(w.env.Keys, kek, w.env.Installation.ID)
	app := w.env.AsApp(t)
	w.people = identity.New(app, w.vault, identity.Options{Argon: identity.Argon{Memory: 64, Passes: 1, Lanes: 1}, Insecure: true})
	approvals, err := operations.New(operations.Deps{Vault: w.vault, Identity: w.people}, approval.Options{})
	w.must(err)
	systems, err := connector.RegistryOf()
	w.must(err)
	server := httptest.NewServer(api.New(api.Deps{
		DB: app, Vault: w.vault, Systems: systems, Identity: w.people, Approvals: approvals, Dev: true, Log: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(server.Close)
	w.address = server.URL
	w.run(archive.InstallCatalogue)
	w.run(func(tx *database.Tx) error { return retention.InstallRules(tx, true) })
	entity := uuid.New()
	w.exec("INSERT INTO legal_entities (id, code, name_zh, name_en, jurisdiction, time_zone) VALUES (?, 'L', '甲', 'A', 'CN', 'Asia/Shanghai')", entity)
	w.exec("INSERT INTO departments (id, legal_entity_id, code, name_zh, name_en) VALUES (?, ?, 'D', '部', 'D')", w.department, entity)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	w.must(w.env.Facts.Read(context.Background()).Exec(sql, args...).Error)
}

func (w *world) run(do func(tx *database.Tx) error) {
	w.t.Helper()
	w.must(database.Run(context.Background(), w.env.Facts, do))
}

func (w *world) employee(no string) (id uuid.UUID) {
	w.t.Helper()
	w.run(func(tx *database.Tx) (err error) {
		id, _, err = archive.Create(tx, w.vault, archive.NewEmployee{
			EmployeeNo: no, Name: "Person " + no, DepartmentID: w.department, HiredOn: clock.NewDate(2020, time.March, 1),
		})
		return err
	})
	return id
}

// hire makes somebody who administers and reviews, as everybody does in a small company.
func (w *world) hire(no string) (user models.User) {
	w.t.Helper()
	id := w.employee(no)
	w.run(func(tx *database.Tx) (err error) {
		if _, err = identity.GrantTo(tx, id, models.RoleHRAdmin); err != nil {
			return err
		}
		user, err = identity.GrantTo(tx, id, models.RoleReviewer)
		return err
	})
	return user
}

func (w *world) user(login string) models.User {
	w.t.Helper()
	user, err := database.First[models.User](w.env.Facts.Read(context.Background()).Where("login = ?", login))
	w.must(err)
	return user
}

// visitor is a browser with a session.
type visitor struct {
	w     *world
	token string
	id    uuid.UUID
}

type reply struct {
	status   int
	location string
	body     []byte
}

func (v *visitor) do(method, path, body string) reply {
	v.w.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, v.w.address+path, strings.NewReader(body))
	v.w.must(err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if v.token != "" {
		request.Header.Set("Cookie", "lethe="+v.token)
	}
	response, err := http.DefaultClient.Do(request)
	v.w.must(err)
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	v.w.must(err)
	return reply{response.StatusCode, response.Header.Get("Location"), got}
}

// again is a session by password and authenticator that has not stepped up since.
func (w *world) again(user models.User, role models.Role) *visitor {
	return w.open(user, role, models.ByTOTP)
}

// byCompanyLogin is what comes back from the provider for a login that is linked with the user.
func (w *world) byCompanyLogin(user models.User, role models.Role) *visitor {
	return w.open(user, role, models.ByOIDC)
}

func (w *world) logIn(user models.User, role models.Role) *visitor {
	v := w.again(user, role)
	w.stepUp(v)
	return v
}

func (w *world) open(user models.User, role models.Role, how models.Authentication) *visitor {
	w.t.Helper()
	v := &visitor{w: w}
	w.run(func(tx *database.Tx) error {
		token, session, err := w.people.Open(tx, identity.Opening{User: user, Role: role, Authenticated: how})
		v.token, v.id = token, session.ID
		return err
	})
	return v
}

func (w *world) stepUp(v *visitor) {
	w.t.Helper()
	w.run(func(tx *database.Tx) (err error) {
		v.token, err = w.people.StepUp(tx, v.id, databasetest.Entry(w.t, tx))
		return err
	})
}

// enrol does over HTTP what an owner does, and opens a session that has stepped up.
func (w *world) enrol(login, code string, role models.Role) *visitor {
	w.t.Helper()
	nobody := &visitor{w: w}
	var factor struct {
		Secret string `json:"secret"`
	}
	begun := nobody.do("POST", "/api/v1/enrolments", `{"login": "`+login+`", "code": "`+code+`", "password": "`+password+`"}`)
	if begun.status != http.StatusOK || json.Unmarshal(begun.body, &factor) != nil {
		w.t.Fatalf("enrolling: %d %s", begun.status, begun.body)
	}
	now, err := w.env.Facts.Now(context.Background())
	w.must(err)
	shown, err := totp.GenerateCode(factor.Secret, now)
	w.must(err)
	done := nobody.do("POST", "/api/v1/enrolments/confirmation", `{"login": "`+login+`", "code": "`+code+`", "totp": "`+shown+`"}`)
	if done.status != http.StatusOK {
		w.t.Fatalf("enrolling: %d %s", done.status, done.body)
	}
	return w.logIn(w.user(login), role)
}

// puppet is the same account in another role.
func (w *world) puppet(_ *visitor, role models.Role) *visitor { return w.logIn(w.user("victim"), role) }

// hold places a hold on the data of somebody of its own, and returns its address.
func (w *world) hold(_ models.User) string {
	w.t.Helper()
	id := w.employee("E" + uuid.NewString()[:8])
	var hold models.Hold
	w.run(func(tx *database.Tx) (err error) {
		hold, _, err = retention.PlaceHold(tx, retention.HoldOrder{EmployeeID: id, Matter: "M-1", By: models.System})
		return err
	})
	return "/api/v1/holds/" + hold.ID.String()
}

func (w *world) released(hold string) bool {
	w.t.Helper()
	var n int64
	w.must(w.env.Facts.Read(context.Background()).Raw("SELECT count(*) FROM holds WHERE id = ? AND released_at IS NOT NULL", hold[strings.LastIndexByte(hold, '/')+1:]).Scan(&n).Error)
	return n == 1
}

// confirm is what `lethe admin confirm-owner` does once two people have logged in.
func (w *world) confirm(login string, first, second models.User) error {
	bearer := func(u models.User) identity.Bearer {
		return identity.Bearer{UserID: u.ID, Actor: models.Actor{EmployeeID: u.EmployeeID, Role: models.RoleHRAdmin}, Authenticated: models.ByTOTP}
	}
	return database.Run(context.Background(), w.env.Facts, func(tx *database.Tx) error {
		_, err := identity.ConfirmOwner(tx, login, [2]identity.Bearer{bearer(first), bearer(second)})
		return err
	})
}

func (w *world) confirmed(login string, first, second models.User) {
	w.t.Helper()
	w.must(w.confirm(login, first, second))
}

func (w *world) notConfirmed(login string, first, second models.User) {
	w.t.Helper()
	if err := w.confirm(login, first, second); !errors.Is(err, identity.ErrNotTwoPeople) && !errors.Is(err, identity.ErrOwnerConfirms) {
		w.t.Errorf("confirmed by %s and %s: %v", first.Login, second.Login, err)
	}
}
