package verify

import (
	"fmt"
	"maps"
	"slices"

	"lethe/internal/ledger/policy"
)

// beside is the folder of one epoch beside the database.
type beside struct {
	dir       string
	newest    *policy.Checkpoint // nil: missing, or one that the policy does not accept
	read      bool               // there is a newest one
	witnessed bool               // there is a witnessed one
}

func (c *checker) beside(epoch int) *beside {
	if c.files[epoch] == nil {
		c.files[epoch] = &beside{}
	}
	return c.files[epoch]
}

// readFolders checks the bundles and tiles of every level while the database is read. The order of the
// leaves and what the entries say are the database's matter; here it is whether somebody who has only
// the files could still check the ledger.
func (c *checker) readFolders() {
	c.filed = make(chan map[int]*Report, 1)
	go func() {
		reports := map[int]*Report{}
		for epoch, b := range c.files {
			if b.dir != "" && b.newest != nil {
				reports[epoch] = &Report{}
				newEpochFiles(reports[epoch], c.origin, epoch, b.dir, *b.newest).check()
			}
		}
		c.filed <- reports
	}()
}

// missingFiles tells what is missing of the folder, and what its files are wrong about.
func (c *checker) missingFiles() {
	if !c.folders {
		return
	}
	var reports map[int]*Report
	if c.filed != nil {
		reports = <-c.filed
	}
	missing := func(epoch int, name string) {
		c.report.add(Problem{Code: MissingFile, Epoch: epoch, File: fmt.Sprintf("%d/%s", epoch, name)})
	}
	for _, epoch := range slices.Sorted(maps.Keys(c.trees)) {
		if b := c.files[epoch]; (b == nil || b.dir == "") && c.trees[epoch].size > 0 {
			missing(epoch, newestName)
		}
	}
	for _, epoch := range slices.Sorted(maps.Keys(c.files)) {
		b := c.files[epoch]
		switch {
		case b.dir == "":
			continue
		case !b.read:
			missing(epoch, newestName)
		case b.newest == nil:
			continue // told already
		case !b.witnessed && c.quorum > 0 && b.newest.Size > 0:
			missing(epoch, witnessedName)
		}
		if r := reports[epoch]; r != nil {
			for _, p := range r.Problems {
				c.report.add(p)
			}
		}
		if next, ended := c.begun[epoch+1]; ended && b.newest != nil && b.newest.Size < next.previousSize {
			c.report.add(Problem{Code: Truncated, Epoch: epoch, Size: &next.previousSize, File: fmt.Sprintf("%d/%s", epoch, newestName)})
		}
	}
}
