package verify

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"lethe/internal/ledger"
)

// decoder reads values in Postgres's binary format; the first one that is not of its type is its error.
type decoder struct{ err error }

func (d *decoder) sized(v []byte, n int) []byte {
	if len(v) != n {
		d.err = errValue
		return make([]byte, n)
	}
	return v
}

func (d *decoder) int2(v []byte) int { return int(int16(binary.BigEndian.Uint16(d.sized(v, 2)))) }

func (d *decoder) int4(v []byte) int { return int(int32(binary.BigEndian.Uint32(d.sized(v, 4)))) }

func (d *decoder) int8(v []byte) int64 { return int64(binary.BigEndian.Uint64(d.sized(v, 8))) }

func (d *decoder) oid(v []byte) uint32 { return binary.BigEndian.Uint32(d.sized(v, 4)) }

func (d *decoder) uuid(v []byte) uuid.UUID { return uuid.UUID(d.sized(v, 16)) }

func (d *decoder) copied(v []byte) []byte { return bytes.Clone(v) }

// kept copies a value into the arena.
func kept(v []byte, arena *[]byte) []byte {
	from := len(*arena)
	*arena = append(*arena, v...)
	return (*arena)[from:len(*arena):len(*arena)]
}

func (d *decoder) int8OrNull(v []byte) *int64 {
	if v == nil {
		return nil
	}
	n := d.int8(v)
	return &n
}

func (d *decoder) uuidOrNil(v []byte) uuid.UUID {
	if v == nil {
		return uuid.Nil
	}
	return d.uuid(v)
}

// time is exact, and never equal to an entry's for the infinities.
func (d *decoder) time(v []byte) time.Time {
	n := d.int8(v)
	if n == math.MaxInt64 || n == math.MinInt64 {
		return time.Time{}
	}
	return time.UnixMicro(n + epochOfPostgres).UTC()
}

// idFields are the places of the columns that hold ids.
var idFields = [fields]bool{1: true, 4: true, 5: true}

// values brings the columns of ledger.FieldNames into the form that is committed to. Their bytes go
// into the arena: one piece of memory for a batch, in place of a dozen for each row.
func (d *decoder) values(row *contentRow, v [][]byte, arena *[]byte) {
	if len(v) != fields {
		d.err = errValue
		return
	}
	for i := range fields {
		from := len(*arena)
		switch {
		case i == fieldDetails:
			d.details(row, v[i], arena)
		case !idFields[i]:
			*arena = append(*arena, v[i]...)
		case len(v[i]) == len(uuid.UUID{}):
			*arena = appendID(*arena, v[i])
		}
		if to := len(*arena); to > from {
			row.values[i] = (*arena)[from:to:to]
		}
	}
}

// appendID writes an id's 36 characters.
func appendID(b, id []byte) []byte {
	for i, part := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 16}} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, id[part[0]:part[1]])
	}
	return b
}

// details is jsonb's binary format, a version byte and text.
func (d *decoder) details(row *contentRow, v []byte, arena *[]byte) {
	if len(v) == 0 || v[0] != 1 {
		d.err = errValue
		return
	}
	if text := v[1:]; !plainObject(text, arena) {
		object, ok := jsonObject(text)
		if !ok {
			row.malformed = ledger.FieldNames[fieldDetails]
			return
		}
		*arena = append(*arena, canonical(object)...)
	}
}

// plain is how many pairs an object may have to be read without a map.
const plain = 16

// plainObject reads an object of strings as Postgres writes it, if nothing in it is escaped, and
// appends its canonical form. That is nearly every one, and takes a tenth of the time; for others
// it is false, and says nothing about them.
func plainObject(b []byte, arena *[]byte) bool {
	var pairs [plain][2][]byte
	n := 0
	if len(b) < 2 || b[0] != '{' || b[len(b)-1] != '}' || bytes.IndexByte(b, '\\') >= 0 {
		return false
	}
	for rest := b[1 : len(b)-1]; len(rest) > 0; n++ {
		if n == plain {
			return false
		}
		for i, after := range [...]string{": ", ", "} {
			if rest[0] != '"' {
				return false
			}
			end := bytes.IndexByte(rest[1:], '"')
			if end < 0 {
				return false
			}
			pairs[n][i], rest = rest[1:1+end], rest[2+end:]
			if i == 1 && len(rest) == 0 {
				break
			}
			if len(rest) < 3 || string(rest[:2]) != after {
				return false
			}
			rest = rest[2:]
		}
	}
	slices.SortFunc(pairs[:n], func(x, y [2][]byte) int { return bytes.Compare(x[0], y[0]) })
	for _, pair := range pairs[:n] {
		for _, s := range pair {
			*arena = binary.BigEndian.AppendUint32(*arena, uint32(len(s))) // of one row
			*arena = append(*arena, s...)
		}
	}
	return true
}

// canonical is, for each key in the order of its bytes, key and value, each after its length.
func canonical(object map[string]string) []byte {
	var out []byte
	for _, key := range slices.Sorted(maps.Keys(object)) {
		for _, s := range []string{key, object[key]} {
			out = binary.BigEndian.AppendUint32(out, uint32(len(s)))
			out = append(out, s...)
		}
	}
	return out
}
