package operations

import (
	"errors"
	"slices"
	"strconv"

	"lethe/internal/approval"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/permission"
	"lethe/models"
)

// privacyPolicy puts another version of the privacy policy into force. Those who configure ask for it.
func (d Deps) privacyPolicy() approval.Operation {
	return approval.Define(approval.Spec[consent.Draft]{
		Judge: func(tx *database.Tx, c consent.Draft) (approval.Review, error) {
			before, after, err := consent.Prepare(tx, c)
			if errors.Is(err, consent.ErrChanged) {
				return approval.Review{}, errors.Join(approval.ErrGone, err)
			}
			return approval.Review{
				Targets: []approval.Target{{Kind: models.RefPolicy, ID: consent.PolicyID, Version: strconv.Itoa(before.Version)}},
				Changes: policyChanges(before, after),
			}, err
		},
		Check: func(tx *database.Tx, by models.Actor, c consent.Draft) error {
			if err := configures(tx, by); err != nil {
				return err
			}
			_, _, err := consent.Prepare(tx, c)
			return err
		},
		Run: func(tx *database.Tx, by approval.By, c consent.Draft) (models.Ref, error) {
			if err := configures(tx, by.Requester); err != nil {
				return models.Ref{}, err
			}
			return models.Ref{Kind: models.RefPolicy, ID: consent.PolicyID}, consent.Publish(tx, by.Requester, by.Approver, c)
		},
	})
}

// configures refuses whoever is not one of those who configure.
func configures(tx *database.Tx, by models.Actor) error {
	m, err := permission.Current(tx.DB())
	if err == nil && !slices.Contains(m.Configurers, by.EmployeeID) {
		err = permission.ErrNotConfigurer
	}
	return err
}

// policyChanges are the texts that change, and of whom is asked again.
func policyChanges(before, after consent.Policy) (changes []approval.Change) {
	add := func(field, from, to, words string, about ...string) {
		if from != to {
			changes = append(changes, approval.Change{Field: field, Before: from, After: to, Words: words, About: about})
		}
	}
	add("policy_text_zh", before.Zh, after.Zh, "")
	add("policy_text_en", before.En, after.En, "")
	for _, purpose := range models.ConsentPurposes {
		var was, is consent.Ask
		if a := before.Ask(purpose); a != nil {
			was = *a
		}
		if a := after.Ask(purpose); a != nil {
			is = *a
		}
		about := "consent_purpose." + string(purpose)
		add("policy_ask_zh", was.Zh, is.Zh, "", about)
		add("policy_ask_en", was.En, is.En, "", about)
		if was.Since != 0 && is.Since > was.Since {
			add("policy_asked_again", "", "yes", "yes_no", about)
		}
	}
	return changes
}
