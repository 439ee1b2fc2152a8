// Package render is what the views of several resources show: people by name, workflows for IT operations, and to whom
// what somebody left behind has passed.
package render

import (
	"context"

	"lethe/api/httpkit"
)

// Renderer reads what views show.
type Renderer struct {
	*httpkit.API
	// Workflows, if given, tells which run a workflow is in; nil or unreachable: no run is shown.
	Workflows Workflows
	// TemporalUIURL is where Temporal UI is, for the links that IT operations get; empty: no links.
	TemporalUIURL     string
	TemporalNamespace string
}

// Workflows tells which run a workflow is in.
type Workflows interface {
	RunID(ctx context.Context, workflowID string) (string, error)
}
