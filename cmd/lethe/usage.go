package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"
)

// misuses are the ways in which a command can be written wrongly, as the parser says them, and what they are in
// Chinese. What is none of them is told in general.
var misuses = []struct {
	english *regexp.Regexp
	chinese string
}{
	{regexp.MustCompile(`^unknown flag (\S+?)(, did you mean .*)?$`), "没有选项 $1"},
	{regexp.MustCompile(`^unexpected argument (\S+?)(, did you mean .*)?$`), "不认识“$1”"},
	{regexp.MustCompile(`^missing flags: (.*)$`), "缺少选项：$1"},
	{regexp.MustCompile(`^(?:missing positional arguments|expected) ("?<.*)$`), "缺少参数：$1"},
	{regexp.MustCompile(`^expected one of (.*)$`), "缺少子命令，可用的有 $1"},
	{regexp.MustCompile(`^(\S+) must be one of (.*) but got (.*)$`), "$1 应为 $2 之一，不能是 $3"},
	{regexp.MustCompile(`^(\S+): expected an? (?:valid \d+ bit )?u?int but got ("[^"]*").*$`), "$1 应为整数，不能是 $2"},
	{regexp.MustCompile(`^(\S+): expected duration but got ("[^"]*").*$`), "$1 应为时长（例如 720h），不能是 $2"},
	{regexp.MustCompile(`^(\S+): missing value.*$`), "$1 缺少值"},
	{regexp.MustCompile(`^(\S+): .*$`), "$1 的值不正确"},
}

// misused tells in both languages what is wrong with a command line: which of them somebody reads is not known
// before it is understood.
func misused(w io.Writer, err error) {
	english := strings.ReplaceAll(err.Error(), `,""`, "") // what is left out is no choice to offer
	chinese := "命令行有误"
	for _, m := range misuses {
		if m.english.MatchString(english) {
			chinese = m.english.ReplaceAllString(english, m.chinese)
			break
		}
	}
	_, _ = fmt.Fprintf(w, "lethe: %s\nlethe: %s\n", english, chinese)
	_, _ = fmt.Fprintln(w, "lethe COMMAND --help  用法 · usage")
}
