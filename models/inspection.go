package models

import "lethe/internal/closed"

// LookRemark is what people should know of an account before it is taken away.
type LookRemark string

// The remarks.
const (
	RemarkUnregistered    LookRemark = "unregistered"     // carries the number; nobody registered it
	RemarkSeveral         LookRemark = "several"          // one of several, and nobody said whose they are
	RemarkOtherNumber     LookRemark = "other_number"     // registered here, and carries another number there
	RemarkOtherPerson     LookRemark = "other_person"     // linked to somebody else here
	RemarkDetached        LookRemark = "detached"         // people detached it: it stays
	RemarkOtherEmployment LookRemark = "other_employment" // of another employment of the person: it stays
	RemarkGone            LookRemark = "gone"             // registered here, unknown there
	RemarkOff             LookRemark = "off"
	RemarkUnclear         LookRemark = "unclear" // it does not say whether it is on
	RemarkNotRead         LookRemark = "not_read"
	RemarkGroupsUntold    LookRemark = "groups_untold"
	RemarkOnlyOwner       LookRemark = "only_owner"
	RemarkOnlyMember      LookRemark = "only_member"
)

// LookRemarks lists them all, what wants people first.
var LookRemarks = closed.Of("look_remark", RemarkOtherPerson, RemarkOtherNumber, RemarkSeveral, RemarkNotRead, RemarkUnclear, RemarkOnlyOwner, RemarkUnregistered,
	RemarkGone, RemarkOff, RemarkDetached, RemarkOtherEmployment, RemarkOnlyMember, RemarkGroupsUntold)
