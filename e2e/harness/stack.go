package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"

	"lethe/e2e/record/archive"
	"lethe/internal/clock"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/keyed"
	"lethe/internal/launch"
	"lethe/internal/launch/launchtest"
	"lethe/internal/ledger"
	"lethe/internal/payload"
	"lethe/internal/reasons"
	"lethe/internal/relay"
	"lethe/internal/vault"
	"lethe/models"
	"lethe/sandbox/control"
)

// Stack is one installation of the product with everything around it.
type Stack struct {
	*servers
	Serve, Worker *Daemon
	// API is the address of the API, "http://127.0.0.1:port"; OpsAddresses are those of both ops ports.
	API          string
	OpsAddresses []string
	// Folder holds the logs, keys and states of this stack.
	Folder string
	// Facts and Keys are the test's own connections.
	Facts, Keys *database.DB
	Staff       Staff

	installation database.Installation
	vault        *vault.Vault
	systems      *systems
	settings     map[string]string
	logins       logins
	options      Options
	scratch      *launchtest.Scratch
	organisation organisation
	people       map[models.Role]uuid.UUID // the first of the staff with each role
	reviewing    reviewing
	restored     archive.Installation // with From
}

const startWithin = 3 * time.Minute

// Start opens a stack for one test, and closes it with it. What the processes wrote last is logged
// if the test fails, and their folder is kept until the next run.
func Start(t testing.TB, o Options) *Stack {
	t.Helper()
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatalf("starting a stack: %v", err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs are kept in %s until the next run\nserve:\n%s\nworker:\n%s", s.Folder, s.Serve.Troubles(), s.Worker.Troubles())
		}
		if err := s.Close(t.Failed()); err != nil {
			t.Errorf("closing the stack: %v", err)
		}
	})
	return s
}

// Open starts a stack: servers, systems, migrated databases, staff with tokens, serve and worker.
func Open(ctx context.Context, o Options) (*Stack, error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	scratch, err := launchtest.NewScratch(filepath.Join(os.TempDir(), fmt.Sprintf("lethe-e2e-%d", os.Geteuid())))
	if err != nil {
		return nil, err
	}
	s := &Stack{options: o, scratch: scratch, Folder: scratch.Path}
	if o.From != "" {
		if s.restored, err = archive.Read(o.From, s.Folder); err != nil {
			return nil, errors.Join(err, s.Close(true))
		}
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close(true))
	}
	return s, nil
}

func (s *Stack) open(ctx context.Context) (err error) {
	var systemsFile string
	if s.systems, systemsFile, err = startSystems(s.Folder); err != nil {
		return err
	}
	if s.servers, err = startServers(ctx, s.Folder, s.options, s.restored); err != nil {
		return err
	}
	if err := s.configure(systemsFile); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	if s.options.From != "" {
		err = s.takeOver(ctx)
	} else {
		err = s.found(ctx)
	}
	if err != nil {
		return err
	}
	if s.options.WithoutProcesses {
		return s.setClock(ctx)
	}
	for _, d := range []*Daemon{s.Serve, s.Worker} {
		if err := d.Launch(); err != nil {
			return err
		}
	}
	for _, d := range []*Daemon{s.Serve, s.Worker} {
		if err := d.WaitReady(ctx); err != nil {
			return err
		}
	}
	return s.setClock(ctx)
}

// configure makes key files, chooses ports and writes down how both processes are started.
func (s *Stack) configure(systemsFile string) error {
	kek, codec, log := filepath.Join(s.Folder, "kek"), filepath.Join(s.Folder, "codec"), filepath.Join(s.Folder, "ledger.json")
	if s.options.From == "" {
		if err := errors.Join(vault.CreateKEKFile(kek), payload.CreateKeyFile(codec), ledger.CreateKeyFile(log)); err != nil {
			return err
		}
	}
	ports, err := launch.FreePorts(3)
	if err != nil {
		return err
	}
	at := func(i int) string { return fmt.Sprintf("127.0.0.1:%d", ports[i]) }
	s.API, s.OpsAddresses = "http://"+at(0), []string{at(1), at(2)}
	s.settings = map[string]string{
		"DATABASE_URL": s.factsURL, "KEYS_DATABASE_URL": s.keysURL,
		"KEK_FILE": kek, "CODEC_KEY_FILE": codec, "TOMBSTONE_FILE": filepath.Join(s.Folder, "tombstones"),
		"SYSTEMS_FILE": systemsFile, "TEMPORAL_ADDRESS": s.temporalAddress, "TEMPORAL_NAMESPACE": s.namespace,
		"TASK_QUEUE_PREFIX": s.queuePrefix, "LEDGER_KEY_FILE": log, "LEDGER_DIR": filepath.Join(s.Folder, "ledger"),
		"LEDGER_POLICY_FILE": filepath.Join(s.Folder, "ledger-policy.json"),
	}
	program, err := Binary()
	if err != nil {
		return err
	}
	logs := filepath.Join(s.Folder, "logs")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return fmt.Errorf("creating the folder for logs: %w", err)
	}
	s.Serve = &Daemon{name: "serve", path: program, args: []string{"serve", "--dev"}, logs: logs, readyAt: at(1),
		env: func() []string {
			return environment(inherited(), timings, s.settings, s.logins.settings(), map[string]string{"LISTEN": at(0), "OPS_LISTEN": at(1)}, s.options.Env)
		}}
	killing := map[string]string{}
	if s.options.Failpoints != "" {
		if program, err = failpoints(); err != nil {
			return err
		}
		killing["FAILPOINTS"], killing["FAILPOINTS_DIR"] = s.options.Failpoints, s.Folder
	}
	s.Worker = &Daemon{name: "worker", path: program, args: []string{"worker", "--dev"}, logs: logs, readyAt: at(2),
		env: func() []string {
			return environment(inherited(), timings, s.settings, s.logins.settings(), map[string]string{"OPS_LISTEN": at(2)}, s.options.Env, killing)
		}}
	return nil
}

// takeOver takes the staff of a recorded installation, and sets the databases' clock back to the
// moment at which it stopped.
func (s *Stack) takeOver(ctx context.Context) error {
	r := s.restored
	s.Staff = Staff{HR: r.HR, SecondHR: r.SecondHR, Reviewer: r.Reviewer, ITOps: r.ITOps, Auditor: r.Auditor, HRPerson: r.HRPerson}
	now, err := s.Facts.Now(ctx)
	if err != nil {
		return err
	}
	reviewer, err := database.First[models.Employee](s.Facts.Read(ctx).Select("id").Where("employee_no = ?", "S-REV"))
	if err != nil {
		return fmt.Errorf("finding the reviewer: %w", err)
	}
	s.people = map[models.Role]uuid.UUID{models.RoleHRAdmin: r.HRPerson, models.RoleReviewer: reviewer.ID}
	return databasetest.MoveClock(ctx, s.Facts, r.RecordedAt.Sub(now))
}

// Recorded is the id of a recorded person's departure.
func (s *Stack) Recorded(no string) string { return s.restored.Departures[no] }

// StopFailpoints makes later runs of the worker live.
func (s *Stack) StopFailpoints() {
	s.Worker.mu.Lock()
	defer s.Worker.mu.Unlock()
	before := s.Worker.env
	s.Worker.env = func() []string {
		var kept []string
		for _, v := range before() {
			if !strings.HasPrefix(v, "LETHE_FAILPOINTS") {
				kept = append(kept, v)
			}
		}
		return kept
	}
}

// migrate runs `lethe migrate --dev` and connects.
func (s *Stack) migrate(ctx context.Context) error {
	out, err := s.Command(ctx, "migrate", "--dev")
	if err != nil {
		return fmt.Errorf("migrating: %w\n%s", err, out)
	}
	o := database.Options{MaxConnections: MaxConnections}
	if s.Facts, err = database.Open(ctx, s.factsURL, o); err != nil {
		return err
	}
	if s.Keys, err = database.Open(ctx, s.keysURL, o); err != nil {
		return err
	}
	if s.installation, err = database.CheckInstallation(ctx, s.Facts, s.Keys, database.ModeDev); err != nil {
		return err
	}
	kek, err := vault.LoadKEKFile(s.settings["KEK_FILE"])
	if err != nil {
		return err
	}
	s.vault = vault.New(s.Keys, kek, s.installation.ID)
	keyed.Attach(s.Facts, s.vault)
	reasons.Attach(s.Facts, s.vault)
	if err := s.attachLedger(); err != nil {
		return err
	}
	return s.makeLogins(ctx)
}

// Command runs the product's program to its end, with the stack's settings and as the owner of the
// databases.
func (s *Stack) Command(ctx context.Context, args ...string) ([]byte, error) {
	program, err := Binary()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = environment(inherited(), s.logins.settings(), s.settings)
	cmd.Dir = s.Folder
	return cmd.CombinedOutput()
}

// setClock moves the databases' clock to the wished distance from midnight: forward, since what was done
// until now must not lie ahead.
func (s *Stack) setClock(ctx context.Context) error {
	if s.options.BeforeMidnight == 0 {
		return nil
	}
	now, err := s.Facts.Now(ctx)
	if err != nil {
		return err
	}
	zone, err := clock.LoadZone(Zone)
	if err != nil {
		return err
	}
	day := clock.Today(now, zone)
	if clock.EndOfDay(day, zone).Sub(now) < s.options.BeforeMidnight {
		day = day.AddDays(1)
	}
	return databasetest.MoveClock(ctx, s.Facts, clock.EndOfDay(day, zone).Sub(now)-s.options.BeforeMidnight)
}

// Today is the date that the databases' clock has in Zone, as the API writes it.
func (s *Stack) Today(ctx context.Context) (string, error) {
	now, err := s.Facts.Now(ctx)
	if err != nil {
		return "", err
	}
	zone, err := clock.LoadZone(Zone)
	if err != nil {
		return "", err
	}
	return clock.Today(now, zone).String(), nil
}

// System is the control of a sandbox.
func (s *Stack) System(name string) *control.Client { return s.systems.control[name] }

// QueuePrefix stands before the stack's task queues in a shared Temporal.
func (s *Stack) QueuePrefix() string { return s.queuePrefix }

// Temporal connects to the stack's Temporal with its codec. The caller closes the client.
func (s *Stack) Temporal() (client.Client, error) {
	codec, err := payload.Load(s.settings["CODEC_KEY_FILE"])
	if err != nil {
		return nil, err
	}
	return relay.Connect(relay.Connection{
		Address: s.temporalAddress, Namespace: s.namespace, Codec: codec, Log: discard,
	})
}

// Close stops everything; the folder is removed unless it is to be kept.
func (s *Stack) Close(keep bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var failures []error
	for _, d := range []*Daemon{s.Worker, s.Serve} {
		if d != nil {
			failures = append(failures, d.KillForGood())
		}
	}
	for _, db := range []*database.DB{s.Facts, s.Keys} {
		if db != nil {
			failures = append(failures, db.Close())
		}
	}
	if s.servers != nil {
		failures = append(failures, s.servers.close(ctx))
		if s.postgres == nil {
			failures = append(failures, s.logins.drop(ctx, s.adminURL))
		}
	}
	if s.systems != nil {
		failures = append(failures, s.systems.close())
	}
	if !keep {
		failures = append(failures, s.scratch.Remove())
	}
	return errors.Join(failures...)
}

// Tombstones reads the file that records purges outside both databases.
func (s *Stack) Tombstones() ([]vault.Tombstone, error) {
	file, err := vault.OpenTombstones(s.settings["TOMBSTONE_FILE"])
	if err != nil {
		return nil, err
	}
	all, err := file.All()
	return all, errors.Join(err, file.Close())
}

// Namespace is the stack's namespace in Temporal.
func (s *Stack) Namespace() string { return s.namespace }
