package wild

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"lethe/internal/scim"
)

// Person is an account as it really is.
type Person struct {
	ID       string
	Number   string // without the spelling of the server; empty: it carries none
	Active   bool
	Sessions int
}

// Server is one generated server with its people and groups.
type Server struct {
	Seed    uint64
	Grammar Grammar

	mu     sync.Mutex
	rng    *rand.Rand
	people []*Person
	groups map[string][]string // ids of members, by the id of the group
	noise  int
}

// New generates the server of a seed. Its first account is the leaver's, who has the
// number, unless it has none there: one in ten.
func New(seed uint64, number string) *Server {
	r := rand.New(rand.NewPCG(seed, 7))
	s := &Server{Seed: seed, Grammar: draw(r), rng: r, groups: map[string][]string{}}
	s.noise = s.Grammar.Noise
	leaver := number
	if r.IntN(10) == 0 {
		leaver = "GONE-" + strconv.Itoa(r.IntN(1000))
	}
	s.people = append(s.people, &Person{ID: fmt.Sprintf("u%d", r.IntN(1e6)), Number: leaver, Active: r.IntN(5) > 0, Sessions: r.IntN(3)})
	for i := range 1 + r.IntN(12) {
		p := &Person{ID: fmt.Sprintf("other-%d", i), Number: fmt.Sprintf("Demo-%04d", i), Active: r.IntN(4) > 0, Sessions: r.IntN(3)}
		if i > 0 && r.IntN(5) == 0 {
			p.Number = ""
		}
		s.people = append(s.people, p)
	}
	for i := range 1 + r.IntN(5) {
		id := fmt.Sprintf("g%d", i)
		s.groups[id] = []string{}
		for j, p := range s.people {
			if r.IntN(2) == 0 || (i == 0 && j == 1) {
				s.groups[id] = append(s.groups[id], p.ID)
			}
		}
	}
	return s
}

// Leaver is the account that New puts first, as it really is, and the groups it is in.
func (s *Server) Leaver() (Person, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.people[0], s.in(s.people[0].ID)
}

// Others is everybody else, with their groups, to be compared.
func (s *Server) Others() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, p := range s.people[1:] {
		fmt.Fprintf(&b, "%+v in %v\n", *p, s.in(p.ID))
	}
	return b.String()
}

func (s *Server) in(id string) []string {
	var in []string
	for _, g := range slices.Sorted(maps.Keys(s.groups)) {
		if slices.Contains(s.groups[g], id) {
			in = append(in, g)
		}
	}
	return in
}

func (s *Server) find(id string) *Person {
	for _, p := range s.people {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// ServeHTTP answers as the grammar has it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noise > 0 && s.rng.IntN(3) == 0 {
		s.noise--
		stray(w, s.Grammar.Stray)
		return
	}
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/Users":
		s.listUsers(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/Groups":
		s.listGroups(w, r)
	case len(part) == 2 && part[0] == "Users" && s.find(part[1]) != nil:
		s.user(w, r, s.find(part[1]))
	case len(part) == 4 && r.Method == http.MethodPost && s.find(part[1]) != nil:
		p := s.find(part[1])
		s.do(w, s.Grammar.Revoke, func() { p.Sessions = 0 })
	case len(part) == 2 && part[0] == "Groups" && s.groups[part[1]] != nil:
		s.group(w, r, part[1])
	default:
		refuse(w, http.StatusNotFound, "")
	}
}

// stray answers as somebody in between does.
func stray(w http.ResponseWriter, kind string) {
	page := func(status int) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html><body>proxy</body></html>")
	}
	switch kind {
	case "html_404":
		page(http.StatusNotFound)
	case "html_200":
		page(http.StatusOK)
	case "html_502":
		page(http.StatusBadGateway)
	case "json_404":
		send(w, http.StatusNotFound, map[string]any{"status": 404, "message": "no route"})
	default:
		panic(http.ErrAbortHandler)
	}
}

func send(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", scim.MediaType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refuse(w http.ResponseWriter, status int, scimType string) {
	send(w, status, scim.NewError(status, scimType, ""))
}

// do carries a change out as far as its form has an effect, and answers.
func (s *Server) do(w http.ResponseWriter, f Form, effect func()) {
	if f.Effect {
		effect()
	}
	switch {
	case f.Status == 0:
		panic(http.ErrAbortHandler)
	case f.Foreign && f.Status != http.StatusNoContent:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, "<html></html>")
	case f.Status == http.StatusNoContent:
		w.WriteHeader(f.Status)
	case f.Status == http.StatusOK:
		send(w, f.Status, map[string]any{})
	default:
		refuse(w, f.Status, f.ScimType)
	}
}

func readPatch(r *http.Request) (scim.Operation, bool) {
	var body scim.Patch
	if r.Method != http.MethodPatch || json.NewDecoder(r.Body).Decode(&body) != nil || len(body.Operations) != 1 {
		return scim.Operation{}, false
	}
	return body.Operations[0], true
}

func (s *Server) user(w http.ResponseWriter, r *http.Request, p *Person) {
	op, patched := readPatch(r)
	switch {
	case r.Method == http.MethodGet:
		send(w, http.StatusOK, s.render(p))
	case !patched:
		refuse(w, http.StatusMethodNotAllowed, "")
	case op.Op == "remove":
		at, group, _ := scim.ParseValuePath(op.Path)
		if at != "groups" || s.closed(group) {
			refuse(w, http.StatusForbidden, "mutability")
			return
		}
		s.do(w, s.Grammar.LeaveForms[2], func() { s.leave(group, p.ID) })
	case op.Path != "":
		s.do(w, s.Grammar.ActiveForms[0], func() { p.Active = string(op.Value) == "true" })
	default:
		var v struct {
			Active bool `json:"active"`
		}
		_ = json.Unmarshal(op.Value, &v)
		s.do(w, s.Grammar.ActiveForms[1], func() { p.Active = v.Active })
	}
}

// closed says whether the group is one that the server keeps for itself.
func (s *Server) closed(group string) bool { return s.Grammar.BuiltIn && group == BuiltIn }

// BuiltIn is the id of the group that refuses every change, if the grammar has one.
const BuiltIn = "g0"

func (s *Server) leave(group, id string) {
	if s.groups[group] != nil {
		s.groups[group] = slices.DeleteFunc(s.groups[group], func(m string) bool { return m == id })
	}
}

func (s *Server) group(w http.ResponseWriter, r *http.Request, id string) {
	if r.Method == http.MethodGet {
		send(w, http.StatusOK, s.renderGroup(id, true))
		return
	}
	op, ok := readPatch(r)
	at, member, _ := scim.ParseValuePath(op.Path)
	switch {
	case !ok && r.Method == http.MethodPut: // whoever is not in it is out
		s.groups[id] = []string{}
		send(w, http.StatusOK, map[string]any{})
	case !ok:
		refuse(w, http.StatusMethodNotAllowed, "")
	case s.closed(id):
		refuse(w, http.StatusForbidden, "")
	case op.Op != "remove":
		refuse(w, http.StatusBadRequest, "invalidValue")
	case at == "members":
		s.do(w, s.Grammar.LeaveForms[0], func() { s.leave(id, member) })
	default: // members, with or without a value
		f := s.Grammar.LeaveForms[1]
		var members []scim.Reference
		_ = json.Unmarshal(op.Value, &members)
		if f.Everybody || len(members) == 0 {
			s.groups[id] = []string{}
		}
		s.do(w, f, func() {
			for _, m := range members {
				s.leave(id, string(m.Value))
			}
		})
	}
}
