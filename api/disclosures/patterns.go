package disclosures

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
)

// PatternsView is what is noticeable about the looks of a window.
type PatternsView struct {
	Note   string        `json:"note" doc:"What they are, and are not"`
	Days   int           `json:"days"`
	Looks  int           `json:"looks" doc:"How many looks they were found in"`
	More   bool          `json:"more,omitempty" doc:"There were more looks: the latest were read"`
	Items  []PatternView `json:"items"`
	Hidden []HiddenView  `json:"hidden" doc:"Legal entities of whose people nothing is shown"`
}

// HiddenView is a legal entity of whose people no patterns are shown.
type HiddenView struct {
	ID   uuid.UUID `json:"id"`
	Name string    `json:"name"`
}

// PatternView is what is noticeable about looks of one person.
type PatternView struct {
	Kind     disclosure.PatternKind `json:"kind"`
	KindText string                 `json:"kind_text"`
	Text     string                 `json:"text" doc:"In words, with its numbers"`
	Looker   *render.PersonView     `json:"looker,omitempty"`
	Looks    int                    `json:"looks" doc:"How many looks it is about"`
	People   int                    `json:"people" doc:"At how many people"`
	FirstAt  time.Time              `json:"first_at"`
	LastAt   time.Time              `json:"last_at"`
	Latest   []PatternLook          `json:"latest" doc:"The latest of them, at most 50, newest first"`
}

// PatternLook is a look that a pattern is about.
type PatternLook struct {
	ID          uuid.UUID          `json:"id" doc:"GET /disclosures/{id} tells its reason"`
	AskedAt     time.Time          `json:"asked_at"`
	Person      *render.PersonView `json:"person,omitempty"`
	PurposeText string             `json:"purpose_text"`
}

const patternLooks = 50

func (s *server) registerPatterns() {
	r := s.Resource("Looks at sensitive fields", identity.ScopeDisclosures)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /disclosure-patterns", Summary: "Read what is noticeable about how people looked; that is recorded", To: httpkit.Roles{httpkit.Reviewer}, NoSealedCodes: true,
		More: "Hints with their numbers, and no findings: many people, looks at night, one reason again and again, colleagues of the own department. Never of the reader's own looks, nor of those at the reader's file. Which legal entities' people they are about, two people decide in the permissions.",
	}, s.patterns)
}

func (s *server) patterns(ctx context.Context, in *struct {
	httpkit.Speaking
	Days int `query:"days" default:"30" minimum:"7" maximum:"90" doc:"How far back"`
}) (*httpkit.Answer[PatternsView], error) {
	var p disclosure.Patterns
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		p, err = disclosure.ReadPatterns(tx, httpkit.ActorOf(ctx), in.Days)
		return err
	})
	if err != nil {
		return nil, err
	}
	language := in.Language()
	var ids []uuid.UUID
	for _, f := range p.Found {
		ids = append(ids, f.ActorID)
		for _, g := range latest(f) {
			ids = append(ids, g.EmployeeID)
		}
	}
	people, err := s.PeopleInLog(ctx, language, ids)
	if err != nil {
		return nil, err
	}
	view := PatternsView{Note: i18n.Text(language, "pattern_note"), Days: p.Days, Looks: p.Looks, More: p.More, Items: []PatternView{}, Hidden: []HiddenView{}}
	for _, e := range p.Hidden {
		view.Hidden = append(view.Hidden, HiddenView{e.ID, language.Of(e.NameZh, e.NameEn)})
	}
	for _, f := range p.Found {
		view.Items = append(view.Items, patternView(f, p.Days, people, language))
	}
	return httpkit.AnswerOf(view, nil)
}

// latest are the looks of a pattern that are shown, newest first.
func latest(f disclosure.Pattern) []disclosure.Glance {
	some := slices.Clone(f.Looks[max(0, len(f.Looks)-patternLooks):])
	slices.Reverse(some)
	return some
}

func patternView(f disclosure.Pattern, days int, people render.Named, language i18n.Language) PatternView {
	return PatternView{
		Kind: f.Kind, KindText: closed.Text(language, f.Kind), Looker: people.Of(&f.ActorID), Looks: len(f.Looks), People: f.People, FirstAt: f.First.UTC(), LastAt: f.Last.UTC(),
		Text: fmt.Sprintf(i18n.Text(language, "pattern_text."+string(f.Kind)), days, f.People, len(f.Looks), f.Of, f.Median),
		Latest: httpkit.Each(latest(f), func(g disclosure.Glance) PatternLook {
			return PatternLook{g.ID, g.At.UTC(), people.Of(&g.EmployeeID), closed.Text(language, g.Purpose)}
		}),
	}
}
