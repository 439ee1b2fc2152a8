package purges

import (
	"context"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/closed"
	"lethe/internal/database"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/operations"
	"lethe/internal/retention"
	"lethe/models"
)

// DueOfFile is what waits for a review of people who came in with one file.
type DueOfFile struct {
	Items []DuePerson `json:"items" doc:"The longest waiting first, up to 200"`
	More  bool        `json:"more" doc:"Others wait behind these: they are listed once these are decided about"`
	List  string      `json:"list" doc:"Names the list as it is; a decision about it carries it back"`
}

// DuePerson is whose data waits for a review, and which.
type DuePerson struct {
	PurgeID        uuid.UUID         `json:"purge_id"`
	Person         render.PersonView `json:"person"`
	Categories     []models.Category `json:"categories"`
	CategoriesText []string          `json:"categories_text"`
	DueSince       time.Time         `json:"due_since" doc:"When the first of them fell due"`
	LeftOut        retention.LeftOut `json:"left_out,omitempty" doc:"Why no decision about the list is about this one: it is decided about by itself"`
	LeftOutText    string            `json:"left_out_text,omitempty"`
}

func (s *server) registerTogether() {
	httpkit.Describe[retention.LeftOut](s.API)
	r := s.Resource("Purges", identity.ScopeDepartures)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /employee-imports/{id}/purges", Summary: "List what is due of people who came in with a file, and waits for a review", To: httpkit.Roles{httpkit.HR, httpkit.Reviewer, httpkit.Auditor},
		More: "Whose data a hold keeps in part, and who objects or waits for an answer about the own data, is named and left out.",
	}, s.dueOfFile)
	httpkit.Handle(r, httpkit.Route{
		At: "POST /employee-imports/{id}/purge-decision", Summary: "Decide about that list at once, but for some", To: httpkit.Roles{httpkit.Reviewer}, NoSealedCodes: true, OrRequest: true,
		More: "Each purge is decided as by itself, with an entry of its own. Those taken out, and those left out, go on waiting.",
	}, s.decideOfFile)
}

func (s *server) dueOfFile(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[DueOfFile], error) {
	return httpkit.AnswerOf(s.listOfFile(ctx, in.ID, in.Language()))
}

func (s *server) listOfFile(ctx context.Context, id uuid.UUID, language i18n.Language) (DueOfFile, error) {
	list, err := retention.DueOfFile(s.DB.Read(ctx), id, httpkit.ActorOf(ctx).EmployeeID)
	if err != nil {
		return DueOfFile{}, err
	}
	if len(list.Purges) == 0 {
		if _, err := database.First[models.Batch](s.DB.Read(ctx).Select("id").Where("id = ?", id)); err != nil {
			return DueOfFile{}, err
		}
	}
	ids := make([]uuid.UUID, len(list.Purges))
	for i, p := range list.Purges {
		ids[i] = p.EmployeeID
	}
	people, err := s.People(ctx, language, ids)
	if err != nil {
		return DueOfFile{}, err
	}
	return DueOfFile{More: list.More, List: list.Version, Items: httpkit.Each(list.Purges, func(p retention.FilePurge) DuePerson {
		v := DuePerson{
			PurgeID: p.ID, Person: people[p.EmployeeID], Categories: p.Categories(), CategoriesText: closed.Texts(language, p.Categories()),
			DueSince: p.DueSince.UTC(), LeftOut: p.LeftOut(),
		}
		if v.LeftOut != "" {
			v.LeftOutText = closed.Text(language, v.LeftOut)
		}
		return v
	})}, nil
}

type fileDecisionInput struct {
	httpkit.ByID
	Body struct {
		Decision models.Decision `json:"decision" enum:"approved,rejected"`
		List     string          `json:"list" maxLength:"64" doc:"As the list says"`
		But      []uuid.UUID     `json:"but,omitempty" maxItems:"200" doc:"The purges that are taken out"`
		approvals.ApprovalFields
	}
}

func (s *server) decideOfFile(ctx context.Context, in *fileDecisionInput) (*approvals.Outcome[DueOfFile], error) {
	call := approvals.Step{
		Operation: operations.DecidePurge, Reason: in.Body.ApprovalReason,
		Command: operations.PurgeDecision{ImportID: in.ID, Decision: in.Body.Decision, List: in.Body.List, But: in.Body.But},
	}
	return approvals.Take(ctx, s.Desk, in.Language(), &call, func(uuid.UUID) (DueOfFile, error) {
		return s.listOfFile(ctx, in.ID, in.Language())
	})
}
