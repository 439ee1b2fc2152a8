package feedback

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/feedback"
)

func init() {
	httpkit.Refuses(feedback.ErrNotFound, httpkit.CodeNotFound)
	httpkit.Refuses(feedback.ErrAnswered, httpkit.Code("feedback_answered", http.StatusConflict))
	httpkit.Refuses(feedback.ErrTooMany, httpkit.Code("feedback_too_many", http.StatusTooManyRequests))
}
