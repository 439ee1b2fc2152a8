package evidence

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"
)

// part is one member of a pack while it is written: compressed into a file of its own, so that all
// members grow side by side in one pass over the entries and none of them is ever in memory.
type part struct {
	name    string
	method  uint16
	file    *os.File
	stored  *bufio.Writer
	packer  io.WriteCloser // nil: stored as it is
	sum     hash.Hash
	crc     uint32
	bytes   int64
	written int64 // compressed
}

const fileMode = 0o600

// newPart begins a member in a folder. What is compressed already is only stored.
func newPart(folder, name string, method uint16) (*part, error) {
	file, err := os.OpenFile(filepath.Join(folder, name+".part"), os.O_CREATE|os.O_TRUNC|os.O_RDWR, fileMode)
	if err != nil {
		return nil, fmt.Errorf("creating a file of a pack: %w", err)
	}
	p := &part{name: name, method: method, file: file, sum: sha256.New()}
	p.stored = bufio.NewWriterSize(counted{p}, 256<<10)
	if method == zip.Deflate {
		level := flate.BestSpeed
		if name == linesName {
			// Half of a line is salts and hashes, in which nothing repeats: looking for repetitions
			// takes twice the time and gains little.
			level = flate.HuffmanOnly
		}
		if p.packer, err = flate.NewWriter(p.stored, level); err != nil {
			return nil, errors.Join(fmt.Errorf("compressing a file of a pack: %w", err), file.Close())
		}
	}
	return p, nil
}

// counted counts what reaches the file.
type counted struct{ p *part }

func (c counted) Write(b []byte) (int, error) {
	n, err := c.p.file.Write(b)
	c.p.written += int64(n)
	return n, err
}

// Write takes the next bytes of the member.
func (p *part) Write(b []byte) (int, error) {
	p.sum.Write(b)
	p.crc = crc32.Update(p.crc, crc32.IEEETable, b)
	p.bytes += int64(len(b))
	var err error
	if p.packer != nil {
		_, err = p.packer.Write(b)
	} else {
		_, err = p.stored.Write(b)
	}
	if err != nil {
		return 0, fmt.Errorf("writing a file of a pack: %w", err)
	}
	return len(b), nil
}

// finish ends the member; its file stays open to be copied.
func (p *part) finish() error {
	if p.packer != nil {
		if err := p.packer.Close(); err != nil {
			return fmt.Errorf("ending a file of a pack: %w", err)
		}
	}
	if err := p.stored.Flush(); err != nil {
		return fmt.Errorf("ending a file of a pack: %w", err)
	}
	return nil
}

// File is a member in the manifest.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hexadecimal, of the member as it is after unpacking
}

func (p *part) entry() File {
	return File{Name: p.name, Bytes: p.bytes, SHA256: hex.EncodeToString(p.sum.Sum(nil))}
}

// into copies the finished member into the pack.
func (p *part) into(archive *zip.Writer, at time.Time) error {
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("reading a file of a pack: %w", err)
	}
	header := &zip.FileHeader{
		Name: p.name, Method: p.method, Modified: at, CRC32: p.crc,
		UncompressedSize64: uint64(p.bytes), CompressedSize64: uint64(p.written), // lengths
	}
	w, err := archive.CreateRaw(header)
	if err != nil {
		return fmt.Errorf("assembling a pack: %w", err)
	}
	if _, err := io.Copy(w, p.file); err != nil {
		return fmt.Errorf("assembling a pack: %w", err)
	}
	return nil
}

// drop closes and removes the member's own file.
func (p *part) drop() {
	_ = p.file.Close()
	_ = os.Remove(p.file.Name())
}
