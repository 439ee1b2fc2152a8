package approval

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/failpoint"
	"lethe/internal/identity"
	"lethe/internal/vault"
	"lethe/models"
)

// Options are what an installation decides about approvals.
type Options struct {
	// Expiry is how long a request stays open; 0 is DefaultExpiry.
	Expiry time.Duration
	// Required names operations that need two people here though they need not everywhere. It adds
	// to the floor and takes nothing from it.
	Required []string
}

// Registry is the dangerous steps of this program.
type Registry struct {
	sealer     vault.Loose
	expiry     time.Duration
	operations []Operation
	required   []string
	mark       func(place string) // where the crash harness may kill the process
}

// NewRegistry checks and keeps the operations.
func NewRegistry(sealer vault.Loose, o Options, operations ...Operation) (*Registry, error) {
	if o.Expiry == 0 {
		o.Expiry = DefaultExpiry
	}
	if o.Expiry < time.Minute || o.Expiry > 30*24*time.Hour {
		return nil, fmt.Errorf("a request for approval stays open between a minute and 30 days, not %s", o.Expiry)
	}
	r := &Registry{sealer: sealer, expiry: o.Expiry, required: o.Required, mark: failpoint.Hit}
	for _, op := range operations {
		if _, known := r.Operation(op.Name); known {
			return nil, fmt.Errorf("the operation %s is there twice", op.Name)
		}
		if len(op.Approvers) == 0 {
			return nil, fmt.Errorf("nobody could approve %s", op.Name)
		}
		r.operations = append(r.operations, op)
	}
	for _, name := range o.Required {
		if _, known := r.Operation(name); !known {
			return nil, fmt.Errorf("%q is none of the operations that can need two people: %v", name, r.Names())
		}
	}
	return r, nil
}

// Operation finds one by its name.
func (r *Registry) Operation(name string) (Operation, bool) {
	i := slices.IndexFunc(r.operations, func(op Operation) bool { return op.Name == name })
	if i < 0 {
		return Operation{}, false
	}
	return r.operations[i], true
}

// Operations lists them all, in the order of the table.
func (r *Registry) Operations() []Operation { return slices.Clone(r.operations) }

// Names lists their names.
func (r *Registry) Names() []string {
	names := make([]string, len(r.operations))
	for i, op := range r.operations {
		names[i] = op.Name
	}
	return names
}

// Assess is why an operation takes two people, whatever its command says: always, by a setting, or since a token
// asks. Nothing: one person who is there may do it alone.
func (r *Registry) Assess(caller models.Caller, name string) []models.Cause {
	op, known := r.Operation(name)
	var causes []models.Cause
	if !known || op.Floor {
		causes = append(causes, models.CauseAlways)
	} else if slices.Contains(r.required, name) {
		causes = append(causes, models.CauseSetting)
	}
	if caller.SessionID == uuid.Nil {
		causes = append(causes, models.CauseToken)
	}
	return causes
}

// Alone carries a command out for one person. An operation that needs two is refused.
func (r *Registry) Alone(tx *database.Tx, name string, command any) (result models.Ref, err error) {
	op, known := r.Operation(name)
	caller := models.CallerOf(tx.Context())
	switch {
	case !known:
		return result, ErrUnknownOperation
	case len(r.Assess(caller, name)) > 0:
		return result, ErrTwoRequired
	}
	if err := identity.PresentCaller(tx); err != nil {
		return result, err
	}
	if command, err = op.complete(tx, caller.Actor, command); err != nil {
		return result, err
	}
	return op.run(tx, By{Requester: caller.Actor}, command)
}
