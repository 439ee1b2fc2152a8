package chaos

import (
	"github.com/google/uuid"

	"lethe/models"
)

// deadlinesKept is I1: nothing was destroyed before its deadline, before the end of the employment,
// or of a departure that was taken back.
func (c *checker) deadlinesKept() {
	departures := c.departures()
	deadlines := map[uuid.UUID][]models.RetentionDeadline{}
	for _, l := range c.Deadlines {
		deadlines[l.CategoryID] = append(deadlines[l.CategoryID], l)
	}
	for _, k := range c.Categories {
		if k.State == models.CategoryOpen {
			continue
		}
		allowed := false
		for _, l := range deadlines[k.ID] {
			d := departures[l.DepartureID]
			allowed = allowed || (open(d) && k.PurgingAt != nil && !k.PurgingAt.Before(l.Deadline) &&
				!k.PurgingAt.Before(d.EmploymentEndedAt) && !l.Deadline.Before(d.EmploymentEndedAt))
		}
		if !allowed {
			c.report("I1", "category %s (%s) purged without a deadline that had passed", k.ID, k.Category)
		}
	}
	for _, p := range c.Purges {
		if p.IntentAt == nil {
			continue
		}
		for _, k := range c.Claims {
			if k.PurgeID != p.ID || k.State == models.ClaimLeft {
				continue
			}
			for _, l := range deadlines[k.CategoryID] {
				if l.DepartureID == p.DepartureID && p.IntentAt.Before(l.Deadline) {
					c.report("I1", "purge %s began before the deadline of %s", p.ID, k.Category)
				}
			}
		}
	}
	c.keysOfOpenCategories()
}

// keysOfOpenCategories: a destroyed key is a purge, whatever the facts say.
func (c *checker) keysOfOpenCategories() {
	state := map[uuid.UUID]models.CategoryState{}
	for _, k := range c.Categories {
		state[k.ID] = k.State
	}
	for _, key := range c.DataKeys {
		switch destroyed := key.DestroyedAt != nil; {
		case destroyed && state[key.CategoryID] == models.CategoryOpen:
			c.report("I1", "a key of the open category %s is destroyed", key.CategoryID)
		case !destroyed && state[key.CategoryID] == models.CategoryPurged:
			c.report("I3", "a key of the purged category %s is left", key.CategoryID)
		}
	}
}

// nothingDueIsLeft is I2.
func (c *checker) nothingDueIsLeft() {
	departures := c.departures()
	scheduled := map[uuid.UUID]int{}
	for _, l := range c.Deadlines {
		scheduled[l.DepartureID]++
		if open(departures[l.DepartureID]) && !l.Deadline.After(c.Now) && l.State != models.DeadlinePurged {
			c.report("I2", "%s of departure %s was due at %s and is %s", l.Category, l.DepartureID, l.Deadline, l.State)
		}
	}
	for _, d := range c.Departures {
		if d.DepartedAt != nil && scheduled[d.ID] != len(models.Categories) {
			c.report("I2", "departure %s has %d deadlines for %d categories", d.ID, scheduled[d.ID], len(models.Categories))
		}
	}
	purged := map[uuid.UUID]bool{}
	for _, k := range c.Categories {
		purged[k.ID] = k.State == models.CategoryPurged
	}
	for _, v := range c.FieldValues {
		if purged[v.CategoryID] && !v.ValueSealed.IsNull() {
			c.report("I2", "field value %s is left of a purged category", v.ID)
		}
	}
	for _, v := range c.Snapshots {
		if purged[v.CategoryID] && !v.SnapshotSealed.IsNull() {
			c.report("I2", "snapshot %s is left of a purged category", v.ID)
		}
	}
	for _, d := range c.Departures {
		if d.Stage == models.StagePurged && !(d.NoteSealed.IsNull() && d.WithdrawalReasonSealed.IsNull() && d.AnnulmentReasonSealed.IsNull()) {
			c.report("I2", "departure %s is purged and has its texts", d.ID)
		}
	}
}

// onePurgeOneEffect is I3: one certificate and one tombstone for each purge, one purge for each category.
func (c *checker) onePurgeOneEffect() {
	certificates, tombstones := map[uuid.UUID]int{}, map[uuid.UUID]int{}
	for _, k := range c.Certificates {
		certificates[k.PurgeID]++
	}
	for _, stone := range c.Tombstones {
		tombstones[stone.PurgeID]++
	}
	for _, p := range c.Purges {
		want := 0
		if p.State == models.PurgePurged {
			want = 1
		}
		if certificates[p.ID] != want || tombstones[p.ID] != want {
			c.report("I3", "purge %s is %s, with %d certificates and %d tombstones", p.ID, p.State, certificates[p.ID], tombstones[p.ID])
		}
		if p.State == models.PurgePurging {
			c.report("I3", "purge %s has not ended", p.ID)
		}
	}
	claims := map[uuid.UUID]int{}
	for _, k := range c.Claims {
		if k.State == models.ClaimPurged {
			claims[k.CategoryID]++
		}
	}
	for _, k := range c.Categories {
		want := 0
		if k.State != models.CategoryOpen {
			want = 1
		}
		if claims[k.ID] != want {
			c.report("I3", "category %s (%s) is %s and was purged %d times", k.ID, k.Category, k.State, claims[k.ID])
		}
	}
}

func (c *checker) departures() map[uuid.UUID]models.Departure {
	byID := map[uuid.UUID]models.Departure{}
	for _, d := range c.Departures {
		byID[d.ID] = d
	}
	return byID
}
