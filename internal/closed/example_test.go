package closed_test

import (
	"fmt"

	"lethe/internal/closed"
)

type light string

// A state machine is declared once: each row is a state, and then what may follow it.
func ExampleStates() {
	lights := closed.States("lights.state", "", [][]light{
		{"red", "green"},
		{"green", "red"},
		{"broken"},
	})
	fmt.Println(lights.Allows("red", "green"), lights.Allows("broken", "green"))
	fmt.Println(closed.SetOf[light]().Values)
	// Output:
	// true false
	// [red green broken]
}
