package journey

import (
	"slices"
	"testing"
	"time"

	"lethe/e2e/harness"
	"lethe/sandbox/control"
	"lethe/workflows"
)

// I10, I5: the API is killed right after its answer, the worker in the middle of the unlinking and
// of the purges, and the life goes on.
func TestI10_KilledProcessesLoseNothing(t *testing.T) {
	t.Parallel()
	stack := harness.Start(t, harness.Options{})
	j := on(t, stack, harness.Hire{KnownIDs: true})
	for system := range j.person.Accounts {
		j.fault(system, control.Rule{Kind: control.Delay, Delay: control.Duration(400 * time.Millisecond)})
	}
	id := j.depart(immediately)
	j.must(stack.Serve.Kill(), stack.Serve.Start(j.ctx))
	time.Sleep(700 * time.Millisecond) // somewhere in the unlinking
	j.must(stack.Worker.Kill(), stack.Worker.Start(j.ctx))
	j.until(id, lifetime, "the first category is purged", func(d harness.Departure) bool { return d.Stage == "purging" })
	j.must(stack.Worker.Kill(), stack.Serve.Kill(), stack.Worker.Start(j.ctx), stack.Serve.Start(j.ctx))
	j.untilPurged(id)
	j.wantActive(false)
	j.wantCertificates(id, 7)
	for system := range j.person.Accounts {
		if n := len(changes(j.effects(system), control.OpDisable)); n != 1 {
			t.Errorf("%s: %d effects, want one", system, n)
		}
	}
}

// I10, I2: Temporal is down when the departure is asked for; later, during the retention, all its
// data is deleted.
func TestI10_TemporalDownAtTheRequestAndItsDataDeletedLater(t *testing.T) {
	t.Parallel()
	stack := harness.Start(t, harness.Options{OwnTemporal: true})
	j := on(t, stack, harness.Hire{})
	j.must(stack.KillTemporal())
	id := j.depart(immediately)
	time.Sleep(2 * time.Second)
	if d, err := j.hr.Departure(j.ctx, id); err != nil || d.Stage != "pending_departure" {
		t.Fatalf("stage %s, %v, while Temporal is down", d.Stage, err)
	}
	j.must(stack.RestartTemporal(j.ctx))
	j.until(id, 60*time.Second, "departed and settled", func(d harness.Departure) bool {
		return d.Stage != "pending_departure" && d.AccountsState == "settled"
	})
	j.must(stack.KillTemporal(), stack.WipeTemporal(), stack.RestartTemporal(j.ctx))
	j.untilPurged(id)
	j.wantCertificates(id, 7)
}

// I2: everything is stopped in the middle of the retention and started after the last deadline.
func TestI2_StoppedDuringRetentionPurgedAfterwards(t *testing.T) {
	t.Parallel()
	stack := harness.Start(t, harness.Options{OwnTemporal: true})
	j := on(t, stack, harness.Hire{KnownIDs: true})
	id := j.depart(immediately)
	d := j.until(id, 30*time.Second, "departed and settled", func(d harness.Departure) bool {
		return d.Stage != "pending_departure" && d.AccountsState == "settled"
	})
	j.must(stack.Worker.Stop(j.ctx), stack.Serve.Stop(j.ctx), stack.KillTemporal())
	last := slices.MaxFunc(d.Retention, func(a, b harness.Deadline) int { return a.Deadline.Compare(b.Deadline) }).Deadline
	time.Sleep(time.Until(last) + time.Second)
	var open int64
	if err := stack.Facts.Read(j.ctx).Table("employment_categories").Where("employment_id = ? AND state = 'open'", j.person.EmploymentID).Count(&open).Error; err != nil || open == 0 {
		t.Fatalf("%d categories are open, %v: nothing was left to do after the deadline", open, err)
	}
	j.must(stack.RestartTemporal(j.ctx), stack.Serve.Launch(), stack.Worker.Launch(), stack.Serve.WaitReady(j.ctx), stack.Worker.WaitReady(j.ctx))
	j.untilPurged(id)
	j.wantCertificates(id, 7)
}

// I2: somebody terminates the Retention workflow by hand; the relay finds what it left behind.
func TestI2_ATerminatedRetentionIsFound(t *testing.T) {
	j := here(t, harness.Hire{})
	id := j.depart(immediately)
	j.until(id, 30*time.Second, "departed", func(d harness.Departure) bool { return d.Stage != "pending_departure" })
	temporal, err := j.stack.Temporal()
	if err != nil {
		t.Fatal(err)
	}
	defer temporal.Close()
	err = harness.Eventually(j.ctx, 20*time.Second, func() error {
		return temporal.TerminateWorkflow(j.ctx, workflows.RetentionID(id), "", "by hand")
	})
	if err != nil {
		t.Fatalf("terminating the retention: %v", err)
	}
	j.untilPurged(id)
}

// I17: runs are replaced each second, dates change all the time, and every change is heard.
func TestI17_NoCommandIsLostAtContinueAsNew(t *testing.T) {
	t.Parallel()
	stack := harness.Start(t, harness.Options{
		BeforeMidnight: 30 * time.Second,
		// Without the relay's second tries: they are for what is lost, and nothing may be.
		Env: map[string]string{"CONTINUE_AS_NEW_AFTER": "1s", "RELAY_OVERDUE": "1h", "RELAY_BACKOFF": "1h"},
	})
	j := on(t, stack, harness.Hire{KnownIDs: true})
	id := j.depart(j.today(20 * time.Second))
	for range 12 {
		// The cutoff comes nearer with each change, and every change is a nudge.
		fields := j.today(15 * time.Second)
		answer, err := j.hr.Do(j.ctx, "PUT", "/api/v1/departures/"+id+"/dates", fields)
		if err != nil || answer.Status != 200 {
			t.Fatalf("a change: %d, %v\n%s", answer.Status, err, answer.Body)
		}
		time.Sleep(300 * time.Millisecond)
	}
	now, err := stack.Facts.Now(j.ctx)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := j.hr.Do(j.ctx, "PUT", "/api/v1/departures/"+id+"/dates", j.today(2*time.Second))
	if err != nil || answer.Status != 200 {
		t.Fatalf("the last change: %d, %v\n%s", answer.Status, err, answer.Body)
	}
	d := j.until(id, 20*time.Second, "unlinking as the last change says", func(d harness.Departure) bool { return d.AccountsState != "linked" })
	for _, e := range d.Timeline {
		if e.What == "unlinking_started" && e.At.Sub(now) > 10*time.Second {
			t.Errorf("the unlinking began %s after the last change, want 2 s", e.At.Sub(now))
		}
	}
	j.untilPurged(id)
	temporal, err := stack.Temporal()
	if err != nil {
		t.Fatal(err)
	}
	defer temporal.Close()
	if runs := j.runs(temporal, workflows.DepartureID(id)); runs < 3 {
		t.Errorf("the departure's workflow had %d runs: nothing was continued as new", runs)
	}
}

func changes(effects []control.Effect, op string) []control.Effect {
	return slices.DeleteFunc(slices.Clone(effects), func(e control.Effect) bool { return e.Op != op || !e.Changed })
}

// must fails the test with the first error. Its arguments are evaluated, and so done, in order.
func (j *journey) must(failures ...error) {
	j.Helper()
	for _, err := range failures {
		if err != nil {
			j.Fatal(err)
		}
	}
}
