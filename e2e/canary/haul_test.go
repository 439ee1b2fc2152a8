package canary

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/proto"

	"lethe/e2e/harness"
	"lethe/internal/database"
	"lethe/internal/payload"
)

// catch is something that was read, and where.
type catch struct {
	where   string
	content []byte
}

// haul collects what is to be searched.
type haul []catch

func (h *haul) add(where string, content []byte) { *h = append(*h, catch{where, content}) }

// search reports every find of a net. It is no error of the test that reads, so it says what it saw.
func (h haul) search(net Net) (found []string) {
	for _, c := range h {
		for _, f := range net.Find(c.content) {
			found = append(found, c.where+": "+f)
		}
	}
	return found
}

func (h haul) size() (bytes int) {
	for _, c := range h {
		bytes += len(c.content)
	}
	return bytes
}

// files adds every file under a folder.
func (h *haul) files(folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || (err == nil && !entry.Type().IsRegular()) {
			return nil // a server's temporary file
		}
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			h.add(path, content)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

// tables adds every column of every row of every table, as text; bytea is hex there.
func (h *haul) tables(ctx context.Context, db *database.DB) error {
	var names []string
	err := db.Read(ctx).Raw(`SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables
		WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`).Scan(&names).Error
	if err != nil {
		return err
	}
	if len(names) < 2 {
		return errors.New("there are no tables to search")
	}
	for _, name := range names {
		var rows []string
		if err := db.Read(ctx).Raw("SELECT t::text FROM " + name + " AS t").Scan(&rows).Error; err != nil {
			return err
		}
		h.add("table "+name, []byte(strings.Join(rows, "\n")))
	}
	return nil
}

// temporal adds every workflow that Temporal knows: what lists show, each event as it is stored, and
// each payload as the codec reads it. A payload that is not encrypted is an error, search attributes
// excepted: those are indexed.
func (h *haul) temporal(ctx context.Context, c client.Client, namespace string, codec *payload.Codec) (workflows int, err error) {
	var token []byte
	for {
		page, err := c.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, NextPageToken: token})
		if err != nil {
			return workflows, err
		}
		for _, e := range page.GetExecutions() {
			workflows++
			raw, err := proto.Marshal(e)
			if err != nil {
				return workflows, err
			}
			where := "workflow " + e.GetExecution().GetWorkflowId() + " " + e.GetExecution().GetRunId()
			h.add(where, raw)
			if err := h.history(ctx, c, namespace, where, e.GetExecution(), codec); err != nil {
				return workflows, fmt.Errorf("%s: %w", where, err)
			}
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			return workflows, nil
		}
	}
}

func (h *haul) history(ctx context.Context, c client.Client, namespace, where string, run *commonpb.WorkflowExecution, codec *payload.Codec) error {
	var token []byte
	for {
		page, err := c.WorkflowService().GetWorkflowExecutionHistory(ctx, &workflowservice.GetWorkflowExecutionHistoryRequest{
			Namespace: namespace, Execution: run, NextPageToken: token,
			HistoryEventFilterType: enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT,
		})
		if err != nil {
			return err
		}
		for _, event := range page.GetHistory().GetEvents() {
			if err := h.event(ctx, where, event, codec); err != nil {
				return err
			}
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			return nil
		}
	}
}

func (h *haul) event(ctx context.Context, where string, event *historypb.HistoryEvent, codec *payload.Codec) error {
	where = fmt.Sprintf("%s, event %d %s", where, event.GetEventId(), event.GetEventType())
	raw, err := proto.Marshal(event)
	if err != nil {
		return err
	}
	h.add(where, raw)
	return proxy.VisitPayloads(ctx, event, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
			plain, err := codec.Decode(payloads)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", where, err)
			}
			for _, p := range plain {
				h.add(where+", decoded", p.GetData())
			}
			return payloads, nil
		},
	})
}

// pages adds what the ops ports show of themselves.
func (h *haul) pages(ctx context.Context, t testing.TB, stack *harness.Stack) {
	t.Helper()
	for _, address := range stack.OpsAddresses {
		for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s, %v", path, resp.Status, err)
			}
			h.add(path+" of "+address, content)
		}
	}
}
