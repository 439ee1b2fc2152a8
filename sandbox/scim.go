package sandbox

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"lethe/sandbox/control"
)

const (
	schemaUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	schemaGroup      = "urn:ietf:params:scim:schemas:core:2.0:Group"
	schemaEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	schemaAccess     = "urn:lethe:params:scim:schemas:extension:access:2.0:User"
	schemaList       = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	schemaPatch      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	schemaError      = "urn:ietf:params:scim:api:messages:2.0:Error"
	schemaConfig     = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"

	maxSCIMBody = 1 << 20
)

func (s *System) routeSCIM(mux *http.ServeMux) {
	handle := func(pattern string, h http.HandlerFunc) {
		mux.Handle(pattern, bearer(s.opts.Token, h, func(w http.ResponseWriter) {
			writeSCIM(w, scimError(http.StatusUnauthorized, "", "bearer token missing or wrong"))
		}))
	}
	handle("GET /scim/v2/ServiceProviderConfig", s.serviceProviderConfig)
	handle("GET /scim/v2/ResourceTypes", s.resourceTypes)
	handle("GET /scim/v2/Schemas", s.schemas)
	handle("GET /scim/v2/Users", s.listUsers)
	handle("POST /scim/v2/Users", s.createUser)
	handle("GET /scim/v2/Users/{id}", s.getUser)
	handle("PUT /scim/v2/Users/{id}", s.replaceUser)
	handle("PATCH /scim/v2/Users/{id}", s.patchUser)
	handle("DELETE /scim/v2/Users/{id}", s.deleteUser)
	handle("POST /scim/v2/Users/{id}/sessions/revocations", s.revokeSessions)
	handle("GET /scim/v2/Groups", s.listGroups)
	handle("POST /scim/v2/Groups", s.createGroup)
	handle("GET /scim/v2/Groups/{id}", s.getGroup)
	handle("PUT /scim/v2/Groups/{id}", s.replaceGroup)
	handle("PATCH /scim/v2/Groups/{id}", s.patchGroup)
	handle("DELETE /scim/v2/Groups/{id}", s.deleteGroup)
	handle("/scim/v2/", func(w http.ResponseWriter, _ *http.Request) { writeSCIM(w, notFound()) })
}

// bearer lets requests with the token through and answers the others by refuse.
func bearer(token string, next http.Handler, refuse func(http.ResponseWriter)) http.Handler {
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(given))
		if !ok || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// scimError is an error as RFC 7644 section 3.12 has it. The text is always a
// constant.
func scimError(status int, scimType, detail string) answer {
	body := map[string]any{"schemas": []string{schemaError}, "status": itoa(status), "detail": detail}
	if scimType != "" {
		body["scimType"] = scimType
	}
	return answer{status: status, body: body}
}

func notFound() answer { return scimError(http.StatusNotFound, "", "no such resource") }

func writeSCIM(w http.ResponseWriter, a answer) {
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body) // a caller that went away is no fault of ours
}

// writeForeign answers as somebody in between does, who knows nothing of SCIM.
func writeForeign(w http.ResponseWriter, r control.Rule) {
	status := cmp.Or(r.Status, http.StatusNotFound)
	if r.JSON {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"status":`+itoa(status)+`,"error":"no route"}`)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<html><head><title>"+http.StatusText(status)+"</title></head><body>proxy</body></html>")
}

// readSCIM decodes a body; the answer is nil if that went well.
func readSCIM(w http.ResponseWriter, r *http.Request, into any) *answer {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSCIMBody))
	if err := dec.Decode(into); err != nil {
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			a := scimError(http.StatusRequestEntityTooLarge, "", "body too large")
			return &a
		}
		a := scimError(http.StatusBadRequest, "invalidSyntax", "body is not the expected JSON")
		return &a
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		a := scimError(http.StatusBadRequest, "invalidSyntax", "data after the body")
		return &a
	}
	return nil
}

// listAnswer pages resources as RFC 7644 section 3.4.2.4 has it.
func listAnswer[T any](r *http.Request, all []T, maxPage int, short bool, render func(T) any) answer {
	q := r.URL.Query()
	start, ok1 := number(q.Get("startIndex"), 1)
	count, ok2 := number(q.Get("count"), maxPage)
	if !ok1 || !ok2 {
		return scimError(http.StatusBadRequest, "invalidValue", "startIndex and count are numbers")
	}
	start, count = max(start, 1), min(max(count, 0), maxPage)
	page := all[min(start-1, len(all)):]
	page = page[:min(count, len(page))]
	itemsPerPage := len(page)
	if short && len(page) > 0 {
		page = page[:len(page)-1]
	}
	resources := make([]any, 0, len(page))
	for _, x := range page {
		resources = append(resources, render(x))
	}
	return answer{status: http.StatusOK, body: map[string]any{
		"schemas": []string{schemaList}, "totalResults": len(all), "startIndex": start,
		"itemsPerPage": itemsPerPage, "Resources": resources,
	}}
}

func number(text string, otherwise int) (int, bool) {
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

func itoa(n int) string { return strconv.Itoa(n) }
