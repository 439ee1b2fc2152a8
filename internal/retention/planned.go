package retention

import (
	"fmt"
	"time"

	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/models"
)

// Planned is until when a category would be kept.
type Planned struct {
	Rule     models.RetentionRule
	Deadline time.Time // UTC
}

// Plan is what the deadlines of an employment will be by the rules in force, if they count from an instant on the
// calendar of a zone. Nothing is written; a jurisdiction without rules is *MissingRulesError.
func Plan(tx *database.Tx, jurisdiction string, at time.Time, zone string) ([]Planned, error) {
	loc, err := clock.LoadZone(zone)
	if err != nil {
		return nil, fmt.Errorf("loading a zone: %w", err)
	}
	rules, err := Rules(tx, jurisdiction)
	if err != nil {
		return nil, err
	}
	planned := make([]Planned, len(rules))
	for i, rule := range rules {
		planned[i].Rule = rule
		if planned[i].Deadline, _, err = Deadline(rule, at, loc); err != nil {
			return nil, err
		}
	}
	return planned, nil
}
