package strict

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The types of keys (c2sp.org/signed-note), and the limits of a note.
const (
	LogKey     = 0x01
	WitnessKey = 0x04

	LargestNote    = 1 << 20
	mostSignatures = 100
)

// Note is a signed note whose signatures were not checked yet.
type Note struct {
	Text       string // what is signed, with its last line end
	signatures []signature
}

type signature struct {
	name  string
	id    uint32
	bytes []byte
}

// NoteText is the part of a note that is signed, up to its only empty line; false if there is none.
func NoteText(raw []byte) (string, bool) {
	text, _, found := strings.Cut(string(raw), "\n\n")
	if !found || text == "" || strings.HasPrefix(text, "\n") || len(raw) > LargestNote || !utf8.ValidString(text) {
		return "", false
	}
	return text + "\n", true
}

// ParseNote reads a note: UTF-8 without control characters, lines of text, an empty line, and one to
// a hundred signatures.
func ParseNote(raw []byte) (n Note, ok bool) {
	if n.Text, ok = NoteText(raw); !ok || !utf8.Valid(raw) {
		return n, false
	}
	for _, c := range raw {
		if c < ' ' && c != '\n' {
			return n, false
		}
	}
	lines, ended := strings.CutSuffix(string(raw[len(n.Text)+1:]), "\n")
	all := strings.Split(lines, "\n")
	if !ended || len(all) > mostSignatures {
		return n, false
	}
	for _, line := range all {
		line, dashed := strings.CutPrefix(line, "— ")
		name, encoded, _ := strings.Cut(line, " ")
		raw, decoded := Base64(encoded)
		if !dashed || !IsName(name) || !decoded || len(raw) < 5 {
			return n, false
		}
		n.signatures = append(n.signatures, signature{name, binary.BigEndian.Uint32(raw), raw[4:]})
	}
	return n, true
}

// Key is a public key that may have signed.
type Key struct {
	Name   string
	Type   byte // LogKey or WitnessKey
	Public []byte
}

// ID is the key's id (c2sp.org/signed-note).
func (k Key) ID() uint32 {
	h := sha256.Sum256(append(append([]byte(k.Name+"\n"), k.Type), k.Public...))
	return binary.BigEndian.Uint32(h[:])
}

// ParseKey reads a key in text, <name>+<id>+<base64 of type and public key>.
func ParseKey(text string, kind byte) (Key, bool) {
	name, rest, _ := strings.Cut(text, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	raw, ok := Base64(encoded)
	if !ok || !IsName(name) || len(raw) != 1+ed25519.PublicKeySize || raw[0] != kind {
		return Key{}, false
	}
	k := Key{name, kind, raw[1:]}
	digits := strconv.FormatUint(uint64(k.ID()), 16)
	return k, strings.Repeat("0", 8-len(digits))+digits == id
}

// Signers says which of the keys have signed, and when those that say so did (seconds since 1970).
// Every signature that names a key, by its name and id, must be right; false if one is not.
func (n Note) Signers(keys []Key) (at map[int]int64, ok bool) {
	at = map[int]int64{}
	for _, s := range n.signatures {
		named, right := false, false
		for i, k := range keys {
			if k.Name != s.name || k.ID() != s.id {
				continue
			}
			named = true
			if when, valid := k.verify(n.Text, s.bytes); valid {
				right, at[i] = true, max(at[i], when)
			}
		}
		if named && !right {
			return nil, false
		}
	}
	return at, true
}

// verify checks a signature, of a witness one with its time.
func (k Key) verify(text string, signature []byte) (at int64, ok bool) {
	if k.Type == WitnessKey {
		if len(signature) != 8+ed25519.SignatureSize {
			return 0, false
		}
		if at = int64(binary.BigEndian.Uint64(signature)); at <= 0 {
			return 0, false
		}
		text = "cosignature/v1\ntime " + strconv.FormatInt(at, 10) + "\n" + text
		signature = signature[8:]
	}
	return at, len(signature) == ed25519.SignatureSize && canonical(k.Public) && ed25519.Verify(k.Public, []byte(text), signature)
}

// canonical says whether a public key is written as RFC 8032, section 5.1.2, writes it: y below
// 2^255 - 19, and no sign where x is 0 (y is 1 or -1). crypto/ed25519 takes others, too.
func canonical(public []byte) bool {
	if len(public) != ed25519.PublicKeySize {
		return false
	}
	sign := public[31]&0x80 != 0
	if public[31]&0x7f != 0x7f {
		return !sign || public[0] != 1 || !all(public[1:31], 0) || public[31] != 0x80
	}
	if !all(public[1:31], 0xff) {
		return true
	}
	// y is 2^255 - 256 + the first byte: below 2^255 - 19 up to 236, which is -1.
	return public[0] < 236 || public[0] == 236 && !sign
}

func all(bytes []byte, value byte) bool {
	for _, b := range bytes {
		if b != value {
			return false
		}
	}
	return true
}
