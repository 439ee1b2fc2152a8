package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/internal/access"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// AccountView is one account in a connected system.
type AccountView struct {
	ID          uuid.UUID           `json:"id"`
	Employment  uuid.UUID           `json:"employment_id" doc:"Which employment of the person it is of"`
	System      string              `json:"system" example:"mail"`
	Kind        string              `json:"kind" example:"mail"`
	ExternalID  string              `json:"external_id,omitempty" doc:"The system's own id of it, for HR and IT operations; absent while nobody knows it, and after its purge"`
	State       models.AccountState `json:"state" enum:"linked,unlinking,accepted,disabled,detached,not_found,stuck,waived,relinking,relinked"`
	StateText   string              `json:"state_text"`
	ConfirmedAt *time.Time          `json:"confirmed_at,omitempty" doc:"When it was read back like this"`
	UnlinkingID *uuid.UUID          `json:"operation_id,omitempty" doc:"The operation that last took it over"`
	Registered  bool                `json:"registered" doc:"Linked by people; false: the system was asked by employee number"`
	Finding     models.Finding      `json:"finding,omitempty" enum:"nothing,known,found,detached,another_employment,transfer" doc:"What that look-up came to; absent until it ended. All but found leave what is there as it is"`
}

type newAccountInput struct {
	Idempotent
	ByID
	Body struct {
		System     string  `json:"system" minLength:"1" maxLength:"64" example:"mail"`
		ExternalID *string `json:"external_id,omitempty" minLength:"1" maxLength:"200" doc:"The system's own id. Left out: looked up by employee number"`
	}
}

func accountsAddress(employeeID uuid.UUID) string {
	return addressOf(models.RefEmployee, employeeID) + "/accounts"
}

func (s *server) registerAccounts() {
	r := s.resource("Accounts", identity.ScopeAccounts)
	handle(r, route{at: "GET /employees/{id}/accounts", summary: "The accounts of somebody", to: everyone}, s.listAccounts)
	handle(r, route{at: "GET /employees/{id}/accounts/{account_id}", summary: "One account of somebody", to: everyone}, s.getAccount)
	handle(r, route{at: "POST /employees/{id}/accounts", summary: "Link an account", to: roles{hr, it}, status: http.StatusCreated}, s.linkAccount)
}

// accountsOf reads the accounts of all employments of a person, if the actor may see the person.
func (s *server) accountsOf(ctx context.Context, employeeID uuid.UUID, language i18n.Language) ([]AccountView, error) {
	err := s.visible(ctx, actorOf(ctx), employeeID)
	if errors.Is(err, database.ErrNotFound) {
		return nil, problem(codeEmployeeNotFound)
	}
	if err != nil {
		return nil, err
	}
	accounts, err := account.OfPerson(ctx, s.DB, employeeID)
	if err != nil {
		return nil, err
	}
	actor := actorOf(ctx)
	return accountViews(language, accounts, access.MayKnow(actor, actor.EmployeeID == employeeID, access.PartIDs)), nil
}

// accountViews shows accounts, by which ids the systems know them only if that is asked for.
func accountViews(language i18n.Language, accounts []account.View, ids bool) []AccountView {
	views := make([]AccountView, len(accounts))
	for i, a := range accounts {
		views[i] = AccountView{
			ID: a.ID, Employment: a.Employment, System: a.System, Kind: a.Kind, State: a.State,
			StateText: i18n.Text(language, accountText(a)), ConfirmedAt: utc(a.ConfirmedAt), UnlinkingID: a.OperationID,
			Registered: a.Registered, Finding: a.Finding,
		}
		if ids && a.ExternalID != nil {
			views[i].ExternalID = *a.ExternalID
		}
	}
	return views
}

// accountText is the key of what is said of an account or, where none is registered, of the look-up.
func accountText(a account.View) string {
	switch {
	case !a.LookUp || a.State == models.AccountWaived:
		return "account_state." + string(a.State)
	case a.State == models.AccountStuck:
		return "account_state.sought_stuck"
	case a.State.Settled() && a.Finding != "":
		return "account_finding." + string(a.Finding)
	}
	return "account_state.sought"
}

func (s *server) listAccounts(ctx context.Context, in *ByID) (*answer[Page[AccountView]], error) {
	views, err := s.accountsOf(ctx, in.ID, in.language())
	if err != nil {
		return nil, err
	}
	return &answer[Page[AccountView]]{Page[AccountView]{Items: views}}, nil
}

// ByAccount names an account in the path.
type ByAccount struct {
	ByID
	AccountID uuid.UUID `path:"account_id"`
}

func (s *server) getAccount(ctx context.Context, in *ByAccount) (*answer[AccountView], error) {
	view, err := s.findAccount(ctx, in.ID, in.AccountID, in.language())
	if err != nil {
		return nil, err
	}
	return &answer[AccountView]{view}, nil
}

func (s *server) findAccount(ctx context.Context, employeeID, id uuid.UUID, language i18n.Language) (AccountView, error) {
	views, err := s.accountsOf(ctx, employeeID, language)
	if err != nil {
		return AccountView{}, err
	}
	for _, v := range views {
		if v.ID == id {
			return v, nil
		}
	}
	return AccountView{}, problem(codeNotFound)
}

func (s *server) linkAccount(ctx context.Context, in *newAccountInput) (*createdAnswer[AccountView], error) {
	system, known := s.Systems.Get(in.Body.System)
	if !known {
		return nil, at("system", codeUnknownSystem)
	}
	route := "POST /employees/" + in.ID.String() + "/accounts"
	made, err := s.create(ctx, in.Key, route, in.Body, func(tx *database.Tx) (creation, error) {
		employment, err := archive.CurrentEmployment(tx, in.ID)
		if errors.Is(err, database.ErrNotFound) {
			return creation{}, problem(codeEmployeeNotFound)
		}
		if err != nil {
			return creation{}, err
		}
		if actorOf(ctx).EmployeeID == in.ID {
			return creation{}, account.ErrOwnAccount // whoever names another account would keep the own one
		}
		linked, err := account.Link(tx, employment.ID, system.Name, system.Kind, in.Body.ExternalID)
		return creation{linked.ID, http.StatusCreated, accountsAddress(in.ID) + "/" + linked.ID.String()}, err
	})
	if err != nil {
		return nil, err
	}
	view, err := s.findAccount(ctx, in.ID, made.ID, in.language())
	if err != nil {
		return nil, err
	}
	return &createdAnswer[AccountView]{made.Status, made.Location, view}, nil
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}
