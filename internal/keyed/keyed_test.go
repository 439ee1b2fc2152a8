package keyed

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// TestI25_ADigestIsOfItsKeyAndItsParts: who has not the key cannot make one. The values are from another
// implementation of HMAC-SHA256.
func TestI25_ADigestIsOfItsKeyAndItsParts(t *testing.T) {
	set := Set{keys: [][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)}}
	want := []string{
		"00f7da38a97bdafddab2519a3ee0272e086a448b0f5357cfdae24a596c194a12",
		"eb9a798b6efb2c460aa5dfad8ad474bb49ffb0ab087f472a25e127a16b621b4f",
	}
	all := set.All("ab", "c")
	if len(all) != len(want) {
		t.Fatalf("%d digests by %d keys", len(all), len(want))
	}
	for i, mac := range all {
		if got := hex.EncodeToString(mac); got != want[i] {
			t.Errorf("by key %d it is %s, want %s", i+1, got, want[i])
		}
	}
}

// TestI25_PartsOfADigestDoNotRunTogether: a digest by which one list of parts is found is no other list's.
func TestI25_PartsOfADigestDoNotRunTogether(t *testing.T) {
	set := Set{keys: [][]byte{bytes.Repeat([]byte{1}, 32)}}
	seen := map[string][]string{}
	for _, parts := range [][]string{
		nil, {""}, {"", ""}, {"abc"}, {"ab", "c"}, {"a", "bc"}, {"", "abc"}, {"abc", ""}, {"a", "b", "c"}, {"c", "ab"}, {"ab\x00c"},
	} {
		mac := string(set.All(parts...)[0])
		if other, ok := seen[mac]; ok {
			t.Errorf("%q and %q have one digest", parts, other)
		}
		seen[mac] = parts
	}
}
