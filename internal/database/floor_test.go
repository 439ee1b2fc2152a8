package database_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/ledger"
)

// change is something that the application's login writes with {entry}: what the row shall name.
type change struct {
	trigger string // the guard that it is about
	name    string
	sql     string
	// want is the code with which it is refused, whatever entry it names; empty: it is refused with
	// CodeUnrecorded unless it names an entry of its own transaction, and accepted then.
	want string
}

// authority is everything that gives or takes what somebody may do. Two users, of two people: @user and
// @other; the other one is disabled, has lost a role, a token, a link and a session.
var authority = []change{
	{"users_recorded", "a user", `INSERT INTO users (id, employee_id, login, state, ledger_entry_id) VALUES (gen_random_uuid(), @employee, 'x', 'active', {entry})`, ""},
	{"users_unrecorded", "disabled", "UPDATE users SET state = 'disabled', ledger_entry_id = {entry} WHERE id = @user", ""},
	{"users_unrecorded", "back", "UPDATE users SET state = 'enrolling', ledger_entry_id = {entry} WHERE id = @other", ""},
	{"users_unrecorded", "a password", "UPDATE users SET password_hash = '$argon2id$x', ledger_entry_id = {entry} WHERE id = @user", ""},
	{"users_unrecorded", "a second factor", "UPDATE users SET totp_sealed = @sealed, ledger_entry_id = {entry} WHERE id = @user", ""},
	{"users_unrecorded", "nobody made it", "UPDATE users SET created_by = NULL, credentials_set_by = NULL, ledger_entry_id = {entry} WHERE id = @user", ""},
	{"users_unrecorded", "its access never ended", "UPDATE users SET access_ended_at = NULL, ledger_entry_id = {entry} WHERE id = @other", ""},
	{"users_unrecorded", "another login", "UPDATE users SET login = 'y', ledger_entry_id = {entry} WHERE id = @user", ""},
	{"users_unrecorded", "names another entry", "UPDATE users SET ledger_entry_id = {entry} WHERE id = @user", ""},
	{"users_matter", "another person's", "UPDATE users SET employee_id = @leaver, ledger_entry_id = {entry} WHERE id = @user", "LT003"},

	{"user_roles_recorded", "a role", "INSERT INTO user_roles (id, user_id, role, ledger_entry_id) VALUES (gen_random_uuid(), @user, 'it_ops', {entry})", ""},
	{"user_roles_unrecorded", "taken", "UPDATE user_roles SET revoked_at = lethe_now(), ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"user_roles_unrecorded", "names another entry", "UPDATE user_roles SET ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"user_roles_matter", "held again", "UPDATE user_roles SET revoked_at = NULL, ledger_entry_id = {entry} WHERE user_id = @other", "LT003"},
	{"user_roles_matter", "another role", "UPDATE user_roles SET role = 'hr_admin', ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"user_roles_matter", "another's", "UPDATE user_roles SET user_id = @other, ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"user_roles_matter", "since ever", "UPDATE user_roles SET granted_at = '2000-01-01', ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},

	{"api_tokens_recorded", "a token", `INSERT INTO api_tokens (id, prefix, secret_hash, user_id, employee_id, role, expires_at, ledger_entry_id)
		VALUES (gen_random_uuid(), 'p', sha256('x'), @user, @employee, 'reviewer', '2099-01-01', {entry})`, ""},
	{"api_tokens_unrecorded", "ended", "UPDATE api_tokens SET revoked_at = lethe_now(), ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"api_tokens_unrecorded", "names another entry", "UPDATE api_tokens SET ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"api_tokens_matter", "not ended", "UPDATE api_tokens SET revoked_at = NULL, ledger_entry_id = {entry} WHERE user_id = @other", "LT003"},
	{"api_tokens_matter", "in another role", "UPDATE api_tokens SET role = 'hr_admin', ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"api_tokens_matter", "another's", "UPDATE api_tokens SET user_id = @other, ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"api_tokens_matter", "another person's", "UPDATE api_tokens SET employee_id = @leaver, ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"api_tokens_matter", "with other scopes", "UPDATE api_tokens SET scopes = '', ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"api_tokens_matter", "by another secret", "UPDATE api_tokens SET secret_hash = sha256('y'), ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"api_tokens_matter", "not of the host", "UPDATE api_tokens SET on_host = false, ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"api_tokens_matter", "for longer", "UPDATE api_tokens SET expires_at = '2199-01-01', ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},

	{"oidc_links_recorded", "a linked login", "INSERT INTO oidc_links (id, user_id, issuer, subject, ledger_entry_id) VALUES (gen_random_uuid(), @user, 'other', 's', {entry})", ""},
	{"oidc_links_unrecorded", "confirmed", "UPDATE oidc_links SET confirmed_at = lethe_now(), ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"oidc_links_unrecorded", "unlinked", "UPDATE oidc_links SET unlinked_at = lethe_now(), ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"oidc_links_unrecorded", "names another entry", "UPDATE oidc_links SET ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"oidc_links_matter", "linked again", "UPDATE oidc_links SET unlinked_at = NULL, ledger_entry_id = {entry} WHERE user_id = @other", "LT003"},
	{"oidc_links_matter", "with another user", "UPDATE oidc_links SET user_id = @other, ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"oidc_links_matter", "another subject", "UPDATE oidc_links SET subject = 'mine', ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"oidc_links_matter", "by somebody else", "UPDATE oidc_links SET linked_by = NULL, ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},

	{"sessions_recorded", "a session", `INSERT INTO sessions (id, data, user_id, role, authenticated, idle_expires_at, expires_at, ledger_entry_id)
		VALUES (gen_random_uuid(), '', @user, 'reviewer', 'oidc', '2099-01-01', '2099-01-01', {entry})`, ""},
	{"sessions_unrecorded", "stepped up", "UPDATE sessions SET stepped_up_at = lethe_now(), ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"sessions_unrecorded", "under another token", "UPDATE sessions SET token_hash = 'mine', ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"sessions_unrecorded", "names another entry", "UPDATE sessions SET ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"sessions_matter", "in another role", "UPDATE sessions SET role = 'hr_admin', ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"sessions_matter", "another's", "UPDATE sessions SET user_id = @other, ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"sessions_matter", "opened otherwise", "UPDATE sessions SET authenticated = 'totp', ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"sessions_matter", "not by the sealed codes", "UPDATE sessions SET break_glass = false, ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"sessions_matter", "for longer", "UPDATE sessions SET expires_at = '2199-01-01', ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"sessions_matter", "not ended", "UPDATE sessions SET revoked_at = NULL, ledger_entry_id = {entry} WHERE user_id = @other", "LT003"},

	{"enrolments_recorded", "an enrolment", "INSERT INTO enrolments (user_id, expires_at, ledger_entry_id) VALUES (@other, '2099-01-01', {entry})", ""},
	{"enrolments_recorded", "its code", "UPDATE enrolments SET first_hash = sha256('x'), ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"enrolment_halves_unrecorded", "an owner who was there", "UPDATE enrolment_halves SET confirmed_at = lethe_now(), ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"recovery_codes_recorded", "a recovery code", "INSERT INTO recovery_codes (id, user_id, code_hash, ledger_entry_id) VALUES (gen_random_uuid(), @user, sha256('x'), {entry})", ""},
	{"recovery_codes_unrecorded", "names another entry", "UPDATE recovery_codes SET ledger_entry_id = {entry} WHERE user_id = @user", ""},
	{"recovery_codes_matter", "unused again", "UPDATE recovery_codes SET used_at = NULL, ledger_entry_id = {entry} WHERE user_id = @other", "LT003"},
	{"recovery_codes_matter", "another code", "UPDATE recovery_codes SET code_hash = sha256('x'), ledger_entry_id = {entry} WHERE user_id = @user", "LT003"},
	{"break_glass_recorded", "sealed codes", "INSERT INTO break_glass (id, first_hash, second_hash, ledger_entry_id) VALUES (gen_random_uuid(), sha256('x'), sha256('y'), {entry})", ""},
	{"break_glass_unrecorded", "names another entry", "UPDATE break_glass SET ledger_entry_id = {entry} WHERE used_at IS NOT NULL", ""},
	{"break_glass_matter", "other codes", "UPDATE break_glass SET first_hash = sha256('x'), ledger_entry_id = {entry}", "LT003"},
	{"break_glass_matter", "unused again", "UPDATE break_glass SET used_at = NULL, ledger_entry_id = {entry} WHERE used_at IS NOT NULL", "LT003"},

	{"approvals_recorded", "a request", `INSERT INTO approvals (id, operation, command_sealed, fingerprint, command_hash, targets, state_digest, hash,
		requester_id, requester_role, requester_authenticated, expires_at, ledger_entry_id)
		SELECT gen_random_uuid(), 'o', @sealed, h, h, '[]', h, h, @employee, 'hr_admin', 'session', '2099-01-01', {entry} FROM (SELECT sha256('new')) AS s (h)`, ""},
	{"approvals_unrecorded", "rejected", `UPDATE approvals SET state = 'rejected', command_sealed = NULL, fingerprint = NULL, ended_at = lethe_now(),
		decided_by = @second, decided_by_user_id = @reviewer, ledger_entry_id = {entry} WHERE id = @approval`, ""},
	{"approvals_unrecorded", "withdrawn", `UPDATE approvals SET state = 'withdrawn', command_sealed = NULL, fingerprint = NULL, ended_at = lethe_now(),
		ledger_entry_id = {entry} WHERE id = @approval`, ""},
	{"approvals_unrecorded", "names another entry", "UPDATE approvals SET ledger_entry_id = {entry} WHERE id = @approval", ""},
}

// deciding is everything that decides when something is destroyed. Two departures of two people: @departure
// took effect, @ahead is still ahead; @purge of the first one was rejected, @agreed of the second is agreed to.
var deciding = []change{
	{"legal_entities_recorded", "an entity's jurisdiction", "UPDATE legal_entities SET jurisdiction = 'DEMO', ledger_entry_id = {entry} WHERE id = @entity", ""},
	{"legal_entities_recorded", "an entity's zone", "UPDATE legal_entities SET time_zone = 'UTC', ledger_entry_id = {entry} WHERE id = @entity", ""},
	{"legal_entities_recorded", "the hour of its cutoffs", "UPDATE legal_entities SET cutoff_time = '04:00', ledger_entry_id = {entry} WHERE id = @entity", ""},
	{"legal_entities_recorded", "names another entry", "UPDATE legal_entities SET ledger_entry_id = {entry} WHERE id = @entity", ""},
	{"employments_recorded", "a jurisdiction", "UPDATE employments SET jurisdiction = 'DEMO', basis_entry_id = {entry} WHERE id = @employment", ""},
	{"employments_recorded", "an end", "UPDATE employments SET ended_at = '2021-01-01', basis_entry_id = {entry} WHERE id = @employment", ""},
	{"employments_recorded", "a zone", "UPDATE employments SET time_zone = 'UTC', basis_entry_id = {entry} WHERE id = @employment", ""},
	{"employments_recorded", "a day of hiring", "UPDATE employments SET hired_on = '2000-01-01', basis_entry_id = {entry} WHERE id = @employment", ""},
	{"employments_recorded", "an entity", "UPDATE employments SET legal_entity_id = @entity2, basis_entry_id = {entry} WHERE id = @employment", ""},
	{"employments_recorded", "names another entry", "UPDATE employments SET basis_entry_id = {entry} WHERE id = @employment", ""},
	{"employments_matter", "another person's", "UPDATE employments SET employee_id = @second, basis_entry_id = {entry} WHERE id = @employment", "LT003"},
	{"employment_categories_matter", "a category's employment", "UPDATE employment_categories SET employment_id = @employment2 WHERE id = @category", "LT003"},

	{"retention_deadlines_computed", "a deadline", `INSERT INTO retention_deadlines (id, departure_id, employment_id, category_id, category, rule_id, event_at, deadline, floor_at, ledger_entry_id)
		VALUES (gen_random_uuid(), @ahead, @employment2, @category2, 'identity', @rule, '2020-01-01', '2020-01-01', '2020-01-01', {entry})`, ""},
	{"retention_deadlines_unrecorded", "due", "UPDATE retention_deadlines SET deadline = deadline - interval '1 year', floor_at = floor_at - interval '2 years', extended_until = NULL, ledger_entry_id = {entry} WHERE category_id = @category", ""},
	{"retention_deadlines_unrecorded", "counted earlier", "UPDATE retention_deadlines SET event_at = '2020-01-01', ledger_entry_id = {entry} WHERE category_id = @category", ""},
	{"retention_deadlines_unrecorded", "not brought forward", "UPDATE retention_deadlines SET advanced = false, ledger_entry_id = {entry} WHERE category_id = @category", ""},
	{"retention_deadlines_unrecorded", "not extended", "UPDATE retention_deadlines SET extended_until = NULL, ledger_entry_id = {entry} WHERE category_id = @category", ""},
	{"retention_deadlines_unrecorded", "by another rule", "UPDATE retention_deadlines SET rule_id = @rule2, ledger_entry_id = {entry} WHERE category_id = @category", ""},
	{"retention_deadlines_unrecorded", "of another departure", "UPDATE retention_deadlines SET departure_id = @ahead, ledger_entry_id = {entry} WHERE category_id = @category", ""},
	{"retention_deadlines_unrecorded", "under another id", "UPDATE retention_deadlines SET id = gen_random_uuid(), floor_at = floor_at - interval '2 years', ledger_entry_id = {entry} WHERE category_id = @category", ""},
	{"retention_deadlines_unrecorded", "names another entry", "UPDATE retention_deadlines SET ledger_entry_id = {entry} WHERE category_id = @category", ""},
	{"retention_deadlines_unrecorded", "cancelled", "UPDATE retention_deadlines SET state = 'cancelled', ledger_entry_id = {entry} WHERE category_id = @category", ""},
	{"retentions_finished", "over before its deadlines", "UPDATE retentions SET state = 'ended', ended_at = lethe_now() WHERE id = @departure", "LT002"},
	{"employment_categories_key", "without its key", "UPDATE employment_categories SET data_key_id = NULL WHERE id = @category", "LT003"},
	{"employment_categories_key", "with another key", "UPDATE employment_categories SET data_key_id = gen_random_uuid() WHERE id = @category", "LT003"},
	{"field_values_held", "what a hold keeps, emptied", "UPDATE field_values SET value_sealed = NULL WHERE category_id = @category", "LT005"},
	{"field_values_held", "what a hold keeps, taken away", "DELETE FROM field_values WHERE category_id = @category", "LT005"},
	{"field_values_matter", "a field of another category", "UPDATE field_values SET category_id = @category2 WHERE category_id = @category", "LT003"},
	{"field_values_matter", "another field", "UPDATE field_values SET field_key = 'id_type' WHERE category_id = @category", "LT003"},
	{"account_snapshots_emptied", "a snapshot", "UPDATE account_snapshots SET snapshot_sealed = NULL WHERE category_id = @category", "LT002"},
	{"account_snapshots_matter", "a snapshot of another category", "UPDATE account_snapshots SET category_id = @category2 WHERE category_id = @category", "LT003"},
	{"departures_emptied", "a note", "UPDATE departures SET note_sealed = NULL WHERE id = @ahead", "LT002"},
	{"departures_emptied", "a reason of withdrawal", "UPDATE departures SET withdrawal_reason_sealed = NULL WHERE id = @ahead", "LT002"},
	{"departures_emptied", "a legal ground", "UPDATE departures SET legal_ground_sealed = NULL WHERE id = @ahead", "LT002"},
	{"departures_emptied", "a reason", "UPDATE departures SET reason_code_sealed = NULL WHERE id = @ahead", "LT002"},
	{"retention_rules_owner", "a rule", `INSERT INTO retention_rules (id, jurisdiction, category, version, period, floor, anchor, basis_zh, basis_en, ledger_entry_id)
		VALUES (gen_random_uuid(), 'ZZ', 'identity', 1, 'P0D', 'P0D', 'employment_end', '', '', {entry})`, denied},

	{"departures_matter", "another employment", "UPDATE departures SET employment_id = @employment2 WHERE id = @departure", "LT003"},
	{"departures_matter", "somebody else's", "UPDATE departures SET employee_id = @second WHERE id = @departure", "LT003"},
	{"departures_entered", "entered by a file", "UPDATE departures SET batch_id = gen_random_uuid() WHERE id = @departure", "LT003"},
	{"departures_begun_by", "begun by a file", "UPDATE departures SET begun_batch_id = gen_random_uuid() WHERE id = @departure", "LT003"},
	{"departures_matter", "begun by nobody", "UPDATE departures SET created_by = NULL WHERE id = @departure", "LT003"},
	{"departures_unsaid_counting", "counted before its entry", insertDepartureSQL("'2020-01-01'", "false", "NULL", "NULL"), "LT007"},
	{"departures_begun_approved", "by two people, says nobody", insertDepartureSQL("'2020-01-01'", "true", "NULL", "NULL"), "LT007"},
	{"departures_begun_approved", "by another approval", insertDepartureSQL("'2020-01-01'", "true", "@approved", "NULL"), "LT007"},
	{"departures_unsaid_effect", "took effect before it began", insertDepartureSQL("lethe_now()", "false", "NULL", "'2020-01-01'"), "LT002"},
	{"departures_counting", "counted earlier", "UPDATE departures SET counts_from = '2020-01-01' WHERE id = @ahead", "LT007"},
	{"departures_counting_approved", "by two people, says nobody", "UPDATE departures SET counts_from = '2020-01-01', advanced = true WHERE id = @ahead", "LT007"},
	{"departures_counting_approved", "by an approval that is used up", "UPDATE departures SET counts_from = '2020-01-01', advanced = true, advanced_by = @approved WHERE id = @ahead", "LT007"},
	{"departures_counting_approved", "by one that waits", "UPDATE departures SET counts_from = '2020-01-01', advanced = true, advanced_by = @approval WHERE id = @ahead", "LT007"},
	{"departures_took_effect", "took effect long ago", "UPDATE departures SET departed_at = '2020-01-01' WHERE id = @departure", "LT002"},
	{"departures_took_effect", "takes effect long ago", `UPDATE departures SET departed_at = '2020-01-01' WHERE id = @ahead`, "LT002"},
	{"departures_told", "over", "UPDATE departures SET employment_ended_at = lethe_now(), access_cutoff_at = lethe_now() WHERE id = @ahead", "LT013"},
	{"departures_told", "agreed to, says nobody", "UPDATE departures SET advanced = true WHERE id = @ahead", "LT013"},
	{"departures_told", "agreed to otherwise", "UPDATE departures SET advanced_by = @approved WHERE id = @ahead", "LT013"},
	{"departures_told", "counted later", "UPDATE departures SET counts_from = '2199-01-01' WHERE id = @ahead", "LT013"},
	{"departures_told", "in another zone", "UPDATE departures SET time_zone = 'Pacific/Kiritimati' WHERE id = @ahead", "LT013"},
	{"departures_told", "on a later day", "UPDATE departures SET employment_end_date = '2098-12-31' WHERE id = @ahead", "LT013"},
	{"departures_told", "without access", "UPDATE departures SET access_cutoff_at = lethe_now() WHERE id = @ahead", "LT013"},
	{"departures_told", "of another kind", "UPDATE departures SET kind = 'retirement' WHERE id = @ahead", "LT013"},
	{"departures_told", "withdrawn", "UPDATE departures SET stage = 'withdrawn' WHERE id = @ahead", "LT013"},

	{"departures_begun_told", "begun, says nobody", insertDepartureSQL("'2099-01-01'", "false", "NULL", "NULL"), "LT013"},
	{"departures_written", "another note", "UPDATE departures SET note_sealed = @other_sealed WHERE id = @departure", "LT003"},
	{"departures_written", "another reason of a withdrawal", "UPDATE departures SET withdrawal_reason_sealed = @other_sealed WHERE id = @departure", "LT003"},
	{"departures_written", "another ground", "UPDATE departures SET legal_ground_sealed = @other_sealed WHERE id = @departure", "LT003"},
	{"departures_written", "another reason", "UPDATE departures SET reason_code_sealed = @other_sealed WHERE id = @departure", "LT003"},
	{"employments_hired", "hired", `INSERT INTO employments (id, employee_id, legal_entity_id, department_id, post, jurisdiction, time_zone, hired_on, ended_at, ledger_entry_id)
		SELECT gen_random_uuid(), employee_id, legal_entity_id, department_id, '', jurisdiction, 'UTC', '2020-01-01', lethe_now(), {entry} FROM employments WHERE id = @employment`, ""},
	{"employments_begun", "hired by nobody", "UPDATE employments SET ledger_entry_id = NULL WHERE id = @employment", "LT003"},
	{"employment_categories_begun", "purged from the first", `INSERT INTO employment_categories (id, employment_id, category, state, purging_at, purged_at)
		VALUES (gen_random_uuid(), @employment3, 'identity', 'purged', lethe_now(), lethe_now())`, "LT003"},
	{"employment_categories_begun", "being purged from the first", `INSERT INTO employment_categories (id, employment_id, category, state, purging_at)
		VALUES (gen_random_uuid(), @employment3, 'identity', 'purging', lethe_now())`, "LT003"},

	{"linked_accounts_waived", "waived by a case of before", "UPDATE linked_accounts SET state = 'waived' WHERE id = @account2", "LT007"},
	{"linked_accounts_waived", "waived by two", `UPDATE support_cases SET state = 'closed', resolution = 'waive', closed_at = lethe_now(), confirmed_by = @employee, decision_entry_id = {entry} WHERE id = @case;
		UPDATE linked_accounts SET state = 'waived' WHERE id = @account`, ""},
	{"linked_accounts_begun", "linked by another entry", "UPDATE linked_accounts SET ledger_entry_id = {entry} WHERE id = @account", "LT003"},
	{"linked_accounts_begun", "of another employment", "UPDATE linked_accounts SET employment_id = @employment2 WHERE id = @account", "LT003"},
	{"linked_accounts_begun", "in another system", "UPDATE linked_accounts SET system = 'finance' WHERE id = @account", "LT003"},
	{"account_operations_begun", "ordered by another entry", "UPDATE account_operations SET ledger_entry_id = {entry} WHERE id = @operation", "LT003"},
	{"account_operations_begun", "of another employment", "UPDATE account_operations SET employment_id = @employment2 WHERE id = @operation", "LT003"},
	{"support_cases_begun", "opened by another entry", "UPDATE support_cases SET ledger_entry_id = {entry} WHERE id = @case", "LT003"},
	{"support_cases_begun", "about another account", "UPDATE support_cases SET account_id = gen_random_uuid() WHERE id = @case", "LT003"},
	{"support_cases_decided", "asked by somebody else", "UPDATE support_cases SET asked_by = @employee, decision_entry_id = {entry} WHERE id = @case", ""},
	{"support_cases_decided", "confirmed", "UPDATE support_cases SET confirmed_by = @employee, decision_entry_id = {entry} WHERE id = @case", ""},
	{"support_cases_decided", "waived", "UPDATE support_cases SET resolution = 'waive', decision_entry_id = {entry} WHERE id = @case", ""},
	{"support_cases_decided", "names another entry", "UPDATE support_cases SET decision_entry_id = {entry} WHERE id = @case", ""},
	{"retentions_begun", "scheduled by another entry", "UPDATE retentions SET ledger_entry_id = {entry} WHERE id = @departure", "LT003"},
	{"retentions_begun", "of another employment", "UPDATE retentions SET employment_id = @employment2 WHERE id = @departure", "LT003"},
	{"query_log_exports_asked", "an export", `INSERT INTO query_log_exports (id, entry_id, requested_by, role, authenticated, reason_sealed, filters_sealed, formats, epoch, first_index, end_index, expires_at)
		VALUES (gen_random_uuid(), {entry}, @employee, 'auditor', 'session', @sealed, @sealed, 'json', 1, 0, 10, '2099-01-01')`, ""},
	{"approvals_command", "another command", "UPDATE approvals SET command_sealed = @other_sealed WHERE id = @approval", "LT003"},
	{"approval_records_written", "decided about something else", "UPDATE approval_records SET told_sealed = @other_sealed WHERE id = @approval", "LT003"},
	{"support_cases_written", "another note", "UPDATE support_cases SET note_sealed = @other_sealed WHERE id = @case2", "LT003"},
	{"approvals_command", "another fingerprint", "UPDATE approvals SET fingerprint = sha256('b') WHERE id = @approval", "LT003"},

	{"purges_decided", "approved", "UPDATE purges SET decision = 'approved', decided_by = @second, decision_entry_id = {entry} WHERE id = @open", ""},
	{"purges_decided", "without a review", "UPDATE purges SET review_required = false, decision_entry_id = {entry} WHERE id = @open", ""},
	{"purges_decided", "names another entry", "UPDATE purges SET decision_entry_id = {entry} WHERE id = @agreed", ""},
	{"purges_decided", "decided long ago", "UPDATE purges SET decided_at = '2020-01-01', decision_entry_id = {entry} WHERE id = @agreed", ""},
	{"purges_decided", "for longer", "UPDATE purges SET extended_until = '2199-01-01', decision_entry_id = {entry} WHERE id = @purge", ""},
	{"purges_decided_by_two", "decided with an approval that is used up", "UPDATE purges SET decided_with = @approved, decision_entry_id = {entry} WHERE id = @agreed", "LT007"},
	{"purges_undecided", "approved from the first", `INSERT INTO purges (id, departure_id, employment_id, decision, decided_by, ledger_entry_id)
		VALUES (gen_random_uuid(), @departure, @employment, 'approved', @second, {entry})`, "LT003"},
	{"purges_decided_by_two", "overruled by two, says nobody", overruleSQL("NULL"), "LT007"},
	{"purges_decided_by_two", "overruled by an approval that is used up", overruleSQL("@approved"), "LT007"},
	{"purges_matter", "another departure's", "UPDATE purges SET departure_id = @ahead WHERE id = @open", "LT003"},
	{"purges_matter", "ordered anew", "UPDATE purges SET ledger_entry_id = gen_random_uuid() WHERE id = @agreed", "LT003"},
	{"purge_claims_ordered", "claimed by what was agreed to", "INSERT INTO purge_claims (purge_id, departure_id, category_id, category) VALUES (@agreed, @departure, @category, 'identity')", "LT005"},
	{"purge_claims_ordered", "claimed by a purge of before", "INSERT INTO purge_claims (purge_id, departure_id, category_id, category) VALUES (@open, @departure, @category, 'identity')", "LT005"},
	{"purge_claims_matter", "a claim of another category", "UPDATE purge_claims SET category_id = @category2 WHERE purge_id = @agreed", "LT003"},
	{"purge_claims_matter", "claimed again", "UPDATE purge_claims SET state = 'open' WHERE purge_id = @agreed", "LT003"},
}

func insertDepartureSQL(counts, advanced, approval, departed string) string {
	return `INSERT INTO departures (id, employee_id, employment_id, kind, notice_received_on, last_working_day, employment_end_date,
		access_cutoff_at, employment_ended_at, time_zone, counts_from, advanced, advanced_by, departed_at)
		VALUES (gen_random_uuid(), @employee, @employment3, 'death', '2020-01-01', '2020-01-01', '2020-01-01', '2020-01-01', '2020-01-01', 'UTC',
		` + counts + ", " + advanced + ", " + approval + ", " + departed + ")"
}

func overruleSQL(approval string) string {
	return `UPDATE purges SET state = 'in_review', decision = 'approved', decided_by = @employee, confirmed_by = @second, decided_with = ` + approval +
		`, decision_entry_id = {entry} WHERE id = @purge`
}

// anotherBefore is an entry of before that no row of the world names.
const anotherBefore = `(SELECT min(e.id::text)::uuid FROM ledger_entries e WHERE e.id NOT IN (SELECT ledger_entry_id FROM users WHERE ledger_entry_id IS NOT NULL))`

// floorWorld is committed by the application, entry by entry, before anything is attacked.
//
//nolint:dupword // values in SQL
const floorWorld = `
	INSERT INTO users (id, employee_id, login, state, created_by, credentials_set_by, ledger_entry_id)
		VALUES (@user, @employee, 'u', 'active', @second, @second, {entry}), (@reviewer, @second, 'r', 'active', NULL, NULL, {entry});
	INSERT INTO users (id, employee_id, login, state, access_ended_at, ledger_entry_id) VALUES (@other, @leaver, 'o', 'disabled', lethe_now(), {entry});
	INSERT INTO user_roles (id, user_id, role, revoked_at, ledger_entry_id)
		VALUES (gen_random_uuid(), @user, 'reviewer', NULL, {entry}), (gen_random_uuid(), @other, 'reviewer', lethe_now(), {entry});
	INSERT INTO api_tokens (id, prefix, secret_hash, user_id, employee_id, role, scopes, on_host, expires_at, revoked_at, ledger_entry_id)
		VALUES (gen_random_uuid(), 'a', sha256('a'), @user, @employee, 'reviewer', 'read', true, '2099-01-01', NULL, {entry}),
			(gen_random_uuid(), 'b', sha256('b'), @other, @leaver, 'reviewer', 'read', true, '2099-01-01', lethe_now(), {entry});
	INSERT INTO oidc_links (id, user_id, issuer, subject, linked_by, unlinked_at, ledger_entry_id)
		VALUES (gen_random_uuid(), @user, 'i', 'a', @second, NULL, {entry}), (gen_random_uuid(), @other, 'i', 'b', @second, lethe_now(), {entry});
	INSERT INTO sessions (id, data, user_id, role, authenticated, break_glass, idle_expires_at, expires_at, revoked_at, ledger_entry_id)
		VALUES (gen_random_uuid(), '', @user, 'reviewer', 'oidc', true, '2099-01-01', '2099-01-01', NULL, {entry}),
			(gen_random_uuid(), '', @other, 'reviewer', 'oidc', false, '2099-01-01', '2099-01-01', lethe_now(), {entry});
	INSERT INTO enrolments (user_id, expires_at, ledger_entry_id) VALUES (@user, '2099-01-01', {entry});
	INSERT INTO enrolment_halves (id, user_id, given_to, ledger_entry_id) VALUES (gen_random_uuid(), @user, @second, {entry});
	INSERT INTO recovery_codes (id, user_id, code_hash, used_at, ledger_entry_id)
		VALUES (gen_random_uuid(), @user, sha256('a'), NULL, {entry}), (gen_random_uuid(), @other, sha256('b'), lethe_now(), {entry});
	INSERT INTO break_glass (id, first_hash, second_hash, used_at, ledger_entry_id) VALUES (gen_random_uuid(), sha256('a'), sha256('b'), lethe_now(), {entry});
	INSERT INTO approvals (id, operation, command_sealed, fingerprint, command_hash, targets, state_digest, hash,
		requester_id, requester_role, requester_authenticated, expires_at, ledger_entry_id)
		SELECT @approval, 'departure.earlier_dates', @sealed, h, h, '[]', h, h, @employee, 'hr_admin', 'session', '2099-01-01', {entry} FROM (SELECT sha256('a')) AS s (h);
	INSERT INTO approval_records (id, told_sealed) VALUES (@approval, @sealed);
	INSERT INTO employment_categories (id, employment_id, category, data_key_id) VALUES (@category, @employment, 'identity', gen_random_uuid()), (@category2, @employment2, 'identity', NULL);
	INSERT INTO employment_categories (id, employment_id, category) VALUES (gen_random_uuid(), @employment2, 'departure_file');
	INSERT INTO field_values (id, employment_id, category_id, field_key, value_sealed) VALUES (gen_random_uuid(), @employment, @category, 'id_number', @sealed);
	INSERT INTO linked_accounts (id, employment_id, system, kind, ledger_entry_id) VALUES (@account, @employment, 'mail', 'mail', {entry});
	INSERT INTO account_operations (id, employment_id, kind, mode, origin, ledger_entry_id) VALUES (@operation, @employment, 'unlink', 'disable', 'standalone', {entry});
	INSERT INTO account_steps (id, operation_id, account_id, system, position, action) VALUES (@step, @operation, @account, 'mail', 1, 'unlink');
	UPDATE linked_accounts SET state = 'unlinking', operation_id = @operation WHERE id = @account;
	UPDATE linked_accounts SET state = 'stuck' WHERE id = @account;
	INSERT INTO support_cases (id, operation_id, step_id, account_id, system, reason, ledger_entry_id)
		VALUES (@case, @operation, @step, @account, 'mail', 'unavailable', {entry});
	UPDATE support_cases SET state = 'waiver_requested', asked_by = @second, asked_at = lethe_now(), decision_entry_id = {entry} WHERE id = @case;
	INSERT INTO linked_accounts (id, employment_id, system, kind, ledger_entry_id) VALUES (@account2, @employment, 'finance', 'finance', {entry});
	INSERT INTO account_steps (id, operation_id, account_id, system, position, action) VALUES (@step2, @operation, @account2, 'finance', 2, 'unlink');
	UPDATE linked_accounts SET state = 'unlinking', operation_id = @operation WHERE id = @account2;
	UPDATE linked_accounts SET state = 'stuck' WHERE id = @account2;
	INSERT INTO support_cases (id, operation_id, step_id, account_id, system, reason, ledger_entry_id)
		VALUES (@case2, @operation, @step2, @account2, 'finance', 'unavailable', {entry});
	UPDATE support_cases SET state = 'waiver_requested', asked_by = @second, asked_at = lethe_now(), decision_entry_id = {entry} WHERE id = @case2;
	UPDATE support_cases SET state = 'closed', resolution = 'waive', closed_at = lethe_now(), confirmed_by = @employee, note_sealed = @sealed, decision_entry_id = {entry} WHERE id = @case2;
	INSERT INTO holds (id, employee_id, categories, matter_sealed, placed_by, ledger_entry_id) VALUES (gen_random_uuid(), @leaver, '{identity}', @sealed, @second, {entry});
	INSERT INTO account_snapshots (id, employment_id, category_id, account_id, operation_id, snapshot_sealed)
		VALUES (gen_random_uuid(), @employment, @category, @account, @operation, @sealed);
	INSERT INTO departures (id, employee_id, employment_id, kind, notice_received_on, last_working_day, employment_end_date, access_cutoff_at, employment_ended_at, time_zone, created_by,
		note_sealed, withdrawal_reason_sealed, legal_ground_sealed, reason_code_sealed)
		SELECT v.id, v.who, v.employment, 'death', '2020-01-01', '2020-01-01', '2020-01-01', v.ends, v.ends, 'UTC', @maker, @sealed, @sealed, @sealed, @sealed
		FROM (VALUES (@departure, @leaver, @employment, lethe_now()), (@ahead, @second, @employment2, '2099-01-01')) AS v (id, who, employment, ends);
	INSERT INTO departure_events (departure_id, what, ledger_entry_id) VALUES (@departure, 'started', {entry}), (@ahead, 'started', {entry});
	UPDATE departures SET stage = 'departed', departed_at = lethe_now() WHERE id = @departure;
	INSERT INTO retentions (id, employment_id, ledger_entry_id) VALUES (@departure, @employment, {entry});
	INSERT INTO departure_events (departure_id, what, ledger_entry_id) VALUES (@departure, 'departed', {entry});
	INSERT INTO retention_deadlines (id, departure_id, employment_id, category_id, category, rule_id, event_at, deadline, floor_at, advanced, extended_until, ledger_entry_id)
		VALUES (gen_random_uuid(), @departure, @employment, @category, 'identity', @rule, lethe_now(), '2099-01-01', '2099-01-01', true, '2099-01-01', {entry}),
			(gen_random_uuid(), @ahead, @employment2, @spare, 'contract', @rule2, lethe_now(), '2099-01-01', '2099-01-01', false, NULL, {entry});
	INSERT INTO purges (id, departure_id, employment_id, state, review_required, ledger_entry_id)
		VALUES (@purge, @departure, @employment, 'in_review', true, {entry}), (@open, @departure, @employment, 'in_review', true, {entry}),
			(@agreed, @ahead, @employment2, 'in_review', true, {entry});
	INSERT INTO purge_claims (purge_id, departure_id, category_id, category) VALUES (@agreed, @ahead, @spare, 'contract');
	UPDATE purges SET state = 'rejected', decision = 'rejected', rejected_at = lethe_now(), rejected_by = @reviewer_person, decided_by = @reviewer_person, decision_entry_id = {entry} WHERE id = @purge;
	UPDATE legal_entities SET ledger_entry_id = {entry} WHERE id = @entity;
	UPDATE employments SET basis_entry_id = {entry} WHERE id = @employment;
	UPDATE purges SET decision = 'approved', decided_by = @employee, decision_entry_id = {entry} WHERE id = @agreed;
	UPDATE purge_claims SET state = 'left' WHERE purge_id = @agreed`

// TestI18_TheFloorOfAuthority tries, as the application, every change that gives somebody something, or
// decides when something is destroyed: without an entry, with one of before, and with one of its own.
func TestI18_TheFloorOfAuthority(t *testing.T) {
	env := databasetest.New(t)
	app := env.AsApp(t)
	bind := newFloorWorld(t, env, app)
	guards := guardsOf(t, env)
	for _, c := range append(authority, deciding...) {
		delete(guards, c.trigger)
		code := func(entry func(tx *database.Tx) (string, error)) string {
			return tryChange(t, app, func(tx *database.Tx) (string, error) {
				named, err := entry(tx)
				return strings.ReplaceAll(bind(c.sql), "{entry}", named), err
			})
		}
		own := func(tx *database.Tx) (string, error) {
			id, err := ledger.Append(tx, ledger.Entry{Kind: ledger.KindIdentity, Action: "test.recorded"})
			return "'" + id.String() + "'::uuid", err
		}
		for name, entry := range map[string]string{"none": "NULL", "an invented one": "gen_random_uuid()", "one of before": anotherBefore} {
			want := c.want
			if want == "" {
				want = database.CodeUnrecorded
			}
			if got := code(func(*database.Tx) (string, error) { return entry, nil }); got != want && (c.want == "" || got != database.CodeUnrecorded) {
				t.Errorf("%s: %s, with %s: code %q, want %q", c.trigger, c.name, name, got, want)
			}
		}
		if got := code(own); got != c.want {
			t.Errorf("%s: %s, with an entry of its own: code %q, want %q", c.trigger, c.name, got, c.want)
		}
	}
	for name := range guards {
		t.Errorf("nothing is tried against %s", name)
	}
}

// What happens all the time, or takes something away from nobody, needs no entry.
func TestI18_WhatIsOnlyUsedNeedsNoEntry(t *testing.T) {
	env := databasetest.New(t)
	app := env.AsApp(t)
	bind := newFloorWorld(t, env, app)
	for _, sql := range []string{
		"UPDATE sessions SET seen_at = lethe_now(), idle_expires_at = lethe_now() + interval '1 hour' WHERE user_id = @user",
		"UPDATE sessions SET revoked_at = lethe_now(), address = '', agent = '' WHERE user_id = @user",
		"UPDATE sessions SET stepped_up_at = NULL WHERE user_id = @user",
		"UPDATE users SET totp_last_step = 7 WHERE id = @user",
		"UPDATE recovery_codes SET used_at = lethe_now() WHERE user_id = @user",
		"UPDATE retention_deadlines SET state = 'held', advanced = true WHERE category_id = @category",
		"UPDATE employments SET post = 'x' WHERE id = @employment",
		"UPDATE field_values SET value_sealed = value_sealed || '\\x00' WHERE category_id = @category",
		"UPDATE departures SET revision = revision + 1 WHERE id = @ahead",
		"UPDATE purges SET revision = revision + 1, escalations = 1 WHERE id = @open",
	} {
		if got := tryChange(t, app, func(*database.Tx) (string, error) { return bind(sql), nil }); got != "" {
			t.Errorf("%s: code %q", sql, got)
		}
	}
}

// newFloorWorld commits floorWorld as the application, and binds the ids in it.
func newFloorWorld(t *testing.T, env *databasetest.Env, app *database.DB) func(sql string) string {
	t.Helper()
	names := map[string]string{
		"sealed":       "decode('4c534c31" + strings.Repeat("00", 44) + "', 'hex')",
		"other_sealed": "decode('4c534c31" + strings.Repeat("01", 44) + "', 'hex')",
	}
	for name, jurisdiction := range map[string]string{"": "CN", "2": "DE", "3": "JP", "4": "DEMO", "5": "SG"} {
		m := env.Hire(t, jurisdiction)
		who := map[string]string{"": "leaver", "2": "second", "3": "employee", "4": "reviewer_person", "5": "maker"}[name]
		names["employment"+name], names["entity"+name], names[who] = quoted(m.ID), quoted(m.LegalEntityID), quoted(m.EmployeeID)
	}
	for _, name := range []string{"user", "other", "reviewer", "approval", "approved", "category", "category2", "spare", "departure", "ahead",
		"rule", "rule2", "purge", "open", "agreed", "account", "operation", "step", "case",
		"account2", "step2", "case2"} {
		names[name] = quoted(uuid.New())
	}
	bind := func(sql string) string {
		var pairs []string
		for name, value := range names {
			for _, end := range " ,);\n" {
				pairs = append(pairs, fmt.Sprintf("@%s%c", name, end), fmt.Sprintf("%s%c", value, end))
			}
		}
		return strings.TrimSuffix(strings.NewReplacer(pairs...).Replace(sql+"\n"), "\n")
	}
	must(t, database.Run(t.Context(), env.Facts, func(tx *database.Tx) error {
		return tx.DB().Exec(bind(`INSERT INTO field_definitions (key, section, position, category, sensitivity, label_zh, label_en, notice_zh, notice_en)
			VALUES ('id_number', '', 1, 'identity', 'sensitive', '', '', '', ''), ('id_type', '', 2, 'identity', 'basic', '', '', '', '');
			INSERT INTO retention_rules (id, jurisdiction, category, version, period, floor, anchor, basis_zh, basis_en)
			VALUES (@rule, 'CN', 'identity', 1, 'P2Y', 'P2Y', 'employment_end', '', ''), (@rule2, 'DE', 'contract', 1, 'P2Y', 'P2Y', 'employment_end', '', '');
			INSERT INTO employment_categories (id, employment_id, category) VALUES (@spare, @employment2, 'contract')`)).Error
	}))
	must(t, database.Run(t.Context(), app, func(tx *database.Tx) error {
		return tx.DB().Exec(strings.ReplaceAll(bind(floorWorld), "{entry}", quoted(databasetest.Entry(t, tx)))).Error
	}))
	// An approval of before: it was for this very departure, or purge.
	id := names["approved"]
	must(t, databasetest.Agreed(t, env.Facts, databasetest.Agreement{
		Operation: "departure.earlier_dates", Subject: unquoted(names["second"]), Kind: "departure", Target: unquoted(names["ahead"]),
		Requester: unquoted(names["employee"]), Approver: unquoted(names["leaver"]),
	}, func(tx *database.Tx) error {
		return tx.DB().Raw("SELECT max(id::text) FROM approvals WHERE state = 'pending' AND operation = 'departure.earlier_dates' AND id <> " + names["approval"]).Scan(&id).Error
	}))
	names["approved"] = "'" + id + "'::uuid"
	return bind
}

func quoted(id uuid.UUID) string { return "'" + id.String() + "'::uuid" }
func unquoted(sql string) uuid.UUID {
	return uuid.MustParse(strings.Trim(strings.TrimSuffix(sql, "::uuid"), "'"))
}

// tryChange says how a change ends, judged to the end of its transaction; nothing of it stays.
func tryChange(t *testing.T, db *database.DB, sql func(tx *database.Tx) (string, error)) (code string) {
	t.Helper()
	err := database.Run(t.Context(), db, func(tx *database.Tx) error {
		change, err := sql(tx)
		if err != nil {
			return err
		}
		r := tx.DB().Exec(change)
		err = r.Error
		if err == nil && r.RowsAffected == 0 {
			t.Errorf("%s changes nothing", change)
		}
		if err == nil {
			err = tx.DB().Exec("SET CONSTRAINTS ALL IMMEDIATE").Error
		}
		code = database.Code(database.Hide(err))
		return errDone
	})
	wantError(t, err, errDone)
	return code
}

// guardsOf are the triggers of this floor, found in the catalogue.
func guardsOf(t *testing.T, env *databasetest.Env) map[string]bool {
	t.Helper()
	var names []string
	must(t, env.Facts.Read(t.Context()).Raw(`SELECT t.tgname FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid
		WHERE NOT t.tgisinternal AND f.pronamespace = 'public'::regnamespace
		  AND (f.proname IN ('refuse_another_matter', 'refuse_unsaid_waiver', 'refuse_unrecorded_deadlines', 'refuse_unrecorded_change', 'refuse_unapproved_decision',
			'refuse_foreign_claim', 'refuse_earlier_counting', 'refuse_unapproved_counting', 'refuse_earlier_effect', 'refuse_untold_departure', 'refuse_foreign_rule',
			'refuse_unfinished_retention', 'refuse_another_key', 'refuse_early_emptying', 'refuse_held_change')
		    OR f.proname = 'refuse_unrecorded' AND c.relname IN ('users', 'user_roles', 'api_tokens', 'oidc_links', 'sessions', 'enrolments', 'recovery_codes',
			'break_glass', 'approvals', 'legal_entities', 'employments') OR t.tgname = 'enrolment_halves_unrecorded')`).Scan(&names).Error)
	guards := map[string]bool{}
	for _, name := range names {
		guards[name] = true
	}
	if len(guards) < 40 {
		t.Fatalf("only %d guards are there", len(guards))
	}
	return guards
}
