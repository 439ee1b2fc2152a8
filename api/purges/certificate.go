package purges

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/clock"
	"lethe/internal/closed"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/identity"
	"lethe/internal/pdf"
	"lethe/internal/retention"
	"lethe/models"
)

// CertificateView is the proof of one purge.
type CertificateView struct {
	ID                 uuid.UUID  `json:"id"`
	PurgeID            uuid.UUID  `json:"purge_id"`
	Serial             int64      `json:"serial"`
	Statement          statement  `json:"statement" doc:"What was destroyed, when, and how that was checked"`
	StatementSHA256    []byte     `json:"statement_sha256" doc:"Base64"`
	UnrecoverableAfter clock.Date `json:"unrecoverable_after" doc:"From this day on, old backups hold nothing that could open it"`
	IssuedAt           time.Time  `json:"issued_at"`
}

func (s *server) registerCertificates() {
	r := s.Resource("Departures", identity.ScopeDepartures)
	httpkit.Handle(r, httpkit.Route{At: "GET /departures/{id}/destruction-certificates", Summary: "The proofs of what was destroyed", To: httpkit.Everyone}, s.listCertificates)
	httpkit.Handle(r, httpkit.Route{
		At: "GET /departures/{id}/destruction-certificates/{certificate_id}", Summary: "The proof of one purge, also as pages to print", To: httpkit.Everyone,
		Shape: func(op *huma.Operation) {
			proof := s.Huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[CertificateView](), true, "CertificateView")
			httpkit.Answering("application/json", http.StatusOK, "The proof", proof)(op)
			httpkit.AnsweringPDF(op)
		},
	}, s.certificate)
}

// certificates are those of a departure that whoever asks may see.
func (s *server) certificates(ctx context.Context, id uuid.UUID) ([]models.DestructionCertificate, error) {
	dep, err := departure.Get(ctx, s.DB, id)
	if err != nil {
		return nil, err
	}
	if err := s.Visible(ctx, httpkit.ActorOf(ctx), dep.EmployeeID); err != nil {
		return nil, err
	}
	return retention.Certificates(ctx, s.DB, id)
}

func (s *server) listCertificates(ctx context.Context, in *httpkit.ByID) (*httpkit.Answer[httpkit.Page[CertificateView]], error) {
	certificates, err := s.certificates(ctx, in.ID)
	return httpkit.AnswerOf(httpkit.PageOf(httpkit.Each(certificates, certificateView), nil), err)
}

func certificateView(c models.DestructionCertificate) CertificateView {
	return CertificateView{
		ID: c.ID, PurgeID: c.PurgeID, Serial: c.Serial, Statement: statement{json.RawMessage(c.Statement)},
		StatementSHA256: c.StatementSha256, UnrecoverableAfter: c.UnrecoverableAfter, IssuedAt: c.IssuedAt.UTC(),
	}
}

type certificateInput struct {
	httpkit.ByID
	httpkit.AsDocument
	CertificateID uuid.UUID `path:"certificate_id" doc:"One of those that the list has"`
}

func (s *server) certificate(ctx context.Context, in *certificateInput) (*huma.StreamResponse, error) {
	certificates, err := s.certificates(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	for _, c := range certificates {
		if c.ID != in.CertificateID {
			continue
		}
		if in.Format == httpkit.DocumentPDF {
			content, err := certificatePages(c, in.Language())
			return httpkit.SendPDF("destruction-certificate-"+strconv.FormatInt(c.Serial, 10), content), err
		}
		return httpkit.SendJSON(certificateView(c))
	}
	return nil, httpkit.NewProblem(httpkit.CodeNotFound)
}

// certificatePages are a certificate to print: what the statement says, and what it is checked by.
func certificatePages(c models.DestructionCertificate, language i18n.Language) ([]byte, error) {
	var st CertificateStatement
	if err := json.Unmarshal([]byte(c.Statement), &st); err != nil {
		return nil, errors.New("reading a statement failed")
	}
	intact, err := retention.Intact(c)
	if err != nil {
		return nil, fmt.Errorf("checking a certificate: %w", err)
	}
	text := func(key string, args ...any) string {
		return fmt.Sprintf(i18n.Text(language, "certificate."+key), args...)
	}
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
	d := httpkit.NewPDF(language, "certificate.title")
	if !intact {
		d.Heading(text("altered"))
	}
	d.Faint(pdf.SizeText, text("intro"))
	d.Space(pdf.SizeSmall)
	d.Table(pdf.Facts(
		[]string{text("serial"), strconv.FormatInt(c.Serial, 10)}, []string{text("issued_at"), at(st.IssuedAt)},
		[]string{text("id"), c.ID.String()}, []string{text("departure"), st.DepartureID.String()}, []string{text("employment"), st.EmploymentID.String()},
	))
	d.Heading(text("destroyed"))
	t := pdf.Table{Columns: []pdf.Column{{Title: text("category"), Share: 1.6}, {Title: text("what"), Share: 2}, {Title: text("deadline"), Share: 2}, {Title: text("basis"), Share: 4}}}
	for _, k := range st.Categories {
		rule := k.Rule.Jurisdiction + "/" + string(k.Category) + "/" + strconv.Itoa(k.Rule.Version) + " (" + k.Rule.Period + ")"
		t.Rows = append(t.Rows, []string{closed.Text(language, k.Category), destroyedText(k, language), at(k.Deadline), language.Of(k.Rule.BasisZh, k.Rule.BasisEn) + "\n" + rule})
	}
	d.Table(t)
	d.Heading(text("how"))
	d.Table(pdf.Facts(
		[]string{text("tombstoned_at"), at(st.TombstonedAt)}, []string{text("keys_destroyed_at"), at(st.KeysDestroyedAt)},
		[]string{text("fields_cleared_at"), at(st.FieldsClearedAt)}, []string{text("probed_at"), at(st.ProbedAt)},
		[]string{text("unrecoverable_after"), st.UnrecoverableFromDay.String()},
	))
	d.Heading(text("check"))
	d.Faint(pdf.SizeSmall, text("check_hint"))
	d.Text(pdf.SizeText, "SHA-256: "+hex.EncodeToString(c.StatementSha256))
	if c.LedgerEntryID != nil {
		d.Text(pdf.SizeText, text("entry", c.LedgerEntryID))
	}
	return d.Bytes()
}

// destroyedText says how much of a category was destroyed.
func destroyedText(k CertificateCategory, language i18n.Language) string {
	var parts []string
	for _, n := range []struct {
		key   string
		count int64
	}{{"values", k.Destroyed.FieldValues}, {"attachments", k.Destroyed.Attachments}, {"snapshots", k.Destroyed.AccountSnapshots}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf(i18n.Plural(language, "certificate."+n.key, int(n.count)), n.count))
		}
	}
	if len(parts) == 0 {
		return i18n.Text(language, "certificate.nothing")
	}
	return language.List(parts)
}
