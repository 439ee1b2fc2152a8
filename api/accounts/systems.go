package accounts

import (
	"context"
	"time"

	"lethe/api/httpkit"
	"lethe/internal/connector"
	"lethe/internal/identity"
)

// System is one connected system.
type System struct {
	Name string `json:"name" example:"mail"`
	Kind string `json:"kind" doc:"What it is for" example:"mail"`
}

// SystemHealth is what a check of a system came to.
type SystemHealth struct {
	System
	Healthy   bool           `json:"healthy"`
	Code      connector.Code `json:"code,omitempty" doc:"What is wrong: stable, for programs" example:"unauthorized"`
	Millis    int64          `json:"ms" doc:"How long the answer took, in milliseconds"`
	CheckedAt time.Time      `json:"checked_at"`
}

const checkLimit = 10 * time.Second

type bySystem struct {
	Name string `path:"name" maxLength:"64" doc:"The system's name"`
}

func (s *server) registerSystems() {
	r := s.Resource("Systems", identity.ScopeAccounts)
	httpkit.Handle(r, httpkit.Route{At: "GET /systems", Summary: "The connected systems", To: httpkit.Staff}, s.listSystems)
	httpkit.Handle(r, httpkit.Route{At: "POST /systems/{name}/check", Summary: "Ask a system whether it answers and accepts our credentials", To: httpkit.Roles{httpkit.IT}}, s.checkSystem)
}

func (s *server) listSystems(context.Context, *struct{}) (*httpkit.Answer[httpkit.Page[System]], error) {
	page := httpkit.Page[System]{Items: []System{}}
	for _, name := range s.Systems.Names() {
		if system, ok := s.Systems.Get(name); ok {
			page.Items = append(page.Items, System{Name: system.Name, Kind: system.Kind})
		}
	}
	return &httpkit.Answer[httpkit.Page[System]]{Body: page}, nil
}

func (s *server) checkSystem(ctx context.Context, in *bySystem) (*httpkit.Answer[SystemHealth], error) {
	system, ok := s.Systems.Get(in.Name)
	if !ok {
		return nil, httpkit.NewProblem(httpkit.CodeNotFound)
	}
	now, err := s.DB.Now(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	begin := time.Now()
	health := SystemHealth{System: System{Name: system.Name, Kind: system.Kind}, Healthy: true, CheckedAt: now}
	if err := system.Connector.Health(ctx); err != nil {
		health.Healthy = false
		if health.Code = connector.CodeOf(err); health.Code == "" {
			health.Code = connector.CodeUnavailable
		}
	}
	health.Millis = time.Since(begin).Milliseconds()
	return &httpkit.Answer[SystemHealth]{Body: health}, nil
}
