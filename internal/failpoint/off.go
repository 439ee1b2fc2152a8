//go:build !failpoints

// Package failpoint marks the places at which the crash harness kills a process: before, inside
// and after each effect. Without the build tag "failpoints" every call is empty.
package failpoint

// Hit does nothing in a build without the tag.
func Hit(string) {}
