package ledger

import "errors"

// What goes wrong with a ledger, and who must look. Each of these stops the sequencer or the reader
// that meets it: nothing is signed or shown on top of it.
var (
	// ErrRolledBack says that the database holds less than what was signed: it was restored from a
	// backup, or its tail was cut. Nothing is sequenced until a new epoch begins.
	ErrRolledBack = errors.New("the ledger's database holds less than what was signed: it was restored or its tail was cut")
	// ErrInconsistent says that the database's tree does not continue the one that was signed.
	ErrInconsistent = errors.New("the ledger's database does not continue what was signed")
	// ErrNothingLost says that the database holds all that was signed: there is nothing to give up.
	ErrNothingLost = errors.New("the ledger's database holds all that was signed: nothing was lost")
	// ErrStorageLost says that there are entries and no signed checkpoint at all.
	ErrStorageLost = errors.New("the ledger's folder has no checkpoint, but its database has entries")
	// ErrBadMAC says that an entry was not written by a process that has the writer key, or was
	// changed before it was sequenced.
	ErrBadMAC = errors.New("an entry of the ledger was not written by us, or was changed since")
	// ErrForeignKeys says that a process has not the keys with which the ledger is written: all that it
	// wrote would be refused.
	ErrForeignKeys = errors.New("LETHE_LEDGER_KEY_FILE does not fit this ledger, or LETHE_LEDGER_ORIGIN is another one's: " +
		"what was written last was written with other keys (after a rotation, make the part anew by `lethe keys part`)")
	// ErrTampered says that the content of an entry is not what was committed to.
	ErrTampered = errors.New("an entry of the ledger was tampered with")
	// ErrNotSequenced says that an entry is not in a signed tree yet: within a second it is.
	ErrNotSequenced = errors.New("the entry is not in a signed tree yet")
)
