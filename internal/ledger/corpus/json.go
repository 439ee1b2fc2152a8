package corpus

import (
	"encoding/json"
	"strconv"
	"strings"
)

// object is a JSON object whose members can be written in any way, also in wrong ones.
type object struct{ members []member }

// member has its value as it is written.
type member struct{ name, raw string }

func newObject(pairs ...string) *object {
	o := &object{}
	for i := 0; i < len(pairs); i += 2 {
		o.set(pairs[i], pairs[i+1])
	}
	return o
}

func (o *object) find(name string) int {
	for i, m := range o.members {
		if m.name == name {
			return i
		}
	}
	return -1
}

func (o *object) get(name string) string { return o.members[o.find(name)].raw }

// set replaces a value, or adds it at the end.
func (o *object) set(name, raw string) {
	if i := o.find(name); i >= 0 {
		o.members[i].raw = raw
		return
	}
	o.members = append(o.members, member{name, raw})
}

func (o *object) remove(name string) {
	i := o.find(name)
	o.members = append(o.members[:i:i], o.members[i+1:]...)
}

// repeat adds a name once more.
func (o *object) repeat(name string) {
	o.members = append(o.members, member{name, o.get(name)})
}

func (o *object) rename(name, to string) { o.members[o.find(name)].name = to }

// reverse writes the members from the last to the first.
func (o *object) reverse() {
	for i, j := 0, len(o.members)-1; i < j; i, j = i+1, j-1 {
		o.members[i], o.members[j] = o.members[j], o.members[i]
	}
}

func (o *object) String() string { return o.spaced("", "") }

// spaced writes white space around the parts.
func (o *object) spaced(before, after string) string {
	var b strings.Builder
	b.WriteString("{")
	for i, m := range o.members {
		if i > 0 {
			b.WriteString(before + ",")
		}
		b.WriteString(after + text(m.name) + before + ":" + after + m.raw)
	}
	return b.String() + before + "}"
}

// text writes a JSON string with few escapes.
func text(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a text
	return strings.TrimSuffix(b.String(), "\n")
}

// escaped writes a JSON string with every character as a \u escape, halves of characters included.
func escaped(s string) string {
	b := strings.Builder{}
	b.WriteByte('"')
	for _, r := range s {
		units := []rune{r}
		if r > 0xffff {
			units = []rune{0xd800 + (r-0x10000)>>10, 0xdc00 + (r-0x10000)&0x3ff}
		}
		for _, u := range units {
			hex := strconv.FormatInt(int64(u), 16)
			b.WriteString(`\u` + strings.Repeat("0", 4-len(hex)) + hex)
		}
	}
	return b.String() + `"`
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
