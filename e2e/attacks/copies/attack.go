package main

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lethe/internal/database"
)

// maxUnknown bounds the guesses: a million for each text.
const maxUnknown = 6

var errTooManyUnknown = fmt.Errorf("more than %d digits of a text are not known", maxUnknown)

// column is a column with all its values, as text: bytes are hexadecimal there.
type column struct {
	name   string
	values []string
}

func attack(ctx context.Context, facts *database.DB, known, folders []string) (found []string, err error) {
	columns, err := read(ctx, facts)
	if err != nil {
		return nil, err
	}
	digests := digestsOf(columns)
	routes, err := routesOf(ctx, facts)
	if err != nil {
		return nil, err
	}
	for _, text := range known {
		guessed, err := guess(text, routes, digests)
		if err != nil {
			return found, err
		}
		found = append(found, guessed...)
		found = append(found, inClear(text, columns)...)
	}
	for _, folder := range folders {
		lying, err := inFiles(folder, known)
		if err != nil {
			return found, err
		}
		found = append(found, lying...)
	}
	slices.Sort(found)
	return slices.Compact(found), nil // two routes with one guess are one find
}

// read takes every column of every table.
func read(ctx context.Context, facts *database.DB) (columns []column, err error) {
	var names []struct{ TableName, ColumnName string }
	err = facts.Read(ctx).Raw(`SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1, 2`).Scan(&names).Error
	if err != nil {
		return nil, fmt.Errorf("listing the columns: %w", database.Hide(err))
	}
	if len(names) == 0 {
		return nil, errors.New("there is no column to read")
	}
	for _, n := range names {
		c := column{name: n.TableName + "." + n.ColumnName}
		err := facts.Read(ctx).Raw(fmt.Sprintf("SELECT %[1]q::text FROM %[2]q WHERE %[1]q IS NOT NULL", n.ColumnName, n.TableName)).Scan(&c.values).Error
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", c.name, database.Hide(err))
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// leastDigest is the shortest run of hexadecimal digits that counts as a digest: twelve bytes.
const leastDigest = 24

// digestsOf are all runs of hexadecimal digits, by their first twelve bytes: many are cut short.
func digestsOf(columns []column) map[string]string {
	digests := map[string]string{}
	for _, c := range columns {
		for _, value := range c.values {
			for _, run := range strings.FieldsFunc(strings.ToLower(value), func(r rune) bool {
				return (r < '0' || r > '9') && (r < 'a' || r > 'f')
			}) {
				if len(run) >= leastDigest {
					digests[run[:leastDigest]] = c.name
				}
			}
		}
	}
	return digests
}

// routesOf are what bodies were hashed together with.
func routesOf(ctx context.Context, facts *database.DB) (routes []string, err error) {
	err = facts.Read(ctx).Raw("SELECT DISTINCT route FROM idempotency_keys").Scan(&routes).Error
	if err != nil {
		return nil, fmt.Errorf("reading routes: %w", database.Hide(err))
	}
	return append(routes, "POST /departures", "POST /employees"), nil
}

// guess tries every text that this one could have been.
func guess(text string, routes []string, digests map[string]string) (found []string, err error) {
	unknown := strings.Count(text, "#")
	if unknown > maxUnknown {
		return nil, errTooManyUnknown
	}
	parts := strings.Split(text, "#")
	most := 1
	for range unknown {
		most *= 10
	}
	for n := range most {
		digits := fmt.Sprintf("%0*d", unknown, n)
		var b strings.Builder
		for i, part := range parts {
			b.WriteString(part)
			if i < unknown {
				b.WriteByte(digits[i])
			}
		}
		for _, candidate := range spelled(b.String(), routes) {
			for _, sum := range sums([]byte(candidate)) {
				if where, hit := digests[hex.EncodeToString(sum)[:leastDigest]]; hit {
					found = append(found, fmt.Sprintf("%s is a hash of %q", where, b.String()))
				}
			}
		}
	}
	return found, nil
}

// spelled are the forms in which version 0.2 hashed a text, and those that come to mind.
func spelled(text string, routes []string) []string {
	forms := []string{text, text + "\n", strings.ToLower(text), `"` + text + `"`}
	for _, route := range routes {
		forms = append(forms, route+"\n"+text, route+text)
	}
	return forms
}

func sums(text []byte) [][]byte {
	a, b, c, d := sha256.Sum256(text), sha1.Sum(text), md5.Sum(text), sha512.Sum512(text)
	twice := sha256.Sum256(a[:])
	return [][]byte{a[:], b[:], c[:], d[:], twice[:]}
}

// needle is the longest part of a text that is known; too short a one would be found everywhere.
func needle(text string) string {
	longest := ""
	for _, part := range strings.Split(text, "#") {
		if len(part) > len(longest) {
			longest = part
		}
	}
	if len(longest) < 8 {
		return ""
	}
	return longest
}

func inClear(text string, columns []column) (found []string) {
	n := needle(text)
	if n == "" {
		return nil
	}
	digits := hex.EncodeToString([]byte(n))
	for _, c := range columns {
		for _, value := range c.values {
			if strings.Contains(value, n) || strings.Contains(value, digits) {
				found = append(found, fmt.Sprintf("%s holds %q", c.name, n))
				break
			}
		}
	}
	return found
}

func inFiles(folder string, known []string) (found []string, err error) {
	files := 0
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !entry.Type().IsRegular() {
			return nil // a server's temporary file
		}
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		files++
		for _, text := range known {
			if n := needle(text); n != "" && bytes.Contains(content, []byte(n)) {
				found = append(found, fmt.Sprintf("%s holds %q", path, n))
			}
		}
		return nil
	})
	if err == nil && files == 0 {
		err = fmt.Errorf("there is no file in %s", folder)
	}
	return found, err
}
