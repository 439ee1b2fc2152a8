package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/internal/scim"
	"lethe/sandbox/control"
)

type groupBody struct {
	DisplayName string           `json:"displayName"`
	Members     []scim.Reference `json:"members"`
}

// group renders a group as SCIM has it. s.mu is held.
func (s *System) group(g *group, withMembers bool) any {
	out := map[string]any{
		"schemas": []string{scim.GroupSchema}, "id": g.ID, "displayName": g.Name,
		"meta": map[string]any{
			"resourceType": "Group", "location": "/scim/v2/Groups/" + g.ID, "created": g.Created.UTC(),
		},
	}
	if withMembers {
		members := []scim.Reference{}
		for _, a := range s.st.members(s.st.byGroup[g.ID]) {
			members = append(members, scim.Reference{Value: scim.Text(a.ID), Type: "User"})
		}
		out["members"] = members
		if len(g.Owners) > 0 {
			owners := []scim.Reference{}
			for _, id := range g.Owners {
				owners = append(owners, scim.Reference{Value: scim.Text(id), Type: "User"})
			}
			out["owners"] = owners
		}
	}
	return out
}

func wantsMembers(r *http.Request) bool {
	return !strings.EqualFold(r.URL.Query().Get("excludedAttributes"), "members")
}

// renderGroup answers with one group, 404 if there is none.
func (s *System) renderGroup(r *http.Request, status int) func(func(string) *account) answer {
	return func(func(string) *account) answer {
		g := s.st.groups[r.PathValue("id")]
		if g == nil {
			return notFound()
		}
		return answer{status: status, body: s.group(g, wantsMembers(r))}
	}
}

func (s *System) getGroup(w http.ResponseWriter, r *http.Request) {
	if x, ok := s.begin(w, r, control.OpGroupFind, nil); ok {
		x.mutate(nil, s.renderGroup(r, http.StatusOK))
	}
}

func (s *System) listGroups(w http.ResponseWriter, r *http.Request) {
	f, ok := s.readFilter(w, r, control.OpGroupFind)
	if !ok {
		return
	}
	var about *account
	if f.attr == "members.value" || f.attr == "members" {
		about = s.peek(f.value)
	}
	x, ok := s.begin(w, r, control.OpGroupFind, about)
	if !ok {
		return
	}
	x.mutate(nil, func(func(string) *account) answer {
		found, refusal := selected(x, f, s.st.allGroups(), s.st.selectGroups)
		if refusal != nil {
			return *refusal
		}
		return listAnswer(r, found, s.opts.MaxPage, false, func(g *group) any { return s.group(g, wantsMembers(r)) })
	})
}

func (s *System) createGroup(w http.ResponseWriter, r *http.Request) {
	var body groupBody
	refusal := readSCIM(w, r, &body)
	if refusal == nil && body.DisplayName == "" {
		refusal = bad("invalidValue", "displayName is required")
	}
	if refusal != nil {
		s.refuse(w, r, control.OpCreate, *refusal)
		return
	}
	if x, ok := s.begin(w, r, control.OpCreate, nil); ok {
		id := uuid.NewString()
		r.SetPathValue("id", id)
		x.mutate(nil, func(look func(string) *account) answer {
			now := s.opts.Clock()
			s.commit(record{Group: &group{ID: id, Order: s.st.seq + 1, Name: body.DisplayName, Created: now}})
			for _, t := range s.membership(id, body.Members) {
				if a := look(t.AccountID); a != nil {
					s.effect(a, t, r.Header.Get("Idempotency-Key"), now, false)
				}
			}
			return s.renderGroup(r, http.StatusCreated)(look)
		})
	}
}

// membership returns the targets that make exactly these accounts the members of
// a group. s.mu is held.
func (s *System) membership(groupID string, want []scim.Reference) []target {
	var out []target
	for _, m := range want {
		out = append(out, addMember(groupID, string(m.Value)))
	}
	for _, a := range s.st.members(s.st.byGroup[groupID]) {
		if !slices.ContainsFunc(want, func(m scim.Reference) bool { return string(m.Value) == a.ID }) {
			out = append(out, removeMember(groupID, a.ID))
		}
	}
	return out
}

func addMember(groupID, accountID string) target {
	return target{AccountID: accountID, Op: control.OpGroupAdd, Change: change{AddGroup: groupID}}
}

func removeMember(groupID, accountID string) target {
	return target{AccountID: accountID, Op: control.OpGroupRemove, Change: change{RemoveGroup: groupID}}
}

func (s *System) replaceGroup(w http.ResponseWriter, r *http.Request) {
	var body groupBody
	if a := readSCIM(w, r, &body); a != nil {
		s.refuse(w, r, control.OpReplace, *a)
		return
	}
	s.mu.Lock()
	targets := s.membership(r.PathValue("id"), body.Members)
	s.mu.Unlock()
	s.changeGroup(w, r, body.DisplayName, "", targets)
}

func (s *System) patchGroup(w http.ResponseWriter, r *http.Request) {
	ops, refusal := readPatch(w, r)
	if refusal != nil {
		s.refuse(w, r, control.OpModify, *refusal)
		return
	}
	name, form, targets := "", "", []target(nil)
	for _, op := range ops {
		form = formOf(op)
		got, renamed, refusal := s.groupTargets(r.PathValue("id"), op)
		if refusal != nil {
			s.refuse(w, r, control.OpModify, *refusal)
			return
		}
		targets, name = append(targets, got...), cmp.Or(renamed, name)
	}
	s.changeGroup(w, r, name, form, targets)
}

// memberAt is the member that a path with a filter names.
func memberAt(path string) (id string, ok bool) {
	attribute, id, ok := scim.ParseValuePath(path)
	return id, ok && attribute == "members"
}

func formOf(op scim.Operation) string {
	_, toMember := memberAt(op.Path)
	switch {
	case op.Path == "":
		return control.FormPathless
	case toMember:
		return control.FormFilter
	case strings.EqualFold(op.Path, "members"):
		return control.FormValue
	}
	return control.FormPath
}

// groupTargets reads one operation on a group: members added, removed (by path or
// by value) or replaced, or the name.
func (s *System) groupTargets(id string, op scim.Operation) (targets []target, name string, refusal *answer) {
	if member, ok := memberAt(op.Path); ok && op.Op == "remove" {
		return []target{removeMember(id, member)}, "", nil
	}
	var body groupBody
	var err error
	switch {
	case op.Path == "" && op.Op != "remove":
		err = json.Unmarshal(op.Value, &body)
	case strings.EqualFold(op.Path, "members"):
		if op.Value != nil || op.Op != "remove" {
			err = json.Unmarshal(op.Value, &body.Members)
		}
	case strings.EqualFold(op.Path, "displayName") && op.Op == "replace":
		err = json.Unmarshal(op.Value, &body.DisplayName)
	default:
		return nil, "", bad("invalidPath", "no such attribute")
	}
	if err != nil {
		return nil, "", bad("invalidValue", "value does not fit the attribute")
	}
	return s.memberTargets(id, op, body), body.DisplayName, nil
}

func (s *System) memberTargets(id string, op scim.Operation, body groupBody) (targets []target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case op.Op == "remove" && op.Value == nil:
		return s.membership(id, nil)
	case op.Op == "replace" && (body.Members != nil || op.Path != ""):
		if strings.EqualFold(op.Path, "displayName") {
			return nil
		}
		return s.membership(id, body.Members)
	}
	for _, m := range body.Members {
		if op.Op == "remove" {
			targets = append(targets, removeMember(id, string(m.Value)))
		} else {
			targets = append(targets, addMember(id, string(m.Value)))
		}
	}
	return targets
}

// changeGroup carries out a change of members. Faults are those of the first
// member that changes.
func (s *System) changeGroup(w http.ResponseWriter, r *http.Request, name, form string, targets []target) {
	what := call{op: control.OpModify, group: s.groupName(r.PathValue("id")), form: form}
	if len(targets) > 0 {
		what.op, what.account = targets[0].Op, s.peek(targets[0].AccountID)
	}
	x, ok := s.beginCall(w, r, what)
	if !ok {
		return
	}
	if x.hit.is(control.RemoveAll) && form == control.FormValue {
		s.mu.Lock()
		targets = s.membership(r.PathValue("id"), nil)
		s.mu.Unlock()
	}
	if refusal := s.checkGroupChange(r.PathValue("id"), targets); refusal != nil {
		x.send(*refusal)
		return
	}
	x.mutate(targets, func(look func(string) *account) answer {
		if g := s.st.groups[r.PathValue("id")]; g != nil && name != "" && name != g.Name && !x.hit.is(control.Lie) {
			renamed := *g
			renamed.Name = name
			s.commit(record{Group: &renamed})
		}
		return answer{status: http.StatusNoContent}
	})
}

func (s *System) groupName(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.st.groups[id]; g != nil {
		return g.Name
	}
	return ""
}

func (s *System) checkGroupChange(id string, targets []target) *answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.st.groups[id] == nil {
		a := notFound()
		return &a
	}
	for _, t := range targets {
		if t.Op == control.OpGroupAdd && s.st.accounts[t.AccountID] == nil {
			return bad("invalidValue", "no such member")
		}
	}
	return nil
}

func (s *System) deleteGroup(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	x, ok := s.begin(w, r, control.OpDelete, nil)
	if !ok {
		return
	}
	var a answer
	err := s.locked(func(now time.Time) {
		if s.st.groups[id] == nil {
			a = notFound()
			return
		}
		for _, t := range s.membership(id, nil) {
			s.effect(s.st.accounts[t.AccountID], t, r.Header.Get("Idempotency-Key"), now, false)
		}
		s.commit(record{DropGroup: id})
		a = answer{status: http.StatusNoContent}
	})
	if err != nil {
		x.fail(err)
		return
	}
	x.send(a)
}
