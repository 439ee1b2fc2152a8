package vault

// What tests look at from the inside.
const KEKLock = kekLock

var Bind = bind
