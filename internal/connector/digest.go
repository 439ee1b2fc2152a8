package connector

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Digest is the SHA-256, in hex, over the list of systems, and their names. Tokens are no part of it:
// a rotated one changes nothing that a system does.
func Digest(systems []SystemConfig) (digest, names string) {
	h := sha256.New()
	list := make([]string, len(systems))
	for i, s := range systems {
		_, _ = fmt.Fprintf(h, "%q %q %q %q %s %q %q\n", s.Name, s.Kind, s.Protocol, s.BaseURL, s.Timeout(), s.Match, s.RemoveMembers)
		list[i] = s.Name
	}
	return hex.EncodeToString(h.Sum(nil)), strings.Join(list, ",")
}
