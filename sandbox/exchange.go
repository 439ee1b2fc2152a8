package sandbox

import (
	"cmp"
	"net/http"
	"time"

	"lethe/sandbox/control"
)

// exchange is one SCIM request on its way through the faults.
type exchange struct {
	s   *System
	w   http.ResponseWriter
	r   *http.Request
	op  string
	hit hit
	acc string // id of the account it is about, for the call log
}

// answer is what a request gets; a nil body is an empty one.
type answer struct {
	status int
	body   any
	header map[string]string
}

// begin picks the faults of a call, waits out a delay and answers for those that
// end the call before it does anything; it then returns false. a is nil if the
// call is about no account.
func (s *System) begin(w http.ResponseWriter, r *http.Request, op string, a *account) (*exchange, bool) {
	return s.beginCall(w, r, call{op: op, account: a})
}

// call is what a rule can match of a request.
type call struct {
	op      string
	account *account // nil: it is about none
	group   string   // display name
	form    string
}

func (s *System) beginCall(w http.ResponseWriter, r *http.Request, c call) (*exchange, bool) {
	op, a := c.op, c.account
	x := &exchange{s: s, w: w, r: r, op: op}
	if a != nil {
		x.acc = a.ID
	}
	if err := s.locked(func(now time.Time) { x.hit = s.pick(c, now) }); err != nil {
		x.fail(err)
		return nil, false
	}
	if x.hit.delay > 0 && !sleep(r, x.hit.delay) {
		x.cut()
	}
	switch {
	case x.hit.is(control.CutBefore):
		x.cut()
	case x.hit.is(control.Status):
		a := scimError(x.hit.rule.Status, "", "ordered by a fault")
		if n := x.hit.rule.RetryAfter; n > 0 {
			a.header = map[string]string{"Retry-After": itoa(n)}
		}
		x.send(a)
		return nil, false
	case x.hit.is(control.Foreign):
		x.note(cmp.Or(x.hit.rule.Status, http.StatusNotFound))
		writeForeign(w, *x.hit.rule)
		return nil, false
	case x.hit.is(control.RefuseForm):
		x.send(*bad("invalidPath", "ordered by a fault"))
		return nil, false
	case x.hit.is(control.Unknown) && op != control.OpFind && op != control.OpGroupFind:
		x.send(notFound())
		return nil, false
	}
	return x, true
}

// refuse answers a request that was not understood, before any fault is asked.
func (s *System) refuse(w http.ResponseWriter, r *http.Request, op string, a answer) {
	(&exchange{s: s, w: w, r: r, op: op, acc: r.PathValue("id")}).send(a)
}

// sleep waits, unless the caller goes away.
func sleep(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// mutate carries out the targets, as far as the fault lets it. render makes the
// answer and sees the accounts as they are, or as a lie has them; it runs under
// the lock.
func (x *exchange) mutate(targets []target, render func(look func(id string) *account) answer) {
	var a answer
	key := x.r.Header.Get("Idempotency-Key")
	err := x.s.locked(func(now time.Time) {
		look := func(id string) *account { return x.s.st.accounts[id] }
		switch {
		case x.hit.is(control.AcceptLater):
			x.s.deferAll(targets, key, now.Add(time.Duration(x.hit.rule.After)))
			a = answer{status: http.StatusAccepted}
			return
		case x.hit.is(control.Lie):
			look = x.s.pretend(targets)
		case x.hit.is(control.IgnoreForm):
		default:
			for _, t := range targets {
				if acc := x.s.st.accounts[t.AccountID]; acc != nil {
					x.s.effect(acc, t, key, now, x.hit.is(control.Residue))
				}
			}
		}
		a = render(look)
	})
	if err != nil {
		x.fail(err)
		return
	}
	if x.hit.is(control.CutAfter) {
		x.cut()
	}
	x.send(a)
}

// pretend returns how the accounts would look had the targets been carried out.
func (s *System) pretend(targets []target) func(id string) *account {
	pretended := make(map[string]*account)
	look := func(id string) *account {
		if a, ok := pretended[id]; ok {
			return a
		}
		return s.st.accounts[id]
	}
	for _, t := range targets {
		if a := look(t.AccountID); a != nil {
			pretended[t.AccountID], _ = t.Change.applied(a, false)
		}
	}
	return look
}

// cut ends the connection without an answer, by the way net/http has for it.
func (x *exchange) cut() {
	x.note(0)
	panic(http.ErrAbortHandler)
}

func (x *exchange) fail(error) {
	x.send(scimError(http.StatusServiceUnavailable, "", "the state cannot be kept"))
}

func (x *exchange) send(a answer) {
	x.note(a.status)
	writeSCIM(x.w, a)
}

func (x *exchange) note(status int) {
	x.s.mu.Lock()
	defer x.s.mu.Unlock()
	x.s.calls.add(control.Call{
		At: x.s.opts.Clock(), Op: x.op, Method: x.r.Method, Path: x.r.URL.Path,
		AccountID: x.acc, Fault: x.hit.name(), Status: status,
	})
}
