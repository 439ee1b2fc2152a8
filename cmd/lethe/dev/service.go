package dev

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// child is a running process, with what belongs to it.
type child interface {
	Done() <-chan struct{}
	Err() error
	Stop(ctx context.Context) error
}

// service is a child that is started again when it dies.
type service struct {
	name    string
	start   func(ctx context.Context) (child, error) // returns when it is ready
	running child
}

// newService starts it for the first time.
func newService(ctx context.Context, name string, start func(ctx context.Context) (child, error)) (*service, error) {
	running, err := start(ctx)
	if err != nil {
		return nil, err
	}
	return &service{name: name, start: start, running: running}, nil
}

const (
	firstPause = 200 * time.Millisecond
	longPause  = 10 * time.Second
	// steadyAfter is how long a child must have run to count as well again.
	steadyAfter = time.Minute
)

// keep starts the child again whenever it dies, until ctx ends. One that dies again and again is
// started with growing pauses.
func (s *service) keep(ctx context.Context, show *screen) {
	pause := firstPause
	since := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.running.Done():
		}
		if time.Since(since) > steadyAfter {
			pause = firstPause
		}
		show.died(s.name, s.running.Err())
		_ = s.running.Stop(ctx) // it is dead; this releases what it held
		for {
			if !rest(ctx, pause) {
				return
			}
			pause = min(2*pause, longPause)
			since = time.Now()
			running, err := s.start(ctx)
			if err == nil {
				s.running = running
				show.back(s.name)
				break
			}
			if ctx.Err() != nil {
				return
			}
			show.notBack(s.name, err)
		}
	}
}

// rest waits and says whether to go on.
func rest(ctx context.Context, pause time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

// supervise keeps every child running until ctx ends.
func (d *development) supervise(ctx context.Context) {
	var all sync.WaitGroup
	for _, stage := range d.stages() {
		for _, s := range stage {
			all.Go(func() { s.keep(ctx, d.show) })
		}
	}
	all.Wait()
}

// stages are the children in the order in which they are stopped: nobody loses what it works with.
func (d *development) stages() [][]*service {
	var stages [][]*service
	for _, stage := range [][]*service{{d.api, d.worker}, d.systems, {d.temporal}, {d.postgres}} {
		var there []*service
		for _, s := range stage {
			if s != nil {
				there = append(there, s)
			}
		}
		stages = append(stages, there)
	}
	return stages
}

// errAskedTwice is why children are killed that were still stopping.
var errAskedTwice = errors.New("Ctrl-C was pressed a second time")

// stop ends every child, stage by stage. A second signal kills what is left.
func (d *development) stop() error {
	ctx, release := untilAskedAgain()
	defer release()
	d.show.stopping()
	failures := []error{d.files.removeReport()}
	for _, stage := range d.stages() {
		ended := make([]error, len(stage))
		var all sync.WaitGroup
		for i, s := range stage {
			all.Go(func() { ended[i] = s.running.Stop(ctx) })
		}
		all.Wait()
		failures = append(failures, ended...)
	}
	err := errors.Join(failures...)
	d.show.stopped(err)
	return err
}

// untilAskedAgain returns a context that ends, with [errAskedTwice], at the next signal to stop.
func untilAskedAgain() (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			cancel(errAskedTwice)
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
