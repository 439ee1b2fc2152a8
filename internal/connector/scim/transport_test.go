package scim_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"lethe/internal/connector"
	"lethe/internal/connector/scim"
)

func status(code int, header map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(code)
	})
}

func TestStatusesBecomeCodes(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for _, c := range []struct {
		name   string
		status int
		header map[string]string
		want   connector.Error
	}{
		{"401", 401, nil, connector.Error{Code: connector.CodeUnauthorized}},
		{"403", 403, nil, connector.Error{Code: connector.CodeUnauthorized}},
		{"404 of nobody knows whom", 404, nil, connector.Error{Code: connector.CodeBadAnswer, Temporary: true}},
		{"410", 410, nil, connector.Error{Code: connector.CodeBadAnswer}},
		{"408", 408, nil, connector.Error{Code: connector.CodeTimeout, Temporary: true}},
		{"504", 504, nil, connector.Error{Code: connector.CodeTimeout, Temporary: true}},
		{"409", 409, nil, connector.Error{Code: connector.CodeConflict, Temporary: true}},
		{"412", 412, nil, connector.Error{Code: connector.CodeConflict, Temporary: true}},
		{"400", 400, nil, connector.Error{Code: connector.CodeBadAnswer}},
		{"501", 501, nil, connector.Error{Code: connector.CodeBadAnswer}},
		{"204 to a read", 204, nil, connector.Error{Code: connector.CodeBadAnswer}},
		{"500", 500, nil, connector.Error{Code: connector.CodeUnavailable, Temporary: true}},
		{"429", 429, nil, connector.Error{Code: connector.CodeRateLimited, Temporary: true}},
		{"429 seconds", 429, map[string]string{"Retry-After": "120"},
			connector.Error{Code: connector.CodeRateLimited, RetryAfter: 2 * time.Minute, Temporary: true}},
		{"429 date", 429, map[string]string{"Retry-After": at(90 * time.Second), "Date": at(0)},
			connector.Error{Code: connector.CodeRateLimited, RetryAfter: 90 * time.Second, Temporary: true}},
		{"429 date by a wrong clock", 429, map[string]string{"Retry-After": at(24*time.Hour + 90*time.Second), "Date": at(24 * time.Hour)},
			connector.Error{Code: connector.CodeRateLimited, RetryAfter: 90 * time.Second, Temporary: true}},
		{"429 date gone by", 429, map[string]string{"Retry-After": at(-time.Hour), "Date": at(0)},
			connector.Error{Code: connector.CodeRateLimited, Temporary: true}},
		{"503 for ever", 503, map[string]string{"Retry-After": "999999999"},
			connector.Error{Code: connector.CodeUnavailable, RetryAfter: 24 * time.Hour, Temporary: true}},
		{"503 nonsense", 503, map[string]string{"Retry-After": "-5; soon"},
			connector.Error{Code: connector.CodeUnavailable, Temporary: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			client := clientOf(t, status(c.status, c.header), func(o *scim.Options) { o.Now = func() time.Time { return now } })
			_, err := client.ReadBack(t.Context(), "7")
			got, ok := err.(*connector.Error)
			c.want.Status = c.status
			if !ok || *got != c.want {
				t.Fatalf("got %#v, want %#v", err, c.want)
			}
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := make(chan string, 10)
	other := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere <- r.Header.Get("Authorization")
		answerJSON(w, http.StatusOK, `{"id":"7","active":false}`)
	})
	mux := http.NewServeMux()
	mux.Handle("/elsewhere", other)
	mux.Handle("/", http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect))
	s, err := clientOf(t, mux).ReadBack(t.Context(), "7")
	if connector.CodeOf(err) != connector.CodeBadAnswer || len(elsewhere) != 0 {
		t.Fatalf("got %+v, %v; %d requests elsewhere", s, err, len(elsewhere))
	}
}

func TestConnectionFaults(t *testing.T) {
	cut := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = w.Write([]byte(`{"id":"7","active":false}`)) // and then less than announced
	}))
	if _, err := cut.ReadBack(t.Context(), "7"); connector.CodeOf(err) != connector.CodeConnectionCut {
		t.Errorf("a cut body: got %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	nobody, err := scim.New(scim.Options{BaseURL: address, Token: "t", Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := nobody.ReadBack(t.Context(), "7"); connector.CodeOf(err) != connector.CodeUnavailable {
		t.Errorf("nobody listens: got %v", err)
	}
}

func TestAcceptedSaysWhenToCheck(t *testing.T) {
	for header, want := range map[string]time.Duration{"": 5 * time.Second, "30": 30 * time.Second} {
		p := &provider{t: t, user: `{"id":"7","active":true,"groups":[]}`}
		p.patch = func(w http.ResponseWriter, _ map[string]any) {
			w.Header().Set("Retry-After", header)
			w.WriteHeader(http.StatusAccepted)
		}
		r, err := clientOf(t, p).Disable(t.Context(), "7")
		if err != nil || r != (connector.Result{Outcome: connector.Accepted, CheckAfter: want}) {
			t.Errorf("got %+v, %v", r, err)
		}
	}
}
