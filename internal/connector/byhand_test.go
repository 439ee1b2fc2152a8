package connector

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTheFileSaysWhatIsTakenByHand: beside the list of systems, each in both languages with whom to call; a file that is
// the list alone has none.
func TestTheFileSaysWhatIsTakenByHand(t *testing.T) {
	const system = `{"name": "mail", "kind": "mail", "protocol": "scim", "base_url": "http://127.0.0.1:1", "token": "t"}`
	const badge = `{"name_zh": "门禁卡", "name_en": "Badge", "call_zh": "前台", "call_en": "Reception"}`
	for content, want := range map[string]struct {
		byHand int
		ok     bool
	}{
		`[` + system + `]`: {0, true},
		`{"systems": [` + system + `], "by_hand": [` + badge + `]}`:          {1, true},
		`{"systems": [` + system + `]}`:                                      {0, true},
		`{"systems": [], "by_hand": [{"name_zh": "门禁卡"}]}`:                   {0, false},
		`{"systems": [], "by_hands": []}`:                                    {0, false},
		`{"systems": [` + system + `], "by_hand": [` + badge + `]} trailing`: {0, false},
	} {
		path := filepath.Join(t.TempDir(), "systems.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadFile(path)
		if (err == nil) != want.ok || want.ok && len(got.ByHand) != want.byHand {
			t.Errorf("%s: %+v, %v", content, got, err)
		}
		if want.byHand > 0 && (len(got.Systems) != 1 || got.Systems[0].Name != "mail" || got.ByHand[0].CallEn != "Reception") {
			t.Errorf("%s: %+v", content, got)
		}
	}
}
