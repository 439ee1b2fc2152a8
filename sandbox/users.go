package sandbox

import (
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/scim"
	"lethe/sandbox/control"
)

type email struct {
	Value   string `json:"value"`
	Primary bool   `json:"primary,omitempty"`
}

type enterprise struct {
	EmployeeNumber string `json:"employeeNumber,omitempty"`
}

// userBody is a user as a caller may write it. Attributes that this system does
// not keep are ignored, as RFC 7644 section 3.3 allows.
type userBody struct {
	UserName   string     `json:"userName"`
	ExternalID string     `json:"externalId"`
	Active     *scim.Bool `json:"active"`
	Emails     []email    `json:"emails"`
	Enterprise enterprise `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

func (b userBody) addresses() []string {
	var out []string
	for _, e := range b.Emails {
		out = append(out, e.Value)
	}
	return out
}

// user renders an account as a SCIM user. s.mu is held.
func (s *System) user(a *account) any { return s.userAs(a, a.Groups) }

// userAs renders an account that says that it is in these groups. s.mu is held.
func (s *System) userAs(a *account, in []string) any {
	groups := make([]scim.Reference, 0, len(in))
	for _, id := range in {
		if g := s.st.groups[id]; g != nil {
			groups = append(groups, scim.Reference{Value: scim.Text(id), Display: g.Name, Type: "direct"})
		}
	}
	emails := make([]email, 0, len(a.Emails))
	for i, e := range a.Emails {
		emails = append(emails, email{Value: e, Primary: i == 0})
	}
	u := map[string]any{
		"schemas":  []string{scim.UserSchema, scim.EnterpriseSchema, scim.AccessSchema},
		"id":       a.ID,
		"userName": a.UserName,
		"active":   a.Active,
		"groups":   groups,
		"emails":   emails,
		"meta": map[string]any{
			"resourceType": "User", "location": "/scim/v2/Users/" + a.ID,
			"created": a.Created.UTC(), "lastModified": a.Modified.UTC(),
		},
	}
	access := map[string]any{"sessions": a.Sessions, "tokens": a.Tokens}
	if a.LastSignIn != nil {
		access["lastSignInAt"] = a.LastSignIn.UTC()
	}
	u[scim.AccessSchema] = access
	if a.ExternalID != "" {
		u["externalId"] = a.ExternalID
	}
	if a.EmployeeNo != "" {
		u[scim.EnterpriseSchema] = enterprise{EmployeeNumber: a.EmployeeNo}
	}
	return u
}

// renderUser answers with one account, 404 if there is none.
func (s *System) renderUser(id string, status int) func(func(string) *account) answer {
	return func(look func(string) *account) answer {
		a := look(id)
		if a == nil {
			return notFound()
		}
		return answer{status: status, body: s.user(a)}
	}
}

// peek returns an account as it is now, for matching faults; nil if there is none.
func (s *System) peek(id string) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.st.accounts[id]
}

func (s *System) getUser(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	x, ok := s.begin(w, r, control.OpGet, s.peek(id))
	if !ok {
		return
	}
	render := s.renderUser(id, http.StatusOK)
	x.mutate(nil, func(look func(string) *account) answer {
		if a := look(id); a != nil && x.hit.is(control.HideGroups) {
			return answer{status: http.StatusOK, body: s.userAs(a, nil)}
		}
		return render(look)
	})
}

func (s *System) listUsers(w http.ResponseWriter, r *http.Request) {
	f, ok := s.readFilter(w, r, control.OpFind)
	if !ok {
		return
	}
	x, ok := s.begin(w, r, control.OpFind, s.lookedFor(f.attr, f.value))
	if !ok {
		return
	}
	x.mutate(nil, func(func(string) *account) answer {
		found, refusal := selected(x, f, s.st.allAccounts(), s.st.selectUsers)
		if refusal != nil {
			return *refusal
		}
		now := s.opts.Clock()
		found = slices.DeleteFunc(found, func(a *account) bool {
			return s.st.faults.hides(a, now) || (x.hit.is(control.ExactCase) && f.given && f.attr != "username" && !carriesExactly(a, f.value))
		})
		return listAnswer(r, found, s.opts.MaxPage, x.hit.is(control.ShortPage), func(a *account) any {
			if x.hit.is(control.HideGroups) {
				return s.userAs(a, nil)
			}
			return s.user(a)
		})
	})
}

func carriesExactly(a *account, value string) bool {
	return a.EmployeeNo == value || a.ExternalID == value || a.ID == value
}

// lookedFor is the account that a lookup is about, so that faults can match it
// even when it is not there.
func (s *System) lookedFor(attr, value string) *account {
	if attr == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, _ := s.st.selectUsers(attr, value); len(found) > 0 {
		return found[0]
	}
	if attr == employeeNumber || attr == "employeenumber" {
		return &account{EmployeeNo: value}
	}
	return nil
}

// readUser reads the user that a call writes, or refuses it.
func (s *System) readUser(w http.ResponseWriter, r *http.Request, op string) (body userBody, ok bool) {
	refusal := readSCIM(w, r, &body)
	if refusal == nil && body.UserName == "" {
		refusal = bad("invalidValue", "userName is required")
	}
	if refusal != nil {
		s.refuse(w, r, op, *refusal)
	}
	return body, refusal == nil
}

func (s *System) createUser(w http.ResponseWriter, r *http.Request) {
	body, ok := s.readUser(w, r, control.OpCreate)
	if !ok {
		return
	}
	x, ok := s.begin(w, r, control.OpCreate, nil)
	if !ok {
		return
	}
	x.acc = uuid.NewString()
	x.mutate(nil, func(func(string) *account) answer {
		if existing, _ := s.st.selectUsers("username", body.UserName); len(existing) > 0 {
			return scimError(http.StatusConflict, "uniqueness", "userName is taken")
		}
		now := s.opts.Clock()
		a := &account{
			ID: x.acc, Order: s.st.seq + 1, EmployeeNo: body.Enterprise.EmployeeNumber, ExternalID: body.ExternalID,
			UserName: body.UserName, Active: body.Active == nil || bool(*body.Active), Emails: body.addresses(),
			Created: now, Modified: now,
		}
		s.create(a, control.OpCreate, r.Header.Get("Idempotency-Key"), now)
		return answer{status: http.StatusCreated, body: s.user(a), header: map[string]string{"Location": "/scim/v2/Users/" + a.ID}}
	})
}

// create puts a new account in and notes it. s.mu is held.
func (s *System) create(a *account, op, key string, now time.Time) {
	s.commit(record{Account: a, Effect: &control.Effect{
		At: now, AccountID: a.ID, EmployeeNo: a.EmployeeNo, Op: op, IdempotencyKey: key, Changed: true, Active: a.Active,
	}})
}

func (s *System) replaceUser(w http.ResponseWriter, r *http.Request) {
	body, ok := s.readUser(w, r, control.OpReplace)
	if !ok {
		return
	}
	emails := body.addresses()
	c := change{
		UserName: &body.UserName, ExternalID: &body.ExternalID, Active: (*bool)(body.Active),
		EmployeeNo: &body.Enterprise.EmployeeNumber, Emails: &emails,
	}
	s.changeUser(w, r, call{op: control.OpReplace}, c)
}

func (s *System) patchUser(w http.ResponseWriter, r *http.Request) {
	c, form, refusal := s.readUserPatch(w, r)
	if refusal != nil {
		s.refuse(w, r, control.OpModify, *refusal)
		return
	}
	s.changeUser(w, r, call{op: patchOp(c), form: form}, c)
}

func (s *System) changeUser(w http.ResponseWriter, r *http.Request, what call, c change) {
	id := r.PathValue("id")
	what.account = s.peek(id)
	x, ok := s.beginCall(w, r, what)
	if !ok {
		return
	}
	if c.UserName != nil && s.nameTaken(*c.UserName, id) {
		x.send(scimError(http.StatusConflict, "uniqueness", "userName is taken"))
		return
	}
	if s.peek(id) == nil {
		x.send(notFound())
		return
	}
	x.mutate([]target{{AccountID: id, Op: what.op, Change: c}}, s.renderUser(id, http.StatusOK))
}

func (s *System) nameTaken(name, except string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, _ := s.st.selectUsers("username", name)
	return slices.ContainsFunc(found, func(a *account) bool { return a.ID != except })
}

// revokeSessions is an extension, as SCIM has no standard for it: it ends all
// sessions and tokens of the account and answers 204.
func (s *System) revokeSessions(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	x, ok := s.begin(w, r, control.OpRevoke, s.peek(id))
	if !ok {
		return
	}
	t := target{AccountID: id, Op: control.OpRevoke, Change: change{Revoke: true}}
	if s.peek(id) == nil {
		x.send(notFound())
		return
	}
	x.mutate([]target{t}, func(func(string) *account) answer { return answer{status: http.StatusNoContent} })
}

// deleteUser exists because real providers have it. Every request is counted:
// nobody here is ever to send one.
func (s *System) deleteUser(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if err := s.locked(func(time.Time) { s.commit(record{Deletes: 1}) }); err != nil {
		writeSCIM(w, scimError(http.StatusServiceUnavailable, "", "the state cannot be kept"))
		return
	}
	x, ok := s.begin(w, r, control.OpDelete, s.peek(id))
	if !ok {
		return
	}
	if s.peek(id) == nil {
		x.send(notFound())
		return
	}
	t := target{AccountID: id, Op: control.OpDelete, Change: change{Delete: true}}
	x.mutate([]target{t}, func(func(string) *account) answer { return answer{status: http.StatusNoContent} })
}
