package dev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"lethe/cmd/lethe/install"
	"lethe/internal/database"
	"lethe/models"
)

// Report is dev.json: everything that a script needs to use what runs. It is there only while
// all of it runs.
type Report struct {
	API             string `json:"api"`
	TemporalAddress string `json:"temporal_address"`
	TemporalUI      string `json:"temporal_ui"`
	// DatabaseURL is the owner's; the API and the worker use AppDatabaseURL, which can do less.
	DatabaseURL     string            `json:"database_url"`
	AppDatabaseURL  string            `json:"app_database_url"`
	KeysDatabaseURL string            `json:"keys_database_url"`
	Sandbox         map[string]string `json:"sandbox"`
	// Inbox is where the mails are read that were sent.
	Inbox string `json:"inbox"`
	// LedgerOrigin names the log; LedgerDir has its tiles and checkpoints, LedgerKeyFile its keys.
	LedgerOrigin  string `json:"ledger_origin"`
	LedgerDir     string `json:"ledger_dir"`
	LedgerKeyFile string `json:"ledger_key_file"`
	// LedgerPolicyFile is what a verifier must know: `lethe ledger verify`.
	LedgerPolicyFile string `json:"ledger_policy_file"`
	// SandboxControl are the bearer tokens of the sandbox systems' control calls.
	SandboxControl map[string]string `json:"sandbox_control_tokens"`
	Tokens         map[string]string `json:"tokens"`
	// Users can log in: one of each role, by its name, and those of [demo.Others].
	Users map[string]demoUser `json:"users"`
}

func (d *development) report() Report {
	return Report{
		API:              "http://" + reachable(d.config.Listen),
		TemporalAddress:  d.temporalAddress,
		TemporalUI:       d.temporalUI,
		DatabaseURL:      d.factsURL,
		AppDatabaseURL:   d.appURL,
		LedgerOrigin:     install.Origin(d.config.LedgerOrigin, d.installation),
		LedgerDir:        d.files.ledger(d.installation.ID),
		LedgerKeyFile:    d.files.ledgerKeys(d.installation.ID),
		LedgerPolicyFile: d.files.policy(d.installation.ID),
		KeysDatabaseURL:  d.keysURL,
		Sandbox:          d.systemAddresses(),
		SandboxControl:   d.secrets.control,
		Inbox:            d.inboxAddress(),
		Tokens:           d.tokens,
		Users:            d.users,
	}
}

// demoHints are the people and departures that the printed commands are about.
type demoHints struct {
	free  []freeEmployee // of jurisdiction DEMO, employed, and nobody's token
	watch uuid.UUID      // a departure to look at; uuid.Nil without one
}

type freeEmployee struct {
	ID         uuid.UUID
	EmployeeNo string
}

func (d *development) hints(ctx context.Context) (demoHints, error) {
	var h demoHints
	bearers := []uuid.UUID{uuid.Nil} // never empty, for NOT IN
	for _, holder := range d.holders {
		bearers = append(bearers, holder.ID)
	}
	err := d.facts.Read(ctx).Raw(`SELECT e.id, e.employee_no FROM employees e
		JOIN employments m ON m.employee_id = e.id AND m.ended_at IS NULL
		WHERE m.jurisdiction = ? AND e.status = ? AND e.id NOT IN ? ORDER BY e.employee_no`,
		models.DemoJurisdiction, models.StatusActive, bearers).Scan(&h.free).Error
	if err != nil {
		return h, database.Wrap("finding demo employees to try", err)
	}
	newest, err := database.First[models.Departure](d.facts.Read(ctx).Select("id").Where(
		"employment_id IN (SELECT id FROM employments WHERE jurisdiction = ?)", models.DemoJurisdiction).Order(database.Newest))
	if err != nil && !errors.Is(err, database.ErrNotFound) {
		return h, fmt.Errorf("finding a departure to watch: %w", err)
	}
	h.watch = newest.ID
	return h, nil
}

// commandPrefix makes the printed commands work as they stand: the program as it was called, and
// the data folder if it is not the usual one.
func (d *development) commandPrefix() string {
	if usual, err := filepath.Abs(".data"); err == nil && usual == d.files.root {
		return os.Args[0]
	}
	return "LETHE_DATA_DIR=" + d.files.root + " " + os.Args[0]
}
