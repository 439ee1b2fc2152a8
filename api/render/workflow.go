package render

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// WorkflowView says which workflow carries something out, for it_ops.
type WorkflowView struct {
	ID    string `json:"id"`
	RunID string `json:"run_id" doc:"Empty in lists, and while Temporal cannot be asked or knows no run"`
	URL   string `json:"url" doc:"In Temporal UI"`
}

// runLimit keeps a Temporal that does not answer from holding up what the database knows.
const runLimit = time.Second

// Workflow names the workflow and links to it. Temporal is not asked.
func (s *Renderer) Workflow(id string) *WorkflowView {
	v := &WorkflowView{ID: id}
	if s.TemporalUIURL != "" {
		v.URL = strings.TrimRight(s.TemporalUIURL, "/") + "/namespaces/" + url.PathEscape(s.TemporalNamespace) + "/workflows/" + url.PathEscape(id)
	}
	return v
}

// RunOf asks Temporal in which run a workflow is: for one that is shown by itself, not for a list.
func (s *Renderer) RunOf(ctx context.Context, id string) string {
	if s.Workflows == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	run, err := s.Workflows.RunID(ctx, id)
	if err != nil {
		slog.DebugContext(ctx, "no run known", "workflow_id", id)
		return ""
	}
	return run
}
