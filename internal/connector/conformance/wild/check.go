package wild

import (
	"fmt"
	"slices"
)

// Case is one leaver at one server: what was so before, and what has to be so after.
type Case struct {
	Server *Server
	Number string
	Linked bool // the account is known by its id; else it is to be found by number
	others string
	groups []string
}

// Begin notes what is so before.
func Begin(seed uint64, number string) *Case {
	s := New(seed, number)
	_, in := s.Leaver()
	return &Case{Server: s, Number: number, Linked: s.rng.IntN(2) == 0, others: s.Others(), groups: in}
}

// Wrong says what must not be so after an unlinking that ended settled, or with people asked.
func (c *Case) Wrong(settled bool) []string {
	var wrong []string
	p, in := c.Server.Leaver()
	mine := p.Number == c.Number
	if now := c.Server.Others(); now != c.others {
		wrong = append(wrong, fmt.Sprintf("somebody else was changed:\n%sbefore:\n%s", now, c.others))
	}
	if settled && mine && (p.Active || len(in) > 0) {
		wrong = append(wrong, fmt.Sprintf("settled: %+v in %v", p, in))
	}
	reported := c.Server.Grammar.Access == "numbers" || c.Server.Grammar.Access == "strings"
	if settled && mine && reported && p.Sessions > 0 {
		wrong = append(wrong, fmt.Sprintf("settled with %d sessions", p.Sessions))
	}
	if c.Linked && mine {
		wrong = append(wrong, c.undone(p, in)...)
	}
	return wrong
}

// undone are the steps that were possible and were not taken.
func (c *Case) undone(p Person, in []string) (wrong []string) {
	g := c.Server.Grammar
	if p.Active && reachable(g.ActiveForms[:]) {
		wrong = append(wrong, "active, though a form of switching it off works")
	}
	if p.Sessions > 0 && g.Revoke.Effect && !c.disowned() {
		wrong = append(wrong, "sessions are alive, though they can be ended")
	}
	for _, group := range in {
		if !c.Server.closed(group) && c.known(group) && c.leavable() {
			wrong = append(wrong, "still in "+group+", though it can be left")
		}
	}
	return wrong
}

// disowned says whether the call that ends sessions may twice have met somebody who does
// not know it, at a server that says nothing of sessions: it looks like one without it.
func (c *Case) disowned() bool {
	g := c.Server.Grammar
	return g.Noise > 1 && (g.Stray == "html_404" || g.Stray == "json_404") && g.Access == "missing"
}

// reachable says whether a form with an effect comes before one after which no other is
// tried: a connection that was cut.
func reachable(forms []Form) bool {
	for _, f := range forms {
		if f.Effect {
			return true
		}
		if f.Status == 0 {
			return false
		}
	}
	return false
}

// readable says whether the memberships can be read as a whole.
func (c *Case) readable() bool {
	g := c.Server.Grammar
	return (g.Paging == "honest" || g.Paging == "text_total") && g.Groups != "odd"
}

// known says whether the server shows the membership to whoever looks.
func (c *Case) known(group string) bool {
	switch c.Server.Grammar.Groups {
	case "full", "refs", "bare":
		return true
	case "partly":
		return c.readable() || slices.Index(c.groups, group) == 0
	}
	return c.readable()
}

// leavable says whether a form works that reaches nobody else. The second one is tried
// where reading back shows that the first one did not.
func (c *Case) leavable() bool {
	g := c.Server.Grammar
	return g.LeaveForms[0].Effect || (g.LeaveForms[2].Effect && c.readable())
}

func (c *Case) String() string {
	return fmt.Sprintf("seed %d linked=%v\n%+v", c.Server.Seed, c.Linked, c.Server.Grammar)
}
