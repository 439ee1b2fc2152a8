package compose

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

type stage struct {
	name, base string
	user       string
	copiesFrom []string
	lines      []string
}

// stages splits a Dockerfile at its FROM lines.
func stages(t *testing.T) []stage {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var all []stage
	for line := range strings.Lines(string(raw)) {
		words := strings.Fields(line)
		if len(words) < 2 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if words[0] == "FROM" {
			s := stage{base: words[1]}
			if len(words) == 4 && words[2] == "AS" {
				s.name = words[3]
			}
			all = append(all, s)
			continue
		}
		if len(all) == 0 {
			t.Fatalf("%q stands before the first FROM", line)
		}
		last := &all[len(all)-1]
		last.lines = append(last.lines, strings.Join(words, " "))
		switch words[0] {
		case "USER":
			last.user = words[1]
		case "COPY", "ADD":
			if from, ok := strings.CutPrefix(words[1], "--from="); ok {
				last.copiesFrom = append(last.copiesFrom, from)
			}
		}
	}
	return all
}

func TestDockerfile(t *testing.T) {
	all := stages(t)
	if len(all) < 2 {
		t.Fatalf("%d stages: the compiler must not be part of what ships", len(all))
	}
	known := map[string]bool{}
	for _, s := range all {
		if s.base != "scratch" && !known[s.base] && !isPinned(s.base) {
			t.Errorf("FROM %s is not pinned", s.base)
		}
		for _, from := range s.copiesFrom {
			if !known[from] {
				t.Errorf("COPY --from=%s: there is no such stage before", from)
			}
		}
		known[s.name] = true
	}
	last := all[len(all)-1]
	if !regexp.MustCompile(`^[1-9]\d*(:[1-9]\d*)?$`).MatchString(last.user) {
		t.Errorf("the last stage runs as %q; a number above 0 is what Kubernetes can check", last.user)
	}
	for _, s := range ours(t, project(t)) {
		if !known[s.Build.Target] {
			t.Errorf("%s builds the stage %q, which does not exist", s.Name, s.Build.Target)
		}
	}
	if !strings.Contains(strings.Join(all[0].lines, "\n"), "CGO_ENABLED=0") {
		t.Error("the binary is not built static")
	}
}

func TestTheImageIsBuiltWithTheModulesGo(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(string(raw))
	if version == nil {
		t.Fatal("go.mod names no version of Go")
	}
	if base := stages(t)[0].base; !strings.HasPrefix(base, "golang:"+version[1]+"-") {
		t.Errorf("go.mod wants Go %s, the image is built from %s", version[1], base)
	}
}
