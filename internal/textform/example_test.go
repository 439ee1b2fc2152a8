package textform_test

import (
	"fmt"

	"lethe/internal/textform"
)

// What is stored is trimmed; what shows nothing, or breaks a line, is refused.
func ExampleLine() {
	for _, text := range []string{" Zhang San ", " \u3000", "two\nlines"} {
		stored, fault := textform.Line(text, 20)
		fmt.Printf("%q %q\n", stored, fault)
	}
	// Output:
	// "Zhang San" ""
	// "" "empty"
	// "two\nlines" "unreadable"
}
