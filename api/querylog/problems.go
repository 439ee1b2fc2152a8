package querylog

import (
	"net/http"

	"lethe/api/httpkit"
	"lethe/internal/ledger"
	"lethe/internal/ledger/evidence"
)

var (
	codeSearchTooShort = httpkit.Code("search_too_short", http.StatusUnprocessableEntity)
	codeSearchTooLong  = httpkit.Code("search_too_long", http.StatusUnprocessableEntity)
	codeSearchTerms    = httpkit.Code("search_too_many_terms", http.StatusUnprocessableEntity)
	codeSearchTooBroad = httpkit.Code("search_too_broad", http.StatusUnprocessableEntity)
	codeExportRange    = httpkit.Code("export_range", http.StatusUnprocessableEntity)
	codeTampered       = httpkit.Code("ledger_tampered", http.StatusInternalServerError)
)

func init() {
	httpkit.Refuses(evidence.ErrReason, httpkit.Code("export_reason", http.StatusUnprocessableEntity), "reason")
	httpkit.Refuses(evidence.ErrUnknown, httpkit.CodeValidationFailed, "formats")
	httpkit.Refuses(evidence.ErrRange, codeExportRange, "range")
	httpkit.Refuses(evidence.ErrEpoch, codeExportRange, "range.epoch")
	httpkit.Refuses(evidence.ErrBothChosen, httpkit.Code("export_filters_and_range", http.StatusUnprocessableEntity), "range")
	httpkit.Refuses(evidence.ErrNotReady, httpkit.Code("export_not_ready", http.StatusConflict))
	httpkit.Refuses(evidence.ErrExpired, httpkit.Code("export_expired", http.StatusGone))
	httpkit.Refuses(evidence.ErrPurged, httpkit.Code("export_purged", http.StatusGone))
	httpkit.Refuses(evidence.ErrMissing, httpkit.Code("export_not_here", http.StatusServiceUnavailable))
	httpkit.Refuses(ledger.ErrTampered, codeTampered)
	httpkit.Refuses(ledger.ErrInconsistent, codeTampered)
	httpkit.Refuses(ledger.ErrNotSequenced, httpkit.Code("no_checkpoint_yet", http.StatusServiceUnavailable))
}
