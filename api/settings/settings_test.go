package settings_test

import (
	"strings"
	"testing"

	"lethe/api/apitest"
	"lethe/api/settings"
	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/models"
)

// TestSettingsAreTold in words, in both languages, with the entries that prove since when.
func TestSettingsAreTold(t *testing.T) {
	f := apitest.New(t)
	err := database.Run(t.Context(), f.Env.Facts, func(tx *database.Tx) error {
		_, err := ledger.RecordConfiguration(tx, "settings_of_serve", strings.Repeat("a", 64), nil)
		if err == nil {
			_, err = ledger.RecordedConfiguration(tx, "settings_of_worker") // asked for, and never recorded
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for language, want := range map[string][]string{
		"zh-CN": {"30 分钟", "12 小时", "3 天", "1 秒", "purge.decide", "未设置", "IT 在服务器上设置"},
		"en":    {"30 minutes", "12 hours", "3 days", "1 second", "purge.decide", "Not set", "Set by IT"},
	} {
		got := f.Session(models.RoleITOps).Ask("GET", "/api/v1/settings", "", "Accept-Language", language)
		var view settings.Settings
		got.Into(t, &view)
		l := i18n.Chinese
		if language == "en" {
			l = i18n.English
		}
		for _, text := range want {
			if text == "purge.decide" {
				text = i18n.Text(l, "approval.operation.purge.decide")
			}
			if !strings.Contains(string(got.Body), text) {
				t.Errorf("%s: no %q in %s", language, text, got.Body)
			}
		}
		for _, s := range view.Items {
			if strings.Contains(s.SettingText+s.ValueText, "setting") || strings.Contains(s.ValueText, "approval.") {
				t.Errorf("%s: %+v has no words", language, s)
			}
		}
		var parts []string
		for _, r := range view.Recorded {
			parts = append(parts, r.Part)
			if f.Count("ledger_entries WHERE id = '"+r.EntryID.String()+"'")+f.Count("ledger_content WHERE entry_id = '"+r.EntryID.String()+"'") == 0 {
				t.Errorf("no entry of %+v", r)
			}
		}
		if strings.Contains(strings.Join(parts, " "), "settings_of_worker") || !strings.Contains(strings.Join(parts, " "), "settings_of_serve") {
			t.Errorf("recorded: %v", parts)
		}
	}
	if got := f.Session(models.RoleEmployee).Ask("GET", "/api/v1/settings", ""); got.Status != 403 {
		t.Errorf("an employee: %d", got.Status)
	}
}

// TestEverySettingThatIsShownHasWords.
func TestEverySettingThatIsShownHasWords(t *testing.T) {
	for _, s := range (config.Config{}).Shown() {
		if _, ok := i18n.Lookup(i18n.Chinese, "setting."+s.Name); !ok {
			t.Errorf("%s has no text", s.Name)
		}
	}
}
