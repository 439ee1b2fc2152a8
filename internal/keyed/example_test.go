package keyed_test

import (
	"bytes"
	"context"
	"fmt"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/keyed"
)

// A login is found by its digest while the key it was made by lives, also after the next key began; nobody without
// the keys can tell whose it is.
func ExampleAll() {
	var db database.DB
	keys := &databasetest.Digests{}
	keyed.Attach(&db, keys)
	ctx := context.Background()
	kept, err := keyed.Of(ctx, &db, keyed.Tries, "wang.fang")
	fmt.Println(len(kept), err)
	keys.Follow(keyed.Tries)
	for _, login := range []string{"wang.fang", "li.qiang"} {
		all, err := keyed.All(ctx, &db, keyed.Tries, login)
		fmt.Println(login, len(all), bytes.Equal(all[0], kept), bytes.Equal(all[1], kept), err)
	}
	// Output:
	// 32 <nil>
	// wang.fang 2 false true <nil>
	// li.qiang 2 false false <nil>
}
