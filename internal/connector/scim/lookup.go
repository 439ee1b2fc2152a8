package scim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lethe/internal/connector"
)

// maxEntries bounds a lookup. More accounts than this for one number is not an
// answer to work with.
const maxEntries = 10_000

// Find implements connector.Finder. Every account in the answer is checked to
// carry the number itself: a system that ignores the filter would otherwise hand
// us everybody.
func (c *Client) Find(ctx context.Context, employeeNo string) ([]string, error) {
	if strings.TrimSpace(employeeNo) == "" {
		return nil, errors.New("scim: looking up an account needs an employee number")
	}
	number := func(u user) string { return string(u.Enterprise.EmployeeNumber) }
	ids, err := c.findBy(ctx, enterpriseSchema+":employeeNumber", employeeNo, number)
	if err != nil || !c.opts.LookupExternalID {
		return ids, err
	}
	external := func(u user) string {
		if n := number(u); n != "" && n != employeeNo {
			return "" // contradicts itself; see findBy
		}
		return string(u.ExternalID)
	}
	more, err := c.findBy(ctx, "externalId", employeeNo, external)
	if err != nil {
		return nil, err
	}
	ids = append(ids, more...)
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// findBy returns the ids of the users whose attribute, read by key, equals value.
func (c *Client) findBy(ctx context.Context, attribute, value string, key func(user) string) ([]string, error) {
	users, err := list[user](ctx, c, "/Users", url.Values{
		"filter": {attribute + " eq " + quote(value)},
	}, func(u user) string { return u.ID })
	if connector.CodeOf(err) == connector.CodeNotFound {
		// Some providers answer an empty search with 404, but so does a wrong
		// address; only the second would make every account look gone.
		return nil, &connector.Error{Code: connector.CodeBadAnswer}
	}
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, u := range users {
		switch key(u) {
		case value:
			ids = append(ids, u.ID)
		case "":
			// Found by the number, yet without it or with another one elsewhere: we
			// cannot tell whose account this is.
			return nil, &connector.Error{Code: connector.CodeAmbiguous}
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// quote writes a value of a filter, which is a JSON string (RFC 7644 section
// 3.4.2.2), so that no value can end it and add a condition.
func quote(value string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

type listPage[T any] struct {
	TotalResults *int `json:"totalResults"`
	StartIndex   *int `json:"startIndex"`
	ItemsPerPage *int `json:"itemsPerPage"`
	Resources    []T  `json:"Resources"`
}

// list reads all pages of a list (RFC 7644 section 3.4.2.4). SCIM pages have no
// cursor: anything that does not add up may be a list that was cut or that moved
// while it was read, and is refused as incomplete.
func list[T any](ctx context.Context, c *Client, path string, query url.Values, id func(T) string) ([]T, error) {
	var all []T
	seen := make(map[string]bool)
	total := -1
	for total < 0 || len(all) < total {
		query.Set("startIndex", strconv.Itoa(len(all)+1))
		query.Set("count", strconv.Itoa(c.opts.PageSize))
		r, err := c.get(ctx, path+"?"+query.Encode())
		if err != nil {
			return nil, err
		}
		if r.status != http.StatusOK {
			return nil, c.failure(r)
		}
		var p listPage[T]
		if err := decode(r.body, &p); err != nil {
			return nil, err
		}
		if total, err = p.check(len(all), total, c.opts.PageSize); err != nil {
			return nil, err
		}
		for _, x := range p.Resources {
			key := id(x)
			if key == "" {
				return nil, &connector.Error{Code: connector.CodeBadAnswer}
			}
			if seen[key] {
				return nil, incomplete("an entry came twice")
			}
			seen[key] = true
			all = append(all, x)
		}
	}
	return all, nil
}

// check returns the total if the page fits what came before it: have entries, of
// total if that is not negative.
func (p listPage[T]) check(have, total, asked int) (int, error) {
	got := len(p.Resources)
	switch {
	case p.TotalResults == nil || *p.TotalResults < 0:
		return 0, incomplete("no total")
	case total >= 0 && *p.TotalResults != total:
		return 0, incomplete("the total changed on the way")
	case *p.TotalResults > maxEntries:
		return 0, incomplete("too many entries")
	case p.StartIndex != nil && *p.StartIndex != have+1 && got > 0:
		return 0, incomplete("the page starts elsewhere")
	case have+got > *p.TotalResults:
		return 0, incomplete("more entries than the total")
	case have+got == *p.TotalResults:
		return *p.TotalResults, nil
	case got == 0:
		return 0, incomplete("a page without entries before the end")
	case got < asked && (p.ItemsPerPage == nil || *p.ItemsPerPage != got):
		// Fewer than asked for is a provider's right, if it says so.
		return 0, incomplete("a short page")
	default:
		return *p.TotalResults, nil
	}
}

// incomplete is the error of a list that may have been cut. It may well have moved
// while it was read, so it is worth asking again.
func incomplete(what string) error {
	return fmt.Errorf("reading a list: %s: %w", what, &connector.Error{Code: connector.CodeIncompleteList, Temporary: true})
}
