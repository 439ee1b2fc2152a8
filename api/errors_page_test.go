package api_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lethe/api/httpkit"
	"lethe/internal/i18n"
)

const errorsPage = "../docs/errors.md"

// TestTheCatalogueOfErrors keeps docs/errors.md to the codes and texts that there are.
func TestTheCatalogueOfErrors(t *testing.T) {
	var page strings.Builder
	page.WriteString(`# Errors

Every refusal is ` + "`application/problem+json`" + ` (RFC 9457) with a ` + "`code`" + ` that stays what it is; texts may change. Decide by the code, show the texts. Codes of single fields, in ` + "`errors[]`" + `, follow below.

| code | status | in English | 中文 |
| --- | --- | --- | --- |
`)
	cell := func(language i18n.Language, keys ...string) string {
		var texts []string
		for _, key := range keys {
			if text, ok := i18n.Lookup(language, key); ok {
				texts = append(texts, strings.ReplaceAll(strings.TrimRight(text, ".。"), "|", "\\|"))
			}
		}
		return strings.Join(texts, map[i18n.Language]string{i18n.English: ". ", i18n.Chinese: "；"}[language])
	}
	for _, code := range slices.Sorted(maps.Keys(httpkit.Statuses)) {
		key := "problem." + code
		fmt.Fprintf(&page, "| `%s` | %d | %s | %s |\n", code, httpkit.Statuses[code], cell(i18n.English, key+".title", key+".hint"), cell(i18n.Chinese, key+".title", key+".hint"))
	}
	page.WriteString("\n## Of a field\n\n| code | in English | 中文 |\n| --- | --- | --- |\n")
	for _, code := range slices.Sorted(slices.Values(httpkit.FieldCodes)) {
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", code, cell(i18n.English, "field."+code), cell(i18n.Chinese, "field."+code))
	}
	if *update {
		if err := os.WriteFile(errorsPage, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(errorsPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(written), page.String()); diff != "" {
		t.Errorf("the page is of other errors; go test ./api -run TheCatalogueOfErrors -update (-page +errors):\n%s", diff)
	}
}
