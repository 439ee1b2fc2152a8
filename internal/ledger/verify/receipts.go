package verify

// receipts takes over the held ones; each names one entry and its leaf.
func (c *checker) receipts(e Evidence) {
	for _, h := range e.Receipts {
		id, hash, ok := e.Policy.Receipt(h.Content)
		if !ok {
			c.report.add(Problem{Code: BadReceipt, File: h.File})
			continue
		}
		if before, twice := c.held[id]; twice && before != hash {
			c.report.add(Problem{Code: ReceiptDiffers, EntryID: &id, File: h.File})
		}
		c.held[id] = hash
		c.report.Receipts++
	}
}
