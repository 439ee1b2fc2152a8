package render

import (
	"strconv"
	"strings"
	"time"

	"lethe/internal/i18n"
)

// Duration is how long something took, in its two largest units and rounded down; below a minute in seconds.
func Duration(language i18n.Language, d time.Duration) string {
	units := []struct {
		name string
		of   time.Duration
	}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}, {"seconds", time.Second}}
	var parts []string
	for i, unit := range units {
		n := int(d / unit.of)
		d -= time.Duration(n) * unit.of
		if n > 0 || len(parts) == 0 && i == len(units)-1 {
			parts = append(parts, strings.ReplaceAll(i18n.Plural(language, "duration."+unit.name, n), "%d", strconv.Itoa(n)))
		}
		if n == 0 && len(parts) > 0 || len(parts) == 2 {
			break
		}
	}
	return strings.Join(parts, " ")
}
