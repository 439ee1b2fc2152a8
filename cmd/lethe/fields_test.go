package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/permission"
	"lethe/models"
)

// TestFieldsAreListedExportedAndAskedFor: what is exported can be edited and sent; a second person decides, and what is
// wrong is told by its place in the file.
func TestFieldsAreListedExportedAndAskedFor(t *testing.T) {
	o := newOffice(t)
	code, text := o.runs(models.RoleHRAdmin, "fields", "--lang=zh")
	if code != 0 || !strings.Contains(text, "id_number") || !strings.Contains(text, "证件号码") || strings.Contains(text, "custom_") {
		t.Errorf("listed: exit %d\n%s", code, text)
	}
	code, exported := o.runs(models.RoleHRAdmin, "fields", "export")
	if code != 0 || !strings.Contains(exported, `"base_version": 0`) {
		t.Fatalf("exported: exit %d\n%s", code, exported)
	}
	file := filepath.Join(t.TempDir(), "fields.yaml")
	write := func(content string) {
		o.must(os.WriteFile(file, []byte(content), 0o600))
	}
	const edited = `
base_version: 0
sections: [{key: custom_housing, label_zh: 住宿, label_en: Housing}]
fields:
  - {key: custom_room, section: custom_housing, category: identity, type: text, label_zh: 宿舍号, label_en: Room,
     notice_zh: 仅限后勤使用, notice_en: Housing only, basis_zh: 劳动合同, basis_en: contract, purposes: [own_request]}
notices: []
`
	write(edited)
	code, text = o.runs(models.RoleHRAdmin, "fields", "change", file, "--yes", "--lang=zh")
	if code != 1 || !strings.Contains(text, "指定的人事管理员") {
		t.Errorf("by who does not configure: exit %d\n%s", code, text)
	}
	o.configure(t)
	for content, want := range map[string]string{
		strings.Replace(edited, "key: custom_room", "key: id_number", 1): "fields[0].key",
		strings.Replace(edited, "[own_request]", "[curiosity]", 1):       "fields[0].purposes[0]",
		"sections: [": "lethe fields export",
	} {
		write(content)
		code, text = o.runs(models.RoleHRAdmin, "fields", "change", file, "--yes", "--lang=zh")
		if code != exitUsage || !strings.Contains(text, want) || strings.Contains(text, "curiosity") {
			t.Errorf("%s: exit %d\n%s", want, code, text)
		}
	}
	write(edited)
	code, text = o.runs(models.RoleHRAdmin, "fields", "change", file, "--yes", "--reason=new dormitory", "--lang=zh")
	if code != exitRequested || !strings.Contains(text, "新增字段：custom_room") || !strings.Contains(text, "变更自定义档案字段") {
		t.Errorf("asked: exit %d\n%s", code, text)
	}
}

// configure lets the HR administrator of the office ask for changes.
func (o *office) configure(t *testing.T) {
	t.Helper()
	one, two := o.hired("C-1", "申请人"), o.hired("C-2", "审核人")
	o.do(func(tx *database.Tx) error {
		hr, err := database.First[models.APIToken](tx.DB().Where("role = ?", models.RoleHRAdmin))
		if err != nil {
			return err
		}
		m := *access.Builtin()
		m.Configurers = append(slices.Clone(m.Configurers), hr.EmployeeID)
		own, err := archive.OwnNow(tx.DB())
		if err != nil {
			return err
		}
		return permission.Set(tx, models.Actor{EmployeeID: one, Role: models.RoleHRAdmin}, models.Actor{EmployeeID: two, Role: models.RoleReviewer}, m, own.Groups())
	})
}
