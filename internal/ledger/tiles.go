package ledger

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// The tiles of c2sp.org/tlog-tiles: 256 hashes, or 256 entries, to a file.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// EntriesLevel stands for the entry bundles where a level of tiles is asked for.
const EntriesLevel = -1

// TilePath is where tile n of a level is found below a log's prefix. A width below 256 is that of a
// partial tile.
func TilePath(level int, n int64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if level == EntriesLevel {
		path = "tile/entries/" + path
	} else {
		path = "tile/" + strconv.Itoa(level) + "/" + path
	}
	if width < tileWidth {
		path += ".p/" + strconv.Itoa(width)
	}
	return path
}

// MarshalBundle writes leaves in the form of an entry bundle: each after its length in two bytes, big endian.
func MarshalBundle(leaves [][]byte) []byte {
	var out []byte
	for _, leaf := range leaves {
		out = binary.BigEndian.AppendUint16(out, uint16(len(leaf)))
		out = append(out, leaf...)
	}
	return out
}

// ParseBundle reads an entry bundle.
func ParseBundle(data []byte) ([][]byte, error) {
	var leaves [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("reading an entry bundle: %w", ErrMalformed)
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		leaves = append(leaves, data[2:end:end])
		data = data[end:]
	}
	return leaves, nil
}

// parseTile reads the first width hashes of a tile.
func parseTile(data []byte, width int) ([]tlog.Hash, error) {
	if len(data) < width*tlog.HashSize {
		return nil, fmt.Errorf("reading a tile: %w", ErrMalformed)
	}
	hashes := make([]tlog.Hash, width)
	for i := range hashes {
		hashes[i] = tlog.Hash(data[i*tlog.HashSize:])
	}
	return hashes, nil
}
