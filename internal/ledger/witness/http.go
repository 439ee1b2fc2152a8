package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
)

const (
	typeSize  = "text/x.tlog.size"
	typePlain = "text/plain; charset=utf-8"
	// maxBody is far above a request with 63 hashes and 16 signatures.
	maxBody = 64 << 10
)

// Handler is the witness's HTTP interface, submission and monitoring under one prefix. It speaks
// plain HTTP: a reverse proxy in front of it does TLS. There is no authentication beyond the log's
// signature, as c2sp.org/tlog-witness has it.
func (w *Witness) Handler(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", func(rw http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(rw, req.Body, maxBody))
		if err != nil {
			answer(rw, http.StatusBadRequest, typePlain, []byte("the body is too large or was cut\n"))
			return
		}
		lines, err := w.AddCheckpoint(req.Context(), body)
		var r *RefusedError
		switch {
		case errors.As(err, &r):
			log.Warn("refused a checkpoint", "status", r.Status, "why", r.Why)
			answerRefusal(rw, r)
		case err != nil:
			log.Error("could not cosign", "error", err)
			answer(rw, http.StatusInternalServerError, typePlain, []byte("the witness cannot answer now\n"))
		default:
			answer(rw, http.StatusOK, typePlain, lines)
		}
	})
	mux.HandleFunc("GET /{origin}/checkpoint", w.serveLatest)
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) {
		answer(rw, http.StatusOK, typePlain, []byte("ok\n"))
	})
	return mux
}

func (w *Witness) serveLatest(rw http.ResponseWriter, req *http.Request) {
	hash := req.PathValue("origin")
	if b, err := hex.DecodeString(hash); err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != hash {
		http.NotFound(rw, req)
		return
	}
	switch signed, err := w.store.latest(hash); {
	case err != nil:
		answer(rw, http.StatusInternalServerError, typePlain, []byte("the witness cannot answer now\n"))
	case signed == nil:
		http.NotFound(rw, req)
	default:
		answer(rw, http.StatusOK, typePlain, signed)
	}
}

func answerRefusal(rw http.ResponseWriter, r *RefusedError) {
	if r.Status == http.StatusConflict {
		answer(rw, r.Status, typeSize, []byte(strconv.FormatInt(r.Size, 10)+"\n"))
		return
	}
	answer(rw, r.Status, typePlain, []byte(r.Why+"\n"))
}

func answer(rw http.ResponseWriter, status int, contentType string, body []byte) {
	rw.Header().Set("Content-Type", contentType)
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	rw.Header().Set("Cache-Control", "no-store")
	rw.WriteHeader(status)
	_, _ = rw.Write(body)
}
