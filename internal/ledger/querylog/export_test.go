package querylog

// LookAtRecent sets how many of the newest entries are looked at one by one.
func LookAtRecent(n int) { recentRows = n }
