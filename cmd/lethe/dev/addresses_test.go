package dev

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClashesNameBothSettings(t *testing.T) {
	for _, test := range []struct {
		name, one, other string
		clash            bool
	}{
		{"same", "127.0.0.1:8080", "127.0.0.1:8080", true},
		{"by name", "localhost:8080", "127.0.0.1:8080", true},
		{"all addresses", "0.0.0.0:8080", "127.0.0.1:8080", true},
		{"no host", "127.0.0.1:8080", ":8080", true},
		{"IPv6 for all", "[::]:8080", "127.0.0.1:8080", true},
		{"other port", "127.0.0.1:8080", "127.0.0.1:8081", false},
		{"other address", "127.0.0.1:8080", "192.0.2.1:8080", false},
		{"free ones", "127.0.0.1:0", "127.0.0.1:0", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var texts []string
			for _, err := range clashes([]port{{"LETHE_LISTEN", test.one}, {"LETHE_WORKER_OPS_PORT", "127.0.0.1:9000"}, {"LETHE_OPS_LISTEN", test.other}}) {
				texts = append(texts, err.Error())
			}
			var want []string
			if test.clash {
				want = []string{"port 8080 is given to both LETHE_LISTEN and LETHE_OPS_LISTEN; choose another for one of them"}
			}
			if diff := cmp.Diff(want, texts); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSpansHideNobodyWhoLeft(t *testing.T) {
	for want, numbers := range map[string][]string{
		"":                                {},
		"DEMO-0005":                       {"DEMO-0005"},
		"DEMO-0005, DEMO-0006":            {"DEMO-0005", "DEMO-0006"},
		"DEMO-0005, DEMO-0008–DEMO-0010":  {"DEMO-0005", "DEMO-0008", "DEMO-0009", "DEMO-0010"},
		"DEMO-0009–DEMO-0011, DEMO-0013":  {"DEMO-0009", "DEMO-0010", "DEMO-0011", "DEMO-0013"},
		"DEMO-0005, OTHER-0006, TEMP, 12": {"DEMO-0005", "OTHER-0006", "TEMP", "12"},
	} {
		var free []freeEmployee
		for _, no := range numbers {
			free = append(free, freeEmployee{EmployeeNo: no})
		}
		if got := spans(free); got != want {
			t.Errorf("spans(%v) = %q, want %q", numbers, got, want)
		}
	}
}
