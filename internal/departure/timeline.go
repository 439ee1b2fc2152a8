package departure

import (
	"context"

	"github.com/google/uuid"

	"lethe/internal/database"
	"lethe/models"
)

// What a timeline says. Codes only; the languages' texts are in i18n.
const (
	EventStarted            = "departure_started"
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
	EventStarted, EventDatesChanged, EventWithdrawn, EventAnnulmentRequested, EventAnnulmentDropped, EventAnnulled, EventUnlinkingStarted,
	EventNothingConnected, EventRelinkingStarted, EventAccountsSettled, EventAccountsAttention, EventAccountsResumed,
	EventAccountsRelinked, EventDeparted, EventPurgingBegan, EventCategoryPurged, EventPurged,
}

// Timelines are those of departures, by departure, oldest line first.
func Timelines(ctx context.Context, db *database.DB, ids []uuid.UUID) (map[uuid.UUID][]models.DepartureEvent, error) {
	events, err := database.Find[models.DepartureEvent](db.Read(ctx), "timelines", "departure_id IN ?", ids)
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
