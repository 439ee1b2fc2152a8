package scim

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"lethe/internal/connector"
	"lethe/internal/scim"
)

// trusted is how long a filter that was seen to find is believed when it finds nothing.
const trusted = 10 * time.Minute

// Find implements connector.Finder. Every account in the answer is checked to carry
// the number itself: entries that do not are no candidates, whatever the system says
// that it searched for. That nobody carries it is believed of a filter that was seen
// to find, and of a list of everybody, never of an empty answer alone.
func (c *Client) Find(ctx context.Context, employeeNo string) ([]string, error) {
	if strings.TrimSpace(employeeNo) == "" {
		return nil, errors.New("scim: looking up an account needs an employee number")
	}
	s := search{c: c, number: employeeNo}
	rows, err := c.filtered(ctx, employeeNo, s.look)
	switch {
	case errors.As(err, new(refusedError)):
		return c.searchEverybody(ctx, employeeNo, 0)
	case err != nil:
		return nil, asLookup(err)
	case len(s.ids) > 0 || s.resembles:
		return s.answer()
	case rows == 0 && c.now().Before(c.findTrusted.until()):
		return []string{}, nil
	}
	return c.nobody(ctx, employeeNo, rows)
}

// filtered asks the system to search, and returns how many entries it gave.
func (c *Client) filtered(ctx context.Context, number string, visit func(resource)) (int, error) {
	query := url.Values{"filter": {scim.Equal(c.match.filter, number)}}
	return c.walk(ctx, "/Users", query, func(r resource) error { visit(r); return nil })
}

// asLookup is the error of a list of users. Some providers answer an empty search with
// 404, but so does a wrong address; only the second would make every account look gone.
func asLookup(err error) error {
	if connector.CodeOf(err) == connector.CodeNotFound {
		return badAnswer()
	}
	return err
}

// search goes through users for a number.
type search struct {
	c         *Client
	number    string
	ids       []string
	resembles bool // something looks like the number without being it
	carrying  int  // users that carry any number at all
}

func (s *search) look(r resource) {
	carries, resembles := s.c.match.carries(r, s.number)
	if carries {
		s.ids = append(s.ids, r.id())
	}
	s.resembles = s.resembles || resembles
	if len(s.c.match.of(r)) > 0 {
		s.carrying++
	}
}

// answer is what was found. What merely resembles the number is not nobody.
func (s *search) answer() ([]string, error) {
	if len(s.ids) == 0 && s.resembles {
		return nil, &connector.Error{Code: connector.CodeAmbiguous}
	}
	slices.Sort(s.ids)
	if s.ids == nil {
		s.ids = []string{}
	}
	return s.ids, nil
}

// nobody looks for evidence that nobody carries the number, after a search in whose
// unexplained rows nobody did.
func (c *Client) nobody(ctx context.Context, number string, unexplained int) ([]string, error) {
	first, err := c.page(ctx, "/Users", url.Values{}, 1, c.opts.PageSize)
	if err != nil {
		return nil, asLookup(err)
	}
	total := int(*first.TotalResults)
	if err := c.directory(total); err != nil {
		return nil, err
	}
	if unexplained == 0 && total > len(first.Resources) {
		works, err := c.probe(ctx, first.Resources, total)
		if err != nil {
			return nil, err
		}
		if works {
			c.findTrusted.set(c.now().Add(trusted))
			return []string{}, nil
		}
	}
	return c.searchEverybody(ctx, number, unexplained)
}

// probe says whether the filter finds somebody who is known to be there, in the other
// case if the attribute is compared so, and not everybody.
func (c *Client) probe(ctx context.Context, known []resource, total int) (bool, error) {
	var id, number string
	for _, r := range known {
		if v := c.match.of(r); len(v) == 1 && (number == "" || v[0] != swapCase(v[0])) {
			id, number = r.id(), v[0]
			if number != swapCase(number) {
				break
			}
		}
	}
	if number == "" {
		return false, nil
	}
	if !c.match.exact {
		number = swapCase(number)
	}
	found := false
	rows, err := c.filtered(ctx, number, func(r resource) { found = found || r.id() == id })
	if errors.As(err, new(refusedError)) {
		return false, nil
	}
	return found && rows < total, asLookup(err)
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

// searchEverybody reads the list of all users and searches it here. unexplained is how
// many rows a filter gave without the number in any of them: if that was everybody the
// filter is ignored, else somebody else has to say why.
func (c *Client) searchEverybody(ctx context.Context, number string, unexplained int) ([]string, error) {
	s := search{c: c, number: number}
	total, err := c.walk(ctx, "/Users", url.Values{}, func(r resource) error { s.look(r); return nil })
	if err != nil {
		return nil, asLookup(err)
	}
	if err := c.directory(total); err != nil {
		return nil, err
	}
	switch {
	case len(s.ids) > 0 || s.resembles:
		return s.answer()
	case s.carrying == 0:
		return nil, badAnswer() // the attribute that carries the number is another one
	case unexplained > 0 && unexplained != total:
		return nil, &connector.Error{Code: connector.CodeAmbiguous}
	}
	return s.answer()
}

// directory refuses a list of everybody that has nobody in it, as a token without the
// right to read gives, or less than half of those that it had before.
func (c *Client) directory(total int) error {
	most := max(c.most.Load(), int64(total))
	c.most.Store(most)
	switch {
	case total == 0:
		return incomplete("nobody is there")
	case int64(total)*2 < most:
		return incomplete("it has shrunk")
	}
	return nil
}
