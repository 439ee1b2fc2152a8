package verify

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
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

// values brings the columns of ledger.FieldNames into the form that is committed to.
func (d *decoder) values(row *contentRow, v [][]byte) {
	if len(v) != fields {
		d.err = errValue
		return
	}
	for i := range fields {
		switch {
		case i == fieldDetails:
			row.values[i] = d.details(row, v[i])
		case idFields[i]:
			row.values[i] = nilOrID(v[i])
		default:
			row.values[i] = bytes.Clone(v[i])
		}
	}
}

// details is jsonb's binary format, a version byte and text.
func (d *decoder) details(row *contentRow, v []byte) []byte {
	if len(v) == 0 || v[0] != 1 {
		d.err = errValue
		return nil
	}
	if string(v[1:]) == "{}" {
		return nil
	}
	object, ok := jsonObject(v[1:])
	if !ok {
		row.malformed = "details"
		return nil
	}
	return canonical(object)
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
