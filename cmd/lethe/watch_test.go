package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"lethe/api/accounts"
	"lethe/api/departures"
	"lethe/api/httpkit"
	"lethe/internal/i18n"
	"lethe/models"
)

// departureAt is a departure in a stage, with one account.
func departureAt(id uuid.UUID, stage models.Stage, state models.AccountsState, mail models.AccountState) departures.DepartureView {
	return departures.DepartureView{
		ID: id, Stage: stage, AccountsState: state,
		Accounts: []accounts.AccountView{{ID: uuid.MustParse("00000000-0000-7000-8000-000000000001"), System: "mail", SystemText: "mail", State: mail}},
	}
}

func plainPrinter(out *bytes.Buffer, language i18n.Language) *printer {
	return &printer{out: out, language: language, before: map[string]string{}, clock: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }}
}

func TestPrinterTellsEachChangeOnce(t *testing.T) {
	var out bytes.Buffer
	p := plainPrinter(&out, i18n.Chinese)
	id := uuid.New()
	p.show(departureAt(id, models.StagePendingDeparture, models.AccountsLinked, models.AccountLinked))
	p.show(departureAt(id, models.StagePendingDeparture, models.AccountsLinked, models.AccountLinked))
	p.show(departureAt(id, models.StagePendingDeparture, models.AccountsUnlinking, models.AccountUnlinking))
	p.show(departureAt(id, models.StageDeparted, models.AccountsSettled, models.AccountDisabled))
	want := `以下为本机时间（UTC+00:00）
03:04:05  任职: 待离职
03:04:05  账号: 已关联
03:04:05  账号 · mail: 已关联
03:04:05  账号: 停用中
03:04:05  账号 · mail: 停用中
03:04:05  任职: 已离职
03:04:05  账号: 处理完毕
03:04:05  账号 · mail: 已停用
`
	want = strings.ReplaceAll(want, "处理完毕", i18n.Text(i18n.Chinese, "accounts_state.settled"))
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestPrinterUsesColourOnlyOnATerminal(t *testing.T) {
	for _, colour := range []bool{false, true} {
		var out bytes.Buffer
		p := plainPrinter(&out, i18n.English)
		p.colour = colour
		p.show(departureAt(uuid.New(), models.StageDeparted, models.AccountsNeedsAttention, models.AccountStuck))
		if got := strings.Contains(out.String(), "\x1b[31m"); got != colour {
			t.Errorf("colour %v: %q", colour, out.String())
		}
	}
}

// TestFollowResumesAfterABreak: the second connection asks for what came after the last event, and
// the end of the story ends the command.
func TestFollowResumesAfterABreak(t *testing.T) {
	id := uuid.New()
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Header.Get("Last-Event-ID"))
		n := len(asked)
		mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer secret" || r.URL.Path != "/api/v1/departures/"+id.String()+"/events" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch n {
		case 1:
			send(w, "snapshot", 3, departureAt(id, models.StagePendingDeparture, models.AccountsLinked, models.AccountLinked))
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			_, _ = fmt.Fprint(w, ": waiting\n\n")
			send(w, "departed", 7, departureAt(id, models.StageDeparted, models.AccountsSettled, models.AccountDisabled))
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	defer server.Close()
	var out bytes.Buffer
	client := &apiClient{base: server.URL, token: "secret", language: i18n.English, http: server.Client()}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := follow(ctx, client, id, plainPrinter(&out, i18n.English)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "3", "3", "7"}, asked); diff != "" {
		t.Errorf("asked for: %s", diff)
	}
	if !strings.Contains(out.String(), "employment: departed") || strings.Count(out.String(), "connection lost") != 1 || !strings.HasSuffix(out.String(), i18n.Text(i18n.English, "watch.over")+"\n") {
		t.Errorf("printed:\n%s", out.String())
	}
}

func send(w http.ResponseWriter, kind string, id int, view departures.DepartureView) {
	body, _ := json.Marshal(view)
	_, _ = fmt.Fprintf(w, "event: %s\nid: %d\ndata: %s\n\n", kind, id, body)
}

func TestRefusalIsShownInWords(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(httpkit.Problem{Title: "Not allowed", Detail: "Your role.", Hint: "Ask.", Code: "role_not_allowed"})
	}))
	defer server.Close()
	client := &apiClient{base: server.URL, token: "secret", http: server.Client()}
	err := follow(t.Context(), client, uuid.New(), plainPrinter(&bytes.Buffer{}, i18n.English))
	if !errors.Is(err, errRefused) || !strings.HasSuffix(err.Error(), "Not allowed. Your role. Ask.") {
		t.Errorf("got %v", err)
	}
}

func TestEmployeeIsFoundByExactNumberOnly(t *testing.T) {
	wanted := uuid.New()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		item := map[string]any{"id": uuid.New(), "employee_no": "E10"}
		var next *string
		if r.URL.Query().Get("cursor") == "" {
			cursor := "two"
			next = &cursor
		} else {
			item = map[string]any{"id": wanted, "employee_no": "E1"}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"items": []any{item}, "next_cursor": next})
	}))
	defer server.Close()
	client := &apiClient{base: server.URL, token: "secret", http: server.Client()}
	if got, err := client.findEmployee(t.Context(), "E1"); err != nil || got.ID != wanted {
		t.Errorf("E1 is %v, %v", got, err)
	}
	if _, err := client.findEmployee(t.Context(), "E"); err == nil {
		t.Error("a part of a number was taken for a number")
	}
}

func TestLanguageOfTheTerminal(t *testing.T) {
	t.Setenv("LC_ALL", "")
	t.Setenv("LC_MESSAGES", "")
	for lang, want := range map[string]i18n.Language{"zh_CN.UTF-8": i18n.Chinese, "en_US.UTF-8": i18n.English, "C.UTF-8": i18n.English, "": i18n.English} {
		t.Setenv("LANG", lang)
		if got := languageOf(""); got != want {
			t.Errorf("%q: %s", lang, got)
		}
	}
	if languageOf("zh") != i18n.Chinese {
		t.Error("--lang is not heard")
	}
}
