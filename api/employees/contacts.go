package employees

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/models"
)

func (s *server) registerContacts() {
	r := s.Resource("Emergency contacts", "")
	httpkit.Handle(r, httpkit.Route{
		At: "GET /employees/{id}/emergency-contacts", Summary: "Read which emergency contacts somebody has, whether they were told, and which were removed on their own request",
		More: "HR reads it of everybody, anybody else the own. No name and no number is in it.", Former: true, To: httpkit.Everyone,
	}, s.contacts)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /employees/{id}/emergency-contacts/{contact}/removal", Summary: "Remove an emergency contact who asked for it", To: httpkit.Roles{httpkit.HR}, NoSealedCodes: true,
		More:     "It needs what the contact asked by and where that is kept. The person sees it. The same again changes nothing; an import writes no contacts of the person any more.",
		Problems: []int{http.StatusConflict},
	}, s.removeContact)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /untold-contacts", Summary: "List whose emergency contacts have yet to be told that they were named", To: httpkit.Roles{httpkit.HR},
		More: "Where the company has every contact told; elsewhere the list is empty. It is recorded with the file: informed, informed_on, informed_by.",
	}, s.untold)
}

// EmergencyContacts are what is known of somebody's contacts without a look.
type EmergencyContacts struct {
	Contacts []EmergencyContact `json:"contacts"`
	Removed  []RemovedContact   `json:"removed"`
}

// EmergencyContact is one contact of a file.
type EmergencyContact struct {
	EmploymentID uuid.UUID `json:"employment_id"`
	Contact      int       `json:"contact" doc:"Which one: 1 to 5"`
	Told         bool      `json:"told" doc:"Whether the day is recorded on which the contact was told"`
}

// RemovedContact is one who asked to be removed.
type RemovedContact struct {
	EmploymentID uuid.UUID             `json:"employment_id"`
	Contact      int                   `json:"contact" doc:"Which one: 1 to 5"`
	Form         models.ContactRequest `json:"form"`
	FormText     string                `json:"form_text"`
	ReceivedOn   clock.Date            `json:"received_on"`
	RemovedAt    time.Time             `json:"removed_at"`
	RemovedBy    *render.PersonView    `json:"removed_by,omitempty" doc:"Who of HR: not for the person"`
	KeptAt       string                `json:"kept_at,omitempty" doc:"Where the request is kept: not for the person"`
}

func (s *server) contacts(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[EmergencyContacts], error) {
	view, err := s.contactsView(ctx, in.Language(), in.ID)
	return httpkit.AnswerOf(view, err)
}

func (s *server) contactsView(ctx context.Context, language i18n.Language, id uuid.UUID) (view EmergencyContacts, err error) {
	by := httpkit.ActorOf(ctx)
	own := by.EmployeeID == id
	if !own && by.Role != models.RoleHRAdmin {
		return view, httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	}
	if _, err := archive.Get(ctx, s.DB, models.Actor{EmployeeID: by.EmployeeID, Role: roleTo(own, by)}, id, language); err != nil {
		return view, notFound(err)
	}
	there, removed, kept, err := archive.Contacts(ctx, s.DB, id)
	if err != nil {
		return view, err
	}
	view.Contacts = httpkit.Each(there, func(c archive.Contact) EmergencyContact {
		return EmergencyContact{EmploymentID: c.EmploymentID, Contact: c.Contact, Told: c.Told}
	})
	ids := make([]uuid.UUID, len(removed))
	for i, r := range removed {
		ids[i] = r.RemovedBy
	}
	people, err := s.PeopleInLog(ctx, language, ids)
	view.Removed = make([]RemovedContact, len(removed))
	for i, r := range removed {
		v := RemovedContact{
			EmploymentID: r.EmploymentID, Contact: r.Contact, Form: r.Form, FormText: closed.Text(language, r.Form), ReceivedOn: r.ReceivedOn, RemovedAt: r.RemovedAt.UTC(),
		}
		if !own {
			v.RemovedBy, v.KeptAt = people.Of(&r.RemovedBy), kept[i]
		}
		view.Removed[i] = v
	}
	return view, err
}

// roleTo is in which role somebody reads it: the own as an employee.
func roleTo(own bool, by models.Actor) models.Role {
	if own {
		return models.RoleEmployee
	}
	return by.Role
}

func notFound(err error) error {
	if errors.Is(err, database.ErrNotFound) {
		return httpkit.NewProblem(httpkit.CodeEmployeeNotFound)
	}
	return err
}

type removeContactInput struct {
	httpkit.ByID
	Contact int `path:"contact" minimum:"1" maximum:"5" doc:"Which one: 1 to 5"`
	Body    struct {
		EmploymentID *uuid.UUID            `json:"employment_id,omitempty" doc:"Of a former employment; left out, the latest"`
		Form         models.ContactRequest `json:"form" doc:"How the contact asked. By phone: called back at the number on file"`
		ReceivedOn   clock.Date            `json:"received_on"`
		KeptAt       string                `json:"kept_at" minLength:"1" maxLength:"200" doc:"Where the request, or the note of it, is kept. Sealed; neither a name nor a number" example:"人事档案柜 3-12"`
	}
}

func (s *server) removeContact(ctx context.Context, in *removeContactInput) (*httpkit.Answer[EmergencyContacts], error) {
	b := in.Body
	err := database.Run(ctx, s.DB, func(tx *database.Tx) error {
		return archive.RemoveContact(tx, httpkit.ActorOf(ctx), archive.Removal{
			EmployeeID: in.ID, EmploymentID: b.EmploymentID, Contact: in.Contact, Form: b.Form, ReceivedOn: b.ReceivedOn, KeptAt: b.KeptAt,
		})
	})
	if err != nil {
		return nil, notFound(err)
	}
	view, err := s.contactsView(ctx, in.Language(), in.ID)
	return httpkit.AnswerOf(view, err)
}

// UntoldContacts is somebody with contacts who have yet to be told.
type UntoldContacts struct {
	EmployeeID uuid.UUID `json:"employee_id"`
	EmployeeNo string    `json:"employee_no"`
	Name       string    `json:"name"`
	Contacts   []int     `json:"contacts" doc:"Which ones: 1 to 5"`
}

func (s *server) untold(ctx context.Context, in *struct{ httpkit.Paging }) (*httpkit.Answer[httpkit.Page[UntoldContacts]], error) {
	return httpkit.List(in.Paging, func(v UntoldContacts) uuid.UUID { return v.EmployeeID }, func(after uuid.UUID) ([]UntoldContacts, bool, error) {
		if !s.contactsTold {
			return nil, false, nil
		}
		found, more, err := archive.UntoldContacts(ctx, s.DB, httpkit.ActorOf(ctx), after, in.Limit)
		return httpkit.Each(found, func(u archive.Untold) UntoldContacts {
			return UntoldContacts{EmployeeID: u.ID, EmployeeNo: u.EmployeeNo, Name: u.Name, Contacts: append([]int{}, u.Contacts...)}
		}), more, err
	})
}
