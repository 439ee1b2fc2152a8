package operations

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"lethe/internal/approval"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/models"
)

// fieldCatalogue puts other sections, fields and notices of the company's own into force. Those who configure ask for it.
func (d Deps) fieldCatalogue() approval.Operation {
	return approval.Define(approval.Spec[archive.OwnCatalogue]{
		Judge: func(tx *database.Tx, c archive.OwnCatalogue) (approval.Review, error) {
			before, after, err := c.Follow(tx)
			if errors.Is(err, archive.ErrCatalogueChanged) {
				return approval.Review{}, errors.Join(approval.ErrGone, err)
			}
			return approval.Review{
				Targets: []approval.Target{{Kind: models.RefCatalogue, ID: archive.CatalogueID, Version: strconv.Itoa(before.Version)}},
				Changes: catalogueChanges(before, after),
			}, err
		},
		Check: func(tx *database.Tx, by models.Actor, c archive.OwnCatalogue) error {
			if err := configures(tx, by); err != nil {
				return err
			}
			_, _, err := archive.PrepareOwn(tx, by, c)
			return err
		},
		Run: func(tx *database.Tx, by approval.By, c archive.OwnCatalogue) (models.Ref, error) {
			if err := configures(tx, by.Requester); err != nil {
				return models.Ref{}, err
			}
			return models.Ref{Kind: models.RefCatalogue, ID: archive.CatalogueID}, archive.SetOwn(tx, by.Requester, by.Approver, c)
		},
	})
}

// catalogueChanges say what becomes of which section and field.
func catalogueChanges(before, after archive.OwnCatalogue) (changes []approval.Change) {
	add := func(about, field, words, from, to string) {
		if from != to {
			changes = append(changes, approval.Change{Field: "catalogue_" + field, Before: from, After: to, Words: words, About: []string{about}})
		}
	}
	for _, is := range after.Sections {
		var was archive.OwnSection
		about := i18n.Both(is.LabelZh, is.LabelEn)
		if i := slices.IndexFunc(before.Sections, func(s archive.OwnSection) bool { return s.Key == is.Key }); i >= 0 {
			was = before.Sections[i]
		}
		add(about, "section_zh", "", was.LabelZh, is.LabelZh)
		add(about, "section_en", "", was.LabelEn, is.LabelEn)
	}
	for _, is := range after.Fields {
		was, _ := before.Field(is.Key)
		about := i18n.Both(is.LabelZh, is.LabelEn)
		add(about, "label_zh", "", was.LabelZh, is.LabelZh)
		add(about, "label_en", "", was.LabelEn, is.LabelEn)
		add(about, "section", "", sectionText(before, was.Section), sectionText(after, is.Section))
		add(about, "type", "field_type", string(was.Type), string(is.Type))
		add(about, "category", "category", string(was.Category), string(is.Category))
		add(about, "notice_zh", "", was.NoticeZh, is.NoticeZh)
		add(about, "notice_en", "", was.NoticeEn, is.NoticeEn)
		add(about, "basis_zh", "", was.BasisZh, is.BasisZh)
		add(about, "basis_en", "", was.BasisEn, is.BasisEn)
		add(about, "purposes", "purpose", listed(was.Purposes), listed(is.Purposes))
		add(about, "choices", "", optionsText(was.Choices), optionsText(is.Choices))
		add(about, "retired", "yes_no", yesIf(was.Retired), yesIf(is.Retired))
	}
	return append(changes, noticeChanges(before.Notices, after.Notices)...)
}

// noticeChanges say what becomes of what the company says of the program's fields.
func noticeChanges(before, after []archive.OwnNotice) (changes []approval.Change) {
	of := func(all []archive.OwnNotice, field string) archive.OwnNotice {
		if i := slices.IndexFunc(all, func(n archive.OwnNotice) bool { return n.Field == field }); i >= 0 {
			return all[i]
		}
		return archive.OwnNotice{}
	}
	var fields []string
	for _, n := range append(slices.Clone(before), after...) {
		if !slices.Contains(fields, n.Field) {
			fields = append(fields, n.Field)
		}
	}
	for _, field := range fields {
		was, is := of(before, field), of(after, field)
		for _, c := range []approval.Change{
			{Field: "catalogue_own_notice_zh", Before: was.Zh, After: is.Zh, About: []string{archive.BothLabels(field)}},
			{Field: "catalogue_own_notice_en", Before: was.En, After: is.En, About: []string{archive.BothLabels(field)}},
		} {
			if c.Before != c.After {
				changes = append(changes, c)
			}
		}
	}
	return changes
}

func sectionText(c archive.OwnCatalogue, key string) string {
	for _, s := range c.Sections {
		if s.Key == key {
			return i18n.Both(s.LabelZh, s.LabelEn)
		}
	}
	return ""
}

func listed[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return strings.Join(texts, " ")
}

// optionsText are those that may be written.
func optionsText(options []models.FieldOption) string {
	var zh, en []string
	for _, o := range options {
		if !o.Retired {
			zh, en = append(zh, o.Code+" "+o.Zh), append(en, o.Code+" "+o.En)
		}
	}
	return i18n.Both(strings.Join(zh, "；"), strings.Join(en, "; "))
}

func yesIf(is bool) string {
	if is {
		return "yes"
	}
	return ""
}
