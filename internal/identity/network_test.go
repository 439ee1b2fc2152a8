package identity

import (
	"net/netip"
	"testing"
)

// Whoever has an IPv6 network has more addresses than limits could count.
func TestTriesAreCountedByNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.7":          "203.0.113.7",
		"::ffff:203.0.113.7":   "203.0.113.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::":  "2001:db8:1:2::/64",
		"2001:db8:1:3:3:4:5:6": "2001:db8:1:3::/64",
		"fe80::1%eth0":         "fe80::/64",
	} {
		if got := network(Client{Address: netip.MustParseAddr(address)}); got != want {
			t.Errorf("%s is counted as %s", address, got)
		}
	}
	if got := network(Client{}); got != "" {
		t.Errorf("no address is counted as %q", got)
	}
}
