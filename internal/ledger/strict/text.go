package strict

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// The largest numbers: of indexes and sizes, and of epochs.
const (
	Largest      = math.MaxInt64
	LargestEpoch = math.MaxInt32
)

// Base64 reads RFC 4648, section 4, in its one form: with padding, no stray bits, nothing in between.
func Base64(text string) ([]byte, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(b) != text {
		return nil, false
	}
	return b, true
}

// Decimal reads a number from 0 to 2^63 - 1: ASCII digits, no sign, no leading zero.
func Decimal(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != text {
		return 0, false
	}
	return n, true
}

// UUID reads the 36 characters, in lower case.
func UUID(text string) (uuid.UUID, bool) {
	id, err := uuid.Parse(text)
	return id, err == nil && id.String() == text
}

// IsEntryID says whether an id is a UUID of version 7 (RFC 9562).
func IsEntryID(id uuid.UUID) bool { return id[6]>>4 == 7 && id[8]>>6 == 2 }

// IsName says whether a text can name a key: not empty, without white space, control characters and +.
func IsName(text string) bool {
	return text != "" && utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return r == '+' || r < ' ' || unicode.IsSpace(r)
	})
}

// IsOrigin says whether a text can name a ledger.
func IsOrigin(text string) bool { return IsName(text) && len(text) <= 255 }
