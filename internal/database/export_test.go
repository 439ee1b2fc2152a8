package database

// LookAt sets how many rows of a list are looked at one by one, until what it returns is called.
func LookAt(rows int) (back func()) {
	was := nearest
	nearest = rows
	return func() { nearest = was }
}
