package sandbox

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"lethe/sandbox/control"
)

// account is an account as the system has it.
type account struct {
	ID         string    `json:"id"`
	Order      uint64    `json:"order"` // lists are in the order of creation
	EmployeeNo string    `json:"employee_no,omitempty"`
	ExternalID string    `json:"external_id,omitempty"`
	UserName   string    `json:"user_name"`
	Active     bool      `json:"active"`
	Groups     []string  `json:"groups,omitempty"` // ids, sorted
	Sessions   int       `json:"sessions,omitempty"`
	Tokens     int       `json:"tokens,omitempty"`
	Emails     []string  `json:"emails,omitempty"`
	Created    time.Time `json:"created"`
	Modified   time.Time `json:"modified"`
	// LastSignIn is when somebody signed in last; nil: the system does not tell.
	LastSignIn *time.Time `json:"last_sign_in,omitempty"`
}

type group struct {
	ID      string    `json:"id"`
	Order   uint64    `json:"order"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	// Owners are ids of accounts; a group without one says nothing of owners.
	Owners []string `json:"owners,omitempty"`
}

// deferred is a change that was accepted and is due later.
type deferred struct {
	Due    time.Time `json:"due"`
	Key    string    `json:"key"`
	Target target    `json:"target"`
}

// record is one line of the journal: what changed, as a whole, so that replaying
// a record needs no logic. Effect records never come without their account.
type record struct {
	Seq         uint64          `json:"seq"`
	Account     *account        `json:"account,omitempty"`
	DropAccount string          `json:"drop_account,omitempty"`
	Group       *group          `json:"group,omitempty"`
	DropGroup   string          `json:"drop_group,omitempty"`
	Effect      *control.Effect `json:"effect,omitempty"`
	Deferred    *[]deferred     `json:"deferred,omitempty"` // all that wait
	Faults      *faultState     `json:"faults,omitempty"`
	Deletes     int             `json:"deletes,omitempty"`
	Reset       bool            `json:"reset,omitempty"`
}

// state is everything that survives a restart, with the indexes over it.
type state struct {
	seq      uint64
	accounts map[string]*account
	groups   map[string]*group
	effects  []control.Effect
	deferred []deferred
	faults   faultState
	deletes  int

	byEmployeeNo index // lower-cased: RFC 7643 section 8.7.1 makes it case-insensitive
	byExternalID index
	byUserName   index // lower-cased: RFC 7643 makes userName case-insensitive
	byGroup      index
}

// index maps a value to the ids that have it.
type index map[string]map[string]struct{}

func (x index) add(value, id string) {
	if x[value] == nil {
		x[value] = make(map[string]struct{})
	}
	x[value][id] = struct{}{}
}

func (x index) remove(value, id string) {
	delete(x[value], id)
	if len(x[value]) == 0 {
		delete(x, value)
	}
}

func newState() *state {
	return &state{
		accounts: make(map[string]*account), groups: make(map[string]*group),
		byEmployeeNo: make(index), byExternalID: make(index), byUserName: make(index), byGroup: make(index),
	}
}

// apply brings a record into the state. Accounts and groups in it are owned by
// the state afterwards and never changed in place.
func (st *state) apply(r record) {
	if r.Reset {
		seq := st.seq
		*st = *newState()
		st.seq = seq
	}
	st.seq = max(st.seq, r.Seq)
	if r.Account != nil {
		st.unindex(r.Account.ID)
		st.accounts[r.Account.ID] = r.Account
		st.index(r.Account)
	}
	if r.DropAccount != "" {
		st.unindex(r.DropAccount)
		delete(st.accounts, r.DropAccount)
	}
	if r.Group != nil {
		st.groups[r.Group.ID] = r.Group
	}
	if r.DropGroup != "" {
		delete(st.groups, r.DropGroup)
	}
	if r.Effect != nil {
		st.effects = append(st.effects, *r.Effect)
	}
	if r.Deferred != nil {
		st.deferred = *r.Deferred
	}
	if r.Faults != nil {
		st.faults = *r.Faults
	}
	st.deletes += r.Deletes
}

func (st *state) index(a *account) {
	st.byEmployeeNo.add(strings.ToLower(a.EmployeeNo), a.ID)
	st.byExternalID.add(a.ExternalID, a.ID)
	st.byUserName.add(strings.ToLower(a.UserName), a.ID)
	for _, g := range a.Groups {
		st.byGroup.add(g, a.ID)
	}
}

func (st *state) unindex(id string) {
	a := st.accounts[id]
	if a == nil {
		return
	}
	st.byEmployeeNo.remove(strings.ToLower(a.EmployeeNo), id)
	st.byExternalID.remove(a.ExternalID, id)
	st.byUserName.remove(strings.ToLower(a.UserName), id)
	for _, g := range a.Groups {
		st.byGroup.remove(g, id)
	}
}

// members returns the accounts of an index entry in the order of creation.
func (st *state) members(ids map[string]struct{}) []*account {
	out := make([]*account, 0, len(ids))
	for id := range ids {
		out = append(out, st.accounts[id])
	}
	slices.SortFunc(out, func(a, b *account) int { return cmp.Compare(a.Order, b.Order) })
	return out
}

func (st *state) allAccounts() []*account {
	out := make([]*account, 0, len(st.accounts))
	for _, a := range st.accounts {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *account) int { return cmp.Compare(a.Order, b.Order) })
	return out
}

func (st *state) allGroups() []*group {
	out := make([]*group, 0, len(st.groups))
	for _, g := range st.groups {
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b *group) int { return cmp.Compare(a.Order, b.Order) })
	return out
}

// snapshotFile is the form of the state file.
type snapshotFile struct {
	Format   int              `json:"format"`
	Seq      uint64           `json:"seq"`
	Accounts []*account       `json:"accounts"`
	Groups   []*group         `json:"groups"`
	Effects  []control.Effect `json:"effects"`
	Deferred []deferred       `json:"deferred"`
	Faults   faultState       `json:"faults"`
	Deletes  int              `json:"deletes"`
}

func (st *state) encode() ([]byte, error) {
	return json.Marshal(snapshotFile{
		Format: 1, Seq: st.seq, Accounts: st.allAccounts(), Groups: st.allGroups(), Effects: st.effects,
		Deferred: st.deferred, Faults: st.faults, Deletes: st.deletes,
	})
}

func (st *state) decode(raw []byte) error {
	var f snapshotFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return err
	}
	if f.Format != 1 {
		return fmt.Errorf("format %d is not known", f.Format)
	}
	st.seq, st.effects, st.deferred, st.faults, st.deletes = f.Seq, f.Effects, f.Deferred, f.Faults, f.Deletes
	for _, a := range f.Accounts {
		st.accounts[a.ID] = a
		st.index(a)
	}
	for _, g := range f.Groups {
		st.groups[g.ID] = g
	}
	return nil
}

// replay applies a journal record unless the snapshot already has it.
func (st *state) replay(line []byte) error {
	var r record
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	if r.Seq > st.seq {
		st.apply(r)
	}
	return nil
}
