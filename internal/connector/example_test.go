package connector_test

import (
	"context"
	"errors"
	"fmt"

	"lethe/internal/connector"
)

// mailbox is a system with one account; the other capabilities are left out.
type mailbox struct {
	connector.Connector
	active bool
}

func (m *mailbox) Disable(ctx context.Context, _ string) (connector.Result, error) {
	if !m.active {
		return connector.Result{Outcome: connector.AlreadyDone}, nil
	}
	if err := connector.CheckFence(ctx); err != nil { // right before the call that changes something
		return connector.Result{}, err
	}
	m.active = false
	return connector.Result{Outcome: connector.Confirmed}, nil
}

func (m *mailbox) ReadBack(context.Context, string) (connector.State, error) {
	return connector.State{Exists: true, Active: m.active}, nil
}

func (m *mailbox) Residue(context.Context, string) ([]connector.Residue, error) { return nil, nil }

// An attempt that a later one has overtaken changes nothing any more. What a mutation claims is read back.
func ExampleWithFence() {
	systems, err := connector.RegistryOf(connector.System{Name: "mail", Kind: "mail", Connector: &mailbox{active: true}})
	if err != nil {
		fmt.Println(err)
		return
	}
	mail, _ := systems.Get("mail")
	ctx := context.Background()
	overtaken := connector.WithFence(ctx, func(context.Context) error { return errors.New("a later attempt goes on") })
	_, err = mail.Connector.Disable(overtaken, "id-7")
	fmt.Println(err)
	for range 2 {
		result, err := mail.Connector.Disable(ctx, "id-7")
		state, _ := mail.Connector.ReadBack(ctx, "id-7")
		residue, _ := mail.Connector.Residue(ctx, "id-7")
		fmt.Println(result.Outcome, err, "active:", state.Active, "residue:", len(residue))
	}
	// Output:
	// fence before a remote effect: a later attempt goes on
	// confirmed <nil> active: false residue: 0
	// already_done <nil> active: false residue: 0
}
