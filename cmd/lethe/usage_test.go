package main

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// TestUsageErrorsAreInBothLanguages, end with 2, and offer nothing that means "left out".
func TestUsageErrorsAreInBothLanguages(t *testing.T) {
	for _, c := range []struct {
		args             []string
		english, chinese string
	}{
		{[]string{"depart"}, `expected "<employee-no>"`, `缺少参数："<employee-no>"`},
		{[]string{"depart", "E1", "--kin=death"}, `unknown flag --kin, did you mean "--kind"?`, "没有选项 --kin"},
		{[]string{"depart", "E1", "--lang=fr"}, `--lang must be one of "zh","en" but got "fr"`, `--lang 应为 "zh","en" 之一，不能是 "fr"`},
		{[]string{"list", "--limit=all"}, `--limit: expected a valid 64 bit int but got "all"`, `--limit 应为整数，不能是 "all"`},
		{[]string{"withdraw", "E1"}, "missing flags: --reason=STRING", "缺少选项：--reason=STRING"},
		{[]string{"frob"}, "unexpected argument frob", "不认识“frob”"},
	} {
		var code int
		text := printed(t, func() { code = run(t.Context(), c.args) })
		if code != 2 || !strings.Contains(text, "lethe: "+c.english+"\n") || !strings.Contains(text, "lethe: "+c.chinese+"\n") {
			t.Errorf("lethe %v: exit %d\n%s", c.args, code, text)
		}
	}
}

func TestCompletion(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.Name("lethe"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		words, want []string
	}{
		{[]string{"wi"}, []string{"witness", "withdraw"}},
		{[]string{"cases", ""}, []string{"list", "show", "retry", "resolved", "waive"}},
		{[]string{"cases", "retry", "--re"}, []string{"--reason"}},
		{[]string{"depart", "E1", "--kind", "d"}, []string{"dismissal", "death"}},
		{[]string{"depart", "E1", "--kind", "=", "d"}, []string{"dismissal", "death"}},
		{[]string{"depart", "E1", "--kind", "death", "--y"}, []string{"--yes"}},
		{[]string{"completion", "z"}, []string{"zsh"}},
		{[]string{"__"}, nil},
		{nil, candidates(parser.Model.Node, []string{""})},
	} {
		got := candidates(parser.Model.Node, c.words)
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %s", c.words, cmp.Diff(c.want, got))
		}
	}
}

// TestBashCompletes asks a bash that has read the script, with this very binary as lethe.
func TestBashCompletes(t *testing.T) {
	if os.Getenv("LETHE_TEST_COMPLETE") != "" {
		os.Exit(run(t.Context(), append([]string{"__complete"}, strings.Split(os.Getenv("LETHE_TEST_COMPLETE"), "\n")...)))
	}
	script := printed(t, func() { run(t.Context(), []string{"completion", "bash"}) })
	script += `lethe() { shift; LETHE_TEST_COMPLETE="$(IFS=$'\n'; echo "$*")" "$SELF" -test.run='^TestBashCompletes$'; }
COMP_WORDS=(lethe cases re); COMP_CWORD=2; _lethe; echo "${COMPREPLY[@]}"`
	bash := exec.CommandContext(t.Context(), "bash", "-c", script)
	bash.Env = append(os.Environ(), "SELF="+os.Args[0])
	var errs bytes.Buffer
	bash.Stderr = &errs
	out, err := bash.Output()
	if err != nil || strings.TrimSpace(string(out)) != "retry resolved" {
		t.Errorf("%v: %q %s", err, out, errs.String())
	}
}
