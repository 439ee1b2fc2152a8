package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TemporalOptions say how the Temporal dev server runs.
type TemporalOptions struct {
	Binary           string            // the Temporal CLI; empty for bin/temporal, then the PATH
	DataFile         string            // SQLite file, so that sleeping timers survive; empty for memory
	Port             int               // gRPC on 127.0.0.1; 0 for a free one
	PortSetting      string            // variable that chooses it, for the error about a taken one
	UIPort           int               // 0 for a free one; unused when Headless
	UIPortSetting    string            // as PortSetting
	Namespace        string            // empty for "lethe"
	Retention        time.Duration     // of closed workflows; 0 for 7 days
	SearchAttributes map[string]string // name to type: Keyword, Datetime, Int, …
	CodecEndpoint    string            // where the UI decodes payloads; empty for nowhere
	Headless         bool              // without the UI
	LogLevel         string            // empty for "warn"
	LogFile          string            // empty for DataFile + ".log", or nowhere
	StartWithin      time.Duration     // until it is ready; 0 for 60 s
	Progress         io.Writer         // one line per slow step; nil for none
}

// TemporalServer is a running dev server that dies with this process.
type TemporalServer struct {
	*Process
	port, uiPort int
	namespace    string
	lock         *folderLock // nil without a data file
}

// ErrNoTemporal is wrapped when there is no Temporal CLI to start.
var ErrNoTemporal = errors.New("no Temporal CLI found")

// Temporal starts the dev server and returns when its namespace accepts work
// and has its search attributes. A data file that a killed run left is taken
// up as it is. ctx bounds the start, not the server's life.
func Temporal(ctx context.Context, opts TemporalOptions) (*TemporalServer, error) {
	if err := opts.complete(ctx); err != nil {
		return nil, err
	}
	var lock *folderLock
	if opts.DataFile != "" {
		if err := os.MkdirAll(filepath.Dir(opts.DataFile), 0o700); err != nil {
			return nil, fmt.Errorf("create the folder of Temporal's data: %w", err)
		}
		var err error
		if lock, err = acquireSoon(ctx, opts.DataFile+".lock"); err != nil {
			return nil, fmt.Errorf("start temporal: %w", err)
		}
	}
	server, err := startTemporal(ctx, opts)
	if err != nil {
		if lock != nil {
			lock.release()
		}
		return nil, err
	}
	server.lock = lock
	return server, nil
}

func startTemporal(ctx context.Context, opts TemporalOptions) (*TemporalServer, error) {
	if err := CheckPort(ctx, opts.Port, settingName(opts.PortSetting, "Temporal")); err != nil {
		return nil, err
	}
	if !opts.Headless {
		if err := CheckPort(ctx, opts.UIPort, settingName(opts.UIPortSetting, "Temporal UI")); err != nil {
			return nil, err
		}
	}
	process, err := Start(Command{
		Name:       "temporal",
		Path:       opts.Binary,
		Args:       opts.arguments(),
		LogFile:    opts.LogFile,
		StopWithin: 10 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	server := &TemporalServer{Process: process, port: opts.Port, uiPort: opts.UIPort, namespace: opts.Namespace}
	if opts.Headless {
		server.uiPort = 0
	}
	if err := server.waitReady(ctx, opts); err != nil {
		return nil, errors.Join(err, process.Kill())
	}
	return server, nil
}

// complete fills in what was left out.
func (o *TemporalOptions) complete(ctx context.Context) error {
	var err error
	if o.Binary, err = findTemporal(o.Binary); err != nil {
		return err
	}
	ports, err := FreePorts(2)
	if err != nil {
		return err
	}
	if o.Port == 0 {
		o.Port = ports[0]
	}
	if o.UIPort == 0 {
		o.UIPort = ports[1]
	}
	if o.Namespace == "" {
		o.Namespace = "lethe"
	}
	if o.Retention == 0 {
		o.Retention = 7 * 24 * time.Hour
	}
	if o.LogLevel == "" {
		o.LogLevel = "warn"
	}
	if o.LogFile == "" && o.DataFile != "" {
		o.LogFile = o.DataFile + ".log"
	}
	if o.StartWithin == 0 {
		o.StartWithin = 60 * time.Second
	}
	return ctx.Err()
}

// findTemporal prefers the binary that the Makefile builds: its version is the
// one that the tests ran with.
func findTemporal(binary string) (string, error) {
	candidates := []string{binary}
	if binary == "" {
		candidates = []string{filepath.Join("bin", "temporal"), "temporal"}
	}
	for _, candidate := range candidates {
		if path, err := exec.LookPath(candidate); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("%w (looked for %s): run `make bin/temporal`, or set TEMPORAL_ADDRESS", ErrNoTemporal, strings.Join(candidates, ", "))
}

// arguments are those of `temporal server start-dev`. The dev server registers
// search attributes only when it creates the namespace; waitReady adds later ones.
func (o *TemporalOptions) arguments() []string {
	args := []string{
		"server", "start-dev",
		"--disable-config-file", "--disable-config-env", // what the user configured for other servers
		"--ip", "127.0.0.1",
		"--port", strconv.Itoa(o.Port),
		"--namespace", o.Namespace,
		"--log-level", o.LogLevel,
		"--color", "never",
	}
	if o.DataFile != "" {
		// Several times faster than the default, and safe against killed processes.
		args = append(args, "--db-filename", o.DataFile,
			"--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL")
	}
	if o.Headless {
		args = append(args, "--headless")
	} else {
		args = append(args, "--ui-port", strconv.Itoa(o.UIPort))
		if o.CodecEndpoint != "" {
			args = append(args, "--ui-codec-endpoint", o.CodecEndpoint)
		}
	}
	for _, name := range sortedKeys(o.SearchAttributes) {
		args = append(args, "--search-attribute", name+"="+o.SearchAttributes[name])
	}
	for _, value := range dynamicConfig {
		args = append(args, "--dynamic-config-value", value)
	}
	return args
}

// dynamicConfig takes away what is meant for clusters: one task queue partition
// saves the search for a poller on one machine, eager activities save a round
// trip, and the namespace's rate limit is far below what tests ask for at once.
var dynamicConfig = []string{
	"matching.numTaskqueueReadPartitions=1",
	"matching.numTaskqueueWritePartitions=1",
	"system.enableActivityEagerExecution=true",
	"system.enableEagerWorkflowStart=true",
	"frontend.namespaceRPS=20000",
	"frontend.rps=20000",
}

// Address is host:port of the gRPC service.
func (s *TemporalServer) Address() string { return loopback(s.port) }

// Namespace is the namespace that was prepared.
func (s *TemporalServer) Namespace() string { return s.namespace }

// UIURL is the address of Temporal UI; empty without one.
func (s *TemporalServer) UIURL() string {
	if s.uiPort == 0 {
		return ""
	}
	return "http://" + loopback(s.uiPort)
}

// Stop ends the server; its data file keeps everything.
func (s *TemporalServer) Stop(ctx context.Context) error {
	defer s.release()
	return s.Process.Stop(ctx)
}

// Kill ends the server by SIGKILL. The data file keeps what was acknowledged.
func (s *TemporalServer) Kill() error {
	defer s.release()
	return s.Process.Kill()
}

func (s *TemporalServer) release() {
	if s.lock != nil {
		s.lock.release()
	}
}

// RemoveTemporalData deletes a stopped server's data file with its side files,
// which hold the newest data and must not outlive it.
func RemoveTemporalData(dataFile string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(dataFile + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove Temporal's data: %w", err)
		}
	}
	return nil
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
