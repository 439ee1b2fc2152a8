package ledger

// What the ledger records of itself, under [KindLedger]. A verifier reads these entries.
const (
	// ActionEpochBegun is the first entry of an epoch after the first: the one before was signed
	// further than the database that a backup gave back.
	ActionEpochBegun = "ledger.epoch_begun"
	// ActionContentDropped names a month whose content was dropped after its time, DetailMonth.
	ActionContentDropped = "ledger.content_dropped"
	// ActionPolicyChanged names a rotation of keys or a change of witnesses: DetailPolicy is the
	// SHA-256, in hex, of the new policy file.
	ActionPolicyChanged = "ledger.policy_changed"
)

// The details of those entries.
const (
	DetailEpoch        = "epoch"         // the epoch that begins, decimal
	DetailPreviousSize = "previous_size" // of the last signed checkpoint of the epoch before, decimal
	DetailPreviousRoot = "previous_root" // of the same, standard base64
	DetailKeptSize     = "kept_size"     // how many entries of that epoch are still there, decimal
	DetailMonth        = "month"         // "2026-01", UTC
	DetailPolicy       = "policy_sha256"
)
