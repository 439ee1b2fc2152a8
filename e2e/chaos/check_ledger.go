package chaos

import (
	"lethe/e2e/recorded"
)

// everyFactIsRecorded is I18 as far as the database shows it: each fact has exactly one entry, however
// often what made it was tried, and whatever was killed meanwhile.
func (c *checker) everyFactIsRecorded() {
	for _, problem := range recorded.Check(c.Recorded) {
		c.report("I18", "%s", problem)
	}
}

// theLedgerVerifies is I19: nothing that the kills left looks like tampering, and everything that the
// entries need is there.
func (c *checker) theLedgerVerifies() {
	if c.Ledger == nil {
		return
	}
	for _, p := range c.Ledger.Problems {
		c.report("I19", "the ledger does not verify: %+v", p)
	}
	if n := int64(len(c.Recorded.Entries)); c.Ledger.Entries != n {
		c.report("I19", "the verifier saw %d entries of %d", c.Ledger.Entries, n)
	}
}
