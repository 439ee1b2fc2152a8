package accounts

import (
	"cmp"
	"context"
	"time"

	"lethe/api/httpkit"
	"lethe/internal/connector"
	"lethe/internal/i18n"
	"lethe/internal/identity"
)

// System is one connected system.
type System struct {
	Name string `json:"name" example:"mail"`
	Kind string `json:"kind" doc:"What it is for" example:"mail"`
	Text string `json:"system_text" doc:"What people call the system: its kind, and its name if that is another"`
}

func systemView(language i18n.Language, system connector.System) System {
	return System{Name: system.Name, Kind: system.Kind, Text: SystemText(language, system.Name, system.Kind)}
}

// SystemHealth is what a check of a system came to.
type SystemHealth struct {
	System
	Healthy   bool       `json:"healthy"`
	Code      caseReason `json:"code,omitempty" doc:"What is wrong: stable, for programs" example:"unauthorized"`
	CodeText  string     `json:"code_text,omitempty"`
	Millis    int64      `json:"ms" doc:"How long the answer took, in milliseconds"`
	CheckedAt time.Time  `json:"checked_at"`
}

const checkLimit = 10 * time.Second

type bySystem struct {
	httpkit.Speaking
	Name string `path:"name" maxLength:"64" doc:"The system's name"`
}

func (s *server) registerSystems() {
	r := s.Resource("Systems", identity.ScopeAccounts)
	httpkit.Handle(r, httpkit.Route{At: "GET /systems", Summary: "The connected systems", To: httpkit.Staff}, s.listSystems)
	httpkit.Handle(r, httpkit.Route{At: "POST /systems/{name}/check", Summary: "Ask a system whether it answers and accepts our credentials", To: httpkit.Roles{httpkit.IT}}, s.checkSystem)
}

// unknownSystem is a problem of a code that names the connected systems.
func (s *server) unknownSystem(code, location string) *httpkit.Problem {
	return httpkit.NewProblem(code, httpkit.FieldError{Location: location, Code: CodeUnknownSystem, Allowed: s.Systems.Names()})
}

func (s *server) listSystems(_ context.Context, in *struct{ httpkit.Speaking }) (*httpkit.Answer[httpkit.Page[System]], error) {
	page := httpkit.Page[System]{Items: []System{}}
	for _, name := range s.Systems.Names() {
		if system, ok := s.Systems.Get(name); ok {
			page.Items = append(page.Items, systemView(in.Language(), system))
		}
	}
	return &httpkit.Answer[httpkit.Page[System]]{Body: page}, nil
}

func (s *server) checkSystem(ctx context.Context, in *bySystem) (*httpkit.Answer[SystemHealth], error) {
	system, ok := s.Systems.Get(in.Name)
	if !ok {
		return nil, s.unknownSystem(httpkit.CodeNotFound, "path.name")
	}
	now, err := s.DB.Now(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	begin := time.Now()
	health := SystemHealth{System: systemView(in.Language(), system), Healthy: true, CheckedAt: now}
	if err := system.Connector.Health(ctx); err != nil {
		health.Healthy = false
		code := cmp.Or(connector.CodeOf(err), connector.CodeUnavailable)
		health.Code, health.CodeText = caseReason(code), i18n.Text(in.Language(), "case_reason."+string(code))
	}
	health.Millis = time.Since(begin).Milliseconds()
	return &httpkit.Answer[SystemHealth]{Body: health}, nil
}
