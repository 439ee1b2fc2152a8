package archive

import (
	"fmt"
	"regexp"
	"slices"

	"lethe/internal/access"
	"lethe/internal/invalid"
	"lethe/models"
)

// Bounds of what a company adds.
const (
	maxSections = 30
	maxFields   = 200
	maxOptions  = 100
	maxLabel    = 60
	maxNotice   = 300
	maxOption   = 100
)

// ownKey is the form of the keys of sections and fields that are a company's own; the program's never begin so.
var ownKey = regexp.MustCompile(`^custom_[a-z0-9][a-z0-9_]{0,39}$`)

var optionCode = regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,39}$`)

// OwnCategories are those that a field of the file may be kept by.
var OwnCategories = func() (all []models.Category) {
	for _, s := range catalogue {
		if s.category != "" && !slices.Contains(all, s.category) {
			all = append(all, s.category)
		}
	}
	return all
}()

// complete is what a change of the catalogue comes to, in the form in which it is kept. Options that are left out of a
// field's choices are retired: values may hold them, and keep their text. What does not hold together is *InvalidError.
func complete(before, draft OwnCatalogue) (after OwnCatalogue, err error) {
	var found problems
	after = OwnCatalogue{Version: draft.Version, Sections: []OwnSection{}, Fields: []OwnField{}, Notices: []OwnNotice{}}
	after.Sections = append(after.Sections, draft.Sections...)
	after.Fields = append(after.Fields, draft.Fields...)
	after.Notices = append(after.Notices, draft.Notices...)
	found.sections(before, after.Sections)
	keys := map[string]bool{}
	if len(after.Fields) > maxFields {
		found.Add("fields", invalid.TooLong)
	}
	for i := range after.Fields {
		f := &after.Fields[i]
		at := fmt.Sprintf("fields[%d].", i)
		found.key(at+"key", f.Key, keys)
		found.field(at, f, after.Sections)
		was, existed := before.Field(f.Key)
		found.options(at, f, was)
		if existed {
			found.stays(at+"section", f.Section == was.Section)
			found.stays(at+"category", f.Category == was.Category)
			found.stays(at+"type", f.Type == was.Type)
		}
	}
	found.alike(before, after.Fields)
	for _, f := range before.Fields {
		if !keys[f.Key] {
			found.Add("fields", CodeLeftOut)
			break
		}
	}
	found.notices(after.Notices)
	return after, found.Err()
}

func (p *problems) key(location, key string, seen map[string]bool) {
	switch {
	case !ownKey.MatchString(key):
		p.Add(location, CodeOwnKey)
	case seen[key]:
		p.Add(location, invalid.Repeated)
	}
	seen[key] = true
}

// alike refuses two fields that are called the same, the program's among them: nobody could tell them apart, nor the columns
// of an import. A field that is called so already may stay so.
func (p *problems) alike(before OwnCatalogue, fields []OwnField) {
	called := map[string]bool{}
	for _, s := range catalogue {
		for _, f := range s.fields {
			called["zh "+f.label.zh], called["en "+f.label.en] = true, true
		}
	}
	for i, f := range fields {
		if f.Retired {
			continue
		}
		was, _ := before.Field(f.Key)
		if called["zh "+f.LabelZh] && f.LabelZh != was.LabelZh {
			p.Add(fmt.Sprintf("fields[%d].label_zh", i), invalid.Repeated)
		}
		if called["en "+f.LabelEn] && f.LabelEn != was.LabelEn {
			p.Add(fmt.Sprintf("fields[%d].label_en", i), invalid.Repeated)
		}
		called["zh "+f.LabelZh], called["en "+f.LabelEn] = true, true
	}
}

func (p *problems) stays(location string, same bool) {
	if !same {
		p.Add(location, invalid.ReadOnly)
	}
}

// put judges a text of one line and puts it into the form in which it is stored.
func (p *problems) put(location string, s *string, longest int) {
	if code := checkText(s, longest); code != "" {
		p.Add(location, code)
	}
}

func (p *problems) sections(before OwnCatalogue, sections []OwnSection) {
	keys := map[string]bool{}
	if len(sections) > maxSections {
		p.Add("sections", invalid.TooLong)
	}
	for i := range sections {
		s := &sections[i]
		at := fmt.Sprintf("sections[%d].", i)
		p.key(at+"key", s.Key, keys)
		p.put(at+"label_zh", &s.LabelZh, maxLabel)
		p.put(at+"label_en", &s.LabelEn, maxLabel)
	}
	for _, s := range before.Sections {
		if !keys[s.Key] {
			p.Add("sections", CodeLeftOut)
			break
		}
	}
}

// field judges a field by itself.
func (p *problems) field(at string, f *OwnField, sections []OwnSection) {
	if !slices.ContainsFunc(sections, func(s OwnSection) bool { return s.Key == f.Section }) {
		p.Add(at+"section", invalid.Unknown)
	}
	if !slices.Contains(OwnCategories, f.Category) {
		p.Add(at+"category", invalid.NotAllowed)
	}
	if !slices.Contains(models.FieldTypes, f.Type) {
		p.Add(at+"type", invalid.NotAllowed)
	}
	p.put(at+"label_zh", &f.LabelZh, maxLabel)
	p.put(at+"label_en", &f.LabelEn, maxLabel)
	p.put(at+"notice_zh", &f.NoticeZh, maxNotice)
	p.put(at+"notice_en", &f.NoticeEn, maxNotice)
	p.put(at+"basis_zh", &f.BasisZh, maxNotice)
	p.put(at+"basis_en", &f.BasisEn, maxNotice)
	if len(f.Purposes) == 0 {
		p.Add(at+"purposes", invalid.Required)
	}
	for i, purpose := range f.Purposes {
		switch {
		case !slices.Contains(access.Purposes, purpose):
			p.Add(fmt.Sprintf("%spurposes[%d]", at, i), invalid.NotAllowed)
		case slices.Index(f.Purposes, purpose) < i:
			p.Add(fmt.Sprintf("%spurposes[%d]", at, i), invalid.Repeated)
		}
	}
	// In the order in which they are offered, so that the same ones are the same.
	f.Purposes = slices.DeleteFunc(slices.Clone(access.Purposes), func(purpose access.Purpose) bool { return !slices.Contains(f.Purposes, purpose) })
}

// options judges the choices of a field, and retires those that it had and that are left out.
func (p *problems) options(at string, f *OwnField, was OwnField) {
	if f.Type != models.FieldChoice {
		if len(f.Choices) > 0 {
			p.Add(at+"choices", CodeMismatch)
		}
		f.Choices = nil
		return
	}
	if len(f.Choices) == 0 {
		p.Add(at+"choices", invalid.Required)
	}
	f.Choices = slices.Clone(f.Choices)
	seen := map[string]bool{}
	for i := range f.Choices {
		o := &f.Choices[i]
		here := fmt.Sprintf("%schoices[%d].", at, i)
		switch {
		case !optionCode.MatchString(o.Code):
			p.Add(here+"code", invalid.Malformed)
		case seen[o.Code]:
			p.Add(here+"code", invalid.Repeated)
		}
		seen[o.Code] = true
		p.put(here+"text_zh", &o.Zh, maxOption)
		p.put(here+"text_en", &o.En, maxOption)
	}
	for _, o := range was.Choices {
		if !seen[o.Code] {
			o.Retired = true
			f.Choices = append(f.Choices, o)
		}
	}
	if len(f.Choices) > maxOptions {
		p.Add(at+"choices", invalid.TooLong)
	}
}

// notices judges what the company says of the program's fields.
func (p *problems) notices(notices []OwnNotice) {
	seen := map[string]bool{}
	for i := range notices {
		n := &notices[i]
		at := fmt.Sprintf("notices[%d].", i)
		switch _, known := builtinField(n.Field); {
		case !known:
			p.Add(at+"field", invalid.Unknown)
		case seen[n.Field]:
			p.Add(at+"field", invalid.Repeated)
		}
		seen[n.Field] = true
		p.put(at+"text_zh", &n.Zh, maxNotice)
		p.put(at+"text_en", &n.En, maxNotice)
	}
}
