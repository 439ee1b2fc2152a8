package config

import (
	"net/url"
	"reflect"
	"strings"
)

// Shown is a setting as it is told to people who cannot read the process's environment.
type Shown struct {
	// Name is the variable's, in small letters and without its prefix.
	Name string
	// Value is a string, an int, a time.Duration or strings.
	Value any
	// Default: it is not set, or set to its default.
	Default bool
}

// Shown lists the settings of serve that administrators may see, in the order of declaration. It is a list of what is
// shown, not of what is hidden: a setting that nobody thought of stays where it is.
func (c Config) Shown() []Shown {
	var shown []Shown
	var defaults Config
	parse(&defaults, nil) // defaults parse
	v, of, t := reflect.ValueOf(c), reflect.ValueOf(defaults), reflect.TypeFor[Config]()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		if tag.Get("shown") != "true" || tag.Get("secret") == "true" {
			continue
		}
		value := v.Field(i).Interface()
		if text, ok := value.(string); ok {
			value = withoutLogin(text)
		}
		shown = append(shown, Shown{strings.ToLower(tag.Get("env")), value, reflect.DeepEqual(v.Field(i).Interface(), of.Field(i).Interface())})
	}
	return shown
}

// withoutLogin is an address without the name and password that somebody wrote into it.
func withoutLogin(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil {
		return text
	}
	u.User = nil
	return u.String()
}
