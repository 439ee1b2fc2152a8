package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// strike carries out the planned kills, one after the other.
func (th *theatre) strike(ctx context.Context) error {
	for _, b := range th.plan.Blows {
		if th.sleep(ctx, b.At) != nil {
			return nil //nolint:nilerr // the play is over
		}
		if err := th.hit(ctx, b); err != nil {
			return fmt.Errorf("killing %s: %w", b.Target, err)
		}
	}
	return nil
}

func (th *theatre) hit(ctx context.Context, b Blow) error {
	s := th.stack
	switch b.Target {
	case Worker:
		return s.Worker.Kill()
	case Serve:
		return s.Serve.Kill()
	case Postgres:
		return revive(ctx, b.Down, s.KillPostgres, s.RestartPostgres)
	case Temporal:
		return revive(ctx, b.Down, s.KillTemporal, s.RestartTemporal)
	case Wipe:
		return revive(ctx, b.Down, func() error { return errors.Join(s.KillTemporal(), s.WipeTemporal()) }, s.RestartTemporal)
	}
	return errors.New("unknown target")
}

// revive starts again what was killed, also when the storm ends meanwhile.
func revive(ctx context.Context, down time.Duration, kill func() error, start func(context.Context) error) error {
	if err := kill(); err != nil {
		return err
	}
	pause(ctx, down)
	return start(context.WithoutCancel(ctx))
}
