package recorded

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/account"
	"lethe/internal/departure"
	"lethe/internal/retention"
	"lethe/models"
)

// check collects what is wrong.
type check struct {
	Records
	byID     map[uuid.UUID]Entry
	named    map[uuid.UUID]int // by how many facts, those of one transition that share an entry counted once
	byAction map[string][]Entry
	wrong    []string
}

func (c *check) report(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

// Check says where facts and ledger do not agree.
func Check(r Records) []string {
	c := &check{Records: r, byID: map[uuid.UUID]Entry{}, named: map[uuid.UUID]int{}, byAction: map[string][]Entry{}}
	for _, e := range r.Entries {
		if !e.Leaf || e.Action == "" {
			c.report("entry %s (%s) is not whole", e.ID, e.Action)
		}
		c.byID[e.ID] = e
		c.byAction[e.Action] = append(c.byAction[e.Action], e)
	}
	c.timelines()
	c.accounts()
	c.evidence()
	c.cases()
	c.retentions()
	c.purges()
	c.nothingUnheardOf()
	return c.wrong
}

// names says that a fact names an entry of one of the actions, about the object.
func (c *check) names(what string, entry *uuid.UUID, object string, actions ...string) (Entry, bool) {
	if entry == nil {
		c.report("%s has no entry", what)
		return Entry{}, false
	}
	e, ok := c.byID[*entry]
	switch {
	case !ok:
		c.report("%s names an entry that is not there", what)
	case !slices.Contains(actions, e.Action) || (object != "" && e.Object != object):
		c.report("%s names an entry of something else: %s of %s", what, e.Action, e.Object)
	default:
		return e, true
	}
	return e, false
}

// toldBy are the actions that tell of a line of the timeline; the first one tells of nothing else.
var toldBy = map[string][]string{
	departure.EventStarted:            {"departure.started"},
	departure.EventEntered:            {"departure.entered"},
	departure.EventDatesChanged:       {"departure.rescheduled"},
	departure.EventWithdrawn:          {"departure.withdrawn"},
	departure.EventAnnulmentRequested: {"departure.annulment_requested"},
	departure.EventAnnulmentDropped:   {"departure.annulment_dropped"},
	departure.EventAnnulled:           {"departure.annulled"},
	departure.EventUnlinkingStarted:   {"unlinking.ordered"},
	departure.EventNothingConnected:   {"unlinking.ordered"},
	departure.EventRelinkingStarted:   {"relinking.ordered"},
	departure.EventAccountsSettled:    {"departure.accounts_settled"},
	departure.EventAccountsAttention:  {"departure.accounts_need_attention"},
	departure.EventAccountsResumed:    {"departure.accounts_resumed"},
	departure.EventAccountsRelinked:   {"departure.accounts_relinked", "relinking.ordered"},
	departure.EventDeparted:           {"departure.departed"},
	departure.EventPurgingBegan:       {"departure.purging"},
	departure.EventCategoryPurged:     {"purge.certified"},
	departure.EventPurged:             {"departure.purged"},
}

func (c *check) timelines() {
	started := map[uuid.UUID]int{}
	for _, v := range c.Events {
		what := fmt.Sprintf("departure %s, %s", v.DepartureID, v.What)
		actions, known := toldBy[v.What]
		if !known {
			c.report("%s: an event that nobody knows", what)
			continue
		}
		e, ok := c.names(what, v.LedgerEntryID, "", actions...)
		if ok && strings.HasPrefix(e.Action, "departure.") {
			if e.Object != "departure/"+v.DepartureID.String() {
				c.report("%s names the entry of another departure", what)
			}
			c.named[e.ID]++
		}
		if v.What == departure.EventStarted || v.What == departure.EventEntered {
			started[v.DepartureID]++
		}
	}
	for _, d := range c.Departures {
		if n := started[d.ID]; n != 1 {
			c.report("departure %s was started %d times", d.ID, n)
		}
	}
}

// added is how the ledger says that an account came in: by people, or by an order that looked for it.
func added(a models.LinkedAccount) []string {
	if a.Registered {
		return []string{"account.linked"}
	}
	return []string{"account.sought", "account.found"}
}

func (c *check) accounts() {
	for _, a := range c.Accounts {
		if e, ok := c.names("account "+a.ID.String(), a.LedgerEntryID, "account/"+a.ID.String(), added(a)...); ok {
			c.named[e.ID]++
		}
	}
	for _, op := range c.Operations {
		action := "unlinking.ordered"
		if op.Kind == models.OperationRelink {
			action = "relinking.ordered"
		}
		if e, ok := c.names("operation "+op.ID.String(), op.LedgerEntryID, "account_operation/"+op.ID.String(), action); ok {
			c.named[e.ID]++
		}
	}
	c.findings()
	for _, e := range c.byAction["relinking.ordered"] {
		if strings.HasPrefix(e.Object, "employment/") {
			c.named[e.ID]++ // everything was given back at once: no operation
		}
	}
	for _, m := range c.Employments {
		if m.LedgerEntryID == nil {
			continue // put there by a fixture or an import
		}
		if e, ok := c.names("employment "+m.ID.String(), m.LedgerEntryID, "employee/"+m.EmployeeID.String(), "employee.created", "employee.rehired"); ok {
			c.named[e.ID]++
		}
	}
}

// evidence compares the digest that an entry holds with the rows that name it.
func (c *check) evidence() {
	rows := map[uuid.UUID][]models.AccountEvidence{}
	for _, v := range c.Evidence {
		if v.LedgerEntryID == nil {
			c.report("evidence %d has no entry", v.ID)
			continue
		}
		rows[*v.LedgerEntryID] = append(rows[*v.LedgerEntryID], v)
	}
	for id, evidence := range rows {
		e, ok := c.byID[id]
		if !ok || e.Details["evidence_sha256"] == "" {
			c.report("%d rows of evidence name an entry that does not cover them", len(evidence))
		}
	}
	ends := map[string]int{}
	for _, e := range c.Entries {
		digest := e.Details["evidence_sha256"]
		if strings.HasPrefix(e.Action, "account.step_") {
			c.named[e.ID]++
			run := e.Object + ", attempt " + e.Details["attempt"]
			switch e.Action {
			case "account.step_intended", "account.step_noted", "account.step_left":
				if len(rows[e.ID]) == 0 {
					c.report("entry %s (%s) covers no evidence", e.ID, e.Action)
				}
			default:
				if ends[run]++; ends[run] == 2 {
					c.report("%s ended twice", run)
				}
			}
			if digest == "" {
				c.report("entry %s (%s) has no digest of evidence", e.ID, e.Action)
			}
		}
		if digest != "" && digest != account.EvidenceDigest(rows[e.ID]) {
			c.report("entry %s (%s): its %d rows of evidence are not those that it covers", e.ID, e.Action, len(rows[e.ID]))
		}
	}
}

func (c *check) cases() {
	for _, k := range c.Cases {
		object := "support_case/" + k.ID.String()
		if e, ok := c.names("case "+k.ID.String(), k.LedgerEntryID, object, "case.opened"); ok {
			c.named[e.ID]++
		}
		if k.State != models.CaseClosed {
			continue
		}
		switch k.Resolution {
		case models.ResolutionWaive:
			c.once(object, "case.waived", true)
		case models.ResolutionRetry, models.ResolutionByHand, models.ResolutionAbort:
			c.once(object, "case.resolved", true)
		}
	}
}

// once says that there is exactly one entry of an action about an object if the fact is there, and
// none if it is not.
func (c *check) once(object, action string, there bool) {
	want, found := 0, 0
	if there {
		want = 1
	}
	for _, e := range c.byAction[action] {
		if e.Object == object {
			found++
			c.named[e.ID]++
		}
	}
	if found != want {
		c.report("%s: %d entries of %s, want %d", object, found, action, want)
	}
}

func (c *check) retentions() {
	for _, r := range c.Retentions {
		if e, ok := c.names("retention "+r.ID.String(), r.LedgerEntryID, "retention/"+r.ID.String(), "retention.scheduled"); ok {
			c.named[e.ID]++
		}
	}
	cancelled := map[uuid.UUID]bool{}
	for _, l := range c.Deadlines {
		if _, ok := c.names("deadline "+l.ID.String(), l.LedgerEntryID, "", "retention.scheduled", "retention.rederived", "retention.recounted", "purge.extended", "retention.cancelled"); ok && l.State == models.DeadlineCancelled {
			cancelled[l.DepartureID] = true
		}
	}
	for _, r := range c.Retentions {
		c.once("retention/"+r.ID.String(), "retention.cancelled", cancelled[r.ID])
	}
	for _, h := range c.Holds {
		object := "hold/" + h.ID.String()
		if e, ok := c.names(object, h.LedgerEntryID, object, "hold.placed"); ok {
			c.named[e.ID]++
		}
		c.once(object, "hold.released", h.Released)
		if h.Released {
			c.names(object+"'s release", h.ReleaseEntryID, object, "hold.released")
		}
	}
}

func (c *check) purges() {
	var withRetention []string
	for _, e := range c.byAction["retention.cancelled"] {
		withRetention = append(withRetention, strings.Split(e.Details["purges"], ",")...)
	}
	certificates := map[uuid.UUID]bool{}
	for _, k := range c.Certificates {
		certificates[k.PurgeID] = true
		c.certificate(k)
	}
	for _, p := range c.Purges {
		object := "purge/" + p.ID.String()
		ordered, ok := c.names(object, p.LedgerEntryID, object, "purge.ordered")
		if ok {
			c.named[ordered.ID]++
		}
		for action, there := range map[string]bool{
			"purge.intended": p.IntentAt != nil, "purge.tombstoned": p.TombstonedAt != nil,
			"purge.keys_destroyed": p.KeysDestroyedAt != nil, "purge.cleared": p.FieldsClearedAt != nil,
			"purge.probed": p.ProbedAt != nil, "purge.certified": p.State == models.PurgePurged,
			"purge.cancelled": p.State == models.PurgeCancelled && !slices.Contains(withRetention, p.ID.String()),
		} {
			c.once(object, action, there)
		}
		if certificates[p.ID] != (p.State == models.PurgePurged) {
			c.report("%s is %s, its certificate is there: %t", object, p.State, certificates[p.ID])
		}
		decisions := slices.Concat(c.byAction["purge.decided"], c.byAction["purge.overruled"], c.byAction["purge.extended"])
		decided := slices.ContainsFunc(decisions, func(e Entry) bool {
			return e.Object == object && e.Details["decision"] == string(p.Decision)
		})
		former := p.Decision == models.DecisionRejected && ordered.Details["state"] == string(models.PurgeRejected)
		if decided != (p.Decision != "" && !former) {
			c.report("%s: decision %q, recorded: %t", object, p.Decision, decided)
		}
	}
	for _, r := range c.Rejections {
		object := "purge/" + r.PurgeID.String()
		c.names("a rejection of "+object, r.LedgerEntryID, object, "purge.decided")
	}
}

// certificate: the entry proves the certificate by its digest.
func (c *check) certificate(k models.DestructionCertificate) {
	what := "certificate " + k.ID.String()
	e, ok := c.names(what, k.LedgerEntryID, "purge/"+k.PurgeID.String(), "purge.certified")
	if !ok {
		return
	}
	if e.Details["certificate"] != k.ID.String() || e.Details["certificate_sha256"] != hex.EncodeToString(k.StatementSha256) {
		c.report("%s is not the one that its entry proves", what)
	}
	if intact, err := retention.Intact(k); err != nil || !intact {
		c.report("%s does not say what its digest covers", what)
	}
}

// several are the actions that may come more than once for one object, with no row for each.
var several = []string{
	"purge.review_asked", "purge.decided", "purge.overruled", "purge.extended", "purge.escalated", "purge.categories_left", "case.waiver_requested", "case.waiver_dropped",
	"retention.rederived", "retention.recounted", "employee.updated",
	"unlinking.extended",
}

// findings: the ledger tells for each system that a settled order had to ask what it answered, or that two
// people did without (I29).
func (c *check) findings() {
	type asked struct{ operation, system string }
	answered := map[asked]bool{}
	for _, e := range c.Entries {
		looked := strings.Contains(strings.ReplaceAll(e.Details["evidence"], "find:failed", ""), "find:")
		if e.Action == "case.waived" || looked && strings.HasPrefix(e.Action, "account.step_") {
			answered[asked{e.Details["operation"], e.Details["system"]}] = true
		}
	}
	for _, op := range c.Operations {
		if op.Kind != models.OperationUnlink || op.State != models.OperationSettled {
			continue
		}
		if op.Origin == models.OriginDeparture && len(op.Asked) == 0 {
			c.report("operation %s is settled and asked no system", op.ID)
		}
		for _, system := range op.Asked {
			if !answered[asked{op.ID.String(), system}] {
				c.report("operation %s is settled without an answer of %s", op.ID, system)
			}
		}
	}
}

// nothingUnheardOf: no entry of a fact tells of something that did not happen, or tells it twice.
func (c *check) nothingUnheardOf() {
	for _, e := range c.Entries {
		switch e.Kind {
		case "departure", "account", "retention", "purge", "archive":
		default:
			continue
		}
		if slices.Contains(several, e.Action) || strings.HasPrefix(e.Action, "accounts.") {
			continue
		}
		if n := c.named[e.ID]; n != 1 {
			c.report("entry %s (%s of %s) tells of %d facts", e.ID, e.Action, e.Object, n)
		}
	}
}
