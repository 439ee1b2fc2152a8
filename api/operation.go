package api

import (
	"net/http"
	"slices"
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
		Errors: usualProblems(method, path),
	}
}

// usualProblems are the statuses of the problems that a call of this kind may be answered with.
func usualProblems(method, path string) []int {
	all := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if method != http.MethodGet {
		all = append(all, http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	} else if strings.Contains(path, "{") {
		all = append(all, http.StatusNotFound)
	}
	slices.Sort(all)
	return all
}

// operationID is a name for generated clients: get-departures-id-events.
func operationID(method, path string) string {
	return strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}
