package accounts

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/account"
	"lethe/internal/archive"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/models"
)

// AccountView is one account in a connected system.
type AccountView struct {
	ID            uuid.UUID            `json:"id"`
	Employment    uuid.UUID            `json:"employment_id" doc:"Which employment of the person it is of"`
	System        string               `json:"system" example:"mail"`
	Kind          string               `json:"kind" example:"mail"`
	SystemText    string               `json:"system_text" doc:"What people call the system: its kind, and its name if that is another"`
	ExternalID    string               `json:"external_id,omitempty" doc:"The system's own id of it, for HR and IT operations; absent while nobody knows it, and after its purge"`
	State         models.AccountState  `json:"state"`
	StateText     string               `json:"state_text"`
	ConfirmedAt   *time.Time           `json:"confirmed_at,omitempty" doc:"When it was read back like this"`
	UnlinkingID   *uuid.UUID           `json:"operation_id,omitempty" doc:"The operation that last took it over"`
	UnlinkingKind models.OperationKind `json:"operation_kind,omitempty" doc:"Whether operation_id is found among the unlinkings or the relinkings"`
	UnlinkingText string               `json:"operation_kind_text,omitempty"`
	Registered    bool                 `json:"registered" doc:"Linked by people; false: the system was asked by employee number"`
	Finding       models.Finding       `json:"finding,omitempty" doc:"What that look-up came to; absent until it ended. All but found leave what is there as it is"`
}

type newAccountInput struct {
	httpkit.Idempotent
	httpkit.ByID
	Body struct {
		System     string  `json:"system" minLength:"1" maxLength:"64" example:"mail"`
		ExternalID *string `json:"external_id,omitempty" minLength:"1" maxLength:"200" doc:"The system's own id. Left out: looked up by employee number"`
	}
}

// AccountsAddress is where the accounts of somebody are.
func AccountsAddress(employeeID uuid.UUID) string {
	return httpkit.AddressOf(models.RefEmployee, employeeID) + "/accounts"
}

func (s *server) registerAccounts() {
	r := s.Resource("Accounts", identity.ScopeAccounts)
	httpkit.Handle(r, httpkit.Route{At: "GET /employees/{id}/accounts", Summary: "The accounts of somebody", To: httpkit.Everyone}, s.listAccounts)
	httpkit.Handle(r, httpkit.Route{At: "GET /employees/{id}/accounts/{account_id}", Summary: "One account of somebody", To: httpkit.Everyone}, s.getAccount)
	httpkit.Handle(r, httpkit.Route{At: "POST /employees/{id}/accounts", Summary: "Link an account", To: httpkit.Roles{httpkit.HR, httpkit.IT}, Status: http.StatusCreated}, s.linkAccount)
}

// accountsOf reads the accounts of all employments of a person, if the actor may see the person.
func (s *server) accountsOf(ctx context.Context, employeeID uuid.UUID, language i18n.Language) ([]AccountView, error) {
	err := s.Visible(ctx, httpkit.ActorOf(ctx), employeeID)
	if errors.Is(err, database.ErrNotFound) {
		return nil, httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	}
	if err != nil {
		return nil, err
	}
	accounts, err := account.OfPerson(ctx, s.DB, employeeID)
	if err != nil {
		return nil, err
	}
	actor := httpkit.ActorOf(ctx)
	if actor.EmployeeID == employeeID || !access.MaySee(actor.Role, access.RelationNone) {
		accounts = account.AsBefore(accounts)
	}
	return AccountViews(language, accounts, access.MayKnow(actor, actor.EmployeeID == employeeID, access.PartIDs)), nil
}

// AccountViews shows accounts and what look-ups came to, by which ids the systems know them only if that is asked for.
func AccountViews(language i18n.Language, accounts []account.View, ids bool) []AccountView {
	views := make([]AccountView, 0, len(accounts))
	for _, a := range accounts {
		if a.CalledOff {
			continue
		}
		v := AccountView{
			ID: a.ID, Employment: a.Employment, System: a.System, Kind: a.Kind, SystemText: SystemText(language, a.System, a.Kind), State: a.State,
			StateText: i18n.Text(language, accountText(a)), ConfirmedAt: render.UTC(a.ConfirmedAt), UnlinkingID: a.OperationID,
			Registered: a.Registered, Finding: a.Finding,
		}
		if a.Operation != "" {
			v.UnlinkingKind, v.UnlinkingText = a.Operation, closed.Text(language, a.Operation)
		}
		if ids && a.ExternalID != nil {
			v.ExternalID = *a.ExternalID
		}
		views = append(views, v)
	}
	return views
}

// SystemText is what people call a system: its kind, and its name if that is another.
func SystemText(language i18n.Language, system, kind string) string {
	text, known := i18n.Lookup(language, "system_kind."+kind)
	switch {
	case !known:
		return system
	case system == kind:
		return text
	}
	return text + " " + system
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

func (s *server) listAccounts(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[httpkit.Page[AccountView]], error) {
	views, err := s.accountsOf(ctx, in.ID, in.Language())
	return httpkit.AnswerOf(httpkit.PageOf(views, nil), err)
}

// ByAccount names an account in the path.
type ByAccount struct {
	httpkit.ByID
	AccountID uuid.UUID `path:"account_id" doc:"The account's id"`
}

func (s *server) getAccount(ctx context.Context, in *ByAccount) (*httpkit.Answer[AccountView], error) {
	return httpkit.AnswerOf(s.findAccount(ctx, in.ID, in.AccountID, in.Language()))
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
	return AccountView{}, httpkit.NewProblem(httpkit.CodeNotFound)
}

func (s *server) linkAccount(ctx context.Context, in *newAccountInput) (*httpkit.CreatedAnswer[AccountView], error) {
	system, known := s.Systems.Get(in.Body.System)
	if !known {
		return nil, s.unknownSystem(CodeUnknownSystem, "body.system")
	}
	route := "POST /employees/" + in.ID.String() + "/accounts"
	made, err := s.Create(ctx, in.Key, route, in.Body, func(tx *database.Tx) (httpkit.Creation, error) {
		employment, err := archive.CurrentEmployment(tx, in.ID)
		if errors.Is(err, database.ErrNotFound) {
			return httpkit.Creation{}, httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
		}
		if err != nil {
			return httpkit.Creation{}, err
		}
		if httpkit.ActorOf(ctx).EmployeeID == in.ID {
			return httpkit.Creation{}, account.ErrOwnAccount // whoever names another account would keep the own one
		}
		linked, err := account.Link(tx, employment.ID, system.Name, system.Kind, in.Body.ExternalID)
		return httpkit.Creation{ID: linked.ID, Status: http.StatusCreated, Location: AccountsAddress(in.ID) + "/" + linked.ID.String()}, err
	})
	if err != nil {
		return nil, err
	}
	view, err := s.findAccount(ctx, in.ID, made.ID, in.Language())
	return httpkit.CreatedOf(made, view, err)
}
