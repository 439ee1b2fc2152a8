package canary

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

const text = "Kanarienvogel"

// The search finds the text in each encoding, wherever it lies.
func TestNetFindsEveryEncoding(t *testing.T) {
	net := NewNet(text)
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "before")
		after := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "after")
		whole := slices.Concat(before, []byte(text), after)
		var little, big []byte
		for _, u := range utf16.Encode([]rune(text)) {
			little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
		}
		for encoding, content := range map[string][]byte{
			"plain":     whole,
			"base64":    []byte(base64.StdEncoding.EncodeToString(whole)),
			"base64url": []byte(base64.RawURLEncoding.EncodeToString(whole)),
			"hex":       []byte(hex.EncodeToString(whole)),
			"UTF-16LE":  slices.Concat(before, little, after),
			"UTF-16BE":  slices.Concat(before, big, after),
		} {
			if !strings.Contains(strings.Join(net.Find(content), "\n"), encoding) {
				t.Errorf("not found in %s", encoding)
			}
		}
	})
}

func TestNetFindsNothingWhereNothingIs(t *testing.T) {
	for _, content := range []string{"", "Kanarienvoge", "kanarienvogel", base64.StdEncoding.EncodeToString([]byte("Kanarienvoge"))} {
		if found := NewNet(text).Find([]byte(content)); found != nil {
			t.Errorf("%q: found %v", content, found)
		}
	}
}
