package departures

import (
	"context"

	"lethe/api/accounts"
	"lethe/internal/account"
	"lethe/internal/closed"
	"lethe/internal/connector"
	"lethe/internal/i18n"
	"lethe/models"
)

// SystemLook is what one system has of somebody now.
type SystemLook struct {
	System     string        `json:"system" example:"mail"`
	SystemText string        `json:"system_text"`
	Reached    bool          `json:"reached"`
	Text       string        `json:"text,omitempty" doc:"Why it could not be asked and what that means, or that nobody there carries the number"`
	Accounts   []AccountLook `json:"accounts" nullable:"false"`
}

// AccountLook is one account there.
type AccountLook struct {
	ExternalID string       `json:"external_id" doc:"The system's own id of it"`
	EmployeeNo string       `json:"employee_no,omitempty" doc:"Which number it carries there, where that is another"`
	Active     *bool        `json:"active,omitempty" doc:"Left out: it is not there, could not be read, or does not say"`
	StateText  string       `json:"state_text"`
	Sessions   *int         `json:"sessions,omitempty" doc:"How many sessions are open; left out: the system does not tell"`
	Tokens     *int         `json:"tokens,omitempty"`
	Groups     []GroupLook  `json:"groups" nullable:"false" doc:"Those that the system lets be read, twenty at most"`
	MoreGroups int          `json:"more_groups,omitempty" doc:"How many others it is in"`
	Remarks    []RemarkView `json:"remarks" nullable:"false" doc:"What people should know of it before it is taken away"`
}

// GroupLook is a group that an account is in.
type GroupLook struct {
	Name       string `json:"name" doc:"As people there call it"`
	OnlyOwner  *bool  `json:"only_owner,omitempty" doc:"It would be without an owner; left out: the system does not tell owners"`
	OnlyMember *bool  `json:"only_member,omitempty" doc:"It would be empty; left out: the system does not tell members"`
}

// RemarkView is one thing to know of an account.
type RemarkView struct {
	Remark     models.LookRemark `json:"remark"`
	RemarkText string            `json:"remark_text"`
}

// look asks the systems, if that is wished.
func (s *server) look(ctx context.Context, in *previewInput, employment models.Employment) ([]SystemLook, []accounts.ByHand, error) {
	if !in.Body.LookUp {
		return nil, nil, nil
	}
	found, err := s.Systems.Inspect(ctx, employment.EmployeeID, employment.ID)
	if err != nil {
		return nil, nil, err
	}
	language := in.Language()
	views := make([]SystemLook, len(found))
	for i, f := range found {
		v := SystemLook{System: f.System, SystemText: accounts.SystemText(language, f.System, f.Kind), Reached: f.Trouble == "", Accounts: []AccountLook{}}
		switch {
		case f.Trouble == account.ReasonUnknownSystem:
			v.Text = i18n.Text(language, "look.not_connected")
		case f.Trouble != "":
			v.Text = i18n.Text(language, "case_reason."+f.Trouble) + i18n.Text(language, "look.tried_again")
		case len(f.Accounts) == 0:
			v.Text = i18n.Text(language, "look.nobody")
		}
		for _, a := range f.Accounts {
			v.Accounts = append(v.Accounts, accountLook(language, a))
		}
		views[i] = v
	}
	return views, accounts.ByHandViews(language, s.Systems.Systems), nil
}

func accountLook(language i18n.Language, a account.InspectedAccount) AccountLook {
	v := AccountLook{
		ExternalID: a.ExternalID, StateText: i18n.Text(language, "look.unclear"), Sessions: a.Seen.Sessions, Tokens: a.Seen.Tokens,
		Groups: []GroupLook{}, MoreGroups: a.Seen.MoreGroups, Remarks: []RemarkView{},
	}
	if a.Seen.Exists && !a.Seen.Unclear {
		v.Active = &a.Seen.Active
		v.StateText = i18n.Text(language, map[bool]string{true: "look.on", false: "look.off"}[a.Seen.Active])
	}
	for _, g := range a.Seen.Groups {
		v.Groups = append(v.Groups, GroupLook{Name: g.Name, OnlyOwner: only(g.Owner), OnlyMember: only(g.Member)})
	}
	for _, r := range a.Remarks {
		switch r {
		case models.RemarkOtherNumber:
			v.EmployeeNo = a.Seen.EmployeeNo
		case models.RemarkGone:
			v.StateText = i18n.Text(language, "look.gone")
		}
		v.Remarks = append(v.Remarks, RemarkView{r, closed.Text(language, r)})
	}
	return v
}

func only(s connector.Seat) *bool {
	if s == connector.SeatUntold {
		return nil
	}
	is := s == connector.SeatOnly
	return &is
}
