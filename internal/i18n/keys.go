package i18n

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Keys are the keys that begin with a prefix, sorted, without it. Both languages have the same.
func Keys(prefix string) []string {
	var found []string
	for _, key := range allKeys() {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			found = append(found, rest)
		}
	}
	return found
}

var allKeys = sync.OnceValue(func() []string {
	raw, err := files.ReadFile("catalogue/" + string(English) + ".json")
	if err != nil {
		panic(fmt.Sprintf("reading the catalogue: %v", err))
	}
	var texts map[string]any
	if err := json.Unmarshal(raw, &texts); err != nil {
		panic(fmt.Sprintf("reading the catalogue: %v", err))
	}
	keys := make([]string, 0, len(texts))
	for key := range texts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
})
