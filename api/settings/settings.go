// Package settings tells administrators with which settings the API runs. They are changed on the server alone.
package settings

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/config"
	"lethe/internal/i18n"
	"lethe/internal/ledger"
)

type server struct {
	*httpkit.API
	shown []config.Shown
}

// Register serves the resource.
func Register(kit *httpkit.API, shown []config.Shown) {
	s := &server{kit, shown}
	r := kit.Resource("Settings", "")
	httpkit.Handle(r, httpkit.Route{
		At: "GET /settings", Summary: "Read with which settings the API runs, and since when", To: httpkit.Roles{httpkit.HR, httpkit.Auditor, httpkit.IT}, Session: true,
		More: "Whoever runs the server changes them there, and each change is an entry of the log. Secrets, addresses of databases and files are not shown.",
	}, s.read)
}

// Settings are what the API was told when it started.
type Settings struct {
	httpkit.Page[Setting]
	Recorded []Recorded `json:"recorded" doc:"Since when each part of the configuration is as it is, by the log"`
}

// Setting is one of them.
type Setting struct {
	Setting     string `json:"setting" doc:"Stable, for programs" example:"session_idle"`
	SettingText string `json:"setting_text" doc:"What it decides, in the caller's language"`
	ValueText   string `json:"value_text" doc:"In the caller's language"`
	Default     bool   `json:"default" doc:"Nobody set it to anything else"`
	WhereText   string `json:"where_text" doc:"Who changes it, and where"`
}

// Recorded is a part of the configuration.
type Recorded struct {
	Part     string    `json:"part" doc:"Stable, for programs" example:"settings_of_serve"`
	PartText string    `json:"part_text"`
	Since    time.Time `json:"since"`
	EntryID  uuid.UUID `json:"entry_id" doc:"The entry of the log that has its digest"`
}

func (s *server) read(ctx context.Context, in *httpkit.Speaking) (*httpkit.Answer[Settings], error) {
	language := in.Language()
	view := Settings{Recorded: []Recorded{}}
	view.Items = httpkit.Each(s.shown, func(c config.Shown) Setting {
		where := "setting_where.server"
		if c.Default {
			where = "setting_where.default"
		}
		return Setting{c.Name, i18n.Text(language, "setting."+c.Name), valueText(language, c.Name, c.Value), c.Default, i18n.Text(language, where)}
	})
	recorded, err := ledger.Configurations(s.DB.Read(ctx))
	if err != nil {
		return nil, err
	}
	for _, r := range recorded {
		if text, ok := i18n.Lookup(language, "configuration."+r.Name); ok {
			view.Recorded = append(view.Recorded, Recorded{r.Name, text, r.RecordedAt.UTC(), r.LedgerEntryID})
		}
	}
	return httpkit.AnswerOf(view, nil)
}

// valueText says the value of a setting in words: a duration by its largest whole unit, operations and choices by their names.
func valueText(language i18n.Language, name string, value any) string {
	var words []string
	switch v := value.(type) {
	case time.Duration:
		return durationText(language, v)
	case int:
		return strconv.Itoa(v)
	case string:
		words = []string{v}
		if text, ok := i18n.Lookup(language, "setting_value."+name+"."+v); ok {
			words = []string{text}
		}
	case []string:
		for _, operation := range v {
			words = append(words, i18n.Text(language, "approval.operation."+operation))
		}
	}
	if text := strings.Join(words, language.Of("、", ", ")); text != "" {
		return text
	}
	return i18n.Text(language, "setting_value.none")
}

func durationText(language i18n.Language, d time.Duration) string {
	for _, unit := range []struct {
		name string
		of   time.Duration
	}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}} {
		if d >= unit.of && d%unit.of == 0 {
			n := int(d / unit.of)
			return strings.ReplaceAll(i18n.Plural(language, "duration."+unit.name, n), "%d", strconv.Itoa(n))
		}
	}
	return strings.ReplaceAll(i18n.Plural(language, "duration.seconds", int(d.Seconds())), "%d", strconv.Itoa(int(d.Seconds())))
}
