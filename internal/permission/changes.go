package permission

import (
	"slices"
	"strconv"

	"github.com/google/uuid"

	"lethe/internal/access"
)

// Change is one thing that another matrix changes.
type Change struct {
	// Tier is a tier's key; empty: it is about who is protected or configures.
	Tier string
	// What it is about: tier, scope, member, protected, configurer, a limit, patterns of a legal entity, or a grant (then Group and Purpose are given).
	What    string
	Group   access.Group
	Purpose access.Purpose
	Person  uuid.UUID
	// Entity is a legal entity.
	Entity uuid.UUID
	// Before and After are levels, scopes, numbers, or "yes" and "".
	Before, After string
}

// What a change of the frequencies is about.
const (
	LimitPeople = "limit_people"
	LimitLooks  = "limit_looks"
)

// Changes are what changes from one matrix to another, in a fixed order.
func Changes(before, after *access.Matrix) (all []Change) {
	var keys []string
	for _, m := range []*access.Matrix{before, after} {
		for _, t := range m.Tiers {
			if !slices.Contains(keys, t.Key) {
				keys = append(keys, t.Key)
			}
		}
	}
	for _, key := range keys {
		was, is := tierOf(before, key), tierOf(after, key)
		if was.Key != is.Key {
			all = append(all, Change{Tier: key, What: "tier", Before: yes(was.Key != ""), After: yes(is.Key != "")})
		}
		if was.Scope != is.Scope {
			all = append(all, Change{Tier: key, What: "scope", Before: string(was.Scope), After: string(is.Scope)})
		}
		all = append(all, people(key, "member", was.Members, is.Members)...)
		for _, g := range access.Named(before, after) {
			for _, p := range access.Purposes {
				a, b := grantOf(before, key, g, p), grantOf(after, key, g, p)
				if a.Level != b.Level {
					all = append(all, Change{Tier: key, What: "grant", Group: g, Purpose: p, Before: string(a.Level), After: string(b.Level)})
				}
				if a.Protected != b.Protected {
					all = append(all, Change{Tier: key, What: "grant_protected", Group: g, Purpose: p, Before: string(a.Protected), After: string(b.Protected)})
				}
			}
		}
	}
	all = append(all, people("", "protected", before.Protected, after.Protected)...)
	was, is := before.Frequency(), after.Frequency()
	for _, l := range []struct {
		what    string
		was, is int
	}{{LimitPeople, was.PeoplePerDay, is.PeoplePerDay}, {LimitLooks, was.LooksPerWeek, is.LooksPerWeek}} {
		if l.was != l.is {
			all = append(all, Change{What: l.what, Before: strconv.Itoa(l.was), After: strconv.Itoa(l.is)})
		}
	}
	all = append(all, patterns(before, after)...)
	return append(all, people("", "configurer", before.Configurers, after.Configurers)...)
}

// PatternsShown is what a switch of the patterns is about. What was switched by nobody is "".
const PatternsShown = "patterns"

func patterns(before, after *access.Matrix) (all []Change) {
	said := func(m *access.Matrix, entity uuid.UUID) string {
		for _, s := range m.Patterns {
			if s.LegalEntity == entity {
				return map[bool]string{true: "shown", false: "hidden"}[s.Shown]
			}
		}
		return "default"
	}
	var entities []uuid.UUID
	for _, s := range append(slices.Clone(before.Patterns), after.Patterns...) {
		entities = append(entities, s.LegalEntity)
	}
	for _, id := range sorted(entities) {
		if was, is := said(before, id), said(after, id); was != is {
			all = append(all, Change{What: PatternsShown, Entity: id, Before: was, After: is})
		}
	}
	return all
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

func tierOf(m *access.Matrix, key string) access.Tier {
	for _, t := range m.Tiers {
		if t.Key == key {
			return t
		}
	}
	return access.Tier{}
}

func grantOf(m *access.Matrix, tier string, g access.Group, p access.Purpose) access.Grant {
	for _, grant := range m.Grants {
		if grant.Tier == tier && grant.Group == g && grant.Purpose == p {
			return grant
		}
	}
	return access.Grant{Level: access.NoLook, Protected: access.NoLook}
}

func people(tier, what string, before, after []uuid.UUID) (all []Change) {
	for _, id := range sorted(append(slices.Clone(before), after...)) {
		if was, is := slices.Contains(before, id), slices.Contains(after, id); was != is {
			all = append(all, Change{Tier: tier, What: what, Person: id, Before: yes(was), After: yes(is)})
		}
	}
	return all
}
