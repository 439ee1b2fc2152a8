package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// CompletionCmd prints what a shell reads to complete commands and options. The words come from the program itself.
type CompletionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish. 所用的 shell。"`
}

var completions = map[string]string{
	"bash": `# source <(lethe completion bash)
_lethe() { local IFS=$'\n'; COMPREPLY=($(lethe __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)); }
complete -o default -F _lethe lethe
`,
	"zsh": `#compdef lethe
# source <(lethe completion zsh)
_lethe() { local -a found; found=("${(@f)$(lethe __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"); compadd -a found; }
compdef _lethe lethe
`,
	"fish": `# lethe completion fish | source
complete -c lethe -f -a '(lethe __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

// Run prints it.
func (c CompletionCmd) Run() error {
	_, err := fmt.Print(completions[c.Shell])
	return err
}

// CompleteCmd is what the shell asks.
type CompleteCmd struct {
	Words []string `arg:"" optional:""`
}

// Run prints what the last word may become, a line each.
func (c CompleteCmd) Run(k *kong.Context) error {
	for _, word := range candidates(k.Model.Node, c.Words) {
		if _, err := fmt.Println(word); err != nil {
			return fmt.Errorf("printing what a word may become: %w", err)
		}
	}
	return nil
}

// candidates are what the last of the words may become, after the others. bash gives the sign of --kind=death as a
// word of its own.
func candidates(node *kong.Node, words []string) []string {
	last := ""
	if n := len(words); n > 0 {
		last, words = words[n-1], words[:n-1]
	}
	last = strings.TrimPrefix(last, "=")
	var value *kong.Flag // what the next word belongs to
	for _, word := range words {
		if word == "=" {
			continue
		}
		command := child(node, word)
		switch {
		case value != nil:
			value = nil
		case strings.HasPrefix(word, "-"):
			value = valued(node, word)
		case command != nil:
			node = command
		}
	}
	var may []string
	switch {
	case value != nil:
		may = value.EnumSlice()
	case strings.HasPrefix(last, "-"):
		for _, flags := range node.AllFlags(true) {
			for _, f := range flags {
				may = append(may, "--"+f.Name)
			}
		}
	default:
		for _, c := range node.Children {
			if !c.Hidden {
				may = append(may, c.Name)
			}
		}
		for _, p := range node.Positional {
			may = append(may, p.EnumSlice()...)
		}
	}
	return slices.DeleteFunc(may, func(m string) bool { return m == "" || !strings.HasPrefix(m, last) })
}

func child(node *kong.Node, name string) *kong.Node {
	for _, c := range node.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// valued is the option that a word names, if its value is yet to come.
func valued(node *kong.Node, word string) *kong.Flag {
	for _, flags := range node.AllFlags(true) {
		for _, f := range flags {
			if word == "--"+f.Name && !f.IsBool() {
				return f
			}
		}
	}
	return nil
}
