package clock

import (
	"archive/zip"
	"bytes"
	_ "embed" // the zone database
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// The IANA zone database as Go ships it (public domain). It is embedded and read from here alone,
// never from the host: two hosts with different packages must not compute different deadlines.
//
//go:generate sh -c "cp \"$(go env GOROOT)/lib/time/zoneinfo.zip\" zoneinfo.zip"
//go:embed zoneinfo.zip
var zoneinfo []byte

// ErrUnknownZone says that a name is not one of the IANA zone database.
var ErrUnknownZone = errors.New("not an IANA time zone, such as Asia/Shanghai")

// zoneFiles is what the archive holds, by name. "Factory" stands for a host whose zone was never set.
var zoneFiles = sync.OnceValues(func() (map[string]*zip.File, error) {
	archive, err := zip.NewReader(bytes.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		return nil, fmt.Errorf("reading the zone database: %w", err)
	}
	files := make(map[string]*zip.File, len(archive.File))
	for _, f := range archive.File {
		if !f.FileInfo().IsDir() && f.Name != "Factory" {
			files[f.Name] = f
		}
	}
	return files, nil
})

var zones sync.Map // name -> *time.Location

// LoadZone is the zone of that exact IANA name. Everything else is ErrUnknownZone: the empty name,
// "Local" (which would mean the server's zone), paths, other capitalisation.
func LoadZone(name string) (*time.Location, error) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	files, err := zoneFiles()
	if err != nil {
		return nil, err
	}
	file, ok := files[name]
	if !ok {
		return nil, ErrUnknownZone
	}
	data, err := readZone(file)
	if err != nil {
		return nil, fmt.Errorf("reading zone %s: %w", name, err)
	}
	loc, err := time.LoadLocationFromTZData(name, data)
	if err != nil {
		return nil, fmt.Errorf("reading zone %s: %w", name, err)
	}
	kept, _ := zones.LoadOrStore(name, loc)
	return kept.(*time.Location), nil
}

// ZoneNames lists the zones that LoadZone knows, sorted.
func ZoneNames() ([]string, error) {
	files, err := zoneFiles()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

func readZone(file *zip.File) ([]byte, error) {
	r, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	return io.ReadAll(r)
}
