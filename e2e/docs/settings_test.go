package docs

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lethe/internal/config"
)

func TestGeneratedSettings(t *testing.T) {
	block(t, "README.md", "settings", settings("Variable", "Default", "Read by", "Meaning", "required", "secret: or `…_FILE`",
		func(v config.Variable) string { return v.DescriptionEN }))
	block(t, "README.zh-CN.md", "settings", settings("变量", "默认值", "读取者", "含义", "必填", "机密，可改用 `…_FILE`",
		func(v config.Variable) string { return v.DescriptionZH }))
}

func settings(name, byDefault, readBy, meaning, required, secret string, describe func(config.Variable) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s | %s | %s | %s |\n| --- | --- | --- | --- |\n", name, byDefault, readBy, meaning)
	for _, v := range config.Variables() {
		value := "`" + v.Default + "`"
		switch {
		case v.Required:
			value = required
			if !slices.Equal(v.RequiredBy, v.UsedBy) { // the others read it and do without
				value += " (" + strings.Join(v.RequiredBy, ", ") + ")"
			}
		case v.Default == "":
			value = ""
		}
		text := describe(v)
		if v.Secret {
			text += " (" + secret + ")"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", v.Name, value, strings.Join(v.UsedBy, ", "), text)
	}
	return b.String()
}
