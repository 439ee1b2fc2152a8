package account

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"lethe/internal/database"
	"lethe/models"
)

// link registers an account in mail; "" leaves its id to a look-up by number.
func (w *world) link(l *leaver, externalID string) error {
	return w.try(func(tx *database.Tx) error {
		if _, err := database.First[models.Employment](tx.DB().Clauses(database.ForChange).Where("id = ?", l.employment)); err != nil {
			return err
		}
		id := &externalID
		if externalID == "" {
			id = nil
		}
		_, err := Link(tx, l.employment, "mail", "mail", id)
		return err
	})
}

func TestOneAccountIsLinkedOnce(t *testing.T) {
	w := newWorld(t)
	inMail := func(state models.AccountState, ended bool) string { // of somebody else
		t.Helper()
		o := w.employ(t, w.person(t))
		w.has(t, o, state)
		if ended {
			w.exec(t, "UPDATE employments SET ended_at = lethe_now(), basis_entry_id = @entry WHERE id = ?", o.employment)
		}
		return o.id("mail")
	}
	const same, loud = "same", "SAME"
	for name, try := range map[string]struct {
		state models.AccountState
		id    string
		want  error
	}{
		"the same id":                         {models.AccountLinked, same, ErrAlreadyLinked},
		"the same id of one that is off":      {models.AccountDisabled, same, ErrAlreadyLinked},
		"in another case":                     {models.AccountDisabled, loud, ErrAlreadyLinked},
		"by number":                           {models.AccountDisabled, "", ErrAlreadyLinked},
		"one that was detached":               {models.AccountDetached, same, ErrDetached},
		"one that was detached, by number":    {models.AccountDetached, "", ErrDetached},
		"by number, as the former is nowhere": {models.AccountNotFound, "", nil},
		"another one":                         {models.AccountLinked, "another", nil},
		"somebody else's":                     {models.AccountLinked, inMail(models.AccountLinked, false), ErrOfAnother},
		"somebody else's that is off":         {models.AccountLinked, inMail(models.AccountDisabled, false), ErrOfAnother},
		"a leaver's that is not settled":      {models.AccountLinked, inMail(models.AccountStuck, true), ErrOfAnother},
		"a leaver's that is off":              {models.AccountLinked, inMail(models.AccountDisabled, true), nil},
		"one that was detached elsewhere":     {models.AccountLinked, inMail(models.AccountDetached, false), nil},
	} {
		l := w.employ(t, w.person(t))
		w.has(t, l, try.state)
		id := strings.NewReplacer(same, l.id("mail"), loud, strings.ToUpper(l.id("mail"))).Replace(try.id)
		if err := w.link(l, id); !errors.Is(err, try.want) {
			t.Errorf("%s: %v, want %v", name, err, try.want)
		}
	}
}

// has gives a person an account in mail that stands somewhere.
func (w *world) has(t *testing.T, l *leaver, state models.AccountState) {
	t.Helper()
	w.exec(t, `INSERT INTO linked_accounts (id, employment_id, system, kind, external_id, state, ledger_entry_id)
		VALUES (gen_random_uuid(), ?, 'mail', 'mail', ?, ?, @entry)`, l.employment, l.id("mail"), state)
}

// Whoever comes back has the account again as the system spells it, so that an order about the former
// employment knows it.
func TestI8_AnAccountIsLinkedAgainAsItIsSpelled(t *testing.T) {
	w := newWorld(t)
	l := w.leaver(t)
	w.leave(t, l)
	w.drive(t, w.unlink(t, l, nil))
	w.ended(t, l)
	again := w.employ(t, l.employee)
	if err := w.link(again, strings.ToUpper(l.id("mail"))); err != nil {
		t.Fatal(err)
	}
	if a := w.account(t, again, "mail"); *a.ExternalID != l.id("mail") {
		t.Errorf("linked as %s", *a.ExternalID)
	}
}

func TestTwoPeopleLinkOneAccountToTwo(t *testing.T) {
	w := newWorld(t)
	both := []*leaver{w.employ(t, w.person(t)), w.employ(t, w.person(t))}
	errs := make([]error, len(both))
	var wg sync.WaitGroup
	for i, l := range both {
		wg.Go(func() { errs[i] = w.link(l, "one") })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), ErrOfAnother) {
		t.Errorf("linked: %v", errs)
	}
}

// An account that is linked by its id and once more by number, or by a mistyped id, is unlinked once, and the
// other link says so; it stayed ambiguous for ever.
func TestI29_AnAccountThatIsLinkedTwiceIsUnlinkedOnce(t *testing.T) {
	for _, second := range []string{"", "mistyped"} {
		w := newWorld(t)
		l := w.employ(t, w.person(t))
		w.carry(l, "mail", l.id("mail"))
		for _, id := range []string{second, l.id("mail")} {
			if err := w.link(l, id); err != nil {
				t.Fatal(err)
			}
		}
		w.leave(t, l)
		if f := w.drive(t, w.unlink(t, l, nil)); f.State != models.OperationSettled {
			t.Errorf("%q: the operation is %s", second, f.State)
		}
		w.wantActive(t, l, "mail", false)
		w.wantAccounts(t, l, models.AccountsSettled)
		w.wantFindings(t, l, map[string]string{"mail": "not_found/known disabled/", "finance": "not_found/nothing", "attendance": "not_found/nothing"})
	}
}
