package dev

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"lethe/cmd/lethe/demo"
	"lethe/internal/connector"
	"lethe/internal/durable"
	"lethe/internal/payload"
)

// secrets are the generated secrets that this process itself needs; the others are handed to
// the children as files.
type secrets struct {
	codecPath string
	control   map[string]string // by system
}

// loadSecrets generates at the first start what later ones find.
func (f files) loadSecrets() (secrets, error) {
	s := secrets{control: map[string]string{}}
	if _, err := os.Stat(f.codecKey()); errors.Is(err, fs.ErrNotExist) {
		if err := payload.CreateKeyFile(f.codecKey()); err != nil {
			return s, err
		}
	}
	var err error
	if s.codecPath, err = secretFile(f.codecPath()); err != nil {
		return s, err
	}
	for _, system := range demo.Systems {
		if _, err = secretFile(f.token(system)); err != nil {
			return s, err
		}
		if s.control[system], err = secretFile(f.control(system)); err != nil {
			return s, err
		}
	}
	return s, nil
}

// secretFile reads a secret, which it draws if there is none.
func secretFile(path string) (string, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret := rand.Text()
		return secret, durable.Replace(path, []byte(secret+"\n"))
	}
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	if secret := strings.TrimSpace(string(content)); secret != "" {
		return secret, nil
	}
	return "", fmt.Errorf("%s is empty; remove it, a new one is generated", path)
}

// byHand is what the demo company takes away by hand in an emergency.
var byHand = []connector.ByHand{
	{NameZh: "门禁卡", NameEn: "Badge", CallZh: "前台，内线 8001", CallEn: "Reception, ext. 8001"},
	{NameZh: "网银 U 盾", NameEn: "Bank key", CallZh: "财务值班，内线 8010", CallEn: "Finance on duty, ext. 8010"},
	{NameZh: "印章", NameEn: "Company seal", CallZh: "行政值班，内线 8020", CallEn: "Administration on duty, ext. 8020"},
	{NameZh: "VPN", NameEn: "VPN", CallZh: "网络值班，内线 8030", CallEn: "Network on duty, ext. 8030"},
}

// writeSystems lists the sandbox systems for the worker. The addresses may change with the settings.
func (f files) writeSystems(addresses map[string]string) error {
	var list []connector.SystemConfig
	for _, system := range demo.Systems {
		list = append(list, connector.SystemConfig{
			Name: system, Kind: system, Protocol: "scim", BaseURL: addresses[system] + "/scim/v2", TokenFile: f.token(system),
		})
	}
	content, err := json.MarshalIndent(connector.Configured{Systems: list, ByHand: byHand}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the list of systems: %w", err)
	}
	return durable.Replace(f.systems(), append(content, '\n'))
}
