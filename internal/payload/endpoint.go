package payload

import (
	"net/http"

	"go.temporal.io/sdk/converter"
)

// Endpoint is the codec endpoint of Temporal UI: POST …/decode, and nothing else; the UI has no
// use for encoding. origin is the UI's own origin, the only one whose pages may call it. Who may
// call is for the caller to judge: allow says so for each request.
func (c *Codec) Endpoint(origin string, allow func(*http.Request) bool) http.Handler {
	decode := converter.NewPayloadCodecHTTPHandler(c)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if origin != "" && r.Header.Get("Origin") == origin {
			h := w.Header()
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Namespace")
			h.Set("Access-Control-Allow-Credentials", "true")
			h.Add("Vary", "Origin")
		}
		switch {
		case r.Method == http.MethodOptions:
			w.WriteHeader(http.StatusNoContent)
		case !allow(r):
			w.WriteHeader(http.StatusUnauthorized)
		case !isDecode(r):
			w.WriteHeader(http.StatusNotFound)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, 8<<20)
			decode.ServeHTTP(w, r)
		}
	})
}

func isDecode(r *http.Request) bool {
	const suffix = "/decode"
	path := r.URL.Path
	return len(path) >= len(suffix) && path[len(path)-len(suffix):] == suffix
}
