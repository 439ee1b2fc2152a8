package approval

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/identity"
	"lethe/internal/ledger"
	"lethe/models"
)

// What the parent tells the process that dies.
const (
	childKillAt   = "LETHE_TEST_KILL_AT"
	childDatabase = "LETHE_TEST_KILL_DATABASE"
	childDecision = "LETHE_TEST_KILL_DECISION" // approval, person, user
)

// TestI21_AProcessThatDiesDecidesNothing kills the process that carries an approval out with
// SIGKILL, before, between and after what it does; the next decision is the only one.
func TestI21_AProcessThatDiesDecidesNothing(t *testing.T) {
	w := newWorld(t)
	for _, place := range []string{"approval.judged", "approval.carried_out", "approval.before_commit"} {
		row, target := w.ask(t)
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childKillAt+"="+place, childDatabase+"="+w.env.FactsURL,
			childDecision+"="+strings.Join([]string{
				row.ID.String(), w.first.actor.String(), w.first.user.String(), w.bearer(w.first, models.RoleReviewer).SessionID.String(),
			}, ","))
		said, err := child.CombinedOutput()
		status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
		if err == nil || !ok || status.Signal() != syscall.SIGKILL {
			t.Fatalf("%s: the process was not killed: %v\n%s", place, err, said)
		}
		if got := w.get(t, row.ID); got.State != models.ApprovalPending || w.effects(t, target) != 0 {
			t.Errorf("%s: %s with %d effects", place, got.State, w.effects(t, target))
		}
		if got, err := w.decide(w.second, row.ID, models.ApprovalApproved); err != nil || got.State != models.ApprovalApproved {
			t.Errorf("%s: afterwards %s, %v", place, got.State, err)
		}
		if w.effects(t, target) != 1 {
			t.Errorf("%s: %d effects in the end", place, w.effects(t, target))
		}
	}
}

// decideAndDie is the process that dies.
func decideAndDie() {
	ctx := context.Background()
	db, err := database.Open(ctx, os.Getenv(childDatabase), database.Options{MaxConnections: 2})
	if err != nil {
		panic(err)
	}
	ledger.Attach(db, ledger.NewWriter("child", ledger.NewKeys().Writer()))
	r, err := NewRegistry(plainBoxes{}, Options{}, bumping())
	if err != nil {
		panic(err)
	}
	r.mark = func(place string) {
		if place == os.Getenv(childKillAt) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	ids := strings.Split(os.Getenv(childDecision), ",")
	now, err := db.Now(ctx)
	if err != nil {
		panic(err)
	}
	b := identity.Bearer{
		Actor:  models.Actor{EmployeeID: uuid.MustParse(ids[1]), Role: models.RoleReviewer},
		UserID: uuid.MustParse(ids[2]), SessionID: uuid.MustParse(ids[3]), Authenticated: models.ByTOTP, SteppedUpAt: &now,
	}
	row, err := r.Decide(models.WithCaller(ctx, b.Caller("child")), db, b, uuid.MustParse(ids[0]), models.ApprovalApproved, "")
	fmt.Println("still alive:", row.State, err)
}
