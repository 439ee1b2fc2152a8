package verify

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"lethe/internal/launch/launchtest"
)

// exhibit is a ledger over three months: most of it witnessed, some of it only signed, some of it in
// no tree yet; and the verifiers that the property is about, their evidence judged beforehand.
type exhibit struct {
	w         *world
	s         *snapshot
	covered   int
	receipted map[uuid.UUID]bool
	outside   *checker // everything is at hand
	blind     *checker // everything but the writer's keys
	inside    *checker // what an insider cannot reach: the witness's checkpoint, receipts, the keys' own copy
}

func newExhibit(t testing.TB) *exhibit {
	t.Helper()
	x := &exhibit{w: newWorld(t), covered: 36, receipted: map[uuid.UUID]bool{}}
	for range 3 {
		x.w.write(t, 12)
		x.w.sequence(t)
		x.w.env.Advance(t, 31*24*time.Hour)
	}
	witnessed := x.w.evidence(t)
	x.w.write(t, 4)
	must(t, x.w.sequencer.Drain(t.Context()))
	x.w.write(t, 4)
	e := x.w.evidence(t)
	for _, r := range e.Receipts {
		id, err := uuid.Parse(r.File)
		must(t, err)
		x.receipted[id] = true
	}
	conn := x.w.connect(t)
	x.s = read(t, conn)
	e.Folders = nil // the tests in Postgres have them
	x.outside = mustChecker(t, e)
	e.Keys = nil
	x.blind = mustChecker(t, e)
	inside := Evidence{Policy: e.Policy, Receipts: e.Receipts, Keys: x.w.keys}
	for _, c := range witnessed.Checkpoints {
		if strings.HasPrefix(c.File, "witness/") {
			inside.Checkpoints = append(inside.Checkpoints, c)
		}
	}
	x.inside = mustChecker(t, inside)
	return x
}

func mustChecker(t testing.TB, e Evidence) *checker {
	t.Helper()
	c, err := newChecker(e)
	must(t, err)
	if !c.report.OK() {
		t.Fatalf("the evidence itself: %v", c.report.Problems)
	}
	return c
}

// read reads the tables as the verifier does.
func read(t testing.TB, conn *pgx.Conn) *snapshot {
	t.Helper()
	tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	must(t, err)
	defer func() { must(t, tx.Rollback(context.Background())) }()
	p, err := open(t.Context(), tx)
	must(t, err)
	s, err := load(t.Context(), p)
	must(t, err)
	return s
}

// mutate changes a clone of the ledger in one to three ways. It returns a checker with what whoever
// did it could not reach, and the names of the ways; none if nothing came of it.
func (x *exhibit) mutate(t testing.TB, r *rand.Rand) (*mutant, *checker, []string) {
	t.Helper()
	m := &mutant{t: t, w: x.w, r: r, s: x.s.clone(), covered: x.covered, receipted: x.receipted, insider: r.IntN(3) == 0}
	keyed := false
	var names []string
	ways := 1
	if r.IntN(4) == 0 {
		ways = 2 + r.IntN(2)
	}
	for range ways {
		k := kinds[r.IntN(len(kinds))]
		if m.insider && !k.insider {
			continue
		}
		if k.do(m) {
			names = append(names, k.name)
			keyed = keyed || k.keyed
		}
	}
	switch {
	case m.insider:
		if m.forged == nil {
			m.forged = m.sign(m.treeOfPlaces())
		}
		c := x.inside.again()
		c.checkpoint(Held{File: "forged", Content: m.forged}, x.w.policy.Signed)
		return m, c, names
	case keyed || r.IntN(2) == 0:
		return m, x.outside.again(), names
	}
	return m, x.blind.again(), names
}

func (m *mutant) treeOfPlaces() *tree {
	t := &tree{}
	for _, p := range m.s.placeRows {
		h, _ := hashOf(p.leaf)
		t.add(h)
	}
	return t
}

func TestI19_MutationsAreDetected(t *testing.T) {
	x, mutations := newExhibit(t), launchtest.Steps(t, 10_000)
	for _, c := range []*checker{x.outside, x.blind, x.inside} {
		again := c.again()
		must(t, again.run(t.Context(), x.s.clone().reader()))
		wantClean(t, again.report)
	}
	const workers = 2
	counts := make([]map[string]int, workers)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() { counts[worker] = x.detectAll(t, seeded(t, uint64(worker)), mutations/workers) })
	}
	wg.Wait()
	for _, k := range kinds {
		if n := counts[0][k.name] + counts[1][k.name]; n < mutations/200 {
			t.Errorf("%q happened only %d times", k.name, n)
		}
	}
}

// detectAll makes n mutants and verifies each; every hundredth time the ledger is left alone.
func (x *exhibit) detectAll(t testing.TB, r *rand.Rand, n int) map[string]int {
	t.Helper()
	count := map[string]int{}
	for made := 0; made < n && !t.Failed(); {
		m, c, names := x.mutate(t, r)
		if err := c.run(t.Context(), m.s.reader()); err != nil {
			t.Errorf("%v: %v", names, err)
		}
		switch {
		case len(names) == 0 && !c.report.OK():
			t.Errorf("a false alarm: %v", c.report.Problems)
		case len(names) == 0:
			continue
		case c.report.OK() && !m.s.same(x.s):
			t.Errorf("mutation %d went unnoticed: %v (insider: %v)", made, names, m.insider)
		}
		for _, name := range names {
			count[name]++
		}
		made++
	}
	return count
}

// again is a checker with the same evidence, which was judged already, for another look.
func (c *checker) again() *checker {
	n := *c
	r := *c.report
	r.Problems = slices.Clone(r.Problems)
	n.report = &r
	n.waiting, n.placed, n.trees = map[uuid.UUID]known{}, map[uuid.UUID]placeRow{}, map[int]*tree{}
	n.covered, n.begun, n.firsts = map[uuid.UUID]bool{}, map[int]beginning{}, map[int]uuid.UUID{}
	n.own, n.without = map[uuid.UUID]ownEntry{}, map[string]bool{}
	n.marks, n.held, n.seen, n.tiles = maps.Clone(c.marks), maps.Clone(c.held), map[int]*Tree{}, map[int]*tiles{}
	for epoch, t := range c.seen {
		seen := *t
		n.seen[epoch] = &seen
	}
	for epoch, t := range c.tiles {
		n.tiles[epoch] = &tiles{dir: t.dir, size: t.size, root: t.root}
	}
	return &n
}
