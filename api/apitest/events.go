package apitest

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/models"
)

// Event is one server-sent event.
type Event struct {
	Kind, ID string
	Data     string // as it came
	View     departures.DepartureView
	Problem  httpkit.Problem
}

// Follow opens a stream; the channel closes when the stream ends.
func (f *Fixture) Follow(role models.Role, address, last string) <-chan Event {
	f.T.Helper()
	return f.FollowWith(address, last, "Authorization", "Bearer "+f.Tokens[role])
}

// FollowWith is Follow with any credential, in a header field.
func (f *Fixture) FollowWith(address, last, name, value string) <-chan Event {
	f.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	f.T.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.HTTP.URL+address+"/events", nil)
	if err != nil {
		f.T.Fatal(err)
	}
	r.Header.Set(name, value)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		f.T.Fatal(err)
	}
	f.T.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		f.T.Fatalf("the stream answers %d %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
	events := make(chan Event, 100)
	go func() {
		defer close(events)
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		var e Event
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				e.Kind = value
			case "id":
				e.ID = value
			case "data":
				e.Data = value
				_ = json.Unmarshal([]byte(value), &e.View)
				_ = json.Unmarshal([]byte(value), &e.Problem)
			case "":
				if e.Kind != "" {
					events <- e
				}
				e = Event{}
			}
		}
	}()
	return events
}

// Next is the next event; a stream that ends, or says nothing for 10 seconds, fails the test.
func (f *Fixture) Next(events <-chan Event) Event {
	f.T.Helper()
	select {
	case e, ok := <-events:
		if !ok {
			f.T.Fatal("the stream ended")
		}
		return e
	case <-time.After(10 * time.Second):
		f.T.Fatal("no event")
		return Event{}
	}
}

// Ended fails the test unless the stream ends within 10 seconds.
func (f *Fixture) Ended(events <-chan Event) {
	f.T.Helper()
	select {
	case e, ok := <-events:
		if ok {
			f.T.Fatalf("instead of an end came %s", e.Kind)
		}
	case <-time.After(10 * time.Second):
		f.T.Fatal("the stream goes on")
	}
}
