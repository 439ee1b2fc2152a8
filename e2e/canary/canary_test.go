package canary

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"lethe/e2e/harness"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/payload"
	"lethe/internal/places"
	"lethe/models"
	"lethe/sandbox/control"
)

// birds are the texts that every marker of a kind holds, new in each run.
type birds struct {
	// secret may be nowhere outside the systems that we were told it by.
	secret string
	// skeleton marks what the database keeps of a person (name, post): not in Temporal, logs, metrics.
	skeleton string
	// external marks ids of accounts: as skeleton, and gone from every column after the purge.
	external string
	// code is as secret, in the letters that a reason code has.
	code string
}

func newBirds() birds {
	name := func(kind string) string { return kind + rand.Text()[:14] }
	return birds{secret: name("Kanari"), skeleton: name("Wellen"), external: name("Nymphe"), code: strings.ToLower(name("zaunkoenig"))}
}

// aviary is one run of the canary.
type aviary struct {
	*testing.T
	birds
	ctx      context.Context
	stack    *harness.Stack
	hr       *harness.Client
	refusals haul // bodies of refused calls
	secrets  int
	// key and person are those of the first departure.
	key, person string
}

// marker is a new secret value.
func (a *aviary) marker() string {
	a.secrets++
	return fmt.Sprintf("%s-%d", a.secret, a.secrets)
}

// TestI24_I25_NothingSensitiveIsAnywhereItShouldNotBe plants markers in every sensitive field, text,
// snapshot and request body, has everything run (success, failures, people's decisions, withdrawal,
// annulment, purge), and searches Temporal, logs, metrics and answers, and after the purges both
// databases with all their files, the ledger's tiles, bundles and checkpoints, and evidence packs, for each marker in plain, base64, hex and UTF-16.
func TestI24_I25_NothingSensitiveIsAnywhereItShouldNotBe(t *testing.T) {
	t.Parallel()
	stack := harness.Start(t, harness.Options{
		OwnPostgres: true, OwnTemporal: true, BeforeMidnight: 6 * time.Hour, Env: map[string]string{"UNLINK_TRIES": "6", "LOG_LEVEL": "debug"},
	})
	a := &aviary{T: t, birds: newBirds(), ctx: t.Context(), stack: stack, hr: stack.As(stack.Staff.HR)}
	a.ownFields()
	gone := append(a.leave(), a.misuse())
	a.holdNobody()
	for _, id := range gone {
		a.await(id, "purged", func(d harness.Departure) bool { return d.Stage == "purged" && d.AccountsState == "settled" })
	}

	a.askAgain()
	// Whoever is purged is a pseudonym in what an auditor takes away from now on.
	consulted := a.consult()
	a.wantNothing(consulted, "I25", a.secret, a.skeleton, a.external, a.code)
	a.wantNothing(a.ledgerHaul(), "I25", a.secret, a.skeleton, a.external, a.code)
	where := a.runtimeHaul()
	t.Logf("searched %d pieces, %d MB, for %d markers", len(where), where.size()>>20, a.secrets)
	a.wantNothing(where, "I24", a.secret, a.skeleton, a.external, a.code)
	a.wantNothing(a.refusals, "I24", a.secret, a.skeleton, a.external)

	a.wantNothing(a.columns(), "I25", a.secret, a.external, a.code)
	a.walk()
	a.settle()
	files := a.databaseFiles()
	t.Logf("searched %d files of the databases, %d MB", len(files), files.size()>>20)
	a.wantNothing(files, "I25", a.secret, a.code)

	a.plantInPlain()
}

func (a *aviary) wantNothing(h haul, invariant string, birds ...string) {
	a.Helper()
	for _, bird := range birds {
		found := h.search(NewNet(bird))
		for _, f := range found[:min(len(found), 5)] {
			a.Errorf("%s: %s", invariant, f)
		}
		if len(found) > 5 {
			a.Errorf("%s: and %d more", invariant, len(found)-5)
		}
	}
}

// hire puts somebody with markers everywhere into the archive and the systems.
func (a *aviary) hire(no string) harness.Person {
	a.Helper()
	fields, documents := map[string]string{}, []string{}
	for _, f := range a.sealedFields() {
		if f.Type == models.FieldAttachment {
			documents = append(documents, f.Key)
			continue
		}
		fields[f.Key] = a.valueOf(f)
	}
	p, err := a.stack.Hire(a.ctx, harness.Hire{
		No: no, Name: a.skeleton + " " + no, Fields: fields, KnownIDs: true,
		Account: func(system string, plant *control.Plant) {
			plant.ID = a.external + "-" + system + "-" + no
			plant.UserName, plant.Emails = a.marker(), []string{a.marker() + "@example.com"}
			plant.Groups = append(plant.Groups, a.marker())
		},
	})
	if err != nil {
		a.Fatal(err)
	}
	for _, key := range documents { // over several pieces, and with a name
		content := []byte("%PDF-1.7\n" + strings.Repeat(a.marker()+"\n", 20_000))
		got, err := a.hr.Do(a.ctx, "POST", "/api/v1/employees/"+p.EmployeeID.String()+"/attachments?field="+key, content,
			"Content-Type", "application/pdf", "Content-Disposition", `attachment; filename="`+a.marker()+`.pdf"`)
		if err != nil || got.Status != 201 {
			a.Fatalf("adding a document: %d %s, %v", got.Status, got.Body, err)
		}
	}
	return p
}

// ownFields adds fields of the company's own, which are filled and destroyed as all others.
func (a *aviary) ownFields() {
	a.Helper()
	c := archive.OwnCatalogue{Sections: []archive.OwnSection{{Key: "custom_section", LabelZh: "自定义", LabelEn: "Own"}}}
	for _, of := range []models.FieldType{models.FieldText, models.FieldAttachment} {
		key := "custom_" + string(of)
		c.Fields = append(c.Fields, archive.OwnField{
			Key: key, Section: "custom_section", Category: models.CategoryIdentity, Type: of, LabelZh: key, LabelEn: key,
			NoticeZh: "提示", NoticeEn: "notice", BasisZh: "依据", BasisEn: "basis", Purposes: []access.Purpose{access.OwnRequest},
		})
	}
	err := database.Run(a.ctx, a.stack.Facts, func(tx *database.Tx) error {
		reviewer, err := database.First[models.Employee](tx.DB().Where("id <> ?", a.stack.Staff.HRPerson).Order("id"))
		if err != nil {
			return err
		}
		return archive.SetOwn(tx, models.Actor{EmployeeID: a.stack.Staff.HRPerson, Role: models.RoleHRAdmin}, models.Actor{EmployeeID: reviewer.ID, Role: models.RoleReviewer}, c)
	})
	if err != nil {
		a.Fatal(err)
	}
}

// sealedFields are all fields of the catalogue that are sealed.
func (a *aviary) sealedFields() []models.FieldDefinition {
	a.Helper()
	var fields []models.FieldDefinition
	err := a.stack.Facts.Read(a.ctx).Where("category <> ''").Find(&fields).Error
	if err != nil || len(fields) < 10 {
		a.Fatalf("%d sealed fields, %v", len(fields), err)
	}
	return fields
}

// valueOf is a marker, where a field takes one.
func (a *aviary) valueOf(f models.FieldDefinition) string {
	switch f.Type {
	case models.FieldDate:
		return "1999-12-31"
	case models.FieldChoice:
		return f.Choices[len(f.Choices)-1].Code // other: a document whose number has any form
	case models.FieldEmail:
		return a.marker() + "@example.com"
	case models.FieldPhone:
		return "+447700900123"
	case models.FieldMoney, models.FieldNumber:
		return "12345"
	case models.FieldText, models.FieldAddress, models.FieldDocumentNumber, models.FieldBankAccount, models.FieldAttachment:
	}
	return a.marker()
}

// leave has people leave in every way, and returns the departures that lead to a purge.
func (a *aviary) leave() (gone []string) {
	a.Helper()
	note := func(more map[string]any) map[string]any {
		fields := map[string]any{"note": a.marker(), "legal_ground": a.marker(), "reason_code": a.code}
		for k, v := range more {
			fields[k] = v
		}
		return fields
	}
	day, err := a.stack.Today(a.ctx)
	if err != nil {
		a.Fatal(err)
	}
	now, err := a.stack.Facts.Now(a.ctx)
	if err != nil {
		a.Fatal(err)
	}
	people := map[string]harness.Person{}
	for _, no := range []string{"K-smooth", "K-flaky", "K-stuck", "K-stays", "K-mistake"} {
		people[no] = a.hire(no)
	}
	a.spoil("mail", control.Rule{Kind: control.Status, Status: 500, Count: 3, Match: control.Match{EmployeeNo: "K-flaky"}})
	a.spoil("finance", control.Rule{Kind: control.Status, Status: 403, Match: control.Match{EmployeeNo: "K-stuck", Operation: control.OpDisable}})
	a.spoil("attendance", control.Rule{Kind: control.CutAfter, Count: 2, Match: control.Match{EmployeeNo: "K-flaky"}})

	immediately := map[string]any{"immediate": true}
	gone = []string{
		a.depart(people["K-smooth"], note(immediately)), a.depart(people["K-flaky"], note(immediately)), a.depart(people["K-stuck"], note(immediately)),
	}
	stays := a.depart(people["K-stays"], note(map[string]any{"last_working_day": day, "access_cutoff_at": now.Format(time.RFC3339)}))
	a.await(stays, "settled", func(d harness.Departure) bool { return d.AccountsState == "settled" })
	a.must(a.stack.Withdraw(a.ctx, stays, a.marker()))
	a.await(stays, "relinked", func(d harness.Departure) bool { return d.AccountsState == "relinked" })

	mistake := a.depart(people["K-mistake"], note(immediately))
	a.await(mistake, "departed", func(d harness.Departure) bool { return d.Stage == "departed" })
	a.must(a.hr.AskAnnulment(a.ctx, mistake, a.marker()), a.stack.ConfirmAnnulment(a.ctx, mistake))
	a.waive(gone[2])
	// Those who stayed leave after all, so that nothing may be left of anybody.
	a.await(mistake, "annulled", func(d harness.Departure) bool {
		return d.Stage == "annulled" && (d.AccountsState == "relinked" || d.AccountsState == "linked")
	})
	for _, no := range []string{"K-stays", "K-mistake"} {
		gone = append(gone, a.depart(people[no], note(immediately)))
	}
	return gone
}

func (a *aviary) waive(id string) {
	a.Helper()
	d := a.await(id, "stuck", func(d harness.Departure) bool { return len(d.Waiting) > 0 && d.Waiting[0].SupportCaseID != "" })
	kase := d.Waiting[0].SupportCaseID
	a.must(a.stack.As(a.stack.Staff.ITOps).Resolve(a.ctx, kase, "waive"), a.stack.ConfirmWaiver(a.ctx, kase))
}

func (a *aviary) depart(p harness.Person, fields map[string]any) string {
	a.Helper()
	key := a.marker()
	if a.key == "" {
		a.key, a.person = key, p.EmployeeID.String()
	}
	id, err := a.hr.Depart(a.ctx, p.EmployeeID.String(), fields, "Idempotency-Key", key)
	a.must(err)
	return id
}

// askAgain repeats the request for the first departure, which is purged, with other notes: it is refused as
// one that was forgotten, and what the note was cannot be told from the answer.
func (a *aviary) askAgain() {
	a.Helper()
	for _, note := range []string{"guess", "another guess"} {
		again, err := a.hr.Depart(a.ctx, a.person, map[string]any{"immediate": true, "note": note}, "Idempotency-Key", a.key)
		if err == nil || !strings.Contains(err.Error(), "idempotency_key_forgotten") {
			a.Errorf("I25: the request of a purged departure, repeated with another note, is answered %s, %v", again, err)
		}
	}
}

func (a *aviary) await(id, what string, as func(harness.Departure) bool) (d harness.Departure) {
	a.Helper()
	err := harness.Eventually(a.ctx, 90*time.Second, func() (err error) {
		if d, err = a.hr.Departure(a.ctx, id); err == nil && !as(d) {
			err = fmt.Errorf("stage %s, accounts %s %v", d.Stage, d.AccountsState, d.AccountStates())
		}
		return err
	})
	if err != nil {
		a.Fatalf("waiting until %s: %v", what, err)
	}
	return d
}

func (a *aviary) spoil(system string, rule control.Rule) {
	a.Helper()
	c := a.stack.System(system)
	faults, err := c.Faults(a.ctx)
	a.must(err)
	faults.Rules = append(faults.Rules, rule)
	a.must(c.SetFaults(a.ctx, faults))
}

func (a *aviary) must(failures ...error) {
	a.Helper()
	for _, err := range failures {
		if err != nil {
			a.Fatal(err)
		}
	}
}

// holdNobody places a hold whose matter is a marker, on nobody yet: it stays, sealed, as long as the log.
func (a *aviary) holdNobody() {
	a.Helper()
	answer, err := a.hr.Do(a.ctx, "POST", "/api/v1/holds", map[string]any{"query": map[string]any{"left_from": "2090-01-01"}, "matter": a.marker()})
	if err != nil || answer.Status != http.StatusCreated {
		a.Fatalf("placing a hold: %d, %v\n%s", answer.Status, err, answer.Body)
	}
}

// misuse sends markers in everything that the API refuses, keeps its answers, and has the person
// whom it was about leave.
func (a *aviary) misuse() string {
	a.Helper()
	p := a.hire("K-target")
	const departures = "/api/v1/departures"
	person := p.EmployeeID.String()
	for _, m := range []struct {
		method, path string
		body         any
	}{
		{"POST", departures, map[string]any{"employee_id": person, "kind": a.marker()}},
		{"POST", departures, map[string]any{"employee_id": a.marker(), "kind": "resignation"}},
		{"POST", departures, map[string]any{"employee_id": person, "kind": "resignation", a.marker(): 1}},
		{"POST", departures, map[string]any{"employee_id": person, "kind": "resignation", "last_working_day": a.marker()}},
		{"POST", departures, map[string]any{"employee_id": person, "kind": "resignation", "immediate": a.marker()}},
		{"POST", departures, map[string]any{"employee_id": person, "kind": "resignation", "immediate": true, "time_zone": a.marker()}},
		{"POST", departures, map[string]any{"employee_id": person, "kind": "resignation", "immediate": true, "note": a.marker() + "\x00"}},
		{"POST", departures, map[string]any{"employee_id": person, "kind": "resignation", "immediate": true, "note": strings.Repeat(a.marker(), 400)}},
		{"POST", departures, map[string]any{"employee_id": person, "kind": "resignation", "immediate": true, "confidential_until": "2099-01-01", "note": a.marker()}},
		{"POST", departures, []byte(`{"employee_id": "` + a.marker())},
		{"POST", departures, []byte(`{"note": "` + a.marker() + "\xff" + `"}`)},
		{"POST", departures, []byte(`{"note": "` + a.marker() + `", "note": "` + a.marker() + `"}`)},
		{"POST", departures, []byte(`{} ` + a.marker())},
		{"POST", departures, bytes.Repeat([]byte(a.marker()), 600_000)},
		{"GET", departures + "/" + a.marker(), nil},
		{"GET", departures + "?stage=" + a.marker(), nil},
		{"GET", departures + "?" + a.marker() + "=1", nil},
		{"GET", departures + "?cursor=" + a.marker(), nil},
		{"GET", "/api/v1/" + a.marker(), nil},
		{"POST", "/api/v1/employees", map[string]any{"employee_no": "K 1 " + a.marker(), "name": a.marker(), "department_id": person, "hired_on": "2020-01-01"}},
		{"PATCH", "/api/v1/employees/" + person, map[string]any{"fields": map[string]any{a.marker(): a.marker()}}},
		{"PATCH", "/api/v1/employees/" + person, map[string]any{"fields": map[string]any{"bank_account": a.marker() + "\u202e"}}},
		{"POST", "/api/v1/employees/" + person + "/accounts", map[string]any{"system": a.marker(), "external_id": a.marker()}},
		{"POST", "/api/v1/account-unlinkings", map[string]any{"employee_id": person, "mode": a.marker(), "systems": []string{a.marker()}}},
		{"POST", "/api/v1/support-cases/" + person + "/resolution", map[string]any{"action": a.marker()}},
	} {
		a.refused(a.hr, m.method, m.path, m.body)
	}
	a.refused(a.stack.As(a.marker()), "GET", "/api/v1/departures", nil)
	a.refused(a.hr, "POST", departures, map[string]any{"employee_id": person, "kind": "x"}, "Idempotency-Key", a.marker(), "Accept-Language", a.marker(), "X-Request-ID", a.marker())
	// What is searched for is asked for in the query, which access logs like to repeat.
	for _, path := range []string{"/api/v1/employees?q=", "/api/v1/departures?q="} {
		if _, err := a.hr.Do(a.ctx, "GET", path+a.marker(), nil); err != nil {
			a.Fatal(err)
		}
	}
	// And what is accepted.
	answer, err := a.hr.Do(a.ctx, "PATCH", "/api/v1/employees/"+person, map[string]any{"fields": map[string]any{"bank_account": a.marker()}})
	if err != nil || answer.Status != http.StatusOK {
		a.Fatalf("changing a field: %d, %v\n%s", answer.Status, err, answer.Body)
	}
	return a.depart(p, map[string]any{"immediate": true})
}

func (a *aviary) refused(c *harness.Client, method, path string, body any, headers ...string) {
	a.Helper()
	answer, err := c.Do(a.ctx, method, path, body, headers...)
	if err != nil {
		if raw, ok := body.([]byte); ok && len(raw) > 1<<20 {
			return // cut off in the middle of a body that is far too large
		}
		a.Fatal(err)
	}
	if answer.Status < 400 {
		a.Errorf("%s %s: %d, want a refusal", method, strings.ReplaceAll(path, a.secret, "…"), answer.Status)
	}
	a.refusals.add(fmt.Sprintf("answer %d to %s", answer.Status, method), answer.Body)
	for name, values := range answer.Header {
		a.refusals.add("header "+name, []byte(strings.Join(values, "\n")))
	}
}

// runtimeHaul is everything that is written down while the product runs, the databases excepted.
func (a *aviary) runtimeHaul() (h haul) {
	a.Helper()
	temporal, err := a.stack.Temporal()
	a.must(err)
	defer temporal.Close()
	codec, err := payload.Load(filepath.Join(a.stack.Folder, "codec"))
	a.must(err)
	workflows, err := h.temporal(a.ctx, temporal, a.stack.Namespace(), codec)
	a.must(err)
	if workflows < 30 {
		a.Errorf("Temporal shows %d workflows: too few for what has run", workflows)
	}
	a.must(h.files(filepath.Join(a.stack.Folder, "temporal")), h.files(filepath.Join(a.stack.Folder, "logs")), h.files(filepath.Join(a.stack.Folder, "tombstones")))
	for _, process := range []string{"serve-", "worker-"} {
		if !slices.ContainsFunc(h, func(c catch) bool { return strings.Contains(c.where, process) && len(c.content) > 1000 }) {
			a.Errorf("no log of %s was searched", process)
		}
	}
	h.pages(a.ctx, a, a.stack)
	return h
}

func (a *aviary) columns() (h haul) {
	a.Helper()
	a.must(h.tables(a.ctx, a.stack.Facts), h.tables(a.ctx, a.stack.Keys))
	for _, c := range places.Columns() {
		if !slices.ContainsFunc(h, func(found catch) bool { return found.where == "table public."+c.Table }) {
			a.Errorf("the table %s of the list of places was not searched", c.Table)
		}
	}
	return h
}

// walk goes through the list of places: nobody's purge is to come any more, so that no column has
// anything left that ends with one.
func (a *aviary) walk() {
	a.Helper()
	walked := 0
	for _, c := range places.Columns() {
		var empty string
		switch c.Kind.Name {
		case places.Sealed.Name:
			empty = c.Column + " IS NOT NULL"
		case places.Former.Name, places.FormerReason.Name:
			empty = c.Column + "::text NOT IN ('', '{}')"
		default:
			continue
		}
		walked++
		var left int64
		a.must(a.stack.Facts.Read(a.ctx).Table(c.Table).Where(empty).Count(&left).Error)
		if left > 0 {
			a.Errorf("I25: %d values are left in %s.%s", left, c.Table, c.Column)
		}
	}
	if walked < 9 {
		a.Errorf("only %d columns of the list were walked", walked)
	}
}

// settle has Postgres write everything to its files and drop what is dead.
func (a *aviary) settle() {
	a.Helper()
	for _, sql := range []string{"VACUUM", "CHECKPOINT"} {
		a.must(a.stack.Facts.Read(a.ctx).Exec(sql).Error, a.stack.Keys.Read(a.ctx).Exec(sql).Error)
	}
}

// databaseFiles is the whole data folder of the stack's own Postgres: tables, indexes, write-ahead log.
func (a *aviary) databaseFiles() (h haul) {
	a.Helper()
	a.must(h.files(filepath.Join(a.stack.Folder, "postgres")))
	if h.size() < 20<<20 {
		a.Errorf("only %d bytes of the databases' files were searched", h.size())
	}
	return h
}

// plantInPlain checks the whole search: a marker that does lie somewhere in plain is found there.
func (a *aviary) plantInPlain() {
	a.Helper()
	bird := "Sperling" + rand.Text()[:12]
	net := NewNet(bird)
	a.must(a.stack.Facts.Read(a.ctx).Exec("CREATE TABLE cage AS SELECT ? AS bird", bird).Error)
	if len(a.columns().search(net)) == 0 {
		a.Error("a marker in a column is not found")
	}
	a.settle()
	if len(a.databaseFiles().search(net)) == 0 {
		a.Error("a marker in a file of the database is not found")
	}
	temporal, err := a.stack.Temporal()
	a.must(err)
	defer temporal.Close()
	run, err := temporal.ExecuteWorkflow(a.ctx, client.StartWorkflowOptions{ID: "cage", TaskQueue: "nobody"}, "Nobody", bird)
	a.must(err)
	codec, err := payload.Load(filepath.Join(a.stack.Folder, "codec"))
	a.must(err)
	var h haul
	err = harness.Eventually(a.ctx, 20*time.Second, func() error {
		h = nil
		if _, err := h.temporal(a.ctx, temporal, a.stack.Namespace(), codec); err != nil {
			return err
		}
		if len(h.search(net)) == 0 {
			return fmt.Errorf("a marker in the input of %s is not found", run.GetID())
		}
		return nil
	})
	a.must(err)
}
