package reports_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/api/reports"
	"lethe/internal/access"
	"lethe/internal/database"
	"lethe/internal/holders"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/leavers"
	"lethe/internal/pdf/pdftest"
	"lethe/models"
)

// accessOn is the whole report of a day, so many from today.
func accessOn(t *testing.T, f *apitest.Fixture, role models.Role, days int, more string) (v reports.AccessPage) {
	t.Helper()
	got := f.Ask(role, "GET", "/api/v1/reports/access?limit=200&on="+f.Day(days)+more, "")
	if got.Status != http.StatusOK {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	got.Into(t, &v)
	return v
}

// holding is the row of a person in a role; nil: there is none.
func holding(v reports.AccessPage, person uuid.UUID, role models.Role) *reports.HolderView {
	i := slices.IndexFunc(v.Items, func(h reports.HolderView) bool { return h.Person.EmployeeID == person && h.Role == role })
	if i < 0 {
		return nil
	}
	return &v.Items[i]
}

// agreedTo lets two people do something about a user.
func agreedTo(f *apitest.Fixture, do func(tx *database.Tx, by models.Actor) error) {
	f.T.Helper()
	by := models.Actor{EmployeeID: f.People[httpkit.HR], Role: httpkit.HR}
	ctx := models.WithCaller(f.T.Context(), models.Caller{
		Actor: models.Actor{EmployeeID: f.People[httpkit.Reviewer], Role: httpkit.Reviewer}, Authenticated: models.ByTOTP,
		Requester: &models.Requester{Actor: by, Authenticated: models.ByTOTP},
	})
	if err := database.Run(ctx, f.Env.Facts, func(tx *database.Tx) error { return do(tx, by) }); err != nil {
		f.T.Fatal(err)
	}
}

// userOf is the user of a person.
func userOf(f *apitest.Fixture, person uuid.UUID) (user models.User) {
	f.T.Helper()
	f.Run(func(tx *database.Tx) (err error) {
		user, err = identity.EnsureUser(tx, person, "")
		return err
	})
	return user
}

// TestWhoCouldSeeWhatOnAPastDay: a role that was taken away and given back, a person who left, and came back.
func TestWhoCouldSeeWhatOnAPastDay(t *testing.T) {
	f := apitest.New(t)
	person := f.Hire("held", f.A)
	user := userOf(f, person)
	grant := func(tx *database.Tx, by models.Actor) error { return identity.Grant(tx, user.ID, httpkit.Reviewer, by) }
	agreedTo(f, grant)
	f.Env.Advance(t, 24*time.Hour)
	agreedTo(f, func(tx *database.Tx, by models.Actor) error {
		return identity.RevokeRole(tx, user.ID, httpkit.Reviewer, by)
	})
	f.Env.Advance(t, 24*time.Hour)
	agreedTo(f, grant)
	f.Env.Advance(t, 24*time.Hour)
	f.Run(func(tx *database.Tx) error { return identity.EndAll(tx, person) }) // as at the cutoff
	f.Env.Advance(t, 24*time.Hour)
	agreedTo(f, func(tx *database.Tx, by models.Actor) error { // hired again
		_, err := (&identity.Service{}).Reset(tx, by, user.ID)
		return err
	})
	held := map[int]*reports.HolderView{}
	for day := -4; day <= 0; day++ {
		held[day] = holding(accessOn(t, f, httpkit.Auditor, day, "&zone=UTC"), person, httpkit.Reviewer)
		if want := day == -4 || day == -2; (held[day] != nil) != want {
			t.Errorf("%d days ago: %+v", -day, held[day])
		}
	}
	if t.Failed() {
		return
	}
	if one := held[-4]; one.GivenBy == nil || one.GivenBy.EmployeeID != f.People[httpkit.HR] || one.AgreedBy == nil || one.AgreedBy.EmployeeID != f.People[httpkit.Reviewer] || one.Sees == "" || !held[-2].Since.After(one.Since.Add(40*time.Hour)) {
		t.Errorf("%+v, then %+v", one, held[-2])
	}
	what := func(day int) (all []holders.What) {
		for _, c := range accessOn(t, f, httpkit.Reviewer, day, "&zone=UTC").Summary.Changes {
			if c.Person != nil && c.Person.EmployeeID == person {
				all = append(all, c.What)
			}
		}
		return all
	}
	for day, want := range map[int][]holders.What{-4: {holders.RoleGiven}, -3: {holders.RoleTaken}, -2: {holders.RoleGiven}, -1: {holders.Ended}, 0: {holders.Ended}} {
		if got := what(day); !slices.Equal(got, want) {
			t.Errorf("changes %d days ago: %v, want %v", -day, got, want)
		}
	}
	only := accessOn(t, f, httpkit.Auditor, -2, "&zone=UTC&employee_id="+person.String())
	if len(only.Items) != 1 || only.Summary.People < 5 {
		t.Errorf("only the person: %+v", only)
	}
	if v := accessOn(t, f, httpkit.Auditor, -2, "&zone=UTC&role=hr_admin"); len(v.Items) == 0 || slices.ContainsFunc(v.Items, func(h reports.HolderView) bool { return h.Role != httpkit.HR }) {
		t.Errorf("only HR: %+v", v.Items)
	}
}

// permissionsNow puts permissions into force in which a tier names a person.
func permissionsNow(f *apitest.Fixture, version int, change func(m *access.Matrix)) {
	f.T.Helper()
	m := *access.Builtin()
	m.Version, m.Tiers, m.Grants = version, slices.Clone(m.Tiers), slices.Clone(m.Grants)
	change(&m)
	document, err := json.Marshal(m)
	if err != nil {
		f.T.Fatal(err)
	}
	f.Exec("INSERT INTO permission_versions (version, document, changed_by, approved_by, ledger_entry_id) VALUES (?, CAST(? AS jsonb), ?, ?, @entry)",
		version, string(document), f.People[httpkit.HR], f.People[httpkit.Reviewer])
}

// TestThePermissionsOfADayAreThoseOfItsEnd: another version comes at noon, and is told of; the day before has the program's own.
func TestThePermissionsOfADayAreThoseOfItsEnd(t *testing.T) {
	f := apitest.New(t)
	f.Env.Advance(t, 24*time.Hour)
	hr := f.People[httpkit.HR]
	permissionsNow(f, 1, func(m *access.Matrix) {
		m.Tiers = append(m.Tiers, access.Tier{Key: "payroll", NameZh: "薪酬", NameEn: "Payroll", Role: httpkit.HR, Scope: access.ScopeEntity, Members: []uuid.UUID{hr}})
		m.Grants = append(m.Grants, access.Grant{Tier: "payroll", Group: access.GroupPayBank, Purpose: access.Payroll, Level: access.Look, Protected: access.LookAfterReview},
			access.Grant{Tier: "payroll", Group: access.GroupPayBank, Purpose: access.AuthorityOrder, Level: access.LookAfterReview, Protected: access.NoLook},
			access.Grant{Tier: "payroll", Group: access.GroupPayBank, Purpose: access.OwnRequest, Level: access.LookAfterReview, Protected: access.Look},
			access.Grant{Tier: "payroll", Group: access.GroupPayBank, Purpose: access.Certificate, Level: access.NoLook, Protected: access.NoLook})
		m.Protected = []uuid.UUID{f.People[httpkit.Head]}
		m.Limits = &access.Limits{PeoplePerDay: 7, LooksPerWeek: 3}
	})
	f.Env.Advance(t, 24*time.Hour)
	v := accessOn(t, f, httpkit.Auditor, -2, "&zone=Asia/Shanghai")
	one := holding(v, hr, httpkit.HR)
	if v.Summary.Version != 0 || one == nil || len(one.Tiers) != 1 || one.Tiers[0].Key != "hr_admin" || one.Tiers[0].Named || len(v.Summary.Protected) != 0 || v.Summary.ChangedAt != nil {
		t.Fatalf("the day before: %+v, %+v", one, v.Summary)
	}
	v = accessOn(t, f, httpkit.Auditor, -1, "&zone=Asia/Shanghai")
	one = holding(v, hr, httpkit.HR)
	if v.Summary.Version != 1 || one == nil || len(one.Tiers) != 1 || one.Tiers[0].Key != "payroll" || !one.Tiers[0].Named || one.Tiers[0].ScopeText != "the own legal entity" {
		t.Fatalf("the day itself: %+v, %+v", one, v.Summary)
	}
	if s := v.Summary; len(s.Protected) != 1 || s.ApprovedBy == nil || s.ApprovedBy.EmployeeID != f.People[httpkit.Reviewer] || !strings.Contains(s.LimitsText, "7 other people within") ||
		!slices.ContainsFunc(s.Changes, func(c reports.AccessChange) bool {
			return c.What == holders.Permissions && c.WhatText == "Permissions changed (version 1)"
		}) {
		t.Errorf("%+v", s)
	}
	tier := v.Summary.Tiers[slices.IndexFunc(v.Summary.Tiers, func(t reports.AccessTier) bool { return t.Key == "payroll" })]
	if tier.Holders != 1 || len(tier.Groups) != len(access.Groups) {
		t.Errorf("%+v", tier)
	}
	for _, g := range tier.Groups {
		if g.Group != string(access.GroupPayBank) {
			if g.Shown != access.Hidden || g.ShownText != "hidden" || len(g.Purposes) != 0 {
				t.Errorf("%+v", g)
			}
			continue
		}
		if g.Shown != access.Masked || len(g.Purposes) != 3 || g.Purposes[0].Purpose != access.OwnRequest || g.Purposes[0].Protected != access.LookAfterReview || g.Purposes[1] != (reports.AccessPurpose{
			Purpose: access.Payroll, PurposeText: "payroll correction", Level: access.Look, LevelText: "opened", Protected: access.LookAfterReview, ProtectedText: "opened after a review",
		}) || g.Purposes[2].Protected != access.NoLook {
			t.Errorf("%+v", g)
		}
	}
}

// TestADayOfWhichTheReportSaysNothing: to come, before the first start, and none at all.
func TestADayOfWhichTheReportSaysNothing(t *testing.T) {
	f := apitest.New(t)
	auditor := f.Session(httpkit.Auditor)
	for query, want := range map[string]string{
		"on=" + f.Day(2): "report_day_to_come", "on=" + f.Day(-3): "report_day_too_early", "on=2026-02-30": "validation_failed", "on=0001-01-01": "validation_failed",
		"on=" + f.Day(0) + "&zone=Nowhere": "unknown_time_zone", "": "validation_failed",
	} {
		got := auditor.Ask("GET", "/api/v1/reports/access?"+query, "")
		if got.Status != http.StatusUnprocessableEntity || got.Problem.Code != want || len(got.Problem.Errors) == 0 || !strings.HasPrefix(got.Problem.Errors[0].Location, "query.") {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
	got := auditor.Ask("POST", "/api/v1/reports/access/exports", fmt.Sprintf(`{"on": %q}`, f.Day(2)))
	if got.Status != http.StatusUnprocessableEntity || got.Problem.Code != "report_day_to_come" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if v := accessOn(t, f, httpkit.Auditor, 0, ""); v.Summary.Zone != "Asia/Shanghai" || !v.Summary.Today || !strings.Contains(v.Summary.Text, "the day has not ended") {
		t.Errorf("today: %+v", v.Summary)
	}
	for _, role := range []models.Role{httpkit.HR, httpkit.IT, httpkit.Head, httpkit.Employee} {
		if got := f.Ask(role, "GET", "/api/v1/reports/access?on="+f.Day(0), ""); got.Status != http.StatusForbidden {
			t.Errorf("%s reads: %d", role, got.Status)
		}
	}
	for _, role := range []models.Role{httpkit.Reviewer, httpkit.HR} {
		if got := f.Ask(role, "POST", "/api/v1/reports/access/exports", fmt.Sprintf(`{"on": %q}`, f.Day(0))); got.Status != http.StatusForbidden {
			t.Errorf("%s exports: %d", role, got.Status)
		}
	}
}

// TestPagesOfHoldersHaveEachOnce, though somebody lost a role between two of them.
func TestPagesOfHoldersHaveEachOnce(t *testing.T) {
	f := apitest.New(t)
	all := accessOn(t, f, httpkit.Auditor, 0, "")
	seen, address := map[uuid.UUID]bool{}, "/api/v1/reports/access?limit=2&on="+f.Day(0)
	cursor := ""
	for range len(all.Items) {
		var v reports.AccessPage
		f.Ask(httpkit.Auditor, "GET", address+cursor, "").Into(t, &v)
		for _, h := range v.Items {
			if seen[h.ID] {
				t.Errorf("twice: %+v", h)
			}
			seen[h.ID] = true
		}
		if v.NextCursor == nil {
			break
		}
		if len(seen) == 2 {
			gone := v.Items[1]
			f.Exec("ALTER TABLE user_roles DISABLE TRIGGER USER")
			f.Exec("UPDATE user_roles SET revoked_at = lethe_now() - interval '1 minute' WHERE id = ?", gone.ID)
		}
		cursor = "&cursor=" + *v.NextCursor
	}
	if len(seen) < len(all.Items)-1 || len(seen) < 6 {
		t.Errorf("%d of %d", len(seen), len(all.Items))
	}
}

// TestI18_TheAccessReportLeavesWithItsDigestInTheLedger, and names who is purged as the log does.
func TestI18_TheAccessReportLeavesWithItsDigestInTheLedger(t *testing.T) {
	f := apitest.New(t)
	gone := f.Hire("gone", f.A)
	user := userOf(f, gone)
	agreedTo(f, func(tx *database.Tx, by models.Actor) error { return identity.Grant(tx, user.ID, httpkit.Employee, by) })
	rewrite(f, "UPDATE employees SET name = '=1+1', status = 'purged' WHERE id = ?", gone)
	rewrite(f, "UPDATE employees SET name = '=2+2' WHERE id = ?", f.People[httpkit.IT])
	pseudonym := holding(accessOn(t, f, httpkit.Auditor, 0, ""), gone, httpkit.Employee)
	if pseudonym == nil || pseudonym.Person.Name == "=1+1" || pseudonym.Person.EmployeeNo == "gone" {
		t.Fatalf("of a purged person: %+v", pseudonym)
	}
	for _, language := range []i18n.Language{i18n.Chinese, i18n.English} {
		got := f.Session(httpkit.Auditor).Ask("POST", "/api/v1/reports/access/exports", fmt.Sprintf(`{"on": %q}`, f.Day(0)), "Accept-Language", string(language))
		if got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		files, details := members(t, got.Body), lastDetailsOf(t, f, holders.ActionExported)
		for _, format := range leavers.Formats {
			content := files["access-"+f.Day(0)+"."+string(format)]
			sum := sha256.Sum256(content)
			if len(content) == 0 || details[leavers.DigestOf(format)] != hex.EncodeToString(sum[:]) || !bytes.Contains(files["README.txt"], []byte(hex.EncodeToString(sum[:]))) {
				t.Errorf("%s: %d bytes, the entry has %v", format, len(content), details)
			}
		}
		if action := i18n.Text(language, "ledger.action."+holders.ActionExported); details["on"] != f.Day(0) || details["version"] != "0" || details["time_zone"] != "Asia/Shanghai" || !bytes.Contains(files["README.txt"], []byte(action)) || len(files["receipt.txt"]) == 0 {
			t.Errorf("%v, %s", details, files["README.txt"])
		}
		lines := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(files["access-"+f.Day(0)+".csv"], []byte("\uFEFF"))))
		lines.Comment = '#'
		records, err := lines.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		wantHolders(t, f, records[1:], accessOn(t, f, httpkit.Auditor, 0, ""))
		pages := pdftest.Text(t, files["access-"+f.Day(0)+".pdf"])
		for _, said := range []string{"=2+2", i18n.Text(language, "access_report.gaps"), i18n.Text(language, "purpose.work_injury")} {
			if !strings.Contains(strings.Join(strings.Fields(pages), " "), said) {
				t.Errorf("%q is not in the pages: %s", said, pages)
			}
		}
	}
}

// wantHolders: each group of fields of somebody in a tier has a line, and a role without tiers one.
func wantHolders(t *testing.T, f *apitest.Fixture, records [][]string, v reports.AccessPage) {
	t.Helper()
	want := 0
	for _, h := range v.Items {
		want += max(1, len(h.Tiers)*len(access.Groups))
	}
	it, hr := 0, 0
	for _, line := range records {
		it += map[bool]int{true: 1}[line[1] == "'=2+2"]
		if line[0] == "R-hr_admin" && line[10] != "" && line[11] != "" && line[12] != "" && line[13] != "" && line[14] == "" && line[15] != "" {
			hr++
		}
	}
	if len(records) != want || it == 0 || hr < len(access.Groups) {
		t.Errorf("%d lines, want %d; %d of IT, %d of HR: %q", len(records), want, it, hr, records)
	}
}
