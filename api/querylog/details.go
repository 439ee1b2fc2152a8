package querylog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lethe/internal/archive"
	"lethe/internal/i18n"
	"lethe/internal/screening"
)

// DetailView is a detail of an entry, for people.
type DetailView struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Value string `json:"value" doc:"In words what has a few values only; ids, times and digests as they are"`
}

func detailViews(language i18n.Language, labels archive.Labels, details map[string]string) []DetailView {
	views := make([]DetailView, 0, len(details))
	for _, key := range slices.Sorted(maps.Keys(details)) {
		views = append(views, DetailView{key, detailLabel(language, key), detailValue(language, labels, key, details[key])})
	}
	return views
}

// detailLabel is what a detail is called; what approvals show, or a category, is called so here too.
func detailLabel(language i18n.Language, key string) string {
	for _, texts := range []string{"ledger.detail.", "approval.field.", "category."} {
		if text, ok := i18n.Lookup(language, texts+key); ok {
			return text
		}
	}
	for _, ending := range []string{"_before", "_sha256", "_mac"} {
		if of, ok := strings.CutSuffix(key, ending); ok {
			return fmt.Sprintf(i18n.Text(language, "ledger.detail"+ending), detailLabel(language, of))
		}
	}
	return key
}

// detailWords are where the words of details are that have a few values only, or list some of them; by key.
var detailWords = map[string]string{
	"account_state": "account_state.", "accounts": "system_kind.", "action": "ledger.action.", "asked": "system_kind.", "basis": "leavers_basis.", "outcomes": "leavers_outcome.",
	"authenticated": "authenticated.", "case_reason": "case_reason.", "categories": "category.", "consent_form": "consent_form.", "consent_purpose": "consent_purpose.", "decision": "purge_decision.",
	"alarm": "reconciliation_alarm.", "drift_kind": "drift_kind.", "departure_kind": "kind.", "disclosure_outcome": "disclosure_outcome.", "flags": "disclosure_rule.", "look_review": "look_review.",
	"matter": "screening.category.", "message_end": "message_end.", "status": "status.", "direction": "operation_kind.", "emergency_outcome": "emergency_outcome.", "evidence": "tried.", "failure": "export_failure.", "fields": "approval.field.",
	"half": "ledger.half.", "how": "authenticated.", "initiator": "initiator.", "kind": "ledger.kind.", "mode": "operation_mode.",
	"operation": "approval.operation.", "operation_kind": "operation_kind.", "origin": "operation_origin.", "reason_code": "case_reason.",
	"resolution": "case_resolution.", "result": "ledger.result.", "role": "role.", "scope": "hold_scope.", "scopes": "token_scope.",
	"subject_answer": "subject_answer.", "subject_request_kind": "subject_request_kind.",
	"stage_before": "stage.", "state": "purge_state.", "state_before": "operation_state.", "system": "system_kind.", "systems": "system_kind.",
	"why": "approval.void.",
}

func detailValue(language i18n.Language, labels archive.Labels, key, value string) string {
	for _, between := range []string{"by version", "instead of"} {
		if first, second, ok := strings.Cut(value, " "+between+" "); ok {
			return fmt.Sprintf(i18n.Text(language, "ledger.value."+strings.ReplaceAll(between, " ", "_")), first, second)
		}
	}
	if key == "text_rules" {
		return textRules(language, value)
	}
	words, closed := detailWords[key]
	if !closed {
		return detailWord(language, labels, "ledger.value.", value)
	}
	parts := strings.Split(value, ",")
	for i, part := range parts {
		parts[i] = detailWord(language, labels, words, part)
	}
	return language.List(parts)
}

// textRules are the rules that a text was refused by, each in a sentence; one that the program does not have any more
// stays its name.
func textRules(language i18n.Language, names string) string {
	parts := strings.Split(names, ",")
	for i, name := range parts {
		parts[i] = cmp.Or(screening.Builtin().Sentence(name, language), name)
	}
	return strings.Join(parts, language.Of("；", "; "))
}

// detailWord is a value in words, or what it is. Of a pair, as of a step and what came of it, each has words.
func detailWord(language i18n.Language, labels archive.Labels, words, value string) string {
	for _, texts := range []string{words, "ledger.value."} {
		if text, ok := i18n.Lookup(language, texts+value); ok {
			return text
		}
	}
	if label, ok := labels.Of(language, value); ok && words == "approval.field." {
		return label
	}
	first, second, pair := strings.Cut(value, ":")
	if text, ok := i18n.Lookup(language, words+first); ok && pair {
		return text + language.Of("：", ": ") + detailWord(language, labels, "tried_outcome.", second)
	}
	return value
}
