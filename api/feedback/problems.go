package feedback

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/feedback"
)

func init() {
	httpkit.Explains(func(e *feedback.InvalidError) *httpkit.Problem {
		p := httpkit.NewProblem(httpkit.CodeValidationFailed)
		for _, i := range e.Problems {
			p.Errors = append(p.Errors, httpkit.FieldError{Location: "body." + i.Location, Code: i.Code})
		}
		return p
	})
	httpkit.Refuses(feedback.ErrNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(feedback.ErrAnswered, httpkit.Code("feedback_answered", http.StatusConflict))
	httpkit.Refuses(feedback.ErrTooMany, httpkit.Code("feedback_too_many", http.StatusTooManyRequests))
}
