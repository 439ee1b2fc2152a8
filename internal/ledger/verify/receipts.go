package verify

import "lethe/internal/ledger"

// receipts takes over the held ones; each names one entry and its leaf.
func (c *checker) receipts(e Evidence) error {
	known, err := e.Policy.ReceiptVerifiers()
	if err != nil {
		return err
	}
	for _, h := range e.Receipts {
		id, hash, err := ledger.OpenReceipt(string(h.Content), c.origin, known)
		if err != nil {
			c.report.add(Problem{Code: BadReceipt, File: h.File})
			continue
		}
		if before, twice := c.held[id]; twice && before != hash {
			c.report.add(Problem{Code: ReceiptDiffers, EntryID: &id, File: h.File})
		}
		c.held[id] = hash
		c.report.Receipts++
	}
	return nil
}
