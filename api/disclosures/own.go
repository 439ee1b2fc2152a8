package disclosures

import (
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/purges"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/consent"
	"lethe/internal/database"
	"lethe/internal/disclosure"
	"lethe/internal/i18n"
	"lethe/internal/retention"
	"lethe/models"
)

// OwnCopy is what the company keeps of whoever asks.
type OwnCopy struct {
	EmployeeID  uuid.UUID              `json:"employee_id"`
	EmployeeNo  string                 `json:"employee_no"`
	Name        string                 `json:"name"`
	FormerNames []string               `json:"former_names"`
	Status      models.EmployeeStatus  `json:"status"`
	StatusText  string                 `json:"status_text"`
	Site        string                 `json:"site,omitempty" doc:"Where one works, or worked last; left out: not said"`
	MadeAt      time.Time              `json:"made_at"`
	Employments []OwnEmployment        `json:"employments" doc:"The latest last"`
	KeptUntil   []purges.RetentionView `json:"kept_until" doc:"Until when what is kept of former employments stays, and why; of a present one nothing is deleted"`
	Consents    []OwnConsent           `json:"consents"`
	Departures  []OwnDeparture         `json:"departures" doc:"Newest first"`
	Accounts    []OwnAccount           `json:"accounts" doc:"In other systems"`
	Requests    []OwnRequest           `json:"requests" doc:"What one asked for of the own data, with the answers, newest first"`
	Looks       []DisclosureView       `json:"looks" doc:"Who looked at it, newest first, the last 200, with the own objections and their answers; GET /employees/{id}/disclosures lists all"`
	Receipt     string                 `json:"receipt" doc:"A signed promise that it is in the log that the copy was given"`
}

// OwnEmployment is one employment with its file.
type OwnEmployment struct {
	EmploymentID uuid.UUID    `json:"employment_id"`
	LegalEntity  string       `json:"legal_entity"`
	Department   string       `json:"department"`
	Post         string       `json:"post"`
	Jurisdiction string       `json:"jurisdiction"`
	TimeZone     string       `json:"time_zone"`
	HiredOn      clock.Date   `json:"hired_on"`
	EndedAt      *time.Time   `json:"ended_at,omitempty"`
	Fields       []ShownField `json:"fields" doc:"What the file holds; what was deleted, or is being deleted, is not in it. Documents are named here, and downloaded by a look"`
}

// OwnConsent is how one stands to a purpose.
type OwnConsent struct {
	Purpose     models.ConsentPurpose `json:"purpose"`
	PurposeText string                `json:"purpose_text"`
	State       consent.State         `json:"state"`
	StateText   string                `json:"state_text"`
	AnsweredAt  *time.Time            `json:"answered_at,omitempty"`
}

// mostLooks is how many looks a copy lists.
const mostLooks = 200

func (s *server) registerOwn() {
	r := s.Resource("Looks at sensitive fields", "")
	httpkit.Handle(r, httpkit.Route{
		At: "POST /me/copy", Summary: "Get a copy of what the company keeps of oneself", Former: true, To: httpkit.Everyone, Session: true, NoSealedCodes: true,
		More: "It needs a re-authentication of the last five minutes, and is recorded. No purpose is asked for. The JSON has every character; a PDF has a character that its fonts lack as its code, and says so.",
		Shape: func(op *huma.Operation) {
			copied := s.Huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[OwnCopy](), true, "OwnCopy")
			httpkit.Answering("application/json", http.StatusOK, "The copy", copied)(op)
			httpkit.AnsweringPDF(op)
		},
	}, s.ownCopy)
	s.registerPrinted()
	httpkit.Handle(r, httpkit.Route{
		At: "GET /me/retention", Summary: "Read until when what the company keeps of oneself stays, and why", Former: true, To: httpkit.Everyone,
		More: "Of former employments, soonest first; of a present one nothing is deleted.",
	}, s.ownRetention)
}

type copyInput struct {
	httpkit.Speaking
	httpkit.AsDocument
}

// ownCopy opens the own files, records that, and gives them out once that has committed.
func (s *server) ownCopy(ctx context.Context, in *copyInput) (*huma.StreamResponse, error) {
	bearer, language := httpkit.BearerOf(ctx), in.Language()
	var c OwnCopy
	var employments []disclosure.OwnEmployment
	err := database.Run(ctx, s.DB, func(tx *database.Tx) (err error) {
		if err = httpkit.SteppedUp(bearer, tx.Now); err != nil {
			return err
		}
		if c.MadeAt, err = tx.Now(); err != nil {
			return err
		}
		employments, c.Receipt, err = disclosure.Own(tx, s.Vault, bearer.Actor, language)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.fill(ctx, language, &c, bearer.Actor.EmployeeID, employments); err != nil {
		return nil, err
	}
	if in.Format == httpkit.DocumentPDF {
		return sendCopy(c, employments, language, false)
	}
	return httpkit.SendJSON(c)
}

// fill puts together what is kept of a person, as the person may know it.
func (s *server) fill(ctx context.Context, language i18n.Language, c *OwnCopy, id uuid.UUID, employments []disclosure.OwnEmployment) error {
	self := models.Actor{EmployeeID: id, Role: models.RoleEmployee}
	person, err := archive.Get(ctx, s.DB, self, id, language)
	if err != nil {
		return err
	}
	c.EmployeeID, c.EmployeeNo, c.Name, c.FormerNames = id, person.EmployeeNo, person.Name, append([]string{}, person.FormerNames...)
	c.Status, c.StatusText = person.Status, closed.Text(language, person.Status)
	c.Employments, c.KeptUntil, c.Consents = []OwnEmployment{}, []purges.RetentionView{}, []OwnConsent{}
	ids := render.GivenOf(person.SiteID)
	for _, m := range employments {
		ids = append(ids, m.LegalEntityID, m.DepartmentID)
	}
	units, err := s.Units(ctx, language, ids)
	if err != nil {
		return err
	}
	if person.SiteID != nil {
		c.Site = units[*person.SiteID]
	}
	for _, m := range employments {
		v := OwnEmployment{
			EmploymentID: m.ID, LegalEntity: units[m.LegalEntityID], Department: units[m.DepartmentID], Post: m.Post, HiredOn: m.HiredOn, EndedAt: m.EndedAt,
			Jurisdiction: m.Jurisdiction, TimeZone: m.TimeZone, Fields: []ShownField{},
		}
		for _, f := range m.Fields {
			shown := shownField(f.Shown, language)
			for i := range shown.Attachments {
				shown.Attachments[i].Content = "" // no look showed them
			}
			v.Fields = append(v.Fields, shown)
		}
		c.Employments = append(c.Employments, v)
	}
	return s.around(ctx, language, c, self)
}

// keptUntil is how long what is left of somebody's former employments stays, as they may know it themselves.
func (s *server) keptUntil(ctx context.Context, language i18n.Language, self models.Actor) ([]purges.RetentionView, error) {
	deadlines, _, err := retention.UpcomingDeadlines(ctx, s.DB, retention.UpcomingFilter{EmployeeID: &self.EmployeeID, Limit: 200})
	if err != nil {
		return nil, err
	}
	return httpkit.Each(deadlines, func(d retention.Upcoming) purges.RetentionView {
		return purges.Retention(language, d.DeadlineView, nil, func(part access.Part) bool { return access.MayKnow(self, true, part) })
	}), nil
}

func (s *server) ownRetention(ctx context.Context, in *httpkit.Speaking) (*httpkit.Answer[httpkit.Page[purges.RetentionView]], error) {
	kept, err := s.keptUntil(ctx, in.Language(), models.Actor{EmployeeID: httpkit.ActorOf(ctx).EmployeeID, Role: models.RoleEmployee})
	return httpkit.AnswerOf(httpkit.Page[purges.RetentionView]{Items: kept}, err)
}

// around adds how long it is kept, what was agreed to, what was asked for, and who looked.
func (s *server) around(ctx context.Context, language i18n.Language, c *OwnCopy, self models.Actor) error {
	var err error
	if c.KeptUntil, err = s.keptUntil(ctx, language, self); err != nil {
		return err
	}
	standings, err := consent.Of(s.DB.Read(ctx), c.EmployeeID)
	if err != nil {
		return err
	}
	for _, st := range standings {
		v := OwnConsent{Purpose: st.Purpose, PurposeText: closed.Text(language, st.Purpose), State: st.State, StateText: closed.Text(language, st.State)}
		if st.Last != nil {
			at := st.Last.AnsweredAt.UTC()
			v.AnsweredAt = &at
		}
		c.Consents = append(c.Consents, v)
	}
	if err := s.kept(ctx, language, c); err != nil {
		return err
	}
	rows, err := disclosure.List(ctx, s.DB, disclosure.Filter{EmployeeID: &c.EmployeeID, Limit: mostLooks})
	if err != nil {
		return err
	}
	rows = rows[:min(len(rows), mostLooks)]
	if c.Looks, err = s.viewsFor(ctx, language, rows, c.EmployeeID); err != nil {
		return err
	}
	for i, row := range rows {
		if row.ObjectedAt == nil {
			continue
		}
		later, err := disclosure.Later(ctx, s.DB, row)
		if err != nil {
			return err
		}
		c.Looks[i].Objection, c.Looks[i].Answer = later.Objection, later.Answer
	}
	return nil
}
