package i18n

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func catalogue(t *testing.T, l Language) map[string]string {
	t.Helper()
	raw, err := files.ReadFile("catalogue/" + string(l) + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := json.Unmarshal(raw, &texts); err != nil {
		t.Fatal(err)
	}
	return texts
}

func TestBothLanguagesHaveTheSameKeys(t *testing.T) {
	en, zh := catalogue(t, English), catalogue(t, Chinese)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(zh))); diff != "" {
		t.Errorf("keys differ (-en +zh):\n%s", diff)
	}
}

func TestEveryKeyHasATextOfItsLanguage(t *testing.T) {
	for _, l := range Languages {
		for key, text := range catalogue(t, l) {
			got, ok := Lookup(l, key)
			if !ok || got != text || strings.TrimSpace(text) == "" {
				t.Errorf("%s %s: got %q, ok %v, the catalogue has %q", l, key, got, ok, text)
			}
			chinese := strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) })
			if chinese != (l == Chinese) {
				t.Errorf("%s %s is in the wrong language: %q", l, key, text)
			}
		}
	}
}

func TestProblemsHaveTitleDetailAndHint(t *testing.T) {
	texts := catalogue(t, English)
	for key := range texts {
		code, part, ok := strings.Cut(strings.TrimPrefix(key, "problem."), ".")
		if !strings.HasPrefix(key, "problem.") || !ok || part != "title" {
			continue
		}
		for _, other := range []string{"detail", "hint"} {
			if texts["problem."+code+"."+other] == "" {
				t.Errorf("problem %s has no %s", code, other)
			}
		}
	}
}

func TestUnknownKeyIsShownAsItIs(t *testing.T) {
	if got := Text(Chinese, "no.such.key"); got != "no.such.key" {
		t.Errorf("got %q", got)
	}
	if _, ok := Lookup(English, "no.such.key"); ok {
		t.Error("an unknown key has a text")
	}
}

func TestNegotiate(t *testing.T) {
	for header, want := range map[string]Language{
		"": English, "zh": Chinese, "zh-CN": Chinese, "zh-TW,en;q=0.5": Chinese, "zh-Hant-HK": Chinese,
		"en;q=0.4, zh;q=0.8": Chinese, "en-GB": English, "fr, zh;q=0.2": Chinese, "fr": English,
		"*": English, "zh;q=0, en": English, ";;;": English, "ja,en;q=0.9,zh;q=0.8": English,
	} {
		if got := Negotiate(header); got != want {
			t.Errorf("Negotiate(%q) = %s, want %s", header, got, want)
		}
	}
}

// TestOneWordForOneThing keeps to the glossary: what each thing is called in Chinese, and what it is not. Names
// of the API and identifiers reach nobody.
func TestOneWordForOneThing(t *testing.T) {
	for _, language := range Languages {
		raw, err := files.ReadFile("catalogue/" + string(language) + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var texts map[string]string
		if err := json.Unmarshal(raw, &texts); err != nil {
			t.Fatal(err)
		}
		for key, text := range texts {
			for word, instead := range map[string]string{
				"复核": "审核", "审批": "审核", "员工编号": "工号", "员工号": "工号", "帐": "账", "快照": "停用前备份", "重新关联": "恢复账号",
				"工作流": "流程", "接口": "", "UUID": "", "冻结": "暂停删除", "保全": "暂停删除", "清除": "删除", "擦除": "删除",
				"confirm_past": "", "employee_id": "", "workflow": "", "GET /": "", "POST /": "",
			} {
				if strings.Contains(text, word) {
					t.Errorf("%s: %s says %q; the word is %q", language, key, word, instead)
				}
			}
		}
	}
}
