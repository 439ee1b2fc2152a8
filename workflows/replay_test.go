package workflows_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"lethe/internal/payload"
	"lethe/workflows"
)

// I16: what a released version left asleep goes on under this code. The histories were recorded by
// e2e/record from the released commit, one folder for each release, and are only ever added.
func TestI16_HistoriesOfReleasesReplay(t *testing.T) {
	releases, err := filepath.Glob("testdata/histories/*")
	if err != nil || len(releases) == 0 {
		t.Fatalf("no recorded histories: %v", err)
	}
	for _, release := range releases {
		t.Run(filepath.Base(release), func(t *testing.T) { replayRelease(t, release) })
	}
}

func replayRelease(t *testing.T, folder string) {
	codec := loadCodec(t, filepath.Join(folder, "codec.json"))
	replayer, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		DataConverter: codec.DataConverter(), FailureConverter: codec.FailureConverter(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]any{
		workflows.TypeDeparture: workflows.Departure, workflows.TypeUnlinking: workflows.AccountUnlinking,
		workflows.TypeRetention: workflows.Retention, workflows.TypePurge: workflows.Purge,
		workflows.TypeBatch: workflows.Batch, workflows.TypeReconciliation: workflows.Reconciliation,
	} {
		replayer.RegisterWorkflowWithOptions(f, workflow.RegisterOptions{Name: name})
	}
	kinds := map[string]int{}
	files, err := filepath.Glob(filepath.Join(folder, "*-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		in, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		h, err := client.HistoryFromJSON(in, client.HistoryJSONOptions{})
		_ = in.Close()
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if err := replayer.ReplayWorkflowHistory(nil, h); err != nil {
			t.Errorf("%s does not replay: %v", file, err)
		}
		kind, _, _ := strings.Cut(filepath.Base(file), "-")
		kinds[kind]++
	}
	wanted := []string{"departure", "operation", "retention", "purge"}
	if release := filepath.Base(folder); release != "v0.1.0" && release != "v0.2.0" { // they knew no files of people
		wanted = append(wanted, "batch")
		if release != "v0.3.0-files" { // its systems were not compared
			wanted = append(wanted, "reconciliation")
		}
	}
	for _, kind := range wanted {
		if kinds[kind] == 0 {
			t.Errorf("no history of a %s", kind)
		}
	}
}

// loadCodec copies the key of a recording to where its mode is as the codec wants it.
func loadCodec(t *testing.T, path string) *payload.Codec {
	t.Helper()
	key, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	private := filepath.Join(t.TempDir(), "codec.json")
	if err := os.WriteFile(private, key, 0o600); err != nil {
		t.Fatal(err)
	}
	codec, err := payload.Load(private)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}
