package api

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

//go:embed assets
var assets embed.FS

// docsPolicy lets the page load only what this server serves.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serveDocs serves the OpenAPI document and a page that shows it, all from the binary.
func serveDocs(router *gin.Engine, api huma.API) {
	document, err := json.Marshal(api.OpenAPI())
	if err != nil {
		panic(fmt.Sprintf("rendering the OpenAPI document: %v", err)) // found by any test
	}
	router.GET("/openapi.json", asset("application/openapi+json", document))
	for path, file := range map[string]struct{ name, media string }{
		"/docs":     {"docs.html", "text/html; charset=utf-8"},
		"/docs.js":  {"docs.js", "text/javascript; charset=utf-8"},
		"/docs.css": {"docs.css", "text/css; charset=utf-8"},
		// Where a mailed link leads: somebody who has left enters the second factor.
		"/former":    {"former.html", "text/html; charset=utf-8"},
		"/former.js": {"former.js", "text/javascript; charset=utf-8"},
	} {
		content, err := assets.ReadFile("assets/" + file.name)
		if err != nil {
			panic(fmt.Sprintf("reading an embedded page: %v", err))
		}
		router.GET(path, asset(file.media, content))
	}
}

func asset(media string, content []byte) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header("Content-Security-Policy", docsPolicy)
		c.Data(http.StatusOK, media, content)
	}
}
