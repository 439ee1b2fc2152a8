package ledger

import "crypto/hmac"

// Wrote says whether a leaf was written by a process that has the writer key of a generation.
func (k *Keys) Wrote(generation int, leaf, mac []byte) bool {
	key := k.mac(generation)
	return key != nil && hmac.Equal(macOf(key, leaf), mac)
}
