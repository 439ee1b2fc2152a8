package identity

import (
	_ "embed"
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The ways in which a new password is refused (OWASP ASVS 5.0, 6.2): by its length, because it is
// among those that everybody tries first, or because it is made of who its owner is. There are no
// rules of composition and no forced changes.
var (
	ErrPasswordLength  = errors.New("a password has 12 to 128 characters")
	ErrPasswordCommon  = errors.New("the password is among the first that are tried")
	ErrPasswordContext = errors.New("the password is made of the login or the name")
)

const (
	leastPassword = 12 // characters
	mostPassword  = 128
)

//go:embed common_passwords.txt
var commonText string

// common are passwords that everybody tries, and the words that they are made of, in lower case.
var common = func() map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(commonText) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			words[line] = true
		}
	}
	return words
}()

// checkPassword judges a new password; about are the login, names and other words of its owner.
func checkPassword(password string, about ...string) error {
	password = normalPassword(password)
	if n := utf8.RuneCountInString(password); n < leastPassword || n > mostPassword || !utf8.ValidString(password) {
		return ErrPasswordLength
	}
	lower := strings.ToLower(password)
	for _, word := range about {
		for _, part := range append(strings.FieldsFunc(strings.ToLower(word), notLetter), strings.ToLower(word)) {
			if utf8.RuneCountInString(part) >= 2 && madeOf(lower, part) {
				return ErrPasswordContext
			}
		}
	}
	if isCommon(lower) {
		return ErrPasswordCommon
	}
	return nil
}

func notLetter(r rune) bool { return !unicode.IsLetter(r) }

// madeOf says that little is left of a password without a word.
func madeOf(password, word string) bool {
	rest := strings.ReplaceAll(password, word, "")
	return len(rest) < len(password) && utf8.RuneCountInString(rest) < 8
}

// plain undoes the substitutions that crackers try first.
var plain = strings.NewReplacer("0", "o", "1", "l", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// isCommon says that a password is a common one, or nothing but common ones, a counted row or one
// character, with digits and signs around.
func isCommon(lower string) bool {
	if common[lower] || rowLike(lower) {
		return true
	}
	core := strings.TrimFunc(lower, notLetter)
	if core == "" {
		return rowLike(strings.Map(onlyDigits, lower))
	}
	for _, text := range []string{lower, core, plain.Replace(lower), plain.Replace(core)} {
		if common[text] || onlyCommon(text) {
			return true
		}
	}
	return rowLike(core)
}

func onlyDigits(r rune) rune {
	if unicode.IsDigit(r) {
		return r
	}
	return -1
}

// onlyCommon says that a text is common passwords one after the other, digits and signs between.
func onlyCommon(text string) bool {
	for text = strings.TrimLeftFunc(text, notLetter); text != ""; text = strings.TrimLeftFunc(text, notLetter) {
		end := 0
		for n := range text {
			if n >= 4 && common[text[:n]] {
				end = n
			}
		}
		if common[text] {
			return true
		}
		if end == 0 {
			return false
		}
		text = text[end:]
	}
	return true
}

// rowLike says that a text repeats a short piece or counts up or down.
func rowLike(text string) bool {
	runes := []rune(text)
	if len(runes) < 4 {
		return false
	}
	for period := 1; period <= 4 && period*2 <= len(runes); period++ {
		if slices.Equal(runes[period:], runes[:len(runes)-period]) {
			return true
		}
	}
	for _, step := range []rune{1, -1} {
		counts := true
		for i := 1; i < len(runes) && counts; i++ {
			next := runes[i-1] + step
			counts = runes[i] == next || (runes[i-1] == '9' && runes[i] == '0') || (runes[i-1] == '0' && runes[i] == '9')
		}
		if counts {
			return true
		}
	}
	return false
}
