package wild

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"lethe/internal/scim"
)

// name spells an attribute's name; schemas stay as they are.
func (s *Server) name(n string) string {
	switch {
	case strings.HasPrefix(n, "urn:"):
		return n
	case s.Grammar.Names == "lower":
		return strings.ToLower(n)
	case s.Grammar.Names == "upper":
		return strings.ToUpper(n[:1]) + n[1:]
	}
	return n
}

func (s *Server) render(p *Person) map[string]any {
	u := map[string]any{"id": p.ID}
	put := func(n string, v any) { u[s.name(n)] = v }
	switch s.Grammar.Active {
	case "bool":
		put("active", p.Active)
	case "string":
		put("active", strings.ToUpper(strconv.FormatBool(p.Active)[:1])+strconv.FormatBool(p.Active)[1:])
	case "null":
		put("active", nil)
	case "word":
		put("active", "enabled")
	case "number":
		put("active", 0)
	}
	s.renderNumber(p, put)
	s.renderGroups(p, put)
	switch s.Grammar.Access {
	case "numbers":
		put(scim.AccessSchema, map[string]any{"sessions": p.Sessions})
	case "strings":
		put(scim.AccessSchema, map[string]any{"sessions": strconv.Itoa(p.Sessions)})
	case "odd":
		put(scim.AccessSchema, map[string]any{"sessions": "some"})
	}
	return u
}

func (s *Server) renderNumber(p *Person, put func(string, any)) {
	if s.Grammar.Match != "userName" {
		put("userName", "name-of-"+p.ID)
	}
	if p.Number == "" {
		return
	}
	var number any = s.Grammar.kept(p.Number)
	switch s.Grammar.Number {
	case "list":
		number = []any{number}
	case "object":
		number = map[string]any{"value": number}
	}
	switch s.Grammar.Match {
	case "employeeNumber":
		put(scim.EnterpriseSchema, map[string]any{s.name("employeeNumber"): number})
	case Customs:
		i := strings.LastIndexByte(Customs, ':')
		put(Customs[:i], map[string]any{s.name(Customs[i+1:]): number})
	default:
		put(s.Grammar.Match, number)
	}
}

func (s *Server) renderGroups(p *Person, put func(string, any)) {
	in := s.in(p.ID)
	list := []any{}
	for i, g := range in {
		switch {
		case s.Grammar.Groups == "partly" && i > 0:
		case s.Grammar.Groups == "refs":
			list = append(list, map[string]any{"$ref": "https://x.example/scim/Groups/" + g, "type": "direct"})
		case s.Grammar.Groups == "bare":
			list = append(list, g)
		default:
			list = append(list, map[string]any{"value": g, "display": "Group " + g})
		}
	}
	switch s.Grammar.Groups {
	case "empty":
		put("groups", []any{})
	case "missing":
	case "null":
		put("groups", nil)
	case "odd":
		put("groups", "none")
	default:
		put("groups", list)
	}
}

func (s *Server) renderGroup(id string, members bool) map[string]any {
	g := map[string]any{"id": id, s.name("displayName"): "Group " + id}
	if members {
		list := []any{}
		for _, m := range s.groups[id] {
			list = append(list, map[string]any{"value": m})
		}
		g[s.name("members")] = list
	}
	return g
}

func (s *Server) listUsers(w http.ResponseWriter, r *http.Request) {
	_, value, filtered := scim.ParseEqual(r.URL.Query().Get("filter"))
	list := []any{}
	for _, p := range s.people {
		kept := s.Grammar.kept(p.Number)
		same := strings.EqualFold(kept, value) && p.Number != ""
		if s.Grammar.UserFilter == "exact" || s.Grammar.Match == "externalId" {
			same = kept == value && p.Number != ""
		}
		if filtered {
			switch s.Grammar.UserFilter {
			case "refused":
				refuse(w, http.StatusBadRequest, "invalidFilter")
				return
			case "ignored":
				same = true
			case "empty":
				same = false
			case "loose":
				same = same || p == s.people[len(s.people)-1]
			}
			if !same {
				continue
			}
		}
		list = append(list, s.render(p))
	}
	s.page(w, r, list)
}

func (s *Server) listGroups(w http.ResponseWriter, r *http.Request) {
	_, value, filtered := scim.ParseEqual(r.URL.Query().Get("filter"))
	list := []any{}
	shown := s.Grammar.Members == "shown" && r.URL.Query().Get("excludedAttributes") != "members"
	for _, id := range slices.Sorted(maps.Keys(s.groups)) {
		if filtered {
			switch s.Grammar.GroupFilter {
			case "refused":
				refuse(w, http.StatusBadRequest, "invalidFilter")
				return
			case "empty":
				continue
			case "works":
				if !slices.Contains(s.groups[id], value) {
					continue
				}
			}
		}
		list = append(list, s.renderGroup(id, shown))
	}
	s.page(w, r, list)
}

// page answers with a page, honestly or not. What a lie hides is never all that shows
// how much there is: no reader could know.
func (s *Server) page(w http.ResponseWriter, r *http.Request, all []any) {
	query, same := r.URL.Query(), func(v any) any { return v }
	page, _ := scim.Page(query, all, s.Grammar.Page, same)
	switch s.Grammar.Paging {
	case "short":
		if n := len(page.Resources); n > 1 {
			page.Resources = page.Resources[:n-1]
		}
	case "repeated":
		query.Del("startIndex")
		first, _ := scim.Page(query, all, s.Grammar.Page, same)
		page.Resources = first.Resources
	case "moving":
		*page.TotalResults += scim.Count(*page.StartIndex / 2)
	case "no_total":
		page.TotalResults = nil
	case "text_total":
		send(w, http.StatusOK, struct {
			scim.List[any]
			TotalResults string `json:"totalResults"`
		}{page, strconv.Itoa(len(all))})
		return
	}
	send(w, http.StatusOK, page)
}
