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

// pagePolicy lets a page load only what this server serves.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsPath is where the API's documentation is.
const docsPath = "/docs"

// serveDocs serves the OpenAPI document and a page that shows it, and the page for who has left, all from the binary.
func serveDocs(router *gin.Engine, api huma.API) {
	document, err := json.Marshal(api.OpenAPI())
	if err != nil {
		panic(fmt.Sprintf("rendering the OpenAPI document: %v", err)) // found by any test
	}
	router.GET("/openapi.json", asset("application/openapi+json", document))
	for path, file := range map[string]struct{ name, media string }{
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
	files, err := documentation()
	if err != nil {
		panic(fmt.Sprintf("reading the embedded documentation: %v", err))
	}
	router.GET(docsPath, func(c *gin.Context) { files["index.html"].serve(c) })
	router.GET(docsPath+"/:file", func(c *gin.Context) {
		f, ok := files[c.Param("file")]
		if !ok {
			c.Status(http.StatusNotFound)
			return
		}
		f.serve(c)
	})
}

func asset(media string, content []byte) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header("Content-Security-Policy", pagePolicy)
		c.Data(http.StatusOK, media, content)
	}
}
