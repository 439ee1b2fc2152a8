package imports

import (
	"errors"
	"fmt"
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/imports"
	"lethe/internal/sheet"
)

var (
	codeUnreadable = httpkit.Code("file_unreadable", http.StatusUnprocessableEntity)
	codeTooLarge   = httpkit.Code("file_out_of_bounds", http.StatusUnprocessableEntity)
	codeMapping    = httpkit.Code("mapping_invalid", http.StatusUnprocessableEntity)
)

func init() {
	httpkit.Refuses(imports.ErrOwn, httpkit.CodeOwnMatter)
	httpkit.Refuses(imports.ErrState, httpkit.Code("import_at_another_point", http.StatusConflict))
	httpkit.Refuses(imports.ErrNothingToDo, httpkit.Code("import_has_nothing_to_do", http.StatusConflict))
	httpkit.Refuses(imports.ErrContentEnded, httpkit.Code("import_file_gone", http.StatusGone))
	httpkit.Refuses(imports.ErrNotUploader, httpkit.Code("import_of_another", http.StatusForbidden))
	httpkit.Explains(unreadable)
	httpkit.Explains(mappingProblem)
}

// unreadable is the problem of a file that is no table, or one out of bounds.
func unreadable(err error) *httpkit.Problem {
	var fault *sheet.Error
	if !errors.As(err, &fault) {
		return nil
	}
	code := codeUnreadable
	switch fault.Fault {
	case sheet.TooDense, sheet.TooManyRows, sheet.TooManyColumns, sheet.CellTooLong:
		code = codeTooLarge
	}
	location := "body"
	if fault.Row > 0 {
		location = fmt.Sprintf("body[%d]", fault.Row)
	}
	return httpkit.NewProblem(code, httpkit.FieldError{Location: location, Code: string(fault.Fault)})
}

func mappingProblem(err error) *httpkit.Problem {
	var wrong *imports.MappingError
	if !errors.As(err, &wrong) {
		return nil
	}
	location := "body.columns"
	if wrong.At >= 0 {
		location = fmt.Sprintf("body.columns[%d]", wrong.At)
	}
	return httpkit.NewProblem(codeMapping, httpkit.FieldError{Location: location, Code: wrong.Code})
}
