package ledger

import "crypto/hmac"

// Wrote says whether a leaf was written by a process that has the writer key of a generation.
func (k *Keys) Wrote(generation int, leaf, mac []byte) bool {
	key := k.mac(generation)
	return key != nil && hmac.Equal(macOf(key, leaf), mac)
}

// Wrote is [Keys.Wrote] of one process.
type Wrote func(generation int, leaf, mac []byte) bool

// WroteBy checks with the keys of the writer that is attached to a database, of all generations. What
// cannot be checked is ErrNoWriter: whoever owns the database can make everything else fit together.
func WroteBy(db interface{ Attached(key any) any }) (Wrote, error) {
	w, ok := db.Attached(attachment{}).(*Writer)
	if !ok || w.key.all == nil {
		return nil, ErrNoWriter
	}
	return w.key.all.Wrote, nil
}
