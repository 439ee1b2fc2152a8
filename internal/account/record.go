package account

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// What the ledger says of accounts. Runs of a step come several times for one step; everything else
// once for each order, step or case.
const (
	actionLinked = "account.linked"
	actionSought = "account.sought" // nobody registered one: the system is asked by employee number
	actionFound  = "account.found"  // by employee number, besides what was registered

	actionUnlinkingOrdered  = "unlinking.ordered"
	actionUnlinkingExtended = "unlinking.extended" // further systems are asked
	actionRelinkingOrdered  = "relinking.ordered"

	actionStepIntended = "account.step_intended" // a call that changes something is about to be made
	actionStepNoted    = "account.step_noted"
	actionStepDone     = "account.step_done"
	actionStepAccepted = "account.step_accepted"
	actionStepRetried  = "account.step_retried"
	actionStepStuck    = "account.step_stuck"
	actionStepLeft     = "account.step_left" // another run took over

	actionCutEnded            = "access_cut.ended"
	actionCaseOpened          = "case.opened"
	actionCaseResolved        = "case.resolved"
	actionCaseWaiverRequested = "case.waiver_requested"
	actionCaseWaiverDropped   = "case.waiver_dropped"
	actionCaseWaived          = "case.waived"

	actionAccountsResumed      = "accounts.resumed"
	actionAccountsSettled      = "accounts.settled"
	actionAccountsAttention    = "accounts.need_attention"
	actionAccountsCompensating = "accounts.compensating"
	actionAccountsCompensated  = "accounts.compensated"
	actionAccountsAborted      = "accounts.aborted"
	actionAccountsSuperseded   = "accounts.superseded"
)

var stepActions = map[Outcome]string{
	Done: actionStepDone, Accepted: actionStepAccepted, Retry: actionStepRetried, Stuck: actionStepStuck,
}

var operationActions = map[models.OperationState]string{
	models.OperationRunning: actionAccountsResumed, models.OperationSettled: actionAccountsSettled,
	models.OperationNeedsAttention: actionAccountsAttention, models.OperationCompensating: actionAccountsCompensating,
	models.OperationCompensated: actionAccountsCompensated, models.OperationAborted: actionAccountsAborted,
	models.OperationSuperseded: actionAccountsSuperseded,
}

// person is who an employment is of.
func person(tx *database.Tx, employmentID uuid.UUID) (uuid.UUID, error) {
	m, err := database.First[models.Employment](tx.DB().Select("id", "employee_id").Where("id = ?", employmentID))
	return m.EmployeeID, database.Wrap("reading an employment", err)
}

// orderObject is what an order is about; one that gave everything back at once has no row of its own.
func orderObject(op models.AccountOperation) string {
	if op.ID == uuid.Nil {
		return "employment/" + op.EmploymentID.String()
	}
	return "account_operation/" + op.ID.String()
}

// recordOrder appends the order to the ledger. The accounts are as they were before it.
func recordOrder(tx *database.Tx, op models.AccountOperation, employee uuid.UUID, by models.Actor, former formers, accounts []models.LinkedAccount) (*uuid.UUID, error) {
	if employee == uuid.Nil {
		var err error
		if employee, err = person(tx, op.EmploymentID); err != nil {
			return nil, err
		}
	}
	action := actionUnlinkingOrdered
	if op.Kind == models.OperationRelink {
		action = actionRelinkingOrdered
	}
	details := map[string]string{
		"employment": op.EmploymentID.String(), "mode": string(op.Mode), "origin": string(op.Origin), "accounts": accountList(accounts),
	}
	if op.Asked != nil {
		details["asked"] = joined(op.Asked)
	}
	if op.AllOrNothing {
		details["all_or_nothing"] = strconv.FormatBool(true)
	}
	if op.DepartureID != nil {
		details["departure"] = op.DepartureID.String()
	}
	if op.CutID != nil {
		details["access_cut"] = op.CutID.String()
	}
	if op.UndoesID != nil {
		details["undoes"] = op.UndoesID.String()
	}
	if taken := former.unfinishedOf(accounts); len(taken) > 0 {
		details["takes_over_from"] = strings.Join(taken, ",")
	}
	entry, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindAccount, Action: action, Subject: &employee, Object: orderObject(op), Details: details,
	}.As(tx.Context(), by))
	return &entry, err
}

func joined(systems []string) string { return strings.Join(systems, ",") }

// accountList names accounts by system and our own id, never by the target's.
func accountList(accounts []models.LinkedAccount) string {
	list := make([]string, len(accounts))
	for i, a := range accounts {
		list[i] = a.System + ":" + a.ID.String()
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}

// unfinishedOf are the operations from which an order takes accounts over.
func (f formers) unfinishedOf(accounts []models.LinkedAccount) []string {
	var ids []string
	for _, a := range accounts {
		step, ok := f.current(a)
		if id := step.OperationID.String(); ok && !final(step.State) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// recordRun appends what a run of a step came to, together with its evidence and the digest of that.
func (r *run) recordRun(tx *database.Tx, action string, evidence []models.AccountEvidence, more map[string]string) error {
	result := ledger.Done
	if action == actionStepStuck || action == actionStepRetried {
		result = ledger.Failed
	}
	details := map[string]string{
		"operation": r.op.ID.String(), "step": r.step.ID.String(), "system": r.step.System, "direction": string(r.step.Action),
		"attempt": strconv.FormatInt(r.attempt, 10), "evidence": evidenceList(evidence), "evidence_sha256": EvidenceDigest(evidence),
	}
	for name, value := range more {
		details[name] = value
	}
	insert, args := insertEvidence(evidence)
	_, err := ledger.AppendWith(tx, ledger.Entry{
		Kind: ledger.KindAccount, Action: action, Subject: &r.employee, Object: "account/" + r.account.ID.String(),
		Result: result, Details: details,
	}, insert, args...)
	return err
}

// insertEvidence writes rows of evidence, in their order, with the entry that covers them.
func insertEvidence(rows []models.AccountEvidence) (insert string, args []any) {
	if len(rows) == 0 {
		return "", nil
	}
	values := make([]string, len(rows))
	for i, e := range rows {
		values[i] = "(?::int, ?::uuid, ?::bigint, ?::text, ?::text, ?::text)"
		args = append(args, i, e.StepID, e.Attempt, e.Substep, e.Outcome, e.Detail)
	}
	return `INSERT INTO account_evidence (step_id, attempt, substep, outcome, detail, ledger_entry_id)
		SELECT v.step_id, v.attempt, v.substep, v.outcome, v.detail, pending.entry_id
		FROM pending, (VALUES ` + strings.Join(values, ", ") + `) AS v (n, step_id, attempt, substep, outcome, detail) ORDER BY v.n`, args
}

// evidenceList says which sub-steps came to what, in codes.
func evidenceList(rows []models.AccountEvidence) string {
	list := make([]string, len(rows))
	for i, e := range rows {
		list[i] = e.Substep + ":" + e.Outcome
	}
	return strings.Join(list, ",")
}

// EvidenceDigest is the SHA-256, in hex, over the rows of evidence that name one ledger entry, in the
// order of their ids: the entry holds the same, so that none of them can be changed, added or taken
// away. A row is its step, attempt, sub-step, outcome and detail, each ended by a zero byte.
func EvidenceDigest(rows []models.AccountEvidence) string {
	h := sha256.New()
	for _, e := range rows {
		for _, part := range []string{e.StepID.String(), strconv.FormatInt(e.Attempt, 10), e.Substep, e.Outcome, e.Detail} {
			_, _ = h.Write(append([]byte(part), 0))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// recordMove appends that a stand-alone operation moved. A departure's operation is told by the
// departure's accounts track.
func recordMove(tx *database.Tx, op models.AccountOperation, from models.OperationState) error {
	if op.DepartureID != nil {
		return nil
	}
	employee, err := person(tx, op.EmploymentID)
	if err != nil {
		return err
	}
	_, err = ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindAccount, Action: operationActions[op.State], Subject: &employee, Object: orderObject(op),
		Details: map[string]string{"operation_kind": string(op.Kind), "state_before": string(from)},
	}.As(tx.Context(), models.System))
	return err
}

// recordCase appends what people said about a case, together with that as evidence, or that it was
// opened.
func recordCase(tx *database.Tx, action string, c models.SupportCase, employee uuid.UUID, by models.Actor, details map[string]string, evidence ...models.AccountEvidence) (uuid.UUID, error) {
	if details == nil {
		details = map[string]string{}
	}
	details["operation"], details["step"], details["account"] = c.OperationID.String(), c.StepID.String(), c.AccountID.String()
	details["system"], details["case_reason"] = c.System, c.Reason
	if len(evidence) > 0 {
		details["evidence"], details["evidence_sha256"] = evidenceList(evidence), EvidenceDigest(evidence)
	}
	insert, args := insertEvidence(evidence)
	return ledger.AppendWith(tx, ledger.Entry{
		Kind: ledger.KindAccount, Action: action, Subject: &employee, Object: "support_case/" + c.ID.String(), Details: details,
	}.As(tx.Context(), by), insert, args...)
}
