package querylog

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/internal/ledger"
)

// ActionSearched is the action of the entry that each search leaves.
const ActionSearched = "query_log.searched"

// Page is what one search shows.
type Page struct {
	Rows []Row // the newest first
	// Next is where the next page begins; nil: this is the last one.
	Next *uuid.UUID
	// People are the actors and subjects of the rows, by id.
	People map[uuid.UUID]Person
	// EntryID is the entry that records this search, Receipt the signed promise that it is there.
	EntryID uuid.UUID
	Receipt string
	// Tampered is how many of the rows are not what was written.
	Tampered int
}

// Search finds entries below before (nil: the newest) and records that it did in the same
// transaction: what cannot be recorded is not shown (I18). Each row is checked; a tampered one keeps
// its place and shows no content.
func Search(ctx context.Context, db *database.DB, f Filter, before *uuid.UUID, limit int) (Page, error) {
	words, err := f.check()
	if err != nil {
		return Page{}, err
	}
	if limit < 1 || limit > MaxLimit {
		return Page{}, ErrLimit
	}
	var page Page
	err = database.Run(ctx, db, func(tx *database.Tx) error {
		page = Page{}
		if err := page.read(tx, f, words, before, limit); err != nil {
			return err
		}
		entry, err := page.entry(tx, f, words, before, limit)
		if err != nil {
			return err
		}
		page.EntryID, page.Receipt, err = ledger.AppendWithReceipt(tx, entry, "")
		return err
	})
	if err != nil {
		return Page{}, err
	}
	return page, nil
}

func (p *Page) read(tx *database.Tx, f Filter, words []string, before *uuid.UUID, limit int) error {
	ctx, db := tx.Context(), tx.DB().Statement.ConnPool
	s := &search{ctx: ctx, db: db, filter: f, limit: limit + 1}
	if err := s.prepare(); err != nil {
		return err
	}
	var err error
	if s.terms, err = compile(ctx, db, words); err != nil {
		return err
	}
	ids, err := s.find(before)
	if err != nil {
		return err
	}
	if len(ids) > limit {
		ids = ids[:limit]
		p.Next = &ids[limit-1]
	}
	wrote, err := ledger.WroteBy(tx)
	if err != nil {
		return err
	}
	found, err := Fetch(ctx, db, wrote, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		row, there := found[id]
		if !there {
			// The content has no entry: somebody removed it, or put the content there.
			row = Row{Row: ledger.Row{ID: id, At: ledger.TimeOf(id)}, State: Tampered}
		}
		if row.State == Tampered {
			p.Tampered++
			row.Content = nil
		}
		p.Rows = append(p.Rows, row)
	}
	p.People, err = PeopleOf(ctx, db, p.Rows)
	return err
}

// entry records a search: what was asked, but for the words, which may be names. Of them a keyed digest
// tells whether the same was asked again; the ids of the first and last row tell what was seen.
func (p *Page) entry(tx *database.Tx, f Filter, words []string, before *uuid.UUID, limit int) (ledger.Entry, error) {
	details, err := f.Record(tx)
	if err != nil {
		return ledger.Entry{}, err
	}
	if len(words) > 0 {
		details["terms"] = strconv.Itoa(len(words))
	}
	if before != nil {
		details["before"] = before.String()
	}
	details["limit"], details["shown"] = strconv.Itoa(limit), strconv.Itoa(len(p.Rows))
	if n := len(p.Rows); n > 0 {
		details["first"], details["last"] = p.Rows[0].ID.String(), p.Rows[n-1].ID.String()
	}
	if p.Tampered > 0 {
		details["tampered"] = strconv.Itoa(p.Tampered)
	}
	return ledger.Entry{Kind: ledger.KindQuery, Action: ActionSearched, Subject: f.Subject, Details: details}, nil
}

// Record is f as the details of an entry: codes, ids and times, and a keyed digest of what is free text.
func (f Filter) Record(tx *database.Tx) (map[string]string, error) {
	d := f.Describe()
	for _, key := range []string{"q", "kind", "action", "purpose", "result"} {
		text, there := d[key]
		if !there || key != "q" && code(text) {
			continue // what is not a code is free text that somebody sent as one
		}
		digest, err := keyed.Text(tx.Context(), tx, keyed.Words, text)
		if err != nil {
			return nil, err
		}
		delete(d, key)
		d[key+"_mac"] = digest
	}
	return d, nil
}

// Describe is f in words, for who may see what was asked for.
func (f Filter) Describe() map[string]string {
	d := map[string]string{}
	for key, value := range map[string]string{
		"q": f.Query, "kind": string(f.Kind), "action": f.Action, "purpose": f.Purpose, "result": string(f.Result),
	} {
		if value != "" {
			d[key] = value
		}
	}
	for key, id := range map[string]*uuid.UUID{"actor": f.Actor, "employee_id": f.Subject} {
		if id != nil {
			d[key] = id.String()
		}
	}
	for key, at := range map[string]*time.Time{"from": f.From, "to": f.To} {
		if at != nil {
			d[key] = at.UTC().Format(time.RFC3339Nano)
		}
	}
	return d
}

// code holds for the names that programs give: letters, digits, points and underscores.
func code(s string) bool {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '_' {
			return false
		}
	}
	return len(s) <= 64
}
