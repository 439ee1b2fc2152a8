// Package i18n holds what people read, in Chinese and in English. Codes stay in the program;
// their texts are in the catalogues, which carry the same keys in both languages.
package i18n

import (
	"embed"
	"fmt"
	"strings"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// Language is a language that we speak.
type Language string

// The languages.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// Of is what is entered in both languages, in this one; English unless it is Chinese.
func (l Language) Of(zh, en string) string {
	if l == Chinese {
		return zh
	}
	return en
}

// between parts the two languages of a text that is kept for readers of either; nobody can type it.
const between = "\x1f"

// Both is what is entered in both languages, as one text that is kept; [Language.One] reads it.
func Both(zh, en string) string {
	if zh == en {
		return zh
	}
	return zh + between + en
}

// One is a text of [Both] in this language, and any other as it is.
func (l Language) One(text string) string {
	if zh, en, ok := strings.Cut(text, between); ok {
		return l.Of(zh, en)
	}
	return text
}

// List is several words as one text.
func (l Language) List(words []string) string { return strings.Join(words, l.Of("、", ", ")) }

// Day is a day as it is read: 2026年11月30日, 30 Nov 2026.
func (l Language) Day(t time.Time) string { return t.Format(l.Of("2006年1月2日", "2 Jan 2006")) }

// Minute is a day with the time of day.
func (l Language) Minute(t time.Time) string {
	return t.Format(l.Of("2006年1月2日 15:04", "2 Jan 2006, 15:04"))
}

// Languages lists them all.
var Languages = []Language{English, Chinese}

//go:embed catalogue/*.json
var files embed.FS

var localizers = load()

// load reads the embedded catalogues; they are part of the program, so a faulty one is a bug that
// any test finds.
func load() map[Language]*i18n.Localizer {
	found := map[Language]*i18n.Localizer{}
	for _, l := range Languages {
		// A bundle of its own keeps a missing text from being shown in the other language.
		bundle := i18n.NewBundle(language.MustParse(string(l)))
		if _, err := bundle.LoadMessageFileFS(files, "catalogue/"+string(l)+".json"); err != nil {
			panic(fmt.Sprintf("reading the %s catalogue: %v", l, err))
		}
		found[l] = i18n.NewLocalizer(bundle, string(l))
	}
	return found
}

// Text is the text of a key; a key without a text is returned itself.
func Text(l Language, key string) string {
	text, ok := Lookup(l, key)
	if !ok {
		return key
	}
	return text
}

// Plural is the text of a key about n things: that of key.one about a single one, if there is such a text.
func Plural(l Language, key string, n int) string {
	if text, ok := Lookup(l, key+".one"); ok && n == 1 {
		return text
	}
	return Text(l, key)
}

// Lookup is the text of a key, if it has one.
func Lookup(l Language, key string) (string, bool) {
	localizer, ok := localizers[l]
	if !ok {
		localizer = localizers[English]
	}
	text, err := localizer.Localize(&i18n.LocalizeConfig{MessageID: key})
	return text, err == nil && text != ""
}

// Negotiate picks the language that an Accept-Language header (RFC 9110, 12.5.4) wants most.
// Every kind of Chinese is Chinese; what we do not speak is skipped; nothing left is English.
func Negotiate(acceptLanguage string) Language {
	tags, weights, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		return English
	}
	for i, tag := range tags {
		if weights[i] == 0 {
			continue
		}
		switch base, _ := tag.Base(); base.String() {
		case "zh":
			return Chinese
		case "en":
			return English
		}
	}
	return English
}
