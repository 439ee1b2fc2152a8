// Package canary plants marker values wherever something sensitive can be, has everything run, and
// looks for the markers wherever nothing sensitive may be.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf16"
)

// Net finds a text in bytes, however it was encoded.
type Net struct{ needles []needle }

type needle struct {
	encoding string
	bytes    []byte
}

// NewNet makes a net for an ASCII text of nine characters or more.
func NewNet(text string) Net {
	n := Net{needles: []needle{{"plain", []byte(text)}}}
	digits := hex.EncodeToString([]byte(text))
	n.add("hex", digits)
	n.add("hex", strings.ToUpper(digits))
	units := utf16.Encode([]rune(text))
	little, big := make([]byte, 0, 2*len(units)), make([]byte, 0, 2*len(units))
	for _, u := range units {
		little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
	}
	n.add("UTF-16LE", string(little))
	n.add("UTF-16BE", string(big))
	for offset := range 3 {
		n.add("base64", aligned(base64.StdEncoding, text, offset))
		n.add("base64url", aligned(base64.URLEncoding, text, offset))
	}
	return n
}

func (n *Net) add(encoding, text string) {
	n.needles = append(n.needles, needle{encoding, []byte(text)})
}

// aligned is what of the text's base64 form does not depend on the bytes around it, when the text
// begins at the given offset within a group of three bytes.
func aligned(e *base64.Encoding, text string, offset int) string {
	encoded := e.EncodeToString(append(make([]byte, offset), text...))
	first := (offset*8 + 5) / 6
	last := (offset + len(text)) * 8 / 6
	return encoded[first:last]
}

// Find says in which encodings the text is in content, with what is around it.
func (n Net) Find(content []byte) []string {
	var found []string
	for _, needle := range n.needles {
		i := bytes.Index(content, needle.bytes)
		if i < 0 {
			continue
		}
		around := content[max(0, i-80):min(len(content), i+len(needle.bytes)+40)]
		found = append(found, needle.encoding+": "+strings.ToValidUTF8(string(around), "."))
	}
	return found
}
