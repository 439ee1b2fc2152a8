package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mutation is one fault, made by hand in one place, that a test has to notice.
type mutation struct {
	name string
	file string // from the root of the module
	old  string // occurs in the file exactly once
	new  string
	// tests are packages, each with the pattern of the tests that are run.
	tests []selection
	// harmless, if set, says why nothing that can be seen changes. Such a mutation is not run.
	harmless string
	at       string // file and line of the table
}

type selection struct{ folder, run string }

// readTable reads every file of mutations in a folder. Each mutation is a heading and lines that begin
// with a word, then what goes (-) and what comes (+):
//
//	# name
//	file internal/vault/box.go
//	test ./internal/vault TestOpen_WrongPlace
//	- p.Row[:], p.Employment[:],
//	+ p.Employment[:],
//
// Text before the first heading is for readers.
func readTable(folder string) ([]mutation, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, fmt.Errorf("there is no table in %s", folder))
	}
	var all []mutation
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading a table: %w", err)
		}
		some, err := parse(filepath.Base(path), string(content))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	names := map[string]string{}
	for _, m := range all {
		if former, ok := names[m.name]; ok {
			return nil, fmt.Errorf("%s: %q is the name of a mutation at %s, too", m.at, m.name, former)
		}
		names[m.name] = m.at
	}
	return all, nil
}

func parse(file, content string) ([]mutation, error) {
	var all []mutation
	lines := bufio.NewScanner(strings.NewReader(content))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		at := fmt.Sprintf("%s:%d", file, n)
		if name, ok := strings.CutPrefix(line, "# "); ok {
			all = append(all, mutation{name: name, at: at})
			continue
		}
		if len(all) == 0 || line == "" {
			continue
		}
		if err := all[len(all)-1].take(line); err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
	}
	for i, m := range all {
		if m.file == "" || m.old == "" || m.old == m.new || (len(m.tests) == 0 && m.harmless == "") {
			return nil, fmt.Errorf("%s: %s lacks its file, its tests, or what it changes", m.at, m.name)
		}
		all[i].old, all[i].new = strings.TrimSuffix(m.old, "\n"), strings.TrimSuffix(m.new, "\n")
	}
	return all, lines.Err()
}

func (m *mutation) take(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "file":
		m.file = rest
	case "test":
		folder, run, ok := strings.Cut(rest, " ")
		if !ok {
			return errors.New("a test is a package and a pattern")
		}
		m.tests = append(m.tests, selection{folder, run})
	case "harmless":
		m.harmless = rest
	case "-":
		m.old += rest + "\n"
	case "+":
		m.new += rest + "\n"
	default:
		return fmt.Errorf("a line begins with file, test, harmless, - or +, not with %q", word)
	}
	return nil
}

// mutated is the file with the mutation in it.
func (m mutation) mutated(root string) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", m.at, m.name, err)
	}
	if n := strings.Count(string(content), m.old); n != 1 {
		return nil, fmt.Errorf("%s: %s: what it changes is in %s %d times: it has to be there once", m.at, m.name, m.file, n)
	}
	return []byte(strings.Replace(string(content), m.old, m.new, 1)), nil
}

// chosen are the mutations whose name, file or place in the table contains one of the texts, or all.
func chosen(all []mutation, texts []string) []mutation {
	if len(texts) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(m mutation) bool {
		return !slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(m.name+"\n"+m.file+"\n"+m.at, t) })
	})
}
