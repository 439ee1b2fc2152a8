package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
)

// ErrInvalid is wrapped by every error of this package that the person who set
// the environment can mend. Its text names each variable and what to do, and
// never repeats a secret's value.
var ErrInvalid = errors.New("configuration")

// Load reads the settings of one command ("serve", "worker", "migrate", …) from
// an environment as os.Environ returns it. Variables that the command requires
// and that are missing, values that can't be right, and LETHE_ names that
// nobody knows are all reported together.
func Load(command string, environ []string) (Config, error) {
	var c Config
	err := load(&c, command, environ)
	if err != nil {
		return Config{}, err
	}
	if problems := c.problems(); len(problems) > 0 {
		return Config{}, invalid(problems)
	}
	return c, nil
}

// LoadDevelopment reads the settings of `lethe dev` from an environment as
// os.Environ returns it.
func LoadDevelopment(environ []string) (Development, error) {
	var d Development
	if err := load(&d, "dev", environ); err != nil {
		return Development{}, err
	}
	if problems := d.problems(); len(problems) > 0 {
		return Development{}, invalid(problems)
	}
	return d, nil
}

// LoadClient reads the settings of the commands that talk to the API.
func LoadClient(environ []string) (Client, error) {
	var c Client
	if err := load(&c, "depart", environ); err != nil {
		return Client{}, err
	}
	return c, nil
}

// load fills the struct that target points to.
func load(target any, command string, environ []string) error {
	values := env.ToMap(environ)
	variables := variablesOf(reflect.TypeOf(target).Elem())
	problems := unknown(values)
	problems = append(problems, readSecretFiles(values, variables)...)
	for _, v := range variables {
		if values[v.Name] == "" {
			delete(values, v.Name) // set but empty means not set: compose files do that
			if slices.Contains(v.RequiredBy, command) {
				problems = append(problems, missing(v))
			}
		}
	}
	problems = append(problems, parse(target, values)...)
	if len(problems) > 0 {
		return invalid(problems)
	}
	return nil
}

// parse converts the values to the struct's types and names the variable, not
// the Go field, of each that does not convert.
func parse(target any, values map[string]string) []string {
	t := reflect.TypeOf(target).Elem()
	prefixed := make(map[string]string, len(values))
	for i := range t.NumField() {
		if name := variableName(t.Field(i)); name != "" {
			if value, ok := values[name]; ok {
				prefixed[t.Field(i).Tag.Get("env")] = value
			}
		}
	}
	err := env.ParseWithOptions(target, env.Options{Environment: prefixed})
	if err == nil {
		return nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return []string{"the environment cannot be read"}
	}
	var problems []string
	for _, one := range all.Errors {
		var bad env.ParseError
		if !errors.As(one, &bad) {
			problems = append(problems, one.Error())
			continue
		}
		field, _ := t.FieldByName(bad.Name)
		problems = append(problems, fmt.Sprintf("%s is not a valid %s%s", variableName(field), kindName(field.Type), example(field)))
	}
	return problems
}

// readSecretFiles replaces X_FILE by X with the file's content, final line
// break removed, for every secret X.
func readSecretFiles(values map[string]string, variables []Variable) []string {
	var problems []string
	for _, v := range variables {
		path := values[v.FileName()]
		if !v.Secret || path == "" {
			continue
		}
		if values[v.Name] != "" {
			problems = append(problems, fmt.Sprintf("%s and %s are both set; keep one", v.Name, v.FileName()))
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", v.FileName(), err))
			continue
		}
		values[v.Name] = strings.TrimRight(string(content), "\r\n")
		if values[v.Name] == "" {
			problems = append(problems, fmt.Sprintf("%s: %s is empty", v.FileName(), path))
		}
	}
	return problems
}

func missing(v Variable) string {
	if v.Secret {
		return fmt.Sprintf("%s is not set (%s); set it, or %s with the path of a file that holds it", v.Name, v.DescriptionEN, v.FileName())
	}
	return fmt.Sprintf("%s is not set (%s); set it", v.Name, v.DescriptionEN)
}

func invalid(problems []string) error {
	return fmt.Errorf("%w: %s", ErrInvalid, strings.Join(problems, "\n  "))
}

func kindName(t reflect.Type) string {
	if t.String() == "time.Duration" {
		return "duration"
	}
	if t.Kind() == reflect.Int {
		return "whole number"
	}
	return t.String()
}

func example(field reflect.StructField) string {
	if value := field.Tag.Get("envDefault"); value != "" {
		return fmt.Sprintf("; its default is %s", value)
	}
	return ""
}
