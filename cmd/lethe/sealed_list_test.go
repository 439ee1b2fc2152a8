package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/pdf/pdftest"
	"lethe/internal/permission"
	"lethe/internal/vault"
	"lethe/models"
)

// listing is an installation with a department, whose people have emergency contacts.
type listing struct {
	*host
	vault      *vault.Vault
	department models.Department
	first      uuid.UUID
}

func newListing(t *testing.T) *listing {
	t.Helper()
	l := &listing{host: newHost(t)}
	kek, err := vault.LoadKEKFile(l.dir + "/kek.json")
	l.must(err)
	l.vault = vault.New(l.env.Keys, kek, l.env.Installation.ID)
	l.must(database.Run(t.Context(), l.env.Facts, archive.InstallCatalogue))
	l.first = l.person("one", models.RoleHRAdmin)
	l.person("two", models.RoleITOps)
	l.person("auditor", models.RoleAuditor)
	entity := models.LegalEntity{ID: models.NewID(), Code: "SH", NameZh: "上海", NameEn: "Shanghai", Jurisdiction: "CN", TimeZone: "Asia/Shanghai", CutoffTime: "18:00:00"}
	l.must(l.env.Facts.Read(t.Context()).Create(&entity).Error)
	l.department = models.Department{ID: models.NewID(), LegalEntityID: entity.ID, Code: "SHOP", NameZh: "车间", NameEn: "Shop floor"}
	l.must(l.env.Facts.Read(t.Context()).Create(&l.department).Error)
	return l
}

// worker works in the department and named somebody.
func (l *listing) worker(no, name, contact, phone string) (id uuid.UUID) {
	l.t.Helper()
	fields := map[string]string{}
	if contact != "" {
		fields = map[string]string{"emergency_contact_name": contact, "emergency_contact_relation": "spouse", "emergency_contact_phone": phone}
	}
	l.must(database.Run(l.t.Context(), l.env.Facts, func(tx *database.Tx) (err error) {
		id, _, err = archive.Create(tx, l.vault, archive.NewEmployee{
			EmployeeNo: no, Name: name, Post: "操作工", DepartmentID: l.department.ID, HiredOn: clock.Date{Year: 2020, Month: 3, Day: 1}, Fields: fields,
		})
		return err
	}))
	return id
}

// folder is one that nobody else reads.
func (l *listing) folder() string {
	l.t.Helper()
	dir := l.t.TempDir()
	l.must(os.Chmod(dir, 0o700)) //nolint:gosec // a folder
	return dir
}

func (l *listing) make(dir string, logins ...string) (int, string) {
	l.t.Helper()
	return output(l.t, "sealed-list", "--purpose", "medical_emergency", "--reason", "half-yearly list", "--department", "shop", "--out", dir, l.people(logins...))
}

func (l *listing) entries(action string) (n int) {
	l.t.Helper()
	l.must(l.env.Facts.Read(l.t.Context()).Raw("SELECT count(*) FROM ledger_content WHERE action = ?", action).Scan(&n).Error)
	return n
}

// TestI18_ASealedListIsMadeByTwo: whom to call for who works there, once the log says so, in a file that only its owner reads,
// and nothing of it on the screen. Opened, or after half a year, another one is wanted.
func TestI18_ASealedListIsMadeByTwo(t *testing.T) {
	l := newListing(t)
	l.worker("W1", "张三", "李四", "13800138000")
	l.worker("W2", "王五", "", "")
	left := l.worker("W3", "赵六", "钱七", "13900139000")
	l.must(l.env.Facts.Read(t.Context()).Exec("UPDATE employees SET status = 'pending_departure' WHERE id = ?", left).Error)
	l.must(l.env.Facts.Read(t.Context()).Exec("UPDATE employees SET status = 'departed' WHERE id = ?", left).Error)
	if _, due := output(t, "sealed-list", "due"); !strings.Contains(due, "SHOP\tnone yet") {
		t.Errorf("before: due %q", due)
	}
	dir := l.folder()
	code, printed := l.make(dir, "one", "two")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if code != 0 || err != nil || len(files) != 1 {
		t.Fatalf("exit %d, files %v, %v: %s", code, files, err, printed)
	}
	if strings.ContainsAny(printed, "张李王赵") || strings.Contains(printed, "138") {
		t.Errorf("printed %q", printed)
	}
	info, err := os.Stat(files[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v %v", info, err)
	}
	content, err := os.ReadFile(files[0])
	l.must(err)
	text := pdftest.Text(t, content)
	for _, want := range []string{"张三", "李四", "配偶", "13800138000", "王五", "未登记", "车间", "120"} {
		if !strings.Contains(text, want) {
			t.Errorf("the list lacks %s:\n%s", want, text)
		}
	}
	if strings.Contains(text, "钱七") || strings.Contains(text, "赵六") {
		t.Errorf("who left is on it:\n%s", text)
	}
	var entry struct{ Purpose, Reason, RequestedBy, Details string }
	l.must(l.env.Facts.Read(t.Context()).Raw("SELECT purpose, reason, requested_by, details FROM ledger_content WHERE action = 'sealed_list.made'").Scan(&entry).Error)
	if entry.Purpose != "medical_emergency" || entry.RequestedBy != l.first.String() || !strings.Contains(entry.Details, `"listed": "2"`) || !strings.Contains(entry.Details, "emergency_contact_5_phone") {
		t.Errorf("the entry: %+v", entry)
	}
	if strings.Contains(entry.Details, "138") {
		t.Errorf("a value in the entry: %s", entry.Details)
	}
	if _, due := output(t, "sealed-list", "due"); strings.Contains(due, "SHOP") {
		t.Errorf("made: due %q", due)
	}
	if code, printed := l.make(dir, "one", "two"); code == 0 || l.entries("sealed_list.made") != 1 {
		t.Errorf("made again over the first: exit %d, %s, %d entries", code, printed, l.entries("sealed_list.made"))
	}
	if code, _ := output(t, "sealed-list", "opened", "SHOP", "--reason", "a collapse at 3:00", "--about", "w1"); code != 0 || l.entries("sealed_list.opened") != 1 {
		t.Errorf("opened: exit %d, %d entries", code, l.entries("sealed_list.opened"))
	}
	if _, due := output(t, "sealed-list", "due"); !strings.Contains(due, "SHOP\topened") {
		t.Errorf("opened: due %q", due)
	}
	if code, printed := l.make(l.folder(), "one", "two"); code != 0 {
		t.Fatalf("another one: exit %d, %s", code, printed)
	}
	l.env.Advance(t, 190*24*60*60*1e9)
	if _, due := output(t, "sealed-list", "due"); !strings.Contains(due, "SHOP\tover since") {
		t.Errorf("after half a year: due %q", due)
	}
}

// TestI21_I28_NoSealedListPastThePermissions: not by one person, not at the word of who looks at nobody, not for what the
// permissions hide, which is in the log; and not into a folder that others read.
func TestI21_I28_NoSealedListPastThePermissions(t *testing.T) {
	l := newListing(t)
	l.worker("W1", "张三", "李四", "13800138000")
	manager := l.worker("W2", "王总", "李总", "13700137000")
	dir, made := l.folder(), 0
	refused := func(what string, code int) {
		t.Helper()
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		if code == 0 || len(files) != 0 || l.entries("sealed_list.made") != made {
			t.Errorf("%s: exit %d, files %v, %d entries", what, code, files, l.entries("sealed_list.made"))
		}
	}
	for what, logins := range map[string][]string{
		"one person twice": {"one", "one"}, "an auditor": {"one", "auditor"}, "who looks at nobody, first": {"two", "one"}, "one alone": {"one"},
	} {
		code, _ := l.make(dir, logins...)
		refused(what, code)
	}
	l.must(os.Chmod(dir, 0o755)) //nolint:gosec // what is refused
	code, _ := l.make(dir, "one", "two")
	refused("a folder that others read", code)
	l.must(os.Chmod(dir, 0o700)) //nolint:gosec // a folder
	code, _ = output(t, "sealed-list", "--purpose", "payroll", "--reason", "half-yearly list", "--out", dir, l.people("one", "two"))
	refused("what is no emergency", code)
	code, _ = output(t, "sealed-list", "--purpose", "medical_emergency", "--out", dir, l.people("one", "two"))
	refused("without a reason", code)
	for what, reason := range map[string]string{"says nothing": "。", "keys at random": "asdfgh", "too long": strings.Repeat("半年更新名单", 400)} {
		code, printed := output(t, "sealed-list", "--purpose", "medical_emergency", "--reason", reason, "--out", dir, l.people("one", "two"))
		refused(what, code)
		if strings.Contains(printed, "半年") {
			t.Errorf("%s: it repeats the reason: %s", what, printed)
		}
		if code, _ := output(t, "sealed-list", "opened", "SHOP", "--reason", reason); code == 0 || l.entries("sealed_list.opened") != 0 {
			t.Errorf("opened, %s: exit %d, %d entries", what, code, l.entries("sealed_list.opened"))
		}
	}

	configurer := l.person("three", models.RoleHRAdmin)
	set := func(by, agrees uuid.UUID, change func(m *access.Matrix)) {
		t.Helper()
		l.must(database.Run(t.Context(), l.env.Facts, func(tx *database.Tx) error {
			before, err := permission.Current(tx.DB())
			l.must(err)
			m := *before
			m.Grants = slices.Clone(before.Grants)
			change(&m)
			return permission.Set(tx, models.Actor{EmployeeID: by, Role: models.RoleHRAdmin}, models.Actor{EmployeeID: agrees, Role: models.RoleHRAdmin}, m, nil)
		}))
	}
	set(l.first, l.env.Hire(t, "CN").EmployeeID, func(m *access.Matrix) { m.Configurers = []uuid.UUID{configurer} })
	// Who is protected, and hidden so, is left out, which the list says.
	set(configurer, l.first, func(m *access.Matrix) {
		m.Protected = []uuid.UUID{manager}
		for i := range m.Grants {
			m.Grants[i].Protected = access.NoLook
		}
	})
	other := l.folder()
	if code, printed := l.make(other, "one", "two"); code != 0 {
		t.Fatalf("exit %d: %s", code, printed)
	}
	made++
	files, _ := filepath.Glob(filepath.Join(other, "*"))
	content, err := os.ReadFile(files[0])
	l.must(err)
	if text := pdftest.Text(t, content); strings.Contains(text, "13700137000") || strings.Contains(text, "王总") || !strings.Contains(text, "13800138000") || !strings.Contains(text, "另有 1 人") {
		t.Errorf("of who is protected:\n%s", text)
	}
	set(configurer, l.first, func(m *access.Matrix) {
		for i := range m.Grants {
			if g := &m.Grants[i]; g.Purpose == access.MedicalEmergency && g.Group == access.GroupEmergencyContact {
				g.Level, g.Protected = access.NoLook, access.NoLook
			}
		}
	})
	code, printed := l.make(dir, "one", "two")
	refused("hidden", code)
	if l.entries("sealed_list.refused") != 1 || !strings.Contains(printed, "权限") {
		t.Errorf("hidden: %d entries, printed %q", l.entries("sealed_list.refused"), printed)
	}
}

// TestASealedListHasItsWordsInBothLanguages so that no key stands on the paper.
func TestASealedListHasItsWordsInBothLanguages(t *testing.T) {
	l := newListing(t)
	l.worker("W1", "张三", "李四", "13800138000")
	for _, language := range []i18n.Language{i18n.Chinese, i18n.English} {
		dir := l.folder()
		code, printed := output(t, "sealed-list", "--purpose", "work_injury", "--reason", "half-yearly list", "--lang", string(language), "--out", dir, "--department", "SHOP", l.people("one", "two"))
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		if code != 0 || len(files) != 1 {
			t.Fatalf("%s: exit %d, %s", language, code, printed)
		}
		content, err := os.ReadFile(files[0])
		l.must(err)
		if text := pdftest.Text(t, content); strings.Contains(text, "sealed_list.") || strings.Contains(text, "%!") {
			t.Errorf("%s:\n%s", language, text)
		}
	}
}
