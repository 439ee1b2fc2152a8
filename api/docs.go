package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// docsPath is where the API's documentation is.
const docsPath = "/docs"

// serveDocs serves the OpenAPI document and a page that shows it, all from the binary.
func serveDocs(router *gin.Engine, api huma.API) {
	document, err := json.Marshal(api.OpenAPI())
	if err != nil {
		panic(fmt.Sprintf("rendering the OpenAPI document: %v", err)) // found by any test
	}
	router.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/openapi+json", document) })
	// Where a mailed link leads; a browser keeps what stands behind the #, which is never sent here.
	router.GET("/former", func(c *gin.Context) { c.Redirect(http.StatusFound, consolePath+"former") })
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
