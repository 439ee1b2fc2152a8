package identity

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/models"
)

// ThrottledError says that too much was tried, and when to come back.
type ThrottledError struct{ RetryAfter time.Duration }

func (e *ThrottledError) Error() string { return "too many tries" }

// rateLimit is a bucket of tries that empties with time. Tries are taken before a password is looked at,
// so that tries side by side are counted too, and given back after a success.
//
// Each kind of caller has a limit of its own. A stranger who tries an account's password fills the
// strangers' limit of the account and that of the own address; whoever comes with the cookie that a
// former login left, or from an address that logged in before, is in another. So nobody can lock
// somebody else out of where that person works.
type rateLimit struct {
	name  string
	key   []string      // kept as a keyed digest: logins and addresses are personal data
	burst int           // tries at once
	every time.Duration // and one more after each of these
}

const (
	limitDevice   = "device"  // an account, from a browser that it was used with
	limitFamiliar = "known"   // an account, from an address that it was used from
	limitStranger = "account" // an account, from anywhere
	limitAddress  = "address" // any account, from one address
	limitCode     = "code"    // one-time codes of any kind, from one address
	limitSession  = "session" // factors asked again within a session

	limitSessionEvery = 30 * time.Second
)

// limitsFor are the limits of a try at a login. A login that nobody has gets the same as one that
// somebody has.
func limitsFor(login string, p Client, device, address bool) []rateLimit {
	from := rateLimit{limitAddress, []string{network(p)}, 50, 10 * time.Second}
	switch {
	case device:
		return []rateLimit{{limitDevice, []string{login, p.Device}, 10, 30 * time.Second}}
	case address:
		return []rateLimit{{limitFamiliar, []string{login, network(p)}, 10, time.Minute}, from}
	}
	return []rateLimit{{limitStranger, []string{login}, 10, 5 * time.Minute}, from}
}

// network is what tries are counted by: an address, or the network of an IPv6 address, of which
// everybody has 2^64.
func network(p Client) string {
	address := p.Address.Unmap()
	if !address.Is6() {
		return addressText(p)
	}
	prefix, err := address.WithZone("").Prefix(64)
	if err != nil {
		return addressText(p)
	}
	return prefix.String()
}

// digest is what a limit is kept under. When the next key of digests follows, once a day, limits begin
// empty.
func (l rateLimit) digest(tx *database.Tx) ([]byte, error) {
	return keyed.Of(tx.Context(), tx, keyed.Tries, append([]string{l.name}, l.key...)...)
}

// take uses up one try in each limit, or none and says when the next is free.
func take(ctx context.Context, db *database.DB, limits []rateLimit) error {
	limits = slices.Clone(limits)
	slices.SortFunc(limits, func(a, b rateLimit) int { return strings.Compare(a.name, b.name) }) // one order of locks
	return database.Run(ctx, db, func(tx *database.Tx) error {
		for _, l := range limits {
			key, err := l.digest(tx)
			if err != nil {
				return err
			}
			// GCRA: empty_at is when all that was used up is free again.
			r := tx.DB().Exec(`INSERT INTO login_lanes AS l (lane, key_hash, empty_at)
				VALUES (@lane, @key, lethe_now() + make_interval(secs => @every))
				ON CONFLICT (lane, key_hash) DO UPDATE
				SET empty_at = greatest(l.empty_at, lethe_now()) + make_interval(secs => @every)
				WHERE l.empty_at <= lethe_now() + make_interval(secs => @room)`, map[string]any{
				"lane": l.name, "key": key, "every": l.every.Seconds(), "room": float64(l.burst-1) * l.every.Seconds(),
			})
			if r.Error != nil {
				return database.Wrap("counting a try", r.Error)
			}
			if r.RowsAffected == 0 {
				return &ThrottledError{RetryAfter: l.every}
			}
		}
		return sweepLimits(tx)
	})
}

// giveBack returns the tries of a success: all of the own limit, one of the address's.
func giveBack(tx *database.Tx, limits []rateLimit) error {
	for _, l := range limits {
		key, err := l.digest(tx)
		if err != nil {
			return err
		}
		query := tx.DB().Exec("DELETE FROM login_lanes WHERE lane = ? AND key_hash = ?", l.name, key)
		if l.name == limitAddress || l.name == limitCode {
			query = tx.DB().Exec("UPDATE login_lanes SET empty_at = empty_at - make_interval(secs => ?) WHERE lane = ? AND key_hash = ?",
				l.every.Seconds(), l.name, key)
		}
		if query.Error != nil {
			return database.Wrap("giving tries back", query.Error)
		}
	}
	return nil
}

// sweepLimits removes a few limits that are empty.
func sweepLimits(tx *database.Tx) error {
	err := tx.DB().Exec(`DELETE FROM login_lanes WHERE (lane, key_hash) IN (
		SELECT lane, key_hash FROM login_lanes WHERE empty_at < lethe_now() ORDER BY empty_at LIMIT 5 FOR UPDATE SKIP LOCKED)`).Error
	return database.Wrap("sweeping limits", err)
}

// familiar says by what an account knows a place: the browser's cookie, the address.
func (s *Service) familiar(ctx context.Context, user models.User, p Client) (device, address bool, err error) {
	set, err := keyed.Living(ctx, s.db, keyed.Places)
	if err != nil {
		return false, false, err
	}
	var kinds []string
	err = s.db.Read(ctx).Table("known_places").
		Where("user_id = ? AND used_at > lethe_now() - make_interval(secs => ?)", user.ID, deviceKept.Seconds()).
		Where("(kind = 'device' AND key_hash IN ?) OR (kind = 'address' AND key_hash IN ?)",
			set.All(placeDevice, p.Device), set.All(placeAddress, network(p))).
		Pluck("kind", &kinds).Error
	if err != nil {
		return false, false, database.Wrap("looking for a known place", err)
	}
	return p.Device != "" && slices.Contains(kinds, placeDevice), slices.Contains(kinds, placeAddress), nil
}

// The kinds of places that an account knows.
const (
	placeDevice  = "device"
	placeAddress = "address"
)

// remember makes a place known to an account, under the digest of today's key alone. At most twenty of
// a kind are kept.
func remember(tx *database.Tx, user models.User, p Client) error {
	set, err := keyed.Living(tx.Context(), tx, keyed.Places)
	if err != nil {
		return err
	}
	for kind, value := range map[string]string{placeDevice: p.Device, placeAddress: network(p)} {
		if value == "" {
			continue
		}
		digests := set.All(kind, value)
		err := errors.Join(tx.DB().Exec(`INSERT INTO known_places (user_id, kind, key_hash) VALUES (?, ?, ?)
			ON CONFLICT (user_id, kind, key_hash) DO UPDATE SET used_at = lethe_now()`, user.ID, kind, digests[0]).Error,
			forgetPlaces(tx, user, kind, digests[1:]),
			tx.DB().Exec(`DELETE FROM known_places WHERE user_id = ? AND kind = ? AND key_hash IN (
			SELECT key_hash FROM known_places WHERE user_id = ? AND kind = ? ORDER BY used_at DESC OFFSET 20)`, user.ID, kind, user.ID, kind).Error)
		if err != nil {
			return database.Wrap("remembering a place", err)
		}
	}
	return nil
}

// forgetPlaces removes what a place was kept under by former keys.
func forgetPlaces(tx *database.Tx, user models.User, kind string, digests [][]byte) error {
	if len(digests) == 0 {
		return nil
	}
	return tx.DB().Exec("DELETE FROM known_places WHERE user_id = ? AND kind = ? AND key_hash IN ?", user.ID, kind, digests).Error
}

// flood holds back one address that asks faster than people do, before the database hears of it.
type flood struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

const (
	floodRate    = 20 // per second and address
	floodBurst   = 60
	floodBuckets = 10_000
)

func newFlood() *flood { return &flood{buckets: map[string]*rate.Limiter{}} }

func (f *flood) allow(p Client) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	address := network(p)
	bucket, ok := f.buckets[address]
	if !ok {
		if len(f.buckets) >= floodBuckets {
			clear(f.buckets) // forgetting is cheaper than growing; the database still counts
		}
		bucket = rate.NewLimiter(floodRate, floodBurst)
		f.buckets[address] = bucket
	}
	if !bucket.Allow() {
		return &ThrottledError{RetryAfter: time.Second}
	}
	return nil
}
