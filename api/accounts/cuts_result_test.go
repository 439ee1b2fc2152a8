package accounts

import (
	"strings"
	"testing"

	"lethe/internal/account"
	"lethe/internal/i18n"
	"lethe/models"
)

// TestI12_WhatIsSaidOfAnAccount that a cut leaves alone: what was detached is said to be, and a look-up that has ended
// says what it came to. A system is counted once, and is off if all in it is.
func TestI12_WhatIsSaidOfAnAccount(t *testing.T) {
	standing := models.AccessCut{State: models.CutConfirmed}
	for want, a := range map[string]account.Closing{
		"cut_result.detached":                {State: models.AccountDetached, External: true},
		"account_finding.detached":           {State: models.AccountDetached, Finding: models.FindingDetached},
		"account_finding.known":              {State: models.AccountNotFound, Finding: models.FindingKnown},
		"account_finding.another_employment": {State: models.AccountDetached, Finding: models.FindingAnotherEmployment},
		"cut_result.nobody":                  {State: models.AccountNotFound, Finding: models.FindingNothing},
		"cut_result.asked":                   {State: models.AccountUnlinking},
		"cut_result.off":                     {State: models.AccountDisabled, External: true},
		"cut_result.on":                      {State: models.AccountStuck, External: true},
	} {
		got := cutResult(standing, a)
		if got != want {
			t.Errorf("of %+v it says %s, want %s", a, got, want)
		}
		if text := i18n.Text(i18n.English, got); text == got || strings.HasSuffix(got, "detached") && strings.Contains(text, "not known") {
			t.Errorf("%s reads %q", got, text)
		}
	}
	off, on := inSystems([]CutAccount{
		{System: "mail", Off: true}, {System: "mail", Off: true}, {System: "crm", Off: true}, {System: "vpn"}, {System: "vpn", Off: true},
	})
	if off != 2 || on != 1 {
		t.Errorf("%d systems are off and %d are not", off, on)
	}
}
