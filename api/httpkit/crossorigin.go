package httpkit

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// sameOrigin refuses what another site made a browser send: every changing request that could carry
// a session's cookie, or could open a session for the wrong person. Requests with a token and
// without cookies are let through: no page can add that header for another site, since this server
// answers no preflight. Programs that are no browsers send neither header, and pass.
func sameOrigin(publicURL string) gin.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	if origin := originOf(publicURL); origin != "" {
		// Behind a proxy the Host may be another than the browser's.
		if err := protection.AddTrustedOrigin(origin); err != nil {
			panic(fmt.Sprintf("trusting the own origin: %v", err)) // config has checked the address
		}
	}
	return func(c *gin.Context) {
		_, byToken := bearerToken(c.GetHeader("Authorization")) // browsers add "Basic" by themselves
		byToken = byToken && c.GetHeader("Cookie") == ""
		if !byToken && protection.Check(c.Request) != nil {
			refuseGin(c, NewProblem(CodeCrossOrigin))
			return
		}
		c.Next()
	}
}

// originOf is scheme and host of an address, as browsers write them.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host
}

// secured says that people reach the API by HTTPS: cookies are then bound to it, and browsers are
// told never to come without (RFC 6797).
func secured(publicURL string) bool { return strings.HasPrefix(publicURL, "https://") }

// TransportSecurity is two years, the host and what is below it.
const TransportSecurity = "max-age=63072000; includeSubDomains"
