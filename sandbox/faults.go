package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"time"

	"lethe/sandbox/control"
)

// faultState is the set of rules as it is kept in the state: with the hits that
// are left and the instant at which each rule ends.
type faultState struct {
	Faults control.Faults `json:"faults"`
	Until  []time.Time    `json:"until"` // per rule; zero means no end
}

// hit is what a call has to suffer.
type hit struct {
	delay time.Duration
	rule  *control.Rule // nil: nothing but the delay
}

func (h hit) is(kind string) bool { return h.rule != nil && h.rule.Kind == kind }

func (h hit) name() string {
	switch {
	case h.rule != nil:
		return h.rule.Kind
	case h.delay > 0:
		return control.Delay
	default:
		return ""
	}
}

var operations = []string{
	"", control.OpRead, control.OpMutate,
	control.OpFind, control.OpGet, control.OpCreate, control.OpReplace, control.OpDisable, control.OpEnable,
	control.OpModify, control.OpRevoke, control.OpDelete, control.OpGroupFind, control.OpGroupAdd,
	control.OpGroupRemove, control.OpConfig,
}

var reads = []string{control.OpFind, control.OpGet, control.OpGroupFind, control.OpConfig}

// applicable limits the kinds that make no sense for every operation.
func applicable(kind, op string) bool {
	read := slices.Contains(reads, op)
	switch kind {
	case control.Lie, control.AcceptLater:
		return !read && op != control.OpCreate
	case control.Residue:
		return op == control.OpRevoke || op == control.OpGroupRemove
	case control.ShortPage, control.ExactCase:
		return op == control.OpFind
	case control.IgnoreFilter, control.EmptyList:
		return op == control.OpFind || op == control.OpGroupFind
	case control.HideGroups:
		return op == control.OpFind || op == control.OpGet
	case control.RefuseForm, control.IgnoreForm:
		return !read && op != control.OpCreate && op != control.OpRevoke && op != control.OpDelete
	case control.RemoveAll:
		return op == control.OpGroupRemove
	case control.Unknown:
		return op != control.OpConfig && op != control.OpCreate
	case control.CutAfter:
		return !read
	default:
		return true
	}
}

func newFaultState(f control.Faults, now time.Time) (faultState, error) {
	st := faultState{Faults: f, Until: make([]time.Time, len(f.Rules))}
	for i, r := range f.Rules {
		if err := checkRule(r); err != nil {
			return faultState{}, fmt.Errorf("rule %d: %w", i+1, err)
		}
		if r.For > 0 {
			st.Until[i] = now.Add(time.Duration(r.For))
		}
	}
	return st, nil
}

func checkRule(r control.Rule) error {
	kinds := []string{
		control.Delay, control.Status, control.CutBefore, control.CutAfter, control.Lie,
		control.AcceptLater, control.Residue, control.Unknown, control.ShortPage, control.Foreign, control.EmptyList,
		control.IgnoreFilter, control.ExactCase, control.HideGroups, control.RefuseForm, control.IgnoreForm, control.RemoveAll,
	}
	forms := []string{"", control.FormPath, control.FormPathless, control.FormFilter, control.FormValue}
	switch {
	case !slices.Contains(kinds, r.Kind):
		return fmt.Errorf("kind is not one of %v", kinds)
	case !slices.Contains(operations, r.Match.Operation):
		return fmt.Errorf("operation is not one of %v", operations[1:])
	case r.Match.Probability < 0 || r.Match.Probability > 1 || math.IsNaN(r.Match.Probability):
		return errors.New("probability must be above 0 and at most 1")
	case !slices.Contains(forms, r.Match.Form):
		return fmt.Errorf("form is not one of %v", forms[1:])
	case r.Kind == control.Foreign && r.Status != 0 && (r.Status < 200 || r.Status > 599):
		return errors.New("status must be from 200 to 599")
	case r.Kind == control.Delay && r.Delay <= 0:
		return errors.New("delay is required")
	case r.Kind == control.Status && (r.Status < 400 || r.Status > 599):
		return errors.New("status must be from 400 to 599")
	case r.Count < 0 || r.RetryAfter < 0:
		return errors.New("count and retry_after must not be negative")
	default:
		return nil
	}
}

// faultCounter counts matching calls per rule, account and operation, so that
// chance follows from the seed alone and not from how calls interleave.
type faultCounter map[string]uint64

// pick returns what a call has to suffer, and whether a rule lost a hit.
func (st *faultState) pick(counter faultCounter, c call, now time.Time) (h hit, used bool) {
	for i := range st.Faults.Rules {
		r := &st.Faults.Rules[i]
		if !st.alive(i, now) || !c.matches(r.Match) || !applicable(r.Kind, c.op) {
			continue
		}
		if !st.chance(counter, i, c.op, c.account) {
			continue
		}
		if r.Kind != control.Delay && h.rule != nil {
			continue
		}
		if r.Count > 0 {
			r.Count--
			used = true
			if r.Count == 0 {
				st.Until[i] = now // spent; zero would mean without limit
			}
		}
		if r.Kind == control.Delay {
			h.delay += time.Duration(r.Delay)
			continue
		}
		copied := *r
		h.rule = &copied
	}
	return h, used
}

func (st *faultState) alive(i int, now time.Time) bool {
	return st.Until[i].IsZero() || now.Before(st.Until[i])
}

func (st *faultState) chance(counter faultCounter, i int, op string, a *account) bool {
	p := st.Faults.Rules[i].Match.Probability
	if p == 0 || p == 1 {
		return true
	}
	who := ""
	if a != nil {
		who = a.ID
		if a.EmployeeNo != "" {
			who = a.EmployeeNo // ids differ from run to run, numbers do not
		}
	}
	key := fmt.Sprintf("%d\x00%s\x00%s", i, op, who)
	counter[key]++
	hash := fnv.New64a()
	var n [16]byte
	binary.BigEndian.PutUint64(n[:8], uint64(st.Faults.Seed))
	binary.BigEndian.PutUint64(n[8:], counter[key])
	hash.Write(n[:])
	hash.Write([]byte(key))
	return float64(mix(hash.Sum64())>>11)/(1<<53) < p
}

// mix spreads the bits of a hash (the finalizer of SplitMix64); FNV alone leaves
// neighbouring inputs close together in the high bits.
func mix(z uint64) uint64 {
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb
	return z ^ (z >> 31)
}

func (c call) matches(m control.Match) bool {
	a := c.account
	switch m.Operation {
	case "", c.op:
	case control.OpRead:
		if !slices.Contains(reads, c.op) {
			return false
		}
	case control.OpMutate:
		if slices.Contains(reads, c.op) {
			return false
		}
	default:
		return false
	}
	if (m.Group != "" && m.Group != c.group) || (m.Form != "" && m.Form != c.form) {
		return false
	}
	if m.EmployeeNo != "" && (a == nil || a.EmployeeNo != m.EmployeeNo) {
		return false
	}
	return m.ID == "" || (a != nil && a.ID == m.ID)
}

// hides says whether a rule makes lists leave the account out: one that makes it unknown
// by name. Lists are about nobody, so such a rule does not hit the call itself.
func (st *faultState) hides(a *account, now time.Time) bool {
	for i, r := range st.Faults.Rules {
		named := r.Match.ID != "" || r.Match.EmployeeNo != ""
		if r.Kind == control.Unknown && named && st.alive(i, now) && (call{op: control.OpFind, account: a}).matches(r.Match) {
			return true
		}
	}
	return false
}

// live returns the rules that can still hit, for the control call and the page.
func (st *faultState) live(now time.Time) control.Faults {
	out := control.Faults{Seed: st.Faults.Seed, Rules: []control.Rule{}}
	for i, r := range st.Faults.Rules {
		if st.alive(i, now) {
			out.Rules = append(out.Rules, r)
		}
	}
	return out
}
