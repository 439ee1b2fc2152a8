package main

import (
	"encoding/json"
	"net/http"
	"time"
)

// behaviour is what a test wants of the provider; PUT /control replaces all of it.
type behaviour struct {
	RedirectURIs []string `json:"redirect_uris"`
	People       []person `json:"people"`
	// IgnoresMaxAge keeps a browser's login however fresh a client wants it.
	IgnoresMaxAge bool `json:"ignores_max_age"`
	// LoginAge is added to the age of every login that the tokens tell.
	LoginAge duration `json:"login_age"`
	// Nonce, if set, stands in the tokens instead of the client's.
	Nonce string `json:"nonce"`
	// NoLoginTime leaves auth_time out.
	NoLoginTime bool `json:"no_login_time"`
}

// person is somebody who can log in.
type person struct {
	Login   string `json:"login"`
	Subject string `json:"subject"`
	Email   string `json:"email"`
}

// duration is written as Go does, "90s".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

func (s *storage) control(w http.ResponseWriter, r *http.Request) {
	var wanted behaviour
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&wanted); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behaviour = wanted
	w.WriteHeader(http.StatusNoContent)
}
