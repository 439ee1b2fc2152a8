package sandbox

import (
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/sandbox/control"
)

//go:embed openapi.yaml
var openAPI []byte

const maxControlBody = 64 << 20

func (s *System) routeControl(mux *http.ServeMux) {
	handle := func(pattern string, h http.HandlerFunc) {
		mux.Handle(pattern, bearer(s.opts.ControlToken, h, func(w http.ResponseWriter) {
			problem(w, http.StatusUnauthorized, "control token missing or wrong")
		}))
	}
	handle("POST /control/accounts", s.plantAccounts)
	handle("GET /control/accounts", s.readAccounts)
	handle("GET /control/accounts/{id}", s.readAccount)
	handle("DELETE /control/accounts/{id}", s.removeAccount)
	handle("POST /control/accounts/{id}/reenable", s.reenable)
	handle("GET /control/effects", s.readEffects)
	handle("GET /control/calls", s.readCalls)
	handle("GET /control/stats", s.readStats)
	handle("PUT /control/faults", s.setFaults)
	handle("GET /control/faults", s.readFaults)
	handle("DELETE /control/faults", s.clearFaults)
	handle("POST /control/reset", s.reset)
	mux.HandleFunc("GET /control/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(openAPI)
	})
}

// answerControl runs f on the state and writes what it returns; nil is 204.
func (s *System) answerControl(w http.ResponseWriter, status int, f func(now time.Time) (body any, refusal string)) {
	var body any
	var refusal string
	if err := s.locked(func(now time.Time) { body, refusal = f(now) }); err != nil {
		problem(w, http.StatusServiceUnavailable, "the state cannot be kept")
		return
	}
	switch {
	case refusal == unknownAccount:
		problem(w, http.StatusNotFound, refusal)
	case refusal != "":
		problem(w, http.StatusBadRequest, refusal)
	case body == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body) // a caller that went away is no fault of ours
	}
}

const unknownAccount = "no such account"

func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "title": http.StatusText(status), "detail": detail})
}

// readStrict decodes a control body: unknown fields and trailing data are refused.
func readStrict(w http.ResponseWriter, r *http.Request, into any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControlBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		problem(w, http.StatusBadRequest, "body: "+err.Error())
		return false
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		problem(w, http.StatusBadRequest, "body: data after the end")
		return false
	}
	return true
}

type items[T any] struct {
	Items []T `json:"items"`
}

func (s *System) plantAccounts(w http.ResponseWriter, r *http.Request) {
	var in items[control.Plant]
	if !readStrict(w, r, &in) {
		return
	}
	s.answerControl(w, http.StatusCreated, func(now time.Time) (any, string) {
		for _, p := range in.Items {
			if p.Sessions < 0 || p.Tokens < 0 {
				return nil, "sessions and tokens must not be negative"
			}
		}
		out := items[control.Account]{Items: make([]control.Account, 0, len(in.Items))}
		names := make(map[string]string)
		for _, g := range s.st.groups {
			names[g.Name] = g.ID
		}
		for _, p := range in.Items {
			a := s.planted(p, names, now)
			s.commit(record{Account: a})
			out.Items = append(out.Items, s.real(a))
		}
		return out, ""
	})
}

// planted makes an account of a plant, and the groups it names. s.mu is held.
func (s *System) planted(p control.Plant, names map[string]string, now time.Time) *account {
	a := &account{
		ID: p.ID, Order: s.st.seq + 1, EmployeeNo: p.EmployeeNo, ExternalID: p.EmployeeNo, UserName: p.UserName,
		Active: !p.Inactive, Sessions: p.Sessions, Tokens: p.Tokens, Emails: p.Emails, Created: now, Modified: now,
		LastSignIn: p.LastSignIn,
	}
	if a.ID == "" {
		a.ID = uuid.NewString()
	}
	if a.UserName == "" {
		a.UserName = "user-" + a.ID
	}
	if p.ExternalID != nil {
		a.ExternalID = *p.ExternalID
	}
	for _, name := range slices.Concat(p.Groups, p.Owns) {
		if names[name] == "" {
			names[name] = uuid.NewString()
			s.commit(record{Group: &group{ID: names[name], Order: s.st.seq + 1, Name: name, Created: now}})
		}
		a.Groups = append(a.Groups, names[name])
	}
	for _, name := range p.Owns {
		g := *s.st.groups[names[name]]
		g.Owners = append(slices.Clone(g.Owners), a.ID)
		s.commit(record{Group: &g})
	}
	slices.Sort(a.Groups)
	a.Groups = slices.Compact(a.Groups)
	return a
}

// real is an account as it is, for the control calls. s.mu is held.
func (s *System) real(a *account) control.Account {
	out := control.Account{
		ID: a.ID, EmployeeNo: a.EmployeeNo, ExternalID: a.ExternalID, UserName: a.UserName, Active: a.Active,
		Groups: []string{}, Sessions: a.Sessions, Tokens: a.Tokens, Emails: append([]string{}, a.Emails...),
	}
	for _, id := range a.Groups {
		if g := s.st.groups[id]; g != nil {
			out.Groups = append(out.Groups, g.Name)
		}
	}
	slices.Sort(out.Groups)
	return out
}

func (s *System) readAccounts(w http.ResponseWriter, r *http.Request) {
	s.answerControl(w, http.StatusOK, func(time.Time) (any, string) {
		var found []*account
		if no := r.URL.Query().Get("employee_no"); no != "" {
			found = s.st.members(s.st.byEmployeeNo[strings.ToLower(no)])
		} else {
			found = s.st.allAccounts()
		}
		out := items[control.Account]{Items: make([]control.Account, 0, len(found))}
		for _, a := range found {
			out.Items = append(out.Items, s.real(a))
		}
		return out, ""
	})
}

func (s *System) readAccount(w http.ResponseWriter, r *http.Request) {
	s.answerControl(w, http.StatusOK, func(time.Time) (any, string) {
		if a := s.st.accounts[r.PathValue("id")]; a != nil {
			return s.real(a), ""
		}
		return nil, unknownAccount
	})
}

func (s *System) removeAccount(w http.ResponseWriter, r *http.Request) {
	s.answerControl(w, http.StatusNoContent, func(time.Time) (any, string) {
		if s.st.accounts[r.PathValue("id")] == nil {
			return nil, unknownAccount
		}
		s.commit(record{DropAccount: r.PathValue("id")})
		return nil, ""
	})
}

func (s *System) reenable(w http.ResponseWriter, r *http.Request) {
	s.answerControl(w, http.StatusNoContent, func(now time.Time) (any, string) {
		a := s.st.accounts[r.PathValue("id")]
		if a == nil {
			return nil, unknownAccount
		}
		active := true
		t := target{AccountID: a.ID, Op: control.OpReenableByHand, Change: change{Active: &active}}
		s.effect(a, t, "", now, false)
		return nil, ""
	})
}

func (s *System) readEffects(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("account_id")
	s.answerControl(w, http.StatusOK, func(time.Time) (any, string) {
		out := items[control.Effect]{Items: make([]control.Effect, 0)}
		for _, e := range s.st.effects {
			if id == "" || e.AccountID == id {
				out.Items = append(out.Items, e)
			}
		}
		return out, ""
	})
}

func (s *System) readCalls(w http.ResponseWriter, _ *http.Request) {
	s.answerControl(w, http.StatusOK, func(time.Time) (any, string) {
		return items[control.Call]{Items: append([]control.Call{}, s.calls.last()...)}, ""
	})
}

func (s *System) readStats(w http.ResponseWriter, _ *http.Request) {
	s.answerControl(w, http.StatusOK, func(time.Time) (any, string) { return s.stats(), "" })
}

func (s *System) setFaults(w http.ResponseWriter, r *http.Request) {
	var in control.Faults
	if !readStrict(w, r, &in) {
		return
	}
	s.answerControl(w, http.StatusNoContent, func(now time.Time) (any, string) {
		f, err := newFaultState(in, now)
		if err != nil {
			return nil, err.Error()
		}
		clear(s.counter)
		s.commit(record{Faults: &f})
		return nil, ""
	})
}

func (s *System) readFaults(w http.ResponseWriter, _ *http.Request) {
	s.answerControl(w, http.StatusOK, func(now time.Time) (any, string) { return s.st.faults.live(now), "" })
}

func (s *System) clearFaults(w http.ResponseWriter, _ *http.Request) {
	s.answerControl(w, http.StatusNoContent, func(time.Time) (any, string) {
		s.commit(record{Faults: &faultState{}})
		return nil, ""
	})
}

func (s *System) reset(w http.ResponseWriter, _ *http.Request) {
	s.answerControl(w, http.StatusNoContent, func(time.Time) (any, string) {
		s.commit(record{Reset: true})
		s.calls = newCallLog()
		clear(s.counter)
		return nil, ""
	})
}
