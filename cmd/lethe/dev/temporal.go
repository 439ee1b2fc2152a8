package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"lethe/internal/launch"
	"lethe/internal/payload"
	"lethe/internal/relay"
	"lethe/workflows"
)

// startTemporal starts the dev server with its UI, or uses the server that TEMPORAL_ADDRESS names.
func (d *development) startTemporal(ctx context.Context) error {
	if d.settings.TemporalAddress != "" {
		return d.useTemporal(ctx)
	}
	attributes := map[string]string{}
	for name, kind := range relay.SearchAttributes() {
		attributes[name] = kind.String()
	}
	var server *launch.TemporalServer
	var err error
	done := d.show.step("Temporal")
	d.temporal, err = newService(ctx, "Temporal", func(ctx context.Context) (child, error) {
		started, err := launch.Temporal(ctx, launch.TemporalOptions{
			Binary: d.settings.TemporalBinary, DataFile: d.files.temporal(),
			Port: d.settings.TemporalPort, PortSetting: "LETHE_TEMPORAL_PORT",
			UIPort: d.settings.TemporalUIPort, UIPortSetting: "LETHE_TEMPORAL_UI_PORT",
			Namespace: d.config.TemporalNamespace, Retention: relay.NamespaceRetention, SearchAttributes: attributes,
			CodecEndpoint: "http://" + reachable(d.config.OpsListen) + "/codec/" + d.secrets.codecPath,
			LogFile:       d.files.log("temporal"), Progress: d.show,
		})
		if err != nil {
			return nil, err
		}
		server = started
		return started, nil
	})
	if err != nil {
		return err
	}
	d.temporalAddress, d.temporalUI = server.Address(), server.UIURL()
	done(d.temporalUI)
	return nil
}

// useTemporal waits for a server that others run and prepares our namespace there.
func (d *development) useTemporal(ctx context.Context) error {
	d.temporalAddress, d.temporalUI = d.settings.TemporalAddress, d.config.TemporalUIURL
	done := d.show.step("Temporal")
	connection, err := d.connectTemporal()
	if err != nil {
		return err
	}
	defer connection.Close()
	target := &relay.Temporal{Client: connection, Namespace: d.config.TemporalNamespace}
	if err := within(ctx, 30*time.Second, target.Prepare); err != nil {
		return fmt.Errorf("the Temporal server at TEMPORAL_ADDRESS (%s) is not ready: %w", d.temporalAddress, err)
	}
	done(d.temporalAddress)
	return nil
}

func (d *development) connectTemporal() (client.Client, error) {
	codec, err := payload.Load(d.files.codecKey())
	if err != nil {
		return nil, err
	}
	return relay.Connect(relay.Connection{
		Address: d.temporalAddress, Namespace: d.config.TemporalNamespace, Codec: codec, Log: slog.New(slog.DiscardHandler),
	})
}

// waitForPollers waits until a worker has joined Temporal.
func (d *development) waitForPollers(ctx context.Context) error {
	connection, err := d.connectTemporal()
	if err != nil {
		return err
	}
	defer connection.Close()
	queue := d.config.TaskQueuePrefix + workflows.QueueCore
	return within(ctx, time.Minute, func(ctx context.Context) error {
		found, err := connection.DescribeTaskQueue(ctx, queue, enums.TASK_QUEUE_TYPE_WORKFLOW)
		if err != nil {
			return fmt.Errorf("asking Temporal for the workers: %w", err)
		}
		if len(found.GetPollers()) == 0 {
			return errors.New("no worker has joined Temporal")
		}
		return nil
	})
}

// within repeats a check until it succeeds, for a limited time.
func within(ctx context.Context, limit time.Duration, check func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last error
	for {
		once, done := context.WithTimeout(limited, 5*time.Second)
		err := check(once)
		done()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if limited.Err() == nil || last == nil {
			last = err // what it failed on, not that its time was over
		}
		if !rest(limited, 100*time.Millisecond) {
			return last
		}
	}
}
