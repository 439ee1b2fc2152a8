package api

import (
	"context"
	"time"

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
	Name string `path:"name" maxLength:"64"`
}

func (s *server) registerSystems() {
	r := s.resource("Systems", identity.ScopeAccounts)
	handle(r, route{at: "GET /systems", summary: "The connected systems", to: staff}, s.listSystems)
	handle(r, route{at: "POST /systems/{name}/check", summary: "Ask a system whether it answers and accepts our credentials", to: roles{it}}, s.checkSystem)
}

func (s *server) listSystems(context.Context, *struct{}) (*answer[Page[System]], error) {
	page := Page[System]{Items: []System{}}
	for _, name := range s.Systems.Names() {
		if system, ok := s.Systems.Get(name); ok {
			page.Items = append(page.Items, System{Name: system.Name, Kind: system.Kind})
		}
	}
	return &answer[Page[System]]{page}, nil
}

func (s *server) checkSystem(ctx context.Context, in *bySystem) (*answer[SystemHealth], error) {
	system, ok := s.Systems.Get(in.Name)
	if !ok {
		return nil, problem(codeNotFound)
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
	return &answer[SystemHealth]{health}, nil
}
