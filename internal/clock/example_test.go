package clock_test

import (
	"fmt"
	"time"

	"lethe/internal/clock"
)

// A last working day ends where the person works, whatever the server's zone is.
func ExampleEndOfDay() {
	shanghai, err := clock.LoadZone("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	day := clock.NewDate(2026, time.March, 31)
	fmt.Println(clock.EndOfDay(day, shanghai).UTC().Format(time.RFC3339))
	fmt.Println(day.AddDays(1))
	// Output:
	// 2026-03-31T16:00:00Z
	// 2026-04-01
}

func ExampleParsePeriod() {
	p, err := clock.ParsePeriod("P3Y6M")
	fmt.Println(p.Months, p.Days, err)
	// Output: 42 0 <nil>
}
