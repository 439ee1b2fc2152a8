package querylog_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/ledger/querylog"
	"lethe/models"
)

// logbook is a log with people in it, and what a naive reader knows of it.
type logbook struct {
	env    *databasetest.Env
	people []models.Employee
}

var (
	names   = []string{"张伟", "张小伟", "王芳", "Zhang Wei", "O'Neil", "李%娜", "ＡＢＣ", "欧阳_明"}
	reasons = []string{
		"", "", "", "核对离职手续", "员工本人要求核对", "audit of access rights", "Audit, 100% done", "按法院要求_提供", "ＡＵＤＩＴ 全角",
		"it's \"quoted\"", "e\u0301tude", "\\back\\slash", "停用前 核对",
	}
	actions = []string{"departure.started", "account.linked", "hold.placed"}
	kinds   = []ledger.Kind{ledger.KindDeparture, ledger.KindAccount, ledger.KindRetention}
	askers  = []string{"", "", "外部律师", "Works Council"}
)

func newLogbook(t *testing.T, entries int) *logbook {
	t.Helper()
	l := &logbook{env: databasetest.New(t)}
	for _, name := range names {
		employment := l.env.Hire(t, "CN")
		g := l.env.Facts.Read(t.Context())
		if err := g.Exec("UPDATE employees SET name = ? WHERE id = ?", name, employment.EmployeeID).Error; err != nil {
			t.Fatal(err)
		}
		var person models.Employee
		if err := g.First(&person, "id = ?", employment.EmployeeID).Error; err != nil {
			t.Fatal(err)
		}
		l.people = append(l.people, person)
	}
	pick := func(n, i, salt int) int { return (i*7919 + i/3*salt + salt) % n }
	for i := range entries {
		if i%(entries/4+1) == entries/4 {
			l.env.Advance(t, 33*24*time.Hour)
		}
		subject := &l.people[pick(len(l.people), i, 5)].ID
		if i%5 == 0 {
			subject = nil
		}
		l.append(t, ledger.Entry{
			Kind: kinds[pick(len(kinds), i, 3)], Action: actions[pick(len(actions), i, 3)], Subject: subject,
			Actor:  &models.Actor{EmployeeID: l.people[pick(len(l.people), i, 11)].ID, Role: models.RoleHRAdmin},
			Reason: reasons[pick(len(reasons), i, 13)], RequestedBy: askers[pick(len(askers), i, 17)],
			Purpose: []string{"", "handover"}[i%2], Result: []ledger.Result{ledger.Done, ledger.Done, ledger.Refused}[i%3],
			Object: "departure/" + uuid.NewString(), Details: map[string]string{"n": "1"},
		})
	}
	return l
}

func (l *logbook) append(t testing.TB, e ledger.Entry) uuid.UUID {
	t.Helper()
	var id uuid.UUID
	err := database.Run(context.Background(), l.env.Facts, func(tx *database.Tx) (err error) {
		id, err = ledger.Append(tx, e)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// naive reads everything and looks at each entry.
func (l *logbook) naive(t testing.TB, f querylog.Filter) []uuid.UUID {
	t.Helper()
	var rows []ledger.Row
	if err := ledger.Rows(l.env.Facts.Read(context.Background())).Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	var found []uuid.UUID
	for _, r := range rows {
		fits := true
		for _, word := range strings.Fields(f.Query) {
			fits = fits && l.has(r, fold(word))
		}
		same := func(wanted, is *uuid.UUID) bool { return wanted == nil || is != nil && *is == *wanted }
		fits = fits && same(f.Actor, r.ActorID) && same(f.Subject, r.SubjectID) && (f.Kind == "" || r.Kind == f.Kind) &&
			(f.Action == "" || r.Action == f.Action) && (f.Purpose == "" || r.Purpose == f.Purpose) && (f.Result == "" || r.Result == string(f.Result)) &&
			(f.From == nil || !r.At.Before(*f.From)) && (f.To == nil || r.At.Before(*f.To))
		if fits {
			found = append(found, r.ID)
		}
	}
	slices.SortFunc(found, func(a, b uuid.UUID) int { return bytes.Compare(b[:], a[:]) })
	return found
}

func fold(s string) string { return strings.ToLower(norm.NFKC.String(s)) }

func (l *logbook) has(r ledger.Row, word string) bool {
	texts := []string{fold(r.Reason), fold(r.RequestedBy)}
	for _, p := range l.people {
		if r.ActorID != nil && *r.ActorID == p.ID || r.SubjectID != nil && *r.SubjectID == p.ID {
			texts = append(texts, fold(p.Name), fold(p.EmployeeNo))
		}
	}
	for key, code := range map[string]string{"action": r.Action, "kind": string(r.Kind), "result": r.Result} {
		for _, language := range i18n.Languages {
			if text, ok := i18n.Lookup(language, "ledger."+key+"."+code); ok {
				texts = append(texts, fold(text), code)
			}
		}
	}
	if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, word) }) || r.Purpose == word {
		return true
	}
	id, err := uuid.Parse(word)
	return err == nil && (r.ID == id || r.ActorID != nil && *r.ActorID == id || r.SubjectID != nil && *r.SubjectID == id || strings.HasSuffix(r.Object, word))
}

// walk reads all pages.
func (l *logbook) walk(t testing.TB, f querylog.Filter, limit int) []uuid.UUID {
	t.Helper()
	var found []uuid.UUID
	for before := (*uuid.UUID)(nil); ; {
		page, err := querylog.Search(context.Background(), l.env.Facts, f, before, limit)
		if err != nil {
			t.Fatalf("%+v: %v", f, err)
		}
		for _, row := range page.Rows {
			if row.State != querylog.Intact {
				t.Fatalf("an untouched row is %s", row.State)
			}
			found = append(found, row.ID)
		}
		if before = page.Next; before == nil {
			return found
		}
	}
}

var words = []string{
	"张伟", "小伟", "王芳", "zhang", "o'neil", "李%", "%娜", "欧阳_明", "_明", "abc", "核对", "核对离职", "离职手续", "本人要求核对", "audit", "100%",
	"全角", "it's", "\"quoted\"", "étude", "\\back", "停用", "律师", "works", "不存在的词", "handover", "departure", "离职", "refused", "拒绝", "ac", "of",
}

func TestSearch_FindsWhatANaiveReaderFinds(t *testing.T) {
	l := newLogbook(t, 120)
	querylog.LookAtRecent(20)
	t.Cleanup(func() { querylog.LookAtRecent(2000) })
	now, err := l.env.Facts.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		var f querylog.Filter
		f.Query = strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, 2).Draw(rt, "words"), " ")
		person := rapid.SampledFrom(l.people)
		switch rapid.IntRange(0, 7).Draw(rt, "filter") {
		case 0:
			id := person.Draw(rt, "actor").ID
			f.Actor = &id
		case 1:
			id := person.Draw(rt, "subject").ID
			f.Subject = &id
		case 2:
			f.Kind = rapid.SampledFrom(kinds).Draw(rt, "kind")
		case 3:
			f.Result = rapid.SampledFrom([]ledger.Result{ledger.Refused, ledger.Done, ledger.Failed}).Draw(rt, "result")
		case 4:
			from := now.Add(-time.Duration(rapid.IntRange(0, 150*24).Draw(rt, "from")) * time.Hour).Truncate(time.Millisecond)
			f.From = &from
		case 5:
			to := now.Add(-time.Duration(rapid.IntRange(0, 150*24).Draw(rt, "to")) * time.Hour).Truncate(time.Millisecond)
			f.To = &to
		case 6:
			f.Action, f.Purpose = rapid.SampledFrom(actions).Draw(rt, "action"), rapid.SampledFrom([]string{"", "handover"}).Draw(rt, "purpose")
		}
		limit := rapid.SampledFrom([]int{17, 200}).Draw(rt, "limit")
		want := l.naive(t, f)
		if diff := cmp.Diff(want, l.walk(t, f, limit)); diff != "" {
			rt.Fatalf("%q %+v, pages of %d (-naive +search):\n%s", f.Query, f, limit, diff)
		}
	})
}

func TestSearch_LeavesOutWhatNobodySees(t *testing.T) {
	l := newLogbook(t, 40)
	want := l.walk(t, querylog.Filter{Query: "张伟"}, 200)
	if got := l.walk(t, querylog.Filter{Query: "张\u200b伟"}, 200); len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("with a zero-width space within: %v, want %v", got, want)
	}
}

func TestSearch_FindsIDs(t *testing.T) {
	l := newLogbook(t, 40)
	object := uuid.New()
	entry := l.append(t, ledger.Entry{Kind: ledger.KindPurge, Action: "purge.intended", Object: "purge/" + object.String(), Subject: &l.people[0].ID})
	for _, id := range []uuid.UUID{object, entry} {
		if got := l.walk(t, querylog.Filter{Query: strings.ToUpper(id.String())}, 10); !slices.Equal(got, []uuid.UUID{entry}) {
			t.Errorf("%s: found %v, want %v", id, got, entry)
		}
	}
}

func TestSearch_RefusesWhatCannotBeAnswered(t *testing.T) {
	l := newLogbook(t, 4)
	early, late := time.Now(), time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		filter querylog.Filter
		limit  int
		want   error
	}{
		"one character":           {querylog.Filter{Query: "张"}, 10, querylog.ErrTermTooShort},
		"one of two":              {querylog.Filter{Query: "张伟 x"}, 10, querylog.ErrTermTooShort},
		"blanks":                  {querylog.Filter{Query: "  "}, 10, querylog.ErrTermTooShort},
		"10,000":                  {querylog.Filter{Query: strings.Repeat("长", 10_000)}, 10, querylog.ErrTermTooLong},
		"many terms":              {querylog.Filter{Query: "aa bb cc dd ee ff"}, 10, querylog.ErrTooManyTerms},
		"NUL":                     {querylog.Filter{Query: "a\x00b"}, 10, querylog.ErrNotText},
		"right to left":           {querylog.Filter{Query: "ab\u202Ecd"}, 10, querylog.ErrNotText},
		"no UTF-8":                {querylog.Filter{Query: "ab\xff"}, 10, querylog.ErrNotText},
		"reversed":                {querylog.Filter{From: &late, To: &early}, 10, querylog.ErrRangeReversed},
		"empty range":             {querylog.Filter{From: &early, To: &early}, 10, querylog.ErrRangeReversed},
		"a page of 10^9":          {querylog.Filter{}, 1_000_000_000, querylog.ErrLimit},
		"a page of nothing":       {querylog.Filter{}, 0, querylog.ErrLimit},
		"folds to one character":  {querylog.Filter{Query: "e\u0301"}, 10, querylog.ErrTermTooShort},
		"a page of less than one": {querylog.Filter{}, -1, querylog.ErrLimit},
	} {
		if _, err := querylog.Search(t.Context(), l.env.Facts, c.filter, nil, c.limit); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
