package vault

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"lethe/internal/database"
	"lethe/internal/ledger"
)

// What the ledger says of key-encryption keys.
const (
	actionKEKAdded     = "kek.added"
	actionKEKRetired   = "kek.retired"
	actionKEKRewrapped = "kek.rewrapped"
)

// recordedKEK is the name under which the facts keep which generations were recorded last.
const recordedKEK = "key_encryption_keys"

// RecordKEK appends an entry for each generation of the KEK file that was added or retired since it
// was last called. The file and the facts have no transaction together: what a crash keeps from being
// recorded is recorded by the next call. It fails if the ledger cannot be written, so that it is
// called before a generation is changed, too.
func (v *Vault) RecordKEK(ctx context.Context, facts *database.DB) error {
	generations, err := v.kek.current()
	if err != nil {
		return err
	}
	created := map[int]time.Time{}
	var now []int
	for _, g := range generations {
		now = append(now, g.number)
		created[g.number] = g.created
	}
	return database.Run(ctx, facts, func(tx *database.Tx) error {
		recorded, err := ledger.RecordedConfiguration(tx, recordedKEK)
		if err != nil {
			return err
		}
		before := numbersOf(recorded)
		for _, n := range now {
			if !slices.Contains(before, n) {
				before = append(before, n)
				if err := recordGeneration(tx, actionKEKAdded, n, before, created[n]); err != nil {
					return err
				}
			}
		}
		for _, n := range slices.Clone(before) {
			if !slices.Contains(now, n) {
				before = slices.DeleteFunc(before, func(other int) bool { return other == n })
				if err := recordGeneration(tx, actionKEKRetired, n, before, time.Time{}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func recordGeneration(tx *database.Tx, action string, number int, all []int, created time.Time) error {
	details := map[string]string{"generation": strconv.Itoa(number), "generations": listOf(all)}
	if !created.IsZero() {
		details["created_at"] = created.UTC().Format(time.RFC3339)
	}
	return ledger.SetConfiguration(tx, recordedKEK, listOf(all), ledger.Entry{
		Kind: ledger.KindConfiguration, Action: action, Object: "kek/" + strconv.Itoa(number), Details: details,
	})
}

func recordRewrapped(ctx context.Context, facts *database.DB, keys int) error {
	return database.Run(ctx, facts, func(tx *database.Tx) error {
		_, err := ledger.Append(tx, ledger.Entry{
			Kind: ledger.KindConfiguration, Action: actionKEKRewrapped, Object: "kek",
			Details: map[string]string{"data_keys": strconv.Itoa(keys)},
		})
		return err
	})
}

func listOf(numbers []int) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ",")
}

func numbersOf(list string) (numbers []int) {
	for _, text := range strings.Split(list, ",") {
		if n, err := strconv.Atoi(text); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}
