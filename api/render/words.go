package render

import (
	"lethe/api/httpkit"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/i18n"
)

// Word is a value of a closed set in words.
type Word struct {
	Value string `json:"value"`
	Text  string `json:"text"`
}

// Words are the values of a closed set in words.
func Words[T ~string](language i18n.Language, values []T) []Word {
	return httpkit.Each(values, func(v T) Word { return Word{string(v), closed.Text(language, v)} })
}

// Groups are the program's groups of fields and the sections that the company added.
func Groups(language i18n.Language, own archive.OwnCatalogue) []Word {
	return append(Words(language, access.Groups), httpkit.Each(own.Sections, func(s archive.OwnSection) Word {
		return Word{Value: s.Key, Text: language.Of(s.LabelZh, s.LabelEn)}
	})...)
}
