package main

import (
	"lethe/internal/database"
	"lethe/internal/ledger"
)

// originOf is the name of the installation's log: the one that was set, or one that nobody else has.
func originOf(set string, in database.Installation) string {
	if set != "" {
		return set
	}
	return "lethe/" + in.ID.String()
}

// attachWriter lets transactions on the facts be recorded in the ledger. Without it, whatever must
// be recorded is refused.
func attachWriter(facts *database.DB, keyFile, origin string) (*ledger.Keys, error) {
	keys, err := ledger.LoadKeys(keyFile)
	if err != nil {
		return nil, err
	}
	ledger.Attach(facts, ledger.NewWriter(origin, keys.Writer()))
	return keys, nil
}
