// Package dev is `lethe dev`: everything on this machine, with demo data.
package dev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/launch"
)

// Cmd runs everything on this machine: a private Postgres, the Temporal dev server, three
// sandbox systems, an inbox, the API and a worker, with demo data. Its settings come from the environment.
type Cmd struct{}

// Run starts everything, keeps it running until it is told to stop, and stops it in order.
func (Cmd) Run(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP) // the terminal was closed
	defer stop()
	d, err := newDevelopment(ctx, os.Environ())
	if err != nil {
		return err
	}
	defer d.close()
	if err = d.start(ctx); err == nil {
		d.supervise(ctx)
	}
	return errors.Join(err, d.stop())
}

// development is everything that `lethe dev` runs.
type development struct {
	settings config.Development
	config   config.Config
	files    files
	secrets  secrets
	unlock   func()
	show     *screen

	factsURL, keysURL                string
	appURL, appKeysURL, sequencerURL string // as serve and worker log in
	temporalAddress                  string
	temporalUI                       string
	facts, keys                      *database.DB
	installation                     database.Installation
	tokens                           map[string]string   // by role
	users                            map[string]demoUser // by name: a role, or one of [demo.Others]
	holders                          map[string]holder   // by the same names

	postgres *service // nil with DATABASE_URL
	temporal *service // nil with TEMPORAL_ADDRESS
	systems  []*service
	letters  letters
	api      *service
	worker   *service
}

// newDevelopment reads the settings, takes the data folder, and makes the secrets that are missing.
func newDevelopment(ctx context.Context, environ []string) (*development, error) {
	d := &development{show: newScreen(os.Stdout)}
	var err error
	if d.settings, err = config.LoadDevelopment(environ); err != nil {
		return nil, err
	}
	if d.config, err = config.Load("dev", environ); err != nil {
		return nil, err
	}
	if d.files, err = newFiles(d.settings.DataDir); err != nil {
		return nil, err
	}
	if d.unlock, err = launch.LockFolder(ctx, d.files.root); err != nil {
		return nil, fmt.Errorf("the data folder is %w", err)
	}
	if err = d.prepare(ctx); err != nil {
		d.unlock()
		return nil, err
	}
	return d, nil
}

// close lets go of the databases and of the data folder.
func (d *development) close() {
	for _, db := range []*database.DB{d.facts, d.keys} {
		if db != nil {
			_ = db.Close()
		}
	}
	d.letters.close()
	d.unlock()
}

// prepare leaves nothing of a former run that would mislead, and finds what would stop this one
// before anything is started.
func (d *development) prepare(ctx context.Context) error {
	if err := d.files.removeReport(); err != nil {
		return err
	}
	if err := d.chooseAddresses(); err != nil {
		return err
	}
	if err := d.checkPorts(ctx); err != nil {
		return err
	}
	var err error
	if d.secrets, err = d.files.loadSecrets(); err != nil {
		return err
	}
	return d.files.writeSystems(d.systemAddresses())
}

// start brings everything up. What has no need of each other starts at the same time.
func (d *development) start(ctx context.Context) error {
	d.show.heading()
	err := together(ctx, d.startTemporal, d.startInbox, func(ctx context.Context) error {
		if err := d.startPostgres(ctx); err != nil {
			return err
		}
		if err := d.openInstallation(ctx); err != nil {
			return err
		}
		if err := d.startSystems(ctx); err != nil {
			return err
		}
		return d.fill(ctx)
	})
	if err != nil {
		return err
	}
	if err := together(ctx, d.startAPI, d.startWorker); err != nil {
		return err
	}
	hints, err := d.hints(ctx)
	if err != nil {
		return err
	}
	report := d.report()
	if err := d.files.writeReport(report); err != nil {
		return err
	}
	d.show.announce(d, report, hints)
	return nil
}

// together runs the steps side by side; the first that fails cancels the others.
func together(ctx context.Context, steps ...func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for _, step := range steps {
		all.Go(func() {
			if err := step(ctx); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}
