package consent

import (
	"testing"

	"lethe/models"
)

// TestVersionOneNeverChanges: people have agreed to just these words.
func TestVersionOneNeverChanges(t *testing.T) {
	const want = "767e099a0c4497a8d76635d1397a537217d515a435f4aef67059c89dc864e8de"
	if got := builtin().Digest(); got != want {
		t.Errorf("version 1 says something else: %s", got)
	}
}

// TestHowSomebodyStands compares every last answer, under what was asked then and what is asked now, with a table.
func TestHowSomebodyStands(t *testing.T) {
	ask := func(since int) *Ask { return &Ask{Purpose: models.ConsentMessages, Since: since} }
	row := func(answer models.ConsentAnswer, since int) *models.Consent {
		return &models.Consent{Purpose: models.ConsentMessages, Answer: answer, AskedSince: since}
	}
	for name, c := range map[string]struct {
		ask    *Ask
		last   *models.Consent
		state  State
		answer bool
	}{
		"never asked before":       {ask(1), nil, Unanswered, true},
		"given":                    {ask(1), row(models.ConsentGiven, 1), Given, false},
		"given to other words":     {ask(2), row(models.ConsentGiven, 1), Outdated, true},
		"given, not asked now":     {nil, row(models.ConsentGiven, 1), Outdated, false},
		"declined":                 {ask(1), row(models.ConsentDeclined, 1), Declined, false},
		"declined, other words":    {ask(3), row(models.ConsentDeclined, 2), Declined, true},
		"declined, not asked now":  {nil, row(models.ConsentDeclined, 2), Declined, false},
		"withdrawn":                {ask(2), row(models.ConsentWithdrawn, 2), Withdrawn, false},
		"withdrawn, other words":   {ask(2), row(models.ConsentWithdrawn, 1), Withdrawn, true},
		"ended":                    {ask(1), row(models.ConsentEnded, 1), Ended, true},
		"ended, not asked anymore": {nil, row(models.ConsentEnded, 1), Ended, false},
	} {
		s := stand(models.ConsentMessages, c.ask, c.last)
		if s.State != c.state || s.ToAnswer != c.answer {
			t.Errorf("%s: %s, to answer %t; want %s, %t", name, s.State, s.ToAnswer, c.state, c.answer)
		}
		if s.State.Refuses() != (c.state == Declined || c.state == Withdrawn) {
			t.Errorf("%s refuses: %t", name, s.State.Refuses())
		}
	}
}
