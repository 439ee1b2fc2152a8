package connector

import (
	"fmt"
	"maps"
	"slices"
)

// System is one configured outside system.
type System struct {
	Name      string
	Kind      string
	Protocol  string // empty of one that was not read from a file
	Connector Connector
}

// Factory builds the connector of one protocol.
type Factory func(SystemConfig) (Connector, error)

// Registry holds the configured systems by name. It does not change once built.
type Registry struct {
	systems map[string]System
	byHand  []ByHand
}

// NewRegistry builds the connectors of all systems. Protocols are handed in so
// that the port imports none of them.
func NewRegistry(configs []SystemConfig, protocols map[string]Factory) (*Registry, error) {
	systems := make([]System, 0, len(configs))
	for _, c := range configs {
		if err := c.validate(); err != nil {
			return nil, fmt.Errorf("system %q: %w", c.Name, err)
		}
		build, ok := protocols[c.Protocol]
		if !ok {
			return nil, fmt.Errorf("system %q: unknown protocol %q", c.Name, c.Protocol)
		}
		conn, err := build(c)
		if err != nil {
			return nil, fmt.Errorf("system %q: %w", c.Name, err)
		}
		systems = append(systems, System{Name: c.Name, Kind: c.Kind, Protocol: c.Protocol, Connector: conn})
	}
	return RegistryOf(systems...)
}

// RegistryOf builds a registry of systems that exist already.
func RegistryOf(systems ...System) (*Registry, error) {
	r := &Registry{systems: make(map[string]System, len(systems))}
	for _, s := range systems {
		if _, dup := r.systems[s.Name]; dup {
			return nil, fmt.Errorf("system %q is listed twice", s.Name)
		}
		r.systems[s.Name] = s
	}
	return r, nil
}

// LoadFile reads the list of systems from a file and builds their connectors.
func LoadFile(path string, protocols map[string]Factory) (*Registry, error) {
	file, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := NewRegistry(file.Systems, protocols)
	if err == nil {
		r.byHand = file.ByHand
	}
	return r, err
}

// ByHand is what no connector reaches.
func (r *Registry) ByHand() []ByHand { return r.byHand }

// WithByHand is the registry with what no connector reaches.
func (r *Registry) WithByHand(all ...ByHand) *Registry {
	return &Registry{systems: r.systems, byHand: all}
}

// Get returns the system of that name.
func (r *Registry) Get(name string) (System, bool) {
	s, ok := r.systems[name]
	return s, ok
}

// Names returns the names of all systems, sorted.
func (r *Registry) Names() []string {
	return slices.Sorted(maps.Keys(r.systems))
}

// Close lets go of what the connectors keep open, such as idle connections. It is
// for the end of a process or a test; no call may be under way.
func (r *Registry) Close() {
	for _, s := range r.systems {
		if c, ok := s.Connector.(interface{ Close() }); ok {
			c.Close()
		}
	}
}
