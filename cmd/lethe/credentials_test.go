package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"lethe/internal/operations"
)

// makeNothing are the commands that make nothing that could authenticate a person. A new command joins
// these or operations.Credentials: the test fails until somebody has thought about it.
var makeNothing = []string{
	"serve", "worker", "migrate", "sandbox", "keys", "ledger", "witness", "depart", "withdraw", "dates", "list", "watch", "cases", "import", "fields", "reasons", "completion", "__complete", "health", "version", "sealed-list", "token revoke", "restore",
}

// TestI21_EveryCommandThatMakesACredentialIsInTheTable walks the command line as the program declares it.
func TestI21_EveryCommandThatMakesACredentialIsInTheTable(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.Name("lethe"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, leaf := range parser.Model.Leaves(false) {
		path := strings.Fields(leaf.Path())
		// Without the arguments: the path begins below the program.
		name := strings.Join(slices.DeleteFunc(path, func(word string) bool { return strings.HasPrefix(word, "<") }), " ")
		all = append(all, name)
		_, way := operations.CredentialOf("lethe " + name)
		nothing := slices.ContainsFunc(makeNothing, func(known string) bool { return name == known || strings.HasPrefix(name, known+" ") })
		if way == nothing {
			t.Errorf("lethe %s: in operations.Credentials %v, makes nothing %v; it is one of both", name, way, nothing)
		}
	}
	for _, c := range operations.Credentials {
		if command, ok := strings.CutPrefix(c.Way, "lethe "); ok && !slices.Contains(all, command) {
			t.Errorf("%s is no command: there are %v", c.Way, all)
		}
	}
}
