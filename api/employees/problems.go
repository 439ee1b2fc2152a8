package employees

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"lethe/api/httpkit"
	"lethe/internal/archive"
	"lethe/internal/invalid"
	"lethe/internal/vault"
)

var (
	codeEmployeeExists      = httpkit.Code("employee_exists", http.StatusConflict)
	codeCodeTaken           = httpkit.Code("code_taken", http.StatusConflict)
	codeDepartmentNotFound  = httpkit.Code("department_not_found", http.StatusUnprocessableEntity)
	codeSiteNotFound        = httpkit.Code("site_not_found", http.StatusUnprocessableEntity)
	codeUnknownArchiveField = httpkit.Code("unknown_archive_field", http.StatusUnprocessableEntity)
	codeDataDestroyed       = httpkit.Code("data_destroyed", http.StatusConflict)
)

func init() {
	httpkit.Explains(func(err error) *httpkit.Problem { return invalidFile("body.", err) })
	httpkit.Explains(func(taken *archive.CodeTakenError) *httpkit.Problem {
		p := httpkit.AtField("code", codeCodeTaken)
		if taken.ID != uuid.Nil {
			p.Location = httpkit.AddressOf(taken.Kind, taken.ID)
		}
		return p
	})
	httpkit.Refuses(archive.ErrEmployeeNoTaken, codeEmployeeExists, "employee_no")
	httpkit.Refuses(archive.ErrNoCatalogue, httpkit.CodeNotFound)
	httpkit.Refuses(archive.ErrCatalogueChanged, httpkit.Code("catalogue_changed", http.StatusConflict), "base_version")
	httpkit.Refuses(archive.ErrCatalogueSame, httpkit.Code("catalogue_same", http.StatusUnprocessableEntity))
	httpkit.Refuses(archive.ErrStillEmployed, codeEmployeeExists, "employee_no")
	httpkit.Refuses(archive.ErrApprovalRequired, httpkit.CodeApprovalRequired)
	httpkit.Refuses(archive.ErrCycle, httpkit.Code("department_cycle", http.StatusConflict), "parent_id")
	httpkit.Refuses(archive.ErrOwnDepartment, httpkit.Code("department_own", http.StatusForbidden), "parent_id")
	httpkit.Refuses(archive.ErrNoContact, httpkit.Code("contact_not_found", http.StatusNotFound))
	httpkit.Refuses(archive.ErrOwnFile, httpkit.CodeOwnMatter)
	httpkit.Refuses(archive.ErrPurged, codeDataDestroyed)
	httpkit.Refuses(archive.ErrHeld, httpkit.Code("under_hold", http.StatusConflict), "fields")
	httpkit.Refuses(archive.ErrIllegalStatus, httpkit.CodeStageConflict)
	httpkit.Refuses(vault.ErrPurged, codeDataDestroyed)
	httpkit.Refuses(archive.ErrAttachmentEmpty, httpkit.Code("attachment_empty", http.StatusUnprocessableEntity))
	httpkit.Refuses(archive.ErrAttachmentTooLarge, httpkit.Code("attachment_too_large", http.StatusRequestEntityTooLarge))
	httpkit.Refuses(archive.ErrAttachmentType, httpkit.Code("attachment_type", http.StatusUnsupportedMediaType))
	httpkit.Refuses(archive.ErrAttachmentLies, httpkit.Code("attachment_type_differs", http.StatusUnprocessableEntity))
	httpkit.Refuses(archive.ErrTooManyOfField, httpkit.Code("attachments_full", http.StatusConflict))
	httpkit.Refuses(archive.ErrNotAttachable, httpkit.Code("field_without_attachments", http.StatusUnprocessableEntity))
	httpkit.Refuses(archive.ErrAttachmentNotFound, httpkit.CodeNotFound)
}

// located tells where the values are that the archive refuses, if not in the body.
func located(place string, err error) error {
	if p := invalidFile(place, err); p != nil {
		return p
	}
	return err
}

// ownCodes are the refusals of single values that have a problem's code of their own.
var ownCodes = map[[2]string]string{
	{"department_id", invalid.Unknown}: codeDepartmentNotFound,
	{"site_id", invalid.Unknown}:       codeSiteNotFound,
	{"time_zone", invalid.Unknown}:     httpkit.CodeUnknownZone,
}

// invalidFile is the problem of values that the archive refuses; nil if err is about something else.
func invalidFile(place string, err error) *httpkit.Problem {
	var refused *archive.InvalidError
	if !errors.As(err, &refused) {
		return nil
	}
	p := httpkit.NewProblem(httpkit.CodeValidationFailed)
	for _, i := range refused.Problems {
		code := i.Code
		if own, ok := ownCodes[[2]string{i.Location, i.Code}]; ok {
			code = own
		} else if code == archive.CodeUnknownField {
			code = codeUnknownArchiveField
		}
		p.Errors = append(p.Errors, httpkit.FieldError{Location: place + i.Location, Code: code})
		if status, ok := httpkit.Statuses[code]; ok {
			p.Code, p.Status = code, status
		}
	}
	return p
}
