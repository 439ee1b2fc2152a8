package httpkit

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"lethe/internal/i18n"
)

// form is what a value has to look like: a text of the catalogue, below "form.", with its arguments.
type form struct {
	key  string
	args []any
}

// forms maps the beginnings of huma's messages to forms; the first that fits counts. What follows a
// beginning that ends with a blank is a bound of our schema, never something of the request.
var forms = []struct{ begin, key string }{
	{"expected string to be RFC 3339 date-time", "time"},
	{"expected string to be RFC 3339 date", "day"},
	{"expected string to be RFC 4122 uuid", "id"},
	{"expected length <= ", "longest"},
	{"expected length >= ", "shortest"},
	{"expected array length <= ", "most_items"},
	{"expected array length >= ", "fewest_items"},
	{"expected number <= ", "at_most"},
	{"expected number >= ", "at_least"},
	{"expected boolean", "boolean"},
	{"expected number", "number"},
	{"expected integer", "whole_number"},
	{"expected string", "text"},
	{"expected array", "list"},
	{"expected object", "object"},
}

const oneOfMessage = `expected value to be one of "`

// expect adds to a wrong field what its value has to look like, by huma's message and by the description
// of the operation's parameters.
func (e *FieldError) expect(op *huma.Operation, message string) {
	if e.Code == codeUnknownField {
		e.Allowed = properties(op, e.Location)
		return
	}
	if e.Code == codeUnknownQuery {
		e.Allowed = queryParameters(op)
		return
	}
	if values, ok := strings.CutPrefix(message, oneOfMessage); ok {
		e.Allowed = strings.Split(strings.TrimSuffix(values, `"`), ", ")
		return
	}
	schema := parameterSchema(op, e.Location)
	if schema != nil && schema.Minimum != nil && schema.Maximum != nil {
		e.form = form{"range", []any{*schema.Minimum, *schema.Maximum}}
		return
	}
	for _, f := range forms {
		rest, ok := strings.CutPrefix(message, f.begin)
		if !ok {
			continue
		}
		if e.form.key = f.key; strings.HasSuffix(f.begin, " ") {
			e.form.args = []any{rest}
		}
		return
	}
	if schema != nil {
		e.form.key = schemaForms[schema.Format+schema.Type]
	}
}

// schemaForms are the forms of the parameters that huma only calls invalid, by format and type.
var schemaForms = map[string]string{
	"date" + huma.TypeString: "day", "date-time" + huma.TypeString: "time", "uuid" + huma.TypeString: "id",
	huma.TypeBoolean: "boolean",
}

// properties are the names that an operation's body knows where a name is that it does not.
func properties(op *huma.Operation, location string) []string {
	registry, _ := op.Metadata[metadataSchemas].(huma.Registry)
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil || registry == nil {
		return nil
	}
	schema := op.RequestBody.Content["application/json"].Schema
	parts := strings.Split(location, ".")
	for _, part := range parts[1:max(1, len(parts)-1)] {
		name, _, indexed := strings.Cut(part, "[")
		if schema = deref(registry, schema); schema == nil {
			return nil
		}
		if schema = deref(registry, schema.Properties[name]); schema != nil && indexed {
			schema = schema.Items
		}
	}
	if schema = deref(registry, schema); schema == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(schema.Properties)), func(name string) bool { return name == "$schema" })
}

// deref is what a reference points to.
func deref(registry huma.Registry, schema *huma.Schema) *huma.Schema {
	if schema != nil && schema.Ref != "" {
		return registry.SchemaFromRef(schema.Ref)
	}
	return schema
}

// queryParameters are the names that an operation knows in its address.
func queryParameters(op *huma.Operation) []string {
	var names []string
	for _, p := range op.Parameters {
		if p.In == "query" {
			names = append(names, p.Name)
		}
	}
	return names
}

// parameterSchema describes the parameter at a location such as query.limit; nil if there is none.
func parameterSchema(op *huma.Operation, location string) *huma.Schema {
	for _, p := range op.Parameters {
		if location == p.In+"."+p.Name {
			return p.Schema
		}
	}
	return nil
}

// message says in a language what is wrong with a field, and what it has to look like.
func (e FieldError) message(language i18n.Language) string {
	f, between, comma := e.form, ": ", ", "
	if language == i18n.Chinese {
		between, comma = "：", "、"
	}
	if len(e.Allowed) > 0 {
		f = form{"one_of", []any{strings.Join(e.Allowed, comma)}}
	}
	text := fieldText(language, e.Code)
	if f.key == "" {
		return text
	}
	n := 0
	if len(f.args) == 1 {
		n, _ = strconv.Atoi(fmt.Sprint(f.args[0]))
	}
	return text + between + fmt.Sprintf(i18n.Plural(language, "form."+f.key, n), f.args...)
}
