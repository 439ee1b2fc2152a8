package config

import (
	"reflect"
	"slices"
	"strings"
)

// Variable describes one environment variable, for the README's table and for
// the check of the compose file.
type Variable struct {
	Name          string   // as it is set, with its prefix
	Required      bool     // at least one command refuses to start without it
	Secret        bool     // the value is confidential and may come from FileName
	Default       string   // empty when there is none
	DescriptionEN string   // one line in English
	DescriptionZH string   // the same in Chinese
	UsedBy        []string // commands that read it
	RequiredBy    []string // commands that refuse to start without it
}

// FileName is the variable that may name a file with the value instead; empty
// for values that are no secret.
func (v Variable) FileName() string {
	if !v.Secret {
		return ""
	}
	return v.Name + fileSuffix
}

const fileSuffix = "_FILE"

// foreign begins what test harnesses tell each other, and the builds for crash
// tests, through the environment; the product reads none of it and does not
// complain about it.
var foreign = []string{Prefix + "TEST_", Prefix + "FAILPOINTS"}

// Variables lists every variable in the order of declaration.
func Variables() []Variable {
	return slices.Concat(
		variablesOf(reflect.TypeFor[Config]()),
		variablesOf(reflect.TypeFor[Development]()),
		variablesOf(reflect.TypeFor[Client]()),
	)
}

// variablesOf reads the declarations of one struct.
func variablesOf(t reflect.Type) []Variable {
	var all []Variable
	for i := range t.NumField() {
		field := t.Field(i)
		name := variableName(field)
		if name == "" {
			continue
		}
		required := list(field.Tag.Get("required"))
		all = append(all, Variable{
			Name:          name,
			Required:      len(required) > 0,
			Secret:        field.Tag.Get("secret") == "true",
			Default:       field.Tag.Get("envDefault"),
			DescriptionEN: field.Tag.Get("en"),
			DescriptionZH: field.Tag.Get("zh"),
			UsedBy:        list(field.Tag.Get("used")),
			RequiredBy:    required,
		})
	}
	return all
}

// variableName is empty for a field that is not read from the environment.
func variableName(field reflect.StructField) string {
	key := field.Tag.Get("env")
	switch {
	case key == "" || key == "-":
		return ""
	case field.Tag.Get("plain") == "true":
		return key
	default:
		return Prefix + key
	}
}

func list(tag string) []string {
	if tag == "" {
		return nil
	}
	return strings.Split(tag, ",")
}
