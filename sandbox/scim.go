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

	"lethe/internal/scim"
	"lethe/sandbox/control"
)

const maxSCIMBody = 1 << 20

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

// scimError is a refusal. The text is always a constant.
func scimError(status int, scimType, detail string) answer {
	return answer{status: status, body: scim.NewError(status, scimType, detail)}
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
	w.Header().Set("Content-Type", scim.MediaType)
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
		return bad("invalidSyntax", "body is not the expected JSON")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return bad("invalidSyntax", "data after the body")
	}
	return nil
}

// listAnswer answers with the page that is asked for; a short one says that it is whole.
func listAnswer[T any](r *http.Request, all []T, maxPage int, short bool, render func(T) any) answer {
	page, ok := scim.Page(r.URL.Query(), all, maxPage, render)
	if !ok {
		return *bad("invalidValue", "startIndex and count are numbers")
	}
	if n := len(page.Resources); short && n > 0 {
		page.Resources = page.Resources[:n-1]
	}
	return answer{status: http.StatusOK, body: page}
}

func itoa(n int) string { return strconv.Itoa(n) }
