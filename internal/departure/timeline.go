package departure

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/internal/ledger"
	"lethe/models"
)

// What a timeline says. Codes only; the languages' texts are in i18n.
const (
	EventStarted            = "departure_started"
	EventEntered            = "departure_entered"
	EventDatesChanged       = "dates_changed"
	EventWithdrawn          = "withdrawn"
	EventAnnulmentRequested = "annulment_requested"
	EventAnnulmentDropped   = "annulment_dropped"
	EventAnnulled           = "annulled"
	EventUnlinkingStarted   = "unlinking_started"
	EventNothingConnected   = "nothing_connected"
	EventRelinkingStarted   = "relinking_started"
	EventAccountsSettled    = "accounts_settled"
	EventAccountsAttention  = "accounts_need_attention"
	EventAccountsResumed    = "accounts_resumed"
	EventAccountsRelinked   = "accounts_relinked"
	EventDeparted           = "departed"
	EventPurgingBegan       = "purging_began"
	EventCategoryPurged     = "category_purged"
	EventPurged             = "purged"
)

// Events are all of them.
var Events = []string{
	EventStarted, EventEntered, EventDatesChanged, EventWithdrawn, EventAnnulmentRequested, EventAnnulmentDropped, EventAnnulled, EventUnlinkingStarted,
	EventNothingConnected, EventRelinkingStarted, EventAccountsSettled, EventAccountsAttention, EventAccountsResumed,
	EventAccountsRelinked, EventDeparted, EventPurgingBegan, EventCategoryPurged, EventPurged,
}

// Timelines are those of departures, by departure, oldest line first.
func Timelines(ctx context.Context, db *database.DB, ids []uuid.UUID) (map[uuid.UUID][]models.DepartureEvent, error) {
	events, err := database.Find[models.DepartureEvent](db.Read(ctx), "timelines", "departure_id = ANY (?)", models.IDs(ids))
	if err != nil {
		return nil, err
	}
	timelines := make(map[uuid.UUID][]models.DepartureEvent, len(ids))
	for _, e := range events {
		timelines[e.DepartureID] = append(timelines[e.DepartureID], e)
	}
	return timelines, nil
}

// Timeline is the departure's timeline after the given event id (0: from the start), oldest first.
func Timeline(ctx context.Context, db *database.DB, id uuid.UUID, after int64) ([]models.DepartureEvent, error) {
	return database.Find[models.DepartureEvent](db.Read(ctx), "a timeline", "departure_id = ? AND id > ?", id, after)
}

// DateChange is a date of a departure that was changed: an ISO 8601 date, an instant in UTC (RFC 3339), or the name
// of a zone. Before is empty where there was none.
type DateChange struct{ Field, Before, After string }

// DatesChanged is one change of dates, and who agreed to it if it took two people.
type DatesChanged struct {
	ApprovedBy *uuid.UUID
	Changes    []DateChange
}

// changeable are the dates that a change is told of, in the order in which people read them. The end of the
// employment as an instant follows from its day and the zone.
var changeable = []string{"notice_received_on", "last_working_day", "employment_end_date", "access_cutoff_at", "time_zone", "counts_from"}

// DateChanges are what became of a departure's dates, by the time of the line that tells of it, as far as the ledger
// keeps what its entries say.
func DateChanges(ctx context.Context, db *database.DB, id uuid.UUID) (map[time.Time]DatesChanged, error) {
	events, err := database.Find[models.DepartureEvent](db.Read(ctx), "changes of dates", "departure_id = ? AND what = ?", id, EventDatesChanged)
	if err != nil {
		return nil, err
	}
	lines := map[uuid.UUID]time.Time{}
	for _, e := range events {
		if e.LedgerEntryID != nil {
			lines[*e.LedgerEntryID] = e.At.UTC()
		}
	}
	if len(lines) == 0 {
		return nil, nil
	}
	// An entry's time is within a second of its transaction's: that leaves the months in which to look.
	rows, err := database.Find[ledger.Row](ledger.Rows(db.Read(ctx)), "entries of changed dates",
		"c.entry_id IN ? AND c.at BETWEEN ? AND ?", slices.Collect(maps.Keys(lines)), events[0].At.Add(-time.Minute), events[len(events)-1].At.Add(time.Minute))
	if err != nil {
		return nil, err
	}
	changes := make(map[time.Time]DatesChanged, len(rows))
	for _, row := range rows {
		content, err := row.Content()
		if err != nil {
			return nil, err
		}
		var of DatesChanged
		if id, err := uuid.Parse(content.Details[ledger.DetailApprovedBy]); err == nil {
			of.ApprovedBy = &id
		}
		of.Changes = changesIn(content.Details, changeable)
		changes[lines[row.ID]] = of
	}
	return changes, nil
}

// changesIn are the changes of these dates that the details of an entry tell of.
func changesIn(details map[string]string, fields []string) (changes []DateChange) {
	for _, field := range fields {
		if after, changed := details[field]; changed {
			changes = append(changes, DateChange{field, details[field+"_before"], after})
		}
	}
	return changes
}
