package departures

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/api/approvals"
	"lethe/api/httpkit"
	"lethe/api/render"
	"lethe/internal/access"
	"lethe/internal/approval"
	"lethe/internal/closed"
	"lethe/internal/departure"
	"lethe/internal/i18n"
	"lethe/internal/retention"
	"lethe/models"
)

// TimelineView is one thing that happened.
type TimelineView struct {
	At           time.Time          `json:"at"`
	What         string             `json:"what"`
	WhatText     string             `json:"what_text"`
	By           string             `json:"by" doc:"The role, or system"`
	ByText       string             `json:"by_text"`
	ByID         *uuid.UUID         `json:"by_id,omitempty"`
	ByPerson     *render.PersonView `json:"by_person,omitempty"`
	ApprovedBy   *render.PersonView `json:"approved_by,omitempty" doc:"Who agreed to a change of dates that took two people, where the departure is read by itself"`
	Category     string             `json:"category,omitempty"`
	CategoryText string             `json:"category_text,omitempty"`
	HoldID       *uuid.UUID         `json:"hold_id,omitempty"`
	PurgeID      *uuid.UUID         `json:"purge_id,omitempty"`
	// Changes are what became of the dates.
	Changes []approvals.ChangeView `json:"changes,omitempty" doc:"Which dates were changed, where the departure is read by itself; for as long as the log keeps it"`
}

func (r around) timelineViews(language i18n.Language, departureID uuid.UUID, knows func(access.Part) bool) []TimelineView {
	events := knownEvents(r.timelines[departureID], knows)
	views := make([]TimelineView, len(events))
	for i, e := range events {
		views[i] = TimelineView{
			At: e.At.UTC(), What: e.What, WhatText: i18n.Text(language, "event."+e.What),
			By: e.ActorRole, ByText: closed.Text(language, models.Role(e.ActorRole)), ByID: e.ActorID, ByPerson: r.people.Of(e.ActorID), Category: e.Category,
		}
		if e.Category != "" {
			views[i].CategoryText = closed.Text(language, models.Category(e.Category))
		}
	}
	return views
}

// withObjections adds to a timeline who kept the data: the holds and the rejections themselves say so, for
// those who may know what waits for reviewers.
func (r around) withObjections(language i18n.Language, departureID uuid.UUID, timeline []TimelineView) []TimelineView {
	for _, o := range r.objections[departureID] {
		by := models.RoleHRAdmin
		switch {
		case o.What == retention.EventPurgeRejected:
			by = models.RoleReviewer
		case o.ByID == nil:
			by = models.RoleSystem
		}
		timeline = append(timeline, TimelineView{
			At: o.At.UTC(), What: o.What, WhatText: i18n.Text(language, "event."+o.What), By: string(by), ByText: closed.Text(language, by),
			ByID: o.ByID, ByPerson: r.people.Of(o.ByID), HoldID: o.HoldID, PurgeID: o.PurgeID,
		})
	}
	slices.SortStableFunc(timeline, func(a, b TimelineView) int { return a.At.Compare(b.At) })
	return timeline
}

// addDateChanges says in a timeline which dates were changed.
func (s *server) addDateChanges(ctx context.Context, language i18n.Language, dep models.Departure, timeline []TimelineView) error {
	changes, err := departure.DateChanges(ctx, s.DB, dep.ID)
	if err != nil {
		return err
	}
	var approvers []uuid.UUID
	for _, of := range changes {
		approvers = append(approvers, render.GivenOf(of.ApprovedBy)...)
	}
	people, err := s.People(ctx, language, approvers)
	if err != nil {
		return err
	}
	for i, v := range timeline {
		if v.What != departure.EventDatesChanged {
			continue
		}
		timeline[i].Changes, timeline[i].ApprovedBy = changeViews(changes[v.At].Changes, dep.TimeZone, language), people.Of(changes[v.At].ApprovedBy)
	}
	return nil
}

// changeViews says in a language which dates change, instants by the clock of the zone.
func changeViews(changes []departure.DateChange, zone string, language i18n.Language) []approvals.ChangeView {
	return approvals.ChangeViews(httpkit.Each(changes, func(c departure.DateChange) approval.Change {
		return approval.Change{Field: c.Field, Before: c.Before, After: c.After, Zone: zone}
	}), approvals.Words{}, language)
}

// partOfEvent is the part that a line of the timeline tells of; empty for what everybody may know who
// sees the person.
func partOfEvent(what string) access.Part {
	switch what {
	case departure.EventAnnulmentRequested, departure.EventAnnulmentDropped:
		return access.PartRequests
	case departure.EventAccountsAttention, departure.EventAccountsResumed:
		return access.PartTroubles
	}
	return ""
}

// knownEvents leaves out the lines of which the actor may not know.
func knownEvents(events []models.DepartureEvent, knows func(access.Part) bool) []models.DepartureEvent {
	return slices.DeleteFunc(events, func(e models.DepartureEvent) bool { return !knows(partOfEvent(e.What)) })
}
