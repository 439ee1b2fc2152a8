package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What becomes of a mutation.
type fate string

const (
	killed   fate = "killed"
	harmless fate = "harmless"
	survived fate = "survived"
	wrong    fate = "wrong" // the entry of the table: nothing can be said
)

type outcome struct {
	mutation
	fate fate
	by   string // the test that failed, or what is wrong
	took time.Duration
}

// runner runs tests over the tree with one file replaced. No file of the tree is ever changed.
type runner struct {
	root    string
	scratch string
	limit   time.Duration // for the tests of one package, not for compiling them
}

// green runs the tests of the mutations once without any: a test that fails by itself notices nothing.
func (r runner) green(ctx context.Context, mutations []mutation) error {
	tests := map[string][]string{}
	for _, m := range mutations {
		for _, t := range m.tests {
			if m.harmless == "" && !slices.Contains(tests[t.folder], t.run) {
				tests[t.folder] = append(tests[t.folder], t.run)
			}
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(tests)) {
		command := exec.CommandContext(ctx, "go", "test", "-count=1", "-vet=off",
			"-run="+strings.Join(tests[folder], "|"), folder)
		command.Dir = r.root
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("the tests of %s fail without any mutation: %w\n%s", folder, err, out)
		}
	}
	return nil
}

func (r runner) run(ctx context.Context, m mutation) outcome {
	begun := time.Now()
	o := outcome{mutation: m}
	if m.harmless != "" {
		o.fate, o.by = harmless, m.harmless
		return o
	}
	overlay, err := r.overlay(m)
	if err != nil {
		o.fate, o.by = wrong, err.Error()
		return o
	}
	for _, t := range m.tests {
		o.fate, o.by = r.test(ctx, overlay, t)
		if o.fate != survived {
			break
		}
	}
	o.took = time.Since(begun).Round(time.Second)
	return o
}

// overlay writes the mutated file and what tells the compiler to take it.
func (r runner) overlay(m mutation) (string, error) {
	content, err := m.mutated(r.root)
	if err != nil {
		return "", err
	}
	folder, err := os.MkdirTemp(r.scratch, "mutation-")
	if err != nil {
		return "", fmt.Errorf("making a folder: %w", err)
	}
	path := filepath.Join(folder, filepath.Base(m.file))
	list, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(r.root, filepath.FromSlash(m.file)): path},
	})
	if err != nil {
		return "", fmt.Errorf("writing an overlay: %w", err)
	}
	overlay := filepath.Join(folder, "overlay.json")
	if err := errors.Join(os.WriteFile(path, content, 0o600), os.WriteFile(overlay, list, 0o600)); err != nil {
		return "", fmt.Errorf("writing an overlay: %w", err)
	}
	return overlay, nil
}

var failedTest = regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)

func (r runner) test(ctx context.Context, overlay string, t selection) (fate, string) {
	command := exec.CommandContext(ctx, "go", "test", "-count=1", "-vet=off", "-failfast",
		"-timeout="+r.limit.String(), "-overlay="+overlay, "-run="+t.run, t.folder)
	command.Dir = r.root
	out, err := command.CombinedOutput()
	text := string(out)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return wrong, "interrupted"
	case err == nil && strings.Contains(text, "[no tests to run]"):
		return wrong, "no test has a name like " + t.run
	case err == nil:
		return survived, ""
	case !errors.As(err, &exit):
		return wrong, err.Error()
	case strings.Contains(text, "[build failed]"), strings.Contains(text, "[setup failed]"):
		return wrong, "it does not compile: " + firstLines(text)
	case strings.Contains(text, "panic: test timed out"):
		return killed, "the time limit of " + r.limit.String()
	}
	if found := failedTest.FindStringSubmatch(text); found != nil {
		return killed, found[1]
	}
	return killed, t.folder + " as a whole: " + firstLines(text)
}

func firstLines(text string) string {
	return strings.Join(strings.SplitN(strings.TrimSpace(text), "\n", 4)[:min(3, strings.Count(strings.TrimSpace(text), "\n")+1)], " | ")
}
