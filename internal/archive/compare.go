package archive

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"lethe/models"
)

// Comparable says whether a field is a number that can be compared with one that somebody names.
func Comparable(f models.FieldDefinition) bool {
	switch f.Type {
	case models.FieldPhone, models.FieldDocumentNumber, models.FieldBankAccount:
		return true
	case models.FieldText:
		return strings.HasSuffix(f.Key, "_no")
	}
	return false
}

// SameNumber says whether two numbers are the same, however they are written: width, case, blanks, dashes and brackets
// do not count, nor does the country code of a Chinese mobile number. It takes as long whether they are or not.
func SameNumber(f models.FieldDefinition, a, b string) bool {
	left, right := sha256.Sum256([]byte(bare(f, a))), sha256.Sum256([]byte(bare(f, b)))
	return subtle.ConstantTimeCompare(left[:], right[:]) == 1
}

func bare(f models.FieldDefinition, s string) string {
	s = strings.ToUpper(norm.NFKC.String(s))
	if f.Type == models.FieldPhone {
		s = strings.TrimSpace(s)
		if rest, ok := strings.CutPrefix(s, "+"); ok {
			s = "00" + rest
		}
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
	if mobile, ok := strings.CutPrefix(s, "0086"); ok && f.Type == models.FieldPhone && len(mobile) == 11 && mobile[0] == '1' {
		return mobile
	}
	return s
}
