package dev

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"lethe/cmd/lethe/demo"
	"lethe/internal/launch"
)

// startSystems starts the three sandbox systems.
func (d *development) startSystems(ctx context.Context) error {
	done := d.show.step("模拟系统 · sandbox systems")
	addresses := d.systemAddresses()
	for _, system := range demo.Systems {
		s, err := newService(ctx, "sandbox-"+system, func(ctx context.Context) (child, error) {
			return d.launch(ctx, "sandbox-"+system, addresses[system]+"/control/openapi.yaml", nil,
				"sandbox", "--name", system, "--kind", system, "--listen", local(d.systemPort(system)),
				"--state", d.files.state(d.installation.ID, system),
				"--token-file", d.files.token(system), "--control-token-file", d.files.control(system))
		})
		if err != nil {
			return err
		}
		d.systems = append(d.systems, s)
	}
	done(strings.Join(demo.Systems, ", "))
	return nil
}

// startAPI starts `lethe serve`.
func (d *development) startAPI(ctx context.Context) (err error) {
	done := d.show.step("API")
	d.api, err = newService(ctx, "API", func(ctx context.Context) (child, error) {
		return d.launch(ctx, "api", "http://"+reachable(d.config.OpsListen)+"/readyz",
			d.environment(map[string]string{"LETHE_LISTEN": d.config.Listen, "LETHE_OPS_LISTEN": d.config.OpsListen}),
			"serve", "--dev")
	})
	if err != nil {
		return err
	}
	done("http://" + reachable(d.config.Listen))
	return nil
}

// startWorker starts `lethe worker` and waits until it has joined Temporal. When it is started
// again later it need not wait: then Temporal may be away too.
func (d *development) startWorker(ctx context.Context) (err error) {
	done := d.show.step("worker")
	ops := local(d.settings.WorkerOpsPort)
	d.worker, err = newService(ctx, "worker", func(ctx context.Context) (child, error) {
		return d.launch(ctx, "worker", "http://"+ops+"/readyz", d.environment(map[string]string{"LETHE_OPS_LISTEN": ops}),
			"worker", "--dev")
	})
	if err != nil {
		return err
	}
	if err := d.waitForPollers(ctx); err != nil {
		return err
	}
	done("")
	return nil
}

// launch starts this program with another command and returns when it answers at the address. env
// is nil for our own environment.
func (d *development) launch(ctx context.Context, name, ready string, env []string, args ...string) (child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	process, err := launch.Start(launch.Command{
		Name: name, Path: program, Args: args, Env: env, LogFile: d.files.log(name), StopWithin: 15 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	if err := waitReady(ctx, process, ready); err != nil {
		_ = process.Kill() // the reason why it is not ready says more
		return nil, err
	}
	return process, nil
}

// readyWithin is how long one of our processes may take to answer.
const readyWithin = time.Minute

// waitReady asks until the address answers 200, or the process has ended.
func waitReady(ctx context.Context, process *launch.Process, address string) error {
	limit := time.After(readyWithin)
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return fmt.Errorf("asking %s whether it is ready: %w", process.Name(), err)
		}
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK && process.Err() == nil {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-process.Done():
			return process.Err()
		case <-limit:
			return fmt.Errorf("%s is not ready within %s; its last lines:\n%s", process.Name(), readyWithin, process.Tail())
		case <-time.After(40 * time.Millisecond):
		}
	}
}

// timings make a whole life fit into a minute. What the environment sets wins.
var timings = map[string]string{
	"LETHE_RELAY_OVERDUE":              "10s",
	"LETHE_RELAY_BACKOFF":              "3s",
	"LETHE_ACTIVITY_START_TO_CLOSE":    "20s",
	"LETHE_ACTIVITY_SCHEDULE_TO_CLOSE": "1m",
	"LETHE_ACTIVITY_HEARTBEAT":         "5s",
	"LETHE_ACTIVITY_RETRY_INITIAL":     "500ms",
	"LETHE_ACTIVITY_RETRY_MAX":         "5s",
	"LETHE_HTTP_TIMEOUT":               "5s",
	"LETHE_ACCEPTED_CHECK":             "2s",
	"LETHE_UNLINK_TRIES":               "14", // a system may be away for about a minute
	"LETHE_LOG_FORMAT":                 "text",
}

// environment is what serve and worker are told: ours, with what only this process knows.
func (d *development) environment(own map[string]string) []string {
	settings := map[string]string{
		"LETHE_DATABASE_URL":           d.appURL,
		"LETHE_SEQUENCER_DATABASE_URL": d.sequencerURL,
		"LETHE_LEDGER_KEY_FILE":        d.files.ledgerKeys(d.installation.ID),
		"LETHE_LEDGER_DIR":             d.files.ledger(d.installation.ID),
		"LETHE_LEDGER_POLICY_FILE":     d.files.policy(d.installation.ID),
		"LETHE_WITNESS_FILE":           d.files.witness(d.installation.ID),
		"LETHE_KEYS_DATABASE_URL":      d.appKeysURL,
		"LETHE_KEK_FILE":               d.files.kek(d.installation.ID),
		"LETHE_TOMBSTONE_FILE":         d.files.tombstones(d.installation.ID),
		"LETHE_CODEC_KEY_FILE":         d.files.codecKey(),
		"LETHE_CODEC_PATH_SECRET_FILE": d.files.codecPath(),
		"LETHE_SYSTEMS_FILE":           d.files.systems(),
		"LETHE_TEMPORAL_ADDRESS":       d.temporalAddress,
		"LETHE_TEMPORAL_UI_URL":        d.temporalUI,
	}
	for name, value := range own {
		settings[name] = value
	}
	if os.Getenv("LETHE_SMTP_HOST") == "" {
		settings["LETHE_SMTP_HOST"], settings["LETHE_SMTP_PORT"] = "127.0.0.1", strconv.Itoa(d.settings.SMTPPort)
		settings["LETHE_SMTP_ENCRYPTION"], settings["LETHE_SMTP_FROM"] = "none", "hr@lethe.example"
	}
	for name, value := range timings {
		if os.Getenv(name) == "" {
			settings[name] = value
		}
	}
	var environment []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		_, replaced := settings[strings.TrimSuffix(name, "_FILE")]
		if _, same := settings[name]; !same && !replaced {
			environment = append(environment, variable)
		}
	}
	for name, value := range settings {
		environment = append(environment, name+"="+value)
	}
	slices.Sort(environment)
	return environment
}
