package main

import (
	"testing"
	"time"

	"lethe/e2e/harness"
)

// TestNobodyHoldsTheDoors runs the attack against a stack of its own.
func TestNobodyHoldsTheDoors(t *testing.T) {
	s := harness.Start(t, harness.Options{})
	p, err := s.Hire(t.Context(), harness.Hire{No: "E-LEAVER", Jurisdiction: "CN"})
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.As(s.Staff.HR).Depart(t.Context(), p.EmployeeID.String(), map[string]any{
		"last_working_day": time.Now().AddDate(0, 1, 0).Format(time.DateOnly),
	})
	if err != nil {
		t.Fatal(err)
	}
	a := attack{api: s.API, attacker: s.Staff.Auditor, other: s.Staff.HR, departure: id, say: func(line string) { t.Log(line) }}
	failed, err := a.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failed {
		t.Error(f)
	}
}
