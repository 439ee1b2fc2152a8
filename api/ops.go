package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"lethe/internal/database"
)

// OpsDeps is what the ops port needs.
type OpsDeps struct {
	// Ready says whether the process can do its work; its error is logged by the caller, never shown.
	Ready func(ctx context.Context) error
	// Codec are the endpoints through which Temporal UI reads payloads, by the paths under which
	// they are mounted.
	Codec map[string]http.Handler
}

const readyLimit = 2 * time.Second

// NewOps is the handler of the ops port: health for supervisors, metrics, and the codec endpoint.
// The port is for the machine's own network, not for users.
func NewOps(d OpsDeps) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", alive)
	mux.HandleFunc("GET /readyz", ready(d.Ready))
	mux.Handle("GET /metrics", promhttp.Handler())
	for path, codec := range d.Codec {
		mux.Handle(path, codec)
	}
	return mux
}

// alive says that the process answers.
func alive(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") }

// ready says whether requests can be served now.
func ready(check func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyLimit)
		defer cancel()
		if err := check(ctx); err != nil {
			plain(w, http.StatusServiceUnavailable, "not ready"+why(err)+"\n")
			return
		}
		plain(w, http.StatusOK, "ready\n")
	}
}

// why tells what an administrator must put right; anything else stays in the log.
func why(err error) string {
	for _, known := range []error{database.ErrEmptyKeys, database.ErrForeignKeys} {
		if errors.Is(err, known) {
			return ": " + known.Error()
		}
	}
	return ""
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
