// Command client prints the OpenAPI document, which needs no server.
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	"lethe/api"
)

func main() {
	w := httptest.NewRecorder()
	api.New(api.Deps{Version: "0"}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
	if _, err := os.Stdout.Write(w.Body.Bytes()); err != nil || w.Code != http.StatusOK {
		fmt.Fprintln(os.Stderr, "client: no OpenAPI document:", w.Code, err)
		os.Exit(1)
	}
}
