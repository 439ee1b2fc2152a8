package api_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"lethe/api/apitest"
	"lethe/api/httpkit"
	"lethe/models"
)

// What another site can make a browser send is refused before anything is looked up; what the own
// pages, other programs and tokens send is not.
func TestOtherSitesAreRefused(t *testing.T) {
	f := apitest.New(t)
	own := f.HTTP.URL
	const crossOrigin = "cross_origin_refused"
	for name, c := range map[string]struct {
		method  string
		headers []string
		refused bool
	}{
		"fetch metadata: another site":       {"POST", []string{"Sec-Fetch-Site", "cross-site"}, true},
		"fetch metadata: a sister domain":    {"POST", []string{"Sec-Fetch-Site", "same-site"}, true},
		"fetch metadata over a lying origin": {"POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", own}, true},
		"an old browser on another site":     {"POST", []string{"Origin", "https://evil.example"}, true},
		"no origin of its own":               {"POST", []string{"Origin", "null"}, true},
		"another port":                       {"POST", []string{"Origin", "http://127.0.0.1:1"}, true},
		"with the cookie":                    {"DELETE", []string{"Sec-Fetch-Site", "cross-site", "Cookie", "lethe=x"}, true},
		"a token beside a cookie":            {"POST", []string{"Sec-Fetch-Site", "cross-site", "Cookie", "lethe=x", "Authorization", "Bearer x"}, true},
		"a password for the whole site":      {"POST", []string{"Sec-Fetch-Site", "cross-site", "Authorization", "Basic eDp5"}, true},
		"the own page":                       {"POST", []string{"Sec-Fetch-Site", "same-origin", "Origin", own}, false},
		"typed by the person":                {"POST", []string{"Sec-Fetch-Site", "none"}, false},
		"an old browser on the own page":     {"POST", []string{"Origin", own}, false},
		"no browser":                         {"POST", nil, false},
		"a token alone":                      {"POST", []string{"Sec-Fetch-Site", "cross-site", "Authorization", "Bearer x"}, false},
		"only looking":                       {"GET", []string{"Sec-Fetch-Site", "cross-site"}, false},
	} {
		got := f.Ask("", c.method, "/api/v1/departures", `{}`, c.headers...)
		if c.refused != (got.Problem.Code == crossOrigin) || c.refused != (got.Status == http.StatusForbidden) {
			t.Errorf("%s: answered %d %s", name, got.Status, got.Problem.Code)
		}
	}
}

// Behind a proxy the Host is not the browser's; the public address is known to be ours.
func TestTheOwnOriginIsKnownBehindAProxy(t *testing.T) {
	for public, origins := range map[string]map[string]bool{
		"https://Lethe.example.com:443/": {"https://lethe.example.com": true, "http://lethe.example.com": false, "https://lethe.example.com.evil.example": false},
		"":                               {"https://lethe.example.com": false},
	} {
		router := httpkit.NewRouter(httpkit.Options{PublicURL: public, Log: slog.New(slog.DiscardHandler)})
		router.POST("/try", func(c *gin.Context) { c.Status(http.StatusNoContent) })
		for origin, passes := range origins {
			r := httptest.NewRequest(http.MethodPost, "http://internal:8080/try", strings.NewReader("{}"))
			r.Header.Set("Origin", origin)
			w := httptest.NewRecorder()
			router.ServeHTTP(w, r)
			if passes != (w.Code == http.StatusNoContent) {
				t.Errorf("%q from %q: answered %d", public, origin, w.Code)
			}
		}
	}
}

// HTTPS is made binding only where people come by HTTPS: on plain HTTP the header means nothing.
func TestTransportSecurityFollowsThePublicAddress(t *testing.T) {
	for public, want := range map[string]string{"https://lethe.example.com": httpkit.TransportSecurity, "http://127.0.0.1:8080": "", "": ""} {
		router := httpkit.NewRouter(httpkit.Options{PublicURL: public, Log: slog.New(slog.DiscardHandler)})
		w := httptest.NewRecorder()
		router.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/nothing", http.NoBody))
		if got := w.Header().Get("Strict-Transport-Security"); got != want {
			t.Errorf("%q: %q", public, got)
		}
		if got := w.Header().Get("Cross-Origin-Opener-Policy"); got != "same-origin" {
			t.Errorf("opener policy %q", got)
		}
	}
}

func TestAnswersDependOnWhoAsks(t *testing.T) {
	f := apitest.New(t)
	vary := strings.Join(f.Ask(models.RoleHRAdmin, "GET", "/api/v1/me", "").Header.Values("Vary"), ",")
	for _, header := range []string{"Cookie", "Authorization", "Accept-Language"} {
		if !strings.Contains(vary, header) {
			t.Errorf("Vary %q lacks %s", vary, header)
		}
	}
}
