package archive

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lethe/internal/access"
	"lethe/internal/i18n"
	"lethe/internal/invalid"
	"lethe/models"
)

// housing is a section with a field of each kind that is judged in its own way.
func housing() OwnCatalogue {
	own := func(key string, of models.FieldType) OwnField {
		return OwnField{
			Key: key, Section: "custom_housing", Category: models.CategoryIdentity, Type: of, LabelZh: "宿舍" + key, LabelEn: "Room " + key,
			NoticeZh: "仅限后勤使用", NoticeEn: "For housing only", BasisZh: "劳动合同", BasisEn: "contract", Purposes: []access.Purpose{access.OwnRequest},
		}
	}
	kind := own("custom_kind", models.FieldChoice)
	kind.Choices = []models.FieldOption{{Code: "single", Zh: "单间", En: "Single"}, {Code: "shared", Zh: "合住", En: "Shared"}}
	return OwnCatalogue{
		Sections: []OwnSection{{"custom_housing", "住宿", "Housing"}}, Fields: []OwnField{own("custom_room", models.FieldText), kind},
		Notices: []OwnNotice{{"home_address", "仅限寄送", "For post only"}},
	}
}

// TestWhatACompanyAddsIsJudged, each fault with its place and a code, and never with what was written.
func TestWhatACompanyAddsIsJudged(t *testing.T) {
	long := strings.Repeat("长", 10_000)
	for name, test := range map[string]struct {
		change func(c *OwnCatalogue)
		want   []invalid.Value
	}{
		"as it is":                   {func(*OwnCatalogue) {}, nil},
		"one of the program's":       {func(c *OwnCatalogue) { c.Fields[0].Key = "id_number" }, []invalid.Value{{Location: "fields[0].key", Code: CodeOwnKey}}},
		"another form":               {func(c *OwnCatalogue) { c.Fields[0].Key = "custom_Room" }, []invalid.Value{{Location: "fields[0].key", Code: CodeOwnKey}}},
		"no end of a key":            {func(c *OwnCatalogue) { c.Fields[0].Key = "custom_" }, []invalid.Value{{Location: "fields[0].key", Code: CodeOwnKey}}},
		"one key twice":              {func(c *OwnCatalogue) { c.Fields[1].Key = "custom_room" }, []invalid.Value{{Location: "fields[1].key", Code: invalid.Repeated}}},
		"a section of the program's": {func(c *OwnCatalogue) { c.Fields[0].Section = SectionIdentity }, []invalid.Value{{Location: "fields[0].section", Code: invalid.Unknown}}},
		"that section as an own":     {func(c *OwnCatalogue) { c.Sections[0].Key = SectionIdentity }, []invalid.Value{{Location: "sections[0].key", Code: CodeOwnKey}, {Location: "fields[0].section", Code: invalid.Unknown}, {Location: "fields[1].section", Code: invalid.Unknown}}},
		"no category":                {func(c *OwnCatalogue) { c.Fields[0].Category = "" }, []invalid.Value{{Location: "fields[0].category", Code: invalid.NotAllowed}}},
		"that of accounts":           {func(c *OwnCatalogue) { c.Fields[0].Category = models.CategoryAccountSnapshot }, []invalid.Value{{Location: "fields[0].category", Code: invalid.NotAllowed}}},
		"called as another":          {func(c *OwnCatalogue) { c.Fields[1].LabelEn = c.Fields[0].LabelEn }, []invalid.Value{{Location: "fields[1].label_en", Code: invalid.Repeated}}},
		"called as the program's":    {func(c *OwnCatalogue) { c.Fields[1].LabelZh, c.Fields[1].LabelEn = "姓名", "Name" }, []invalid.Value{{Location: "fields[1].label_zh", Code: invalid.Repeated}, {Location: "fields[1].label_en", Code: invalid.Repeated}}},
		"called as a retired one":    {func(c *OwnCatalogue) { c.Fields[1].LabelEn, c.Fields[0].Retired = c.Fields[0].LabelEn, true }, nil},
		"no such type":               {func(c *OwnCatalogue) { c.Fields[0].Type = "picture" }, []invalid.Value{{Location: "fields[0].type", Code: invalid.NotAllowed}}},
		"a label too long":           {func(c *OwnCatalogue) { c.Fields[0].LabelZh = long }, []invalid.Value{{Location: "fields[0].label_zh", Code: invalid.TooLong}}},
		"a label turned around":      {func(c *OwnCatalogue) { c.Fields[0].LabelEn = "a\u202eb" }, []invalid.Value{{Location: "fields[0].label_en", Code: invalid.NotText}}},
		"a label without ink":        {func(c *OwnCatalogue) { c.Sections[0].LabelEn = "\u200b" }, []invalid.Value{{Location: "sections[0].label_en", Code: invalid.Required}}},
		"one language only":          {func(c *OwnCatalogue) { c.Fields[0].NoticeEn = "" }, []invalid.Value{{Location: "fields[0].notice_en", Code: invalid.Required}}},
		"no basis":                   {func(c *OwnCatalogue) { c.Fields[0].BasisZh = "" }, []invalid.Value{{Location: "fields[0].basis_zh", Code: invalid.Required}}},
		"no purpose":                 {func(c *OwnCatalogue) { c.Fields[0].Purposes = nil }, []invalid.Value{{Location: "fields[0].purposes", Code: invalid.Required}}},
		"no such purpose":            {func(c *OwnCatalogue) { c.Fields[0].Purposes = []access.Purpose{"curiosity"} }, []invalid.Value{{Location: "fields[0].purposes[0]", Code: invalid.NotAllowed}}},
		"one purpose twice":          {func(c *OwnCatalogue) { c.Fields[0].Purposes = []access.Purpose{access.Payroll, access.Payroll} }, []invalid.Value{{Location: "fields[0].purposes[1]", Code: invalid.Repeated}}},
		"a choice without any":       {func(c *OwnCatalogue) { c.Fields[1].Choices = nil }, []invalid.Value{{Location: "fields[1].choices", Code: invalid.Required}}},
		"choices of no choice":       {func(c *OwnCatalogue) { c.Fields[0].Choices = c.Fields[1].Choices }, []invalid.Value{{Location: "fields[0].choices", Code: CodeMismatch}}},
		"one option twice":           {func(c *OwnCatalogue) { c.Fields[1].Choices[1].Code = "single" }, []invalid.Value{{Location: "fields[1].choices[1].code", Code: invalid.Repeated}}},
		"an option in words":         {func(c *OwnCatalogue) { c.Fields[1].Choices[1].Code = "合住" }, []invalid.Value{{Location: "fields[1].choices[1].code", Code: invalid.Malformed}}},
		"a notice of no field":       {func(c *OwnCatalogue) { c.Notices[0].Field = "custom_room" }, []invalid.Value{{Location: "notices[0].field", Code: invalid.Unknown}}},
		"two notices of one":         {func(c *OwnCatalogue) { c.Notices = append(c.Notices, c.Notices[0]) }, []invalid.Value{{Location: "notices[1].field", Code: invalid.Repeated}}},
		"half a notice":              {func(c *OwnCatalogue) { c.Notices[0].En = " " }, []invalid.Value{{Location: "notices[0].text_en", Code: invalid.Required}}},
		"a section without fields":   {func(c *OwnCatalogue) { c.Sections = append(c.Sections, OwnSection{"custom_empty", "空", "Empty"}) }, nil},
		"too many sections": {func(c *OwnCatalogue) {
			for i := range maxSections {
				c.Sections = append(c.Sections, OwnSection{"custom_s" + strings.Repeat("x", i), "甲", "A"})
			}
		}, []invalid.Value{{Location: "sections", Code: invalid.TooLong}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := housing()
			test.change(&c)
			_, err := complete(OwnCatalogue{}, c)
			var refused *InvalidError
			errors.As(err, &refused)
			var got []invalid.Value
			if refused != nil {
				got = refused.Problems
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if err != nil && strings.Contains(err.Error(), "curiosity") {
				t.Errorf("what was written is repeated: %v", err)
			}
		})
	}
}

// TestWhatIsThereStays: what values hang on neither goes nor changes.
func TestWhatIsThereStays(t *testing.T) {
	for name, test := range map[string]struct {
		change func(c *OwnCatalogue)
		want   []invalid.Value
	}{
		"a field is left out":   {func(c *OwnCatalogue) { c.Fields = c.Fields[1:] }, []invalid.Value{{Location: "fields", Code: CodeLeftOut}}},
		"a section is left out": {func(c *OwnCatalogue) { c.Sections, c.Fields = nil, nil }, []invalid.Value{{Location: "sections", Code: CodeLeftOut}, {Location: "fields", Code: CodeLeftOut}}},
		"another category":      {func(c *OwnCatalogue) { c.Fields[0].Category = models.CategoryPayBank }, []invalid.Value{{Location: "fields[0].category", Code: invalid.ReadOnly}}},
		"another type":          {func(c *OwnCatalogue) { c.Fields[0].Type = models.FieldDate }, []invalid.Value{{Location: "fields[0].type", Code: invalid.ReadOnly}}},
		"another section": {func(c *OwnCatalogue) {
			c.Sections = append(c.Sections, OwnSection{"custom_other", "其他", "Other"})
			c.Fields[0].Section = "custom_other"
		}, []invalid.Value{{Location: "fields[0].section", Code: invalid.ReadOnly}}},
		"another order, another label, retired": {func(c *OwnCatalogue) {
			slices.Reverse(c.Fields)
			c.Fields[0].LabelZh, c.Fields[1].Retired = "新名称", true
		}, nil},
		"a notice is taken back": {func(c *OwnCatalogue) { c.Notices = nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := housing()
			test.change(&c)
			_, err := complete(housing(), c)
			var got []invalid.Value
			if refused := (*InvalidError)(nil); errors.As(err, &refused) {
				got = refused.Problems
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOptionsAreNeverLost: whatever is left out and comes back, each code that could once be written keeps a text, only
// those of the last draft can be written, and a draft that is completed twice is the same.
func TestOptionsAreNeverLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		codes := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d"}), 1, 4, rapid.ID[string])
		ever := map[string]bool{}
		current := OwnCatalogue{}
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			draft := housing()
			draft.Fields[1].Choices = nil
			written := codes.Draw(t, "codes")
			for _, code := range written {
				ever[code] = true
				draft.Fields[1].Choices = append(draft.Fields[1].Choices, models.FieldOption{Code: code, Zh: "文" + code, En: code})
			}
			after, err := complete(current, draft)
			if err != nil {
				t.Fatal(err)
			}
			again, err := complete(after, draft)
			if diff := cmp.Diff(after, again); err != nil || diff != "" {
				t.Fatalf("the same draft once more: %v %s", err, diff)
			}
			field := models.FieldDefinition{Type: models.FieldChoice, Choices: after.Fields[1].Choices}
			for code := range ever {
				value := code
				if judge(field, &value, time.Unix(0, 0)) == "" != slices.Contains(written, code) {
					t.Fatalf("%s can be written: %v", code, !slices.Contains(written, code))
				}
				if text := (LookField{FieldDefinition: field}).ValueText(i18n.Chinese, code); text != "文"+code {
					t.Fatalf("%s is shown as %s", code, text)
				}
			}
			current = after
		}
	})
}

// TestNoticesOfTheCompany stand in the place of the program's, but the sentence of the emergency contacts stays.
func TestNoticesOfTheCompany(t *testing.T) {
	for _, f := range definitions() {
		if ownKey.MatchString(f.Key) || strings.HasPrefix(f.Section, "custom_") {
			t.Errorf("%s could be a company's", f.Key)
		}
		f.OwnNoticeZh, f.OwnNoticeEn = "公司另有规定", "The company says more"
		want := "公司另有规定"
		if f.Section == SectionEmergencyContact {
			want = "仅限员工本人紧急情况联系使用，非经本人同意不得向第三方提供；公司另有规定"
		}
		if got := noticeOf(f, i18n.Chinese); got != want {
			t.Errorf("%s: %s", f.Key, got)
		}
		if got := noticeOf(f, i18n.English); !strings.HasSuffix(got, "The company says more") {
			t.Errorf("%s: %s", f.Key, got)
		}
	}
}
