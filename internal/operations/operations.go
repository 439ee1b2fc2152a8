// Package operations is the one table of the dangerous steps: what needs a re-authentication, what
// needs two people, and who may be the second one. How two people agree is package approval's.
package operations

import (
	"lethe/internal/approval"
	"lethe/internal/connector"
	"lethe/internal/identity"
	"lethe/internal/vault"
	"lethe/models"
)

// The operations' names. Rows, log entries and settings hold them, so they never change.
const (
	CreateEmployee   = "employee.create"
	ChangeBasis      = "employee.change_basis"
	BeginImmediately = "departure.begin_immediately"
	BringForward     = "departure.bring_forward"
	EarlierDates     = "departure.earlier_dates"
	WithdrawUnlinked = "departure.withdraw_unlinked"
	Annul            = "departure.annul"
	Waive            = "support_case.waive"
	Detach           = "account.detach"
	Unlink           = "account.unlink"
	Relink           = "account.relink"
	ReleaseHold      = "hold.release"
	HoldEverybody    = "hold.place_on_everybody"
	HoldOwn          = "hold.place_reaching_oneself"
	DecidePurge      = "purge.decide"
	OverrulePurge    = "purge.overrule"
	ExtendPurge      = "purge.extend"
	CreateUser       = "user.create"
	GrantRole        = "user.grant_role"
	ResetUser        = "user.reset"
	DisableUser      = "user.disable"
	RevokeRole       = "user.revoke_role"
	LinkLogin        = "user.link_login"
	EnrolFormer      = "former_access.enrol"
	ExportLog        = "query_log.export"
	LookAtFields     = "disclosure.look"
	Permissions      = "permissions.change"
	PrivacyPolicy    = "privacy_policy.publish"
	FieldCatalogue   = "field_catalogue.change"
	RunImport        = "employee_import.run"
	RunDepartures    = "departure_batch.run"
	EraseForSubject  = "erasure.grant"
	LiftCut          = "access_cut.lift"
)

// Deps is what the operations' commands are carried out with.
type Deps struct {
	Vault    Vault
	Identity *identity.Service
	// Systems are those that are asked for accounts which nobody registered.
	Systems *connector.Registry
}

// Vault seals what the operations store, for employments and for none.
type Vault interface {
	vault.Sealer
	vault.Loose
}

// Who is the second person.
var (
	// colleague: the matter is HR's everyday, another HR administrator sees it as well as a reviewer.
	colleague = []models.Role{models.RoleHRAdmin, models.RoleReviewer}
	// reviewer: it undoes or gives up a protection.
	reviewer = []models.Role{models.RoleReviewer}
)

const (
	// always: two people, whatever an installation sets. This is the floor.
	always = true
	// ifSet: two people if LETHE_APPROVALS_REQUIRED names the operation, or a token asks.
	ifSet = false
)

// refusal is what is wrong with something that was prepared to be carried out.
func refusal(_ any, err error) error { return err }

// New is the table. Every row needs a re-authentication that is not older than five minutes (I22);
// a token never has one, so that its call becomes a request (I21).
//
// What this version cannot do yet joins here when it can, as "always": a change of
// reason rules, of retention rules that brings a deadline forward, and of connector addresses. Until then these are files and settings on the host, or do not exist; a
// rule that would bring a deadline forward is refused when it is installed. A new epoch of the ledger
// is begun by two people who log in on the host, since the API writes to no ledger that lost entries.
func New(d Deps, o approval.Options) (*approval.Registry, error) {
	table := []struct {
		name      string
		twoPeople bool
		approvers []models.Role
		does      approval.Operation
	}{
		{CreateEmployee, always, colleague, d.createEmployee()},
		{ChangeBasis, always, colleague, d.changeBasis()},
		{BeginImmediately, always, reviewer, d.beginImmediately()},
		{BringForward, always, colleague, d.bringForward()},
		{EarlierDates, always, colleague, d.earlierDates()},
		{WithdrawUnlinked, always, colleague, d.withdrawUnlinked()},
		{Annul, always, reviewer, d.annul()},
		{Waive, always, reviewer, d.waive()},
		{Detach, always, reviewer, d.unlink(models.ModeDetach, models.AccountDetached)},
		{Unlink, always, reviewer, d.unlink(models.ModeDisable, models.AccountDisabled)},
		{Relink, always, reviewer, d.relink()},
		{EraseForSubject, always, colleague, d.eraseForSubject()},
		{ReleaseHold, always, reviewer, d.releaseHold()},
		{HoldEverybody, always, colleague, d.holdEverybody()},
		{HoldOwn, always, colleague, d.holdOwn()},
		{DecidePurge, ifSet, reviewer, d.decidePurge()},
		{OverrulePurge, always, reviewer, d.overrulePurge()},
		{ExtendPurge, always, reviewer, d.extendPurge()},
		{CreateUser, always, colleague, d.createUser()},
		{GrantRole, always, colleague, d.grantRole()},
		{ResetUser, always, colleague, d.resetUser()},
		{DisableUser, always, colleague, d.disableUser()},
		{RevokeRole, always, colleague, d.revokeRole()},
		{LinkLogin, always, colleague, d.linkLogin()},
		{EnrolFormer, always, colleague, d.enrolFormer()},
		{ExportLog, always, reviewer, d.exportLog()},
		{LookAtFields, always, reviewer, d.look()},
		{Permissions, always, reviewer, d.permissions()},
		{PrivacyPolicy, always, reviewer, d.privacyPolicy()},
		{FieldCatalogue, always, reviewer, d.fieldCatalogue()},
		{RunImport, always, colleague, d.runImport()},
		{RunDepartures, always, reviewer, d.runDepartures()},
		{LiftCut, always, colleague, d.liftCut()},
	}
	operations := make([]approval.Operation, len(table))
	for i, row := range table {
		operations[i] = row.does
		operations[i].Name, operations[i].Floor, operations[i].Approvers = row.name, row.twoPeople, row.approvers
	}
	return approval.NewRegistry(d.Vault, o, operations...)
}
