package vault

import "time"

// What tests look at from the inside.
const (
	KEKLock  = kekLock
	KeysLock = keysLock
)

var Bind = bind

// ForgetWhenDigestKeysWereRead has the next question read them again.
func (v *Vault) ForgetWhenDigestKeysWereRead() {
	for name, known := range v.digests.known {
		known.read = time.Time{}
		v.digests.known[name] = known
	}
}
