package launch

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func itoa(n int) string { return strconv.Itoa(n) }

// builtTemporal is what `make bin/temporal` builds.
func builtTemporal(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/temporal")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func startTestTemporal(t *testing.T, opts TemporalOptions) *TemporalServer {
	t.Helper()
	server, err := Temporal(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Kill() })
	return server
}

func dial(t *testing.T, server *TemporalServer) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(server.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func attributesOf(t *testing.T, server *TemporalServer) map[string]bool {
	t.Helper()
	answer, err := operatorservice.NewOperatorServiceClient(dial(t, server)).ListSearchAttributes(t.Context(),
		&operatorservice.ListSearchAttributesRequest{Namespace: server.Namespace()})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for name := range answer.GetCustomAttributes() {
		names[name] = true
	}
	return names
}

func describe(t *testing.T, server *TemporalServer, workflowID string) error {
	t.Helper()
	_, err := workflowservice.NewWorkflowServiceClient(dial(t, server)).DescribeWorkflowExecution(t.Context(),
		&workflowservice.DescribeWorkflowExecutionRequest{Namespace: server.Namespace(), Execution: &common.WorkflowExecution{WorkflowId: workflowID}})
	return err
}

func TestTemporalKeepsDataThroughKillAndForgetsThemWithTheFile(t *testing.T) {
	opts := TemporalOptions{
		Binary:           builtTemporal(t),
		DataFile:         filepath.Join(closedFolder(t), "temporal.db"),
		SearchAttributes: map[string]string{"LetheStage": "Keyword"},
		CodecEndpoint:    "http://127.0.0.1:9/secret-path",
	}
	server := startTestTemporal(t, opts)
	requireCodecEndpoint(t, server, opts.CodecEndpoint)
	_, err := workflowservice.NewWorkflowServiceClient(dial(t, server)).StartWorkflowExecution(t.Context(), &workflowservice.StartWorkflowExecutionRequest{
		Namespace: server.Namespace(), WorkflowId: "kept", RequestId: "1",
		WorkflowType: &common.WorkflowType{Name: "Sleeper"}, TaskQueue: &taskqueue.TaskQueue{Name: "core"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}

	opts.Port, opts.UIPort = server.port, server.uiPort
	opts.SearchAttributes["LetheWake"] = "Datetime" // new in this release
	begin := time.Now()
	server = startTestTemporal(t, opts)
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the second start took %s", took)
	}
	if err := describe(t, server, "kept"); err != nil {
		t.Errorf("the workflow is lost: %v", err)
	}
	if got := attributesOf(t, server); !got["LetheStage"] || !got["LetheWake"] {
		t.Errorf("search attributes %v", got)
	}
	if _, err := Temporal(t.Context(), TemporalOptions{Binary: opts.Binary, DataFile: opts.DataFile}); !errors.Is(err, ErrInUse) {
		t.Errorf("a second server on the same file: %v", err)
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}

	if err := RemoveTemporalData(opts.DataFile); err != nil {
		t.Fatal(err)
	}
	server = startTestTemporal(t, opts)
	if err := describe(t, server, "kept"); err == nil {
		t.Error("the workflow outlived its data file")
	}
	if got := attributesOf(t, server); !got["LetheStage"] || !got["LetheWake"] {
		t.Errorf("search attributes after the loss %v", got)
	}
	requireRetention(t, server, 7*24*time.Hour)
}

func requireRetention(t *testing.T, server *TemporalServer, want time.Duration) {
	t.Helper()
	answer, err := workflowservice.NewWorkflowServiceClient(dial(t, server)).DescribeNamespace(t.Context(),
		&workflowservice.DescribeNamespaceRequest{Namespace: server.Namespace()})
	if err != nil {
		t.Fatal(err)
	}
	if got := answer.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(); got != want {
		t.Errorf("retention %s, want %s", got, want)
	}
}

func requireCodecEndpoint(t *testing.T, server *TemporalServer, endpoint string) {
	t.Helper()
	response, err := http.Get(server.UIURL() + "/api/v1/settings")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if err != nil || !strings.Contains(string(body), endpoint) {
		t.Errorf("the UI does not know the codec endpoint (%v): %s", err, body)
	}
}

func TestTemporalInMemoryAndHeadless(t *testing.T) {
	server := startTestTemporal(t, TemporalOptions{Binary: builtTemporal(t), Headless: true, Namespace: "other"})
	if server.UIURL() != "" || server.Namespace() != "other" {
		t.Errorf("UI %q, namespace %q", server.UIURL(), server.Namespace())
	}
	if err := server.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTemporalMissing(t *testing.T) {
	_, err := Temporal(t.Context(), TemporalOptions{Binary: filepath.Join(t.TempDir(), "temporal")})
	if !errors.Is(err, ErrNoTemporal) || !strings.Contains(err.Error(), "make bin/temporal") {
		t.Errorf("Temporal = %v", err)
	}
}

func TestTemporalShowsWhyItDoesNotStart(t *testing.T) {
	file := filepath.Join(closedFolder(t), "temporal.db")
	if err := os.WriteFile(file, []byte("this is no database, only a text of some length"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Temporal(t.Context(), TemporalOptions{Binary: builtTemporal(t), DataFile: file, Headless: true})
	var exit *ExitError
	if !errors.As(err, &exit) || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("Temporal = %v", err)
	}
}
