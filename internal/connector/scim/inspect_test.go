package scim_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lethe/internal/connector"
)

// TestInspectionsOfGroups: what a system does not say of its groups is told as that.
func TestInspectionsOfGroups(t *testing.T) {
	none, only, shared, untold := connector.SeatNone, connector.SeatOnly, connector.SeatShared, connector.SeatUntold
	for group, want := range map[string]struct{ member, owner connector.Seat }{
		`"members":[{"value":"7"}]`:                                        {only, untold},
		`"members":[{"value":"7"},{"value":"8"}],"owners":[{"value":"7"}]`: {shared, only},
		`"members":[{"value":"8"}],"owners":[]`:                            {none, none},
		`"members":[{"value":"7","type":"Group"}],"owners":["7","8"]`:      {none, shared},
		`"owners":[{"value":"9"}]`:                                         {untold, none},
		`"members":"odd","owners":[{}]`:                                    {untold, untold},
	} {
		p := &provider{t: t, user: `{"schemas":[],"id":"7","active":true,"groups":[{"value":"g"},{"value":"lost"}]}`, extra: map[string]http.HandlerFunc{
			"GET /Groups/g": func(w http.ResponseWriter, _ *http.Request) {
				answerJSON(w, http.StatusOK, fmt.Sprintf(`{"id":"g","displayName":"Team",%s}`, group))
			},
		}}
		seen, err := clientOf(t, p).Inspect(t.Context(), "7")
		if err != nil || !seen.Exists || !seen.Active || seen.Sessions != nil || !seen.GroupsUntold {
			t.Fatalf("%s: %+v %v", group, seen, err)
		}
		if want := []connector.Membership{{Name: "Team", Member: want.member, Owner: want.owner}}; !cmp.Equal(seen.Groups, want) {
			t.Errorf("%s: %+v, want %+v", group, seen.Groups, want)
		}
		if len(p.sent) > 0 {
			t.Errorf("it sent %v", p.sent)
		}
	}
}
