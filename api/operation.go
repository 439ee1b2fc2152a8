package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const base = "/api/v1"

// operation describes a call: path is below /api/v1.
func operation(method, path, tag, summary string) huma.Operation {
	status := http.StatusOK
	return huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: base + path,
		Tags: []string{tag}, Summary: summary, DefaultStatus: status,
		// The body was read and bounded before; these are huma's own limits.
		MaxBodyBytes: maxBody + 1, BodyReadTimeout: -1,
	}
}

// operationID is a name for generated clients: get-departures-id-events.
func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}
