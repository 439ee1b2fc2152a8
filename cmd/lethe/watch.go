package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"lethe/api/departures"
	"lethe/models"
)

// WatchCmd follows a departure.
type WatchCmd struct {
	Whose string `arg:"" help:"The number of who leaves, or the departure's id. 离职员工的工号，或离职记录的 id。"`
	spoken
}

// Run prints each change as it happens, until nothing more can.
func (w WatchCmd) Run(ctx context.Context) error {
	client, err := newClient(w.spoken, models.RoleHRAdmin)
	if err != nil {
		return err
	}
	id, err := client.findDeparture(ctx, w.Whose)
	if err != nil {
		return err
	}
	return follow(ctx, client, id, newPrinter(os.Stdout, client.language))
}

// reconnectPause is how long a broken stream rests before it is opened again.
const reconnectPause = time.Second

// errOver ends a stream that has nothing more to tell.
var errOver = errors.New("nothing more will happen")

// follow shows a departure's stream, and opens it again where it broke off. A stream that ended in
// good order is opened again without a word: the API says then whether there is more to come.
func follow(ctx context.Context, client *apiClient, id uuid.UUID, print *printer) error {
	last := ""
	for {
		err := client.stream(ctx, id, &last, print.show)
		switch {
		case errors.Is(err, errOver), endedInOrder(err) && print.last.Over():
			print.closing()
			return nil
		case errors.Is(err, errRefused):
			return err
		case ctx.Err() != nil:
			return nil //nolint:nilerr // the person stopped following
		case last == "" && errors.Is(err, errUnreached):
			return err
		case !endedInOrder(err):
			print.lost()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(reconnectPause):
		}
	}
}

// endedInOrder says whether the API closed the stream itself; one that was cut off inside a chunk is
// an io.ErrUnexpectedEOF.
func endedInOrder(err error) bool { return errors.Is(err, io.EOF) }

// stream reads one connection's events. last is the id of the last one that was shown.
func (c *apiClient) stream(ctx context.Context, id uuid.UUID, last *string, show func(departures.DepartureView)) error {
	r, err := c.request(ctx, http.MethodGet, "/api/v1/departures/"+id.String()+"/events", nil)
	if err != nil {
		return told{err.Error(), errRefused}
	}
	r.Header.Set("Accept", "text/event-stream")
	if *last != "" {
		r.Header.Set("Last-Event-ID", *last)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return c.unreached(err)
	}
	defer func() { _ = response.Body.Close() }()
	switch {
	case response.StatusCode == http.StatusNoContent:
		return errOver
	case response.StatusCode >= http.StatusInternalServerError:
		return fmt.Errorf("opening a stream: the API answered %d", response.StatusCode)
	case response.StatusCode >= http.StatusBadRequest:
		return c.refused(response)
	}
	return readEvents(response.Body, func(kind, eventID string, data []byte) error {
		if kind == "problem" {
			return errors.New("the API ended the stream")
		}
		var view departures.DepartureView
		if err := json.Unmarshal(data, &view); err != nil {
			return fmt.Errorf("reading an event: %w", err)
		}
		show(view)
		if eventID != "" {
			*last = eventID
		}
		return nil
	})
}

// readEvents takes a stream of server-sent events apart (WHATWG HTML, 9.2.6), as far as ours use it.
func readEvents(stream io.Reader, each func(kind, id string, data []byte) error) error {
	lines := bufio.NewReader(stream)
	var kind, id string
	var data []byte
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return fmt.Errorf("the stream ended: %w", err)
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			if data != nil {
				if err := each(kind, id, data); err != nil {
					return err
				}
			}
			kind, data = "", nil
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			kind = value
		case "id":
			id = value
		case "data":
			data = append(data, value...)
		}
	}
}
