package models

import "lethe/internal/closed"

// Cause is why a command takes two people. It is found before anything is written.
type Cause string

// The causes.
const (
	CauseAlways    Cause = "always"          // the step takes two people in every installation
	CauseSetting   Cause = "setting"         // the installation asks for two
	CauseToken     Cause = "token"           // it was asked for with a token, which proves nobody's presence
	CauseSudden    Cause = "sudden"          // a head or an administrator would lose the access within a day
	CauseProtected Cause = "protected"       // it is the access of a head or an administrator
	CauseOneself   Cause = "oneself"         // it is the own access
	CauseForward   Cause = "brings_forward"  // it could bring a deadline forward
	CauseEarlier   Cause = "counts_earlier"  // deadlines would count from before the day of entry
	CauseGivesBack Cause = "gives_back"      // it gives access back
	CauseReaches   Cause = "reaches_oneself" // a hold would keep the own data
	CauseMany      Cause = "many_entries"    // more entries than one person takes away within a day
	CauseNewPeople Cause = "new_people"      // it enters people
	CauseOwnReach  Cause = "own_reach"       // whoever asks, or is moved, would look further by it
	CauseAddress   Cause = "private_address" // links to somebody who has left would go elsewhere
	CauseLook      Cause = "sensitive_look"  // the rules of looks at sensitive fields want a reviewer first
	CauseManyLeave Cause = "many_leave"      // more people than one person lets leave within a day
	CauseShare     Cause = "share_leaves"    // a large share of the company, or of a department, would leave
	CauseLastOnes  Cause = "last_of_role"    // fewer than two reviewers or administrators would be left
)

// Causes lists them all.
var Causes = closed.Of("approval.cause",
	CauseAlways, CauseSetting, CauseToken, CauseSudden, CauseProtected, CauseOneself, CauseForward, CauseEarlier, CauseGivesBack,
	CauseReaches, CauseMany, CauseNewPeople, CauseOwnReach, CauseAddress, CauseLook,
	CauseManyLeave, CauseShare, CauseLastOnes)
