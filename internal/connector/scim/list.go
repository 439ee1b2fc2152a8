package scim

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"lethe/internal/connector"
	"lethe/internal/scim"
)

// maxEntries bounds a list: more is not an answer to work with.
const maxEntries = 100_000

// maxListed bounds a list of everybody that is read page by page and kept nowhere.
const maxListed = 2_000_000

type listPage struct{ scim.List[resource] }

// page reads one page of a list (RFC 7644 section 3.4.2.4), which must have a total and
// entries with ids.
func (c *Client) page(ctx context.Context, path string, query url.Values, start, size int) (listPage, error) {
	query.Set("startIndex", strconv.Itoa(start))
	query.Set("count", strconv.Itoa(size))
	r, err := c.get(ctx, path+"?"+query.Encode())
	if err != nil {
		return listPage{}, err
	}
	if r.status != http.StatusOK {
		return listPage{}, c.listFailure(r)
	}
	var p listPage
	if err := decode(r.body, &p); err != nil {
		return p, err
	}
	if p.TotalResults == nil {
		return p, incomplete("no total")
	}
	for _, x := range p.Resources {
		if x.id() == "" {
			return p, badAnswer()
		}
	}
	return p, nil
}

// refusedError is a list that the system has but does not give in this way: the filter is
// not understood, or a list without one is not allowed.
type refusedError struct{ error }

func (e refusedError) Unwrap() error { return e.error }

func (c *Client) listFailure(r reply) error {
	err := c.failure(r)
	switch {
	case connector.CodeOf(err) == connector.CodeIncompleteList: // too many, says the system
	case r.status == http.StatusBadRequest, r.status == http.StatusForbidden, r.status == http.StatusNotImplemented:
		return refusedError{err}
	}
	return err
}

// walk reads all pages of a list and hands out each entry once. SCIM pages have no
// cursor: anything that does not add up may be a list that was cut or that moved
// while it was read, and is refused as incomplete.
func (c *Client) walk(ctx context.Context, path string, query url.Values, visit func(resource) error) (total int, err error) {
	seen := make(map[string]bool)
	total = -1
	for total < 0 || len(seen) < total {
		p, err := c.page(ctx, path, query, len(seen)+1, c.opts.PageSize)
		if err != nil {
			return 0, err
		}
		if total, err = p.check(len(seen), total, c.opts.PageSize, maxEntries); err != nil {
			return 0, err
		}
		for _, x := range p.Resources {
			if seen[x.id()] {
				return 0, incomplete("an entry came twice")
			}
			seen[x.id()] = true
			if err := visit(x); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

// all reads a whole list.
func (c *Client) all(ctx context.Context, path string, query url.Values) ([]resource, error) {
	var list []resource
	_, err := c.walk(ctx, path, query, func(r resource) error { list = append(list, r); return nil })
	return list, err
}

// check returns the total if the page fits what came before it: have entries, of
// total if that is not negative.
func (p listPage) check(have, total, asked, most int) (int, error) {
	got, says := len(p.Resources), int(*p.TotalResults)
	switch {
	case total >= 0 && says != total:
		return 0, incomplete("the total changed on the way")
	case says > most:
		return 0, &connector.Error{Code: connector.CodeIncompleteList} // asking again will not help
	case p.StartIndex != nil && *p.StartIndex != have+1 && got > 0:
		return 0, incomplete("the page starts elsewhere")
	case have+got > says:
		return 0, incomplete("more entries than the total")
	case have+got == says:
		return says, nil
	case got == 0:
		return 0, incomplete("a page without entries before the end")
	case got < asked && (p.ItemsPerPage == nil || *p.ItemsPerPage != got):
		// Fewer than asked for is a provider's right, if it says so.
		return 0, incomplete("a short page")
	default:
		return says, nil
	}
}

// incomplete is the error of a list that may have been cut. It may well have moved
// while it was read, so it is worth asking again.
func incomplete(what string) error {
	return fmt.Errorf("reading a list: %s: %w", what, &connector.Error{Code: connector.CodeIncompleteList, Temporary: true})
}
