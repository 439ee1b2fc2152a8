package config

import (
	"net/netip"
	"net/url"
)

// provider checks that the settings of the OpenID provider are all there or none.
func (p *problemList) provider(c Config) {
	if c.OIDCIssuer == "" {
		if c.OIDCClientID != "" || c.OIDCClientSecret != "" {
			p.add("LETHE_OIDC_CLIENT_ID or LETHE_OIDC_CLIENT_SECRET is set without LETHE_OIDC_ISSUER; set all or none")
		}
		return
	}
	p.website("LETHE_OIDC_ISSUER", c.OIDCIssuer)
	if u, err := url.Parse(c.OIDCIssuer); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		p.add("LETHE_OIDC_ISSUER must begin with https://; plain http is for a provider on this machine")
	}
	for _, one := range []struct{ name, value string }{
		{"LETHE_OIDC_CLIENT_ID", c.OIDCClientID}, {"LETHE_OIDC_CLIENT_SECRET", c.OIDCClientSecret}, {"LETHE_PUBLIC_URL", c.PublicURL},
	} {
		if one.value == "" {
			p.add("%s is not set; LETHE_OIDC_ISSUER needs it", one.name)
		}
	}
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && address.IsLoopback())
}
