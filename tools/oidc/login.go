package main

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

// loginPage asks who is there, and keeps a browser logged in with a cookie, as providers do.
type loginPage struct {
	store  *storage
	finish func(ctx context.Context, requestID string) string
}

// login is a browser's.
type login struct {
	subject string
	at      time.Time
}

const loginCookie = "provider"

var page = template.Must(template.New("login").Parse(`<!doctype html><title>Log in</title>
<form method="post" action="/login"><input type="hidden" name="id" value="{{.}}">
<label>Login <input name="login"></label> <button>Log in</button></form>`))

// show finishes at once for a browser that is logged in, unless the client wants it fresher.
func (p *loginPage) show(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	if cookie, err := r.Cookie(loginCookie); err == nil && p.store.resume(id, cookie.Value) {
		http.Redirect(w, r, p.finish(r.Context(), id), http.StatusFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, id)
}

func (p *loginPage) submit(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	key, ok := p.store.logIn(id, r.FormValue("login"))
	if !ok {
		http.Error(w, "nobody has this login, or the request is gone", http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: loginCookie, Value: key, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, p.finish(r.Context(), id), http.StatusFound)
}

// resume completes a request with the browser's login if that is fresh enough.
func (s *storage) resume(requestID, key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	request, ok := s.requests[requestID]
	known, loggedIn := s.logins[key]
	if !ok || !loggedIn || (!s.behaviour.IgnoresMaxAge && request.wantsFresh(known.at)) {
		return false
	}
	s.complete(request, known)
	return true
}

// wantsFresh says that a login of that time is too old for what the client asked.
func (r *request) wantsFresh(loggedIn time.Time) bool {
	if slices.Contains(r.asked.Prompt, oidc.PromptLogin) {
		return true
	}
	return r.asked.MaxAge != nil && time.Since(loggedIn) > time.Duration(*r.asked.MaxAge)*time.Second
}

// logIn logs the browser in anew; there are no passwords here.
func (s *storage) logIn(requestID, name string) (key string, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	request, ok := s.requests[requestID]
	who := slices.IndexFunc(s.behaviour.People, func(p person) bool { return p.Login == name })
	if !ok || who < 0 {
		return "", false
	}
	key = uuid.NewString()
	s.logins[key] = login{subject: s.behaviour.People[who].Subject, at: time.Now()}
	s.complete(request, s.logins[key])
	return key, true
}

// complete notes the login, and today's misbehaviour, in the request.
func (s *storage) complete(r *request, l login) {
	r.subject, r.done = l.subject, true
	r.loggedIn = l.at.Add(-time.Duration(s.behaviour.LoginAge))
	if s.behaviour.NoLoginTime {
		r.loggedIn = time.Time{}
	}
	if s.behaviour.Nonce != "" {
		r.asked.Nonce = s.behaviour.Nonce
	}
}
