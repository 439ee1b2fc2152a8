package evidence

import (
	"archive/zip"
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"lethe/internal/database"
	"lethe/internal/failpoint"
	"lethe/internal/ledger"
	"lethe/internal/ledger/batchproof"
	"lethe/internal/ledger/querylog"
)

// pack is one pack being made.
type pack struct {
	maker      *Maker
	export     Export
	written    Written
	filter     querylog.Filter
	folder     string
	epoch      int
	first, end int64 // of the indexes that are looked at
	head       ledger.Head
	checkpoint []byte
	manifest   Manifest
	included   batchproof.Runs
	parts      []*part
	leaves     *os.File           // the leaf hashes, for the check of the proof
	named      map[uuid.UUID]bool // whom the tables show by name
}

// madePack is a pack that is there.
type madePack struct {
	path     string
	bytes    int64
	sha256   []byte
	manifest Manifest
}

func (p *pack) clean() {
	for _, part := range p.parts {
		part.drop()
	}
	if p.leaves != nil {
		_ = p.leaves.Close()
	}
	_ = os.RemoveAll(p.folder)
}

func (p *pack) make(ctx context.Context) (err error) {
	if p.written, err = p.export.Open(ctx, p.maker.o.DB); err != nil {
		return err
	}
	if p.filter, err = p.written.Filter(); err != nil {
		return err
	}
	if err := os.MkdirAll(p.folder, 0o700); err != nil {
		return fmt.Errorf("making the folder of a pack: %w", err)
	}
	if err := p.await(ctx); err != nil {
		return err
	}
	if err := p.describe(ctx); err != nil {
		return err
	}
	if err := p.write(ctx); err != nil {
		return err
	}
	failpoint.Hit("export/written")
	if err := p.prove(ctx); err != nil {
		return err
	}
	if err := p.explain(); err != nil {
		return err
	}
	made, err := p.assemble()
	if err != nil {
		return err
	}
	return p.maker.finish(ctx, p.export, made, slices.Collect(maps.Keys(p.named)))
}

// await waits until the entry of the request is in a signed tree, and so everything before it.
func (p *pack) await(ctx context.Context) error {
	began, beat := time.Now(), time.Now()
	for {
		ready, err := p.covered(ctx, time.Since(began) >= p.maker.o.Patience)
		if err != nil || ready {
			return err
		}
		if time.Since(beat) > lease/3 {
			beat = time.Now()
			if err := p.maker.beat(ctx, p.export, nil, 0); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// covered finds the place of the request and a checkpoint that covers what is exported.
func (p *pack) covered(ctx context.Context, signedWillDo bool) (bool, error) {
	if p.export.Contiguous() {
		p.epoch, p.first, p.end = *p.export.Epoch, *p.export.FirstIndex, *p.export.EndIndex
	} else {
		place, err := database.First[struct {
			Epoch int
			Index int64
		}](p.maker.o.DB.Read(ctx).Table("ledger_sequence").Select("epoch", "index").Where("entry_id = ?", p.export.EntryID))
		if errors.Is(err, database.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("looking for the request of an export: %w", err)
		}
		p.epoch, p.first, p.end = place.Epoch, 0, place.Index
	}
	log := p.maker.o.Storage.Log(p.epoch)
	signed, err := log.Witnessed(ctx)
	if err != nil {
		return false, err
	}
	if ok, err := p.cover(signed); ok || err != nil || !signedWillDo {
		return ok, err
	}
	if signed, err = log.Signed(ctx); err != nil {
		return false, err
	}
	return p.cover(signed)
}

func (p *pack) cover(signed []byte) (bool, error) {
	if signed == nil {
		return false, nil
	}
	text, _, _ := strings.Cut(string(signed), "\n\n")
	head, err := ledger.ParseHead(text + "\n")
	if err != nil {
		return false, err
	}
	p.head, p.checkpoint = head, signed
	return head.Size >= max(p.end, 1), nil
}

// describe begins the manifest.
func (p *pack) describe(ctx context.Context) error {
	e := p.export
	now, err := p.maker.o.DB.Now(ctx)
	if err != nil {
		return err
	}
	p.manifest = Manifest{
		Format: Format, ExportID: e.ID, Origin: p.maker.o.Origin, Epoch: p.epoch, CreatedAt: now.Truncate(time.Millisecond), RequestEntry: e.EntryID,
		RequestedBy: Requester{EmployeeID: e.RequestedBy, Role: e.Role, Authenticated: e.Authenticated}, Reason: p.written.Reason,
		TreeSize: p.head.Size, Root: p.head.Root[:], Tampered: []int64{}, Selection: Selection{Kind: Filtered, Filters: json.RawMessage(p.written.Filters)},
	}
	if p.whole() {
		p.manifest.Selection = Selection{Kind: Contiguous, FirstIndex: &p.first, EndIndex: &p.end}
		return nil
	}
	p.manifest.OtherEpochs, err = p.filter.CountElsewhere(ctx, p.maker.o.DB.SQL(), p.epoch)
	return err
}

// whole says that everything between first and end is exported: a range, or filters that choose all.
func (p *pack) whole() bool { return p.export.Contiguous() || p.filter.Empty() }

// prove writes the proof, and checks it as a verifier will: what does not verify is not handed out.
func (p *pack) prove(ctx context.Context) error {
	proof, err := p.begin(proofName, zip.Deflate)
	if err != nil {
		return err
	}
	hashes, err := os.OpenFile(filepath.Join(p.folder, "hashes"), os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return fmt.Errorf("creating a file of a pack: %w", err)
	}
	defer func() { _ = hashes.Close() }()
	raw, text := bufio.NewWriter(hashes), bufio.NewWriter(proof)
	written := 0
	err = batchproof.Prove(p.head.Size, p.included, newTiles(p.maker.o.Storage.Log(p.epoch), p.head.Size).subtree, func(h tlog.Hash) error {
		if written++; written%100_000 == 0 {
			if err := p.maker.beat(ctx, p.export, nil, p.manifest.Count); err != nil {
				return err
			}
		}
		_, rawErr := raw.Write(h[:])
		_, textErr := text.WriteString(h.String() + "\n")
		return errors.Join(rawErr, textErr)
	})
	if err := errors.Join(err, raw.Flush(), text.Flush()); err != nil {
		return fmt.Errorf("proving a pack: %w", err)
	}
	if err := p.check(hashes); err != nil {
		return err
	}
	return proof.finish()
}

// check computes the root from the leaves and the proof.
func (p *pack) check(hashes *os.File) error {
	for _, f := range []*os.File{hashes, p.leaves} {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("checking a pack: %w", err)
		}
	}
	proof, leaves := bufio.NewReader(hashes), bufio.NewReader(p.leaves)
	rest, index := p.included, int64(-1)
	leaf := func() (batchproof.Leaf, bool, error) {
		if index++; len(rest) > 0 && index >= rest[0].End {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return batchproof.Leaf{}, false, nil
		}
		index = max(index, rest[0].First)
		h, ok, err := nextHash(leaves)
		return batchproof.Leaf{Index: index, Hash: h}, ok, err
	}
	root, err := batchproof.Root(p.head.Size, leaf, func() (tlog.Hash, bool, error) { return nextHash(proof) })
	if err != nil {
		return fmt.Errorf("checking a pack: %w", err)
	}
	if root != p.head.Root {
		return &brokenError{FailureInconsistent, ledger.ErrInconsistent}
	}
	return nil
}

func nextHash(r io.Reader) (h tlog.Hash, ok bool, err error) {
	_, err = io.ReadFull(r, h[:])
	if errors.Is(err, io.EOF) {
		return h, false, nil
	}
	return h, err == nil, err
}

// assemble puts the parts into one file.
func (p *pack) assemble() (madePack, error) {
	path := filepath.Join(p.folder, "pack.zip")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, fileMode)
	if err != nil {
		return madePack{}, fmt.Errorf("creating a pack: %w", err)
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	archive := zip.NewWriter(io.MultiWriter(file, sum))
	for _, part := range p.parts {
		if err := part.into(archive, p.manifest.CreatedAt); err != nil {
			return madePack{}, err
		}
		part.drop()
	}
	if err := errors.Join(archive.Close(), file.Sync()); err != nil {
		return madePack{}, fmt.Errorf("ending a pack: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return madePack{}, fmt.Errorf("ending a pack: %w", err)
	}
	return madePack{path: path, bytes: info.Size(), sha256: sum.Sum(nil), manifest: p.manifest}, nil
}

// begin begins a member; members are in the pack in the order in which they began.
func (p *pack) begin(name string, method uint16) (*part, error) {
	part, err := newPart(p.folder, name, method)
	if err == nil {
		p.parts = append(p.parts, part)
	}
	return part, err
}
