package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/models"
)

// TestI25_AddressesAndLoginsAreNotKeptAsHashes: whoever reads the tables hashes every address of two
// networks, every login and every pair of both, and finds none of them.
func TestI25_AddressesAndLoginsAreNotKeptAsHashes(t *testing.T) {
	w := newWorld(t, Options{})
	for _, address := range []string{"192.0.2.17", "198.51.100.23"} {
		_, err := w.login(from(address), "a wrong password")
		if !errors.Is(err, ErrLoginFailed) {
			t.Fatalf("a wrong password: %v", err)
		}
	}
	_, err := w.login(from("192.0.2.17"), rightPassword)
	w.must(err)
	_, err = w.login(from("192.0.2.17"), "a wrong password, from a known address")
	if !errors.Is(err, ErrLoginFailed) {
		t.Fatalf("a wrong password: %v", err)
	}
	var kept [][]byte
	w.must(w.Facts.Read(t.Context()).Raw("SELECT key_hash FROM known_places UNION ALL SELECT key_hash FROM login_lanes").Scan(&kept).Error)
	if len(kept) < 4 {
		t.Fatalf("only %d digests are kept: there is nothing to guess", len(kept))
	}
	guess := func(text string) {
		for _, sum := range [][]byte{hashOf(text), hashOf(string(hashOf(text)))} {
			if slices.ContainsFunc(kept, func(k []byte) bool { return bytes.Equal(k, sum) }) {
				t.Errorf("a digest is the hash of %q", text)
			}
		}
	}
	for _, network := range []string{"192.0.2", "198.51.100"} {
		for host := range 256 {
			address := fmt.Sprintf("%s.%d", network, host)
			for _, text := range []string{address, "address\x00" + address, w.user.Login + "\x00" + address, "known\x00" + w.user.Login + "\x00" + address} {
				guess(text)
			}
		}
	}
	guess(w.user.Login)
	guess("account\x00" + w.user.Login)
}

func hashOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// TestAKnownPlaceIsKnownAcrossTheNextKey: what was remembered under the former key of digests is found,
// and from then on it is kept under the new one alone.
func TestAKnownPlaceIsKnownAcrossTheNextKey(t *testing.T) {
	w := newWorld(t, Options{})
	place := from("192.0.2.17")
	opened, err := w.login(place, rightPassword)
	w.must(err)
	place.Device = opened.Device
	w.Digests.Follow(keyed.Places)
	device, address, err := w.s.familiar(t.Context(), w.user, place)
	w.must(err)
	if !device || !address {
		t.Errorf("known by the browser: %v, by the address: %v", device, address)
	}
	w.next()
	_, err = w.login(place, rightPassword)
	w.must(err)
	var kept [][]byte
	w.must(w.Facts.Read(t.Context()).Raw("SELECT key_hash FROM known_places").Scan(&kept).Error)
	for _, want := range [][]byte{w.digest("device", place.Device), w.digest("address", "192.0.2.17")} {
		if len(kept) != 2 || !slices.ContainsFunc(kept, func(k []byte) bool { return bytes.Equal(k, want) }) {
			t.Errorf("%d places are kept, or not under the new key", len(kept))
		}
	}
}

// TestI25_ALoginOfTheProviderIsNotKeptAsAHash: an entry names a subject, which may be an address of
// e-mail, so that nobody can guess it.
func TestI25_ALoginOfTheProviderIsNotKeptAsAHash(t *testing.T) {
	w := newWorld(t, Options{})
	const issuer, subject = "https://login.example.com", "zhang.wei@example.com"
	var details map[string]string
	w.must(w.run(func(tx *database.Tx) (err error) {
		details, err = linkDetails(tx, models.OIDCLink{Issuer: issuer, Subject: subject})
		return err
	}))
	kept := details["subject_mac"]
	for _, text := range []string{subject, issuer + subject, issuer + "\x00" + subject, issuer + "\n" + subject} {
		if kept == "" || kept == hex.EncodeToString(hashOf(text)[:16]) {
			t.Errorf("the entry holds %q, the hash of %q", kept, text)
		}
	}
}
