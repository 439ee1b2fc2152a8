package database

import (
	"context"
	"errors"
	"fmt"
)

// ErrSameCluster says that the keys are in the same Postgres cluster as the facts: one backup of it
// would hold both what is sealed and what opens it.
var ErrSameCluster = errors.New("the keys database is in the same Postgres cluster as the facts; use another cluster")

// RefuseSameCluster compares the clusters' system identifiers, which initdb draws at random.
func RefuseSameCluster(ctx context.Context, facts, keys *DB) error {
	var ids [2]int64
	for i, db := range []*DB{facts, keys} {
		err := db.Read(ctx).Raw("SELECT system_identifier FROM pg_control_system()").Scan(&ids[i]).Error
		if err != nil {
			return fmt.Errorf("reading the cluster's identifier: %w", hide(err))
		}
	}
	if ids[0] == ids[1] {
		return ErrSameCluster
	}
	return nil
}
