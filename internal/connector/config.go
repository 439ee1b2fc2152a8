package connector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// DefaultHTTPTimeout limits one remote call when a system's entry names no other
// limit. It has to stay below the start-to-close time of the activity around it.
const DefaultHTTPTimeout = 10 * time.Second

// SystemConfig is one entry of the file that lists the outside systems.
type SystemConfig struct {
	Name     string `json:"name"`     // lower-case identifier; also names the task queue
	Kind     string `json:"kind"`     // mail, finance, attendance, …
	Protocol string `json:"protocol"` // key of the factory, such as "scim"
	BaseURL  string `json:"base_url"` // absolute, http or https, without the resource
	// Exactly one of Token and TokenFile. A relative TokenFile is resolved
	// against the folder of the file that names it.
	Token     string `json:"token,omitempty"`
	TokenFile string `json:"token_file,omitempty"`
	// HTTPTimeout limits one remote call, as Go writes durations ("5s"). In
	// memory it is zero when the file names none.
	HTTPTimeout Duration `json:"http_timeout,omitempty"`
	// Match is the attribute that carries the employee number: MatchEmployeeNumber if
	// left out, MatchExternalID, MatchUserName, or another path as RFC 7644 section 3.10
	// writes it, such as urn:example:params:scim:schemas:hr:2.0:User:staffNumber.
	Match string `json:"match,omitempty"`
	// RemoveMembers is how the system takes one member out of a group: RemoveByFilter if
	// left out, or RemoveByValue.
	RemoveMembers string `json:"remove_members,omitempty"`
	// LookupExternalID is refused: files of version 0.2 may have it.
	LookupExternalID *bool `json:"lookup_external_id,omitempty"`
}

// Attributes that carry the employee number, for SystemConfig.Match.
const (
	MatchEmployeeNumber = "employeeNumber" // of the enterprise extension
	MatchExternalID     = "externalId"
	MatchUserName       = "userName"
)

// Ways to take one member out of a group, for SystemConfig.RemoveMembers.
const (
	// RemoveByFilter names the member in the path, members[value eq "…"].
	RemoveByFilter = "filter"
	// RemoveByValue names the member in a value beside the path members. RFC 7644 section
	// 3.5.2.2 gives a remove no value: a system that follows it takes everybody out of the
	// group. It is sent only where the systems file says that the system honours it.
	RemoveByValue = "value"
)

// Timeout is HTTPTimeout, or the default.
func (c SystemConfig) Timeout() time.Duration {
	if c.HTTPTimeout == 0 {
		return DefaultHTTPTimeout
	}
	return time.Duration(c.HTTPTimeout)
}

// Duration is a time.Duration that JSON writes as Go does: "1.5s".
type Duration time.Duration

// UnmarshalText reads a positive duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 {
		return errors.New("a duration must be positive and written like 5s or 1m30s")
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

var systemName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// ByHand is something that no connector reaches, such as a badge or the bank's key: who is called to take it away.
type ByHand struct {
	NameZh string `json:"name_zh"`
	NameEn string `json:"name_en"`
	// Call is whom, as people write it: a post with its number, never a person's private one.
	CallZh string `json:"call_zh"`
	CallEn string `json:"call_en"`
}

// Configured is what the file of the outside systems says.
type Configured struct {
	Systems []SystemConfig `json:"systems"`
	ByHand  []ByHand       `json:"by_hand"`
}

// ReadConfig reads the systems of the file, as [ReadFile] does.
func ReadConfig(path string) ([]SystemConfig, error) {
	c, err := ReadFile(path)
	return c.Systems, err
}

// ReadFile reads the file of the outside systems, strictly: unknown fields, trailing data, duplicate names and
// missing values are refused. It is a list of systems, or an object with that list and what is done by hand. Token
// files are read, so that Token is set in every returned entry.
func ReadFile(path string) (c Configured, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("reading the list of systems: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	into := any(&c)
	if !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		into = &c.Systems
	}
	if err := dec.Decode(into); err != nil {
		return c, fmt.Errorf("reading the list of systems %s: %w", path, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("reading the list of systems %s: data after the list", path)
	}
	for i := range c.Systems {
		if err := c.Systems[i].complete(filepath.Dir(path)); err != nil {
			return c, fmt.Errorf("system %d (%q) in %s: %w", i+1, c.Systems[i].Name, path, err)
		}
	}
	for i, h := range c.ByHand {
		for name, text := range map[string]string{"name_zh": h.NameZh, "name_en": h.NameEn, "call_zh": h.CallZh, "call_en": h.CallEn} {
			if strings.TrimSpace(text) == "" || len(text) > maxByHand {
				return c, fmt.Errorf("by_hand %d in %s needs a %s of at most %d bytes", i+1, path, name, maxByHand)
			}
		}
	}
	return c, nil
}

const maxByHand = 300

// complete checks an entry and reads its token file.
func (c *SystemConfig) complete(folder string) error {
	if (c.Token == "") == (c.TokenFile == "") {
		return errors.New("needs exactly one of token and token_file")
	}
	if c.TokenFile != "" {
		file := c.TokenFile
		if !filepath.IsAbs(file) {
			file = filepath.Join(folder, file)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading token_file: %w", err)
		}
		if c.Token = strings.TrimSpace(string(raw)); c.Token == "" {
			return errors.New("token_file is empty")
		}
	}
	return c.validate()
}

func (c *SystemConfig) validate() error {
	if !systemName.MatchString(c.Name) {
		return errors.New("name must match " + systemName.String())
	}
	if c.Kind == "" || c.Protocol == "" {
		return errors.New("kind and protocol are required")
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return errors.New("base_url must be an absolute http or https address without query and user")
	}
	switch {
	case c.LookupExternalID != nil:
		return errors.New("lookup_external_id is gone: say by match which one attribute carries the employee number, employeeNumber or externalId")
	case c.Match != "" && !matchPath.MatchString(c.Match):
		return errors.New("match must be employeeNumber, externalId, userName or another attribute's path")
	case namesPeople.MatchString(c.Match):
		return errors.New("match names an attribute by which people are never matched")
	case c.RemoveMembers != "" && c.RemoveMembers != RemoveByFilter && c.RemoveMembers != RemoveByValue:
		return errors.New("remove_members must be filter or value")
	}
	return nil
}

var (
	matchPath = regexp.MustCompile(`^(?:urn:[A-Za-z0-9.:_-]+:)?[A-Za-z][A-Za-z0-9_$-]*(?:\.[A-Za-z][A-Za-z0-9_$-]*)?$`)
	// Names, addresses and telephone numbers are shared, reused and changed, and the rest
	// says nothing about the person.
	namesPeople = regexp.MustCompile(`(?i)^(?:urn:ietf:params:scim:schemas:core:2\.0:User:)?` +
		`(?:name|displayName|nickName|emails|phoneNumbers|ims|addresses|photos|title|active|groups|roles|entitlements|password|meta|id)(?:\..*)?$`)
)
