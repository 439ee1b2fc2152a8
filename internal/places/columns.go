package places

// columns say of each column what it holds: a table and its columns in each line.
var columns = []struct {
	kind     Kind
	database Database
	names    string
}{
	{Code, Facts, `
installation mode
legal_transitions machine from_state to_state
employees status
employments jurisdiction time_zone
employment_categories category state
field_values field_key
attachments field_key type
departures kind initiator stage accounts_state time_zone
departure_events what actor_role system category
linked_accounts system kind state finding
account_operations kind mode origin state asked
system_askings system
account_steps system action state stuck_reason before
account_evidence substep outcome detail
support_cases system reason state resolution
reconciliations state
reconciliation_systems system kind outcome alarm
reconciliation_listing system
account_drift system system_kind kind
retentions state
retention_deadlines category state
lost_keys place
holds categories
purges state decision
purge_claims category state
api_tokens prefix role scopes
idempotency_keys route location
users state
user_roles role
sessions role authenticated
login_lanes lane
known_places kind
notices kind roles
oidc_flows role
approvals operation targets rule_versions requester_role requester_authenticated state void_reason result_location
disclosures actor_role fields purpose status state rule flags matter review outcome
consents purpose answer form
feedback role kind screen version
messages state ended_as reminder reminder_of
reminders digest language
contact_removals form
subject_requests kind fields state form answer
duty_shifts time_zone
emergency_calls caller_role state outcome
access_cuts state systems holder_of ordered_role
succession_choices kind
successions kind role cause
query_log_exports role authenticated formats state failure file
batches kind state actor_role authenticated format mapping ended_by
batch_parts problems leaving planned
import_mappings mapping
recorded_configuration name`},
	{Setting, Facts, `
legal_entities code code_key name_zh name_en jurisdiction region time_zone
departments code code_key name_zh name_en
sites code code_key name_zh name_en
permission_versions document
privacy_policies document
catalogue_versions document
field_definitions key section category sensitivity type label_zh label_en notice_zh notice_en choices section_zh section_en basis_zh basis_en purposes own_notice_zh own_notice_en
retention_rules jurisdiction category period floor ceiling anchor basis_zh basis_en
api_tokens label`},
	{Skeleton, Facts, `
employees employee_no employee_no_key name search_text former_names search_names
departures search_text search_names
employments post
users login`},
	{Account, Facts, `
linked_accounts external_id
reconciliation_listing external_id employee_no
account_drift external_id`},
	{Sealed, Facts, `
field_values value_sealed
attachments name_sealed
attachment_chunks content_sealed
departures note_sealed withdrawal_reason_sealed annulment_reason_sealed legal_ground_sealed reason_code_sealed
account_snapshots snapshot_sealed`},
	{Loose, Facts, `
users totp_sealed totp_pending_sealed
approvals command_sealed`},
	{File, Facts, `
batches headers_sealed
batch_parts rows_sealed`},
	{Former, Facts, `
departures legal_ground reason_code`},
	{Keyed, Facts, `
idempotency_keys key_hash request_hash
login_lanes key_hash
known_places key_hash
approvals fingerprint
imported_rows digest
import_mappings header_digest`},
	{Salted, Facts, `
approvals command_hash state_digest file_hash hash`},
	{Random, Facts, `
api_tokens secret_hash
enrolments first_hash second_hash
recovery_codes code_hash
sessions token_hash data
break_glass first_hash second_hash
access_links code_hash
oidc_flows state_hash browser_hash`},
	{Credential, Facts, `
users password_hash`},
	{Trace, Facts, `
sessions address agent`},
	{Subject, Facts, `
oidc_links issuer subject`},
	{Log, Facts, `
ledger_content kind action actor_role authenticated object requested_by purpose reason result rule request_id details salts`},
	{Reason, Facts, `
approvals reason_sealed comment_sealed
approval_records told_sealed
query_log_exports reason_sealed filters_sealed
holds matter_sealed
support_cases note_sealed
disclosures statement_sealed review_note_sealed outcome_note_sealed objection_sealed answer_sealed
consents evidence_sealed
contact_removals evidence_sealed
messages contact_sealed
reminders address_sealed
feedback doing_sealed text_sealed answer_sealed
access_links login_sealed
subject_requests text_sealed evidence_sealed extension_sealed answer_sealed basis_sealed relative_sealed
emergency_calls statement_sealed note_sealed
access_cuts reason_sealed`},
	{FormerReason, Facts, `
approvals reason comment
query_log_exports reason filters
holds matter`},
	{Proof, Facts, `
installation probe
destruction_certificates statement statement_sha256
ledger_entries kind leaf mac written_in
ledger_sequence leaf_hash
ledger_epochs previous_root
ledger_head root frontier
query_log_exports sha256
recorded_configuration digest
ledger_policies digest`},
	{Code, Keys, `
installation mode
data_keys category
loose_keys place`},
	{Key, Keys, `
data_keys wrapped
loose_keys wrapped`},
}
