// Package compose checks the files for people with Docker without an engine: docker-compose.yml is
// loaded with the Compose specification's own loader and held against the configuration and the
// command line that it uses.
package compose

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"lethe/internal/config"
)

const root = "../.."

func load(t *testing.T, environment types.Mapping) (*types.Project, error) {
	t.Helper()
	folder, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  folder,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(folder, "docker-compose.yml")}},
		Environment: environment,
	}, loader.WithProfiles([]string{"*"}))
}

func project(t *testing.T) *types.Project {
	t.Helper()
	p, err := load(t, types.Mapping{"LETHE_UID": "1000", "LETHE_GID": "1000", "LETHE_ORIGIN": "lethe/0"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ours are the services that run Lethe's own image.
func ours(t *testing.T, p *types.Project) []types.ServiceConfig {
	t.Helper()
	var found []types.ServiceConfig
	for _, s := range p.Services {
		if s.Build != nil {
			found = append(found, s)
		}
	}
	if len(found) < 4 {
		t.Fatalf("%d services are built here, expected keys, migrate, api and worker", len(found))
	}
	return found
}

func TestServices(t *testing.T) {
	p := project(t)
	for _, name := range []string{"postgres", "keys-postgres", "temporal", "temporal-ui", "migrate", "api", "worker", "witness"} {
		if _, ok := p.Services[name]; !ok {
			t.Errorf("there is no service %s", name)
		}
	}
}

func TestItSaysWhatIsMissing(t *testing.T) {
	if _, err := load(t, types.Mapping{}); err == nil || !strings.Contains(err.Error(), "deploy/secrets.sh") {
		t.Fatalf("without .env: %v", err)
	}
}

// Every variable is one that the command reads, every required one is set, and the configuration
// as a whole is one that the command accepts.
func TestEnvironment(t *testing.T) {
	p := project(t)
	for _, s := range ours(t, p) {
		command := s.Command[0]
		for name, value := range s.Environment {
			if value == nil || *value == "" {
				t.Errorf("%s: %s is empty", s.Name, name)
			}
			if !reads(command, name) {
				t.Errorf("%s: `lethe %s` does not read %s", s.Name, command, name)
			}
		}
		for _, v := range config.Variables() {
			_, plain := s.Environment[v.Name]
			_, file := s.Environment[v.FileName()]
			if slices.Contains(v.RequiredBy, command) && !plain && !file {
				t.Errorf("%s: `lethe %s` requires %s", s.Name, command, v.Name)
			}
		}
		if command == "version" {
			continue
		}
		if _, err := config.Load(command, withSecrets(t, s)); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
}

func reads(command, name string) bool {
	return slices.ContainsFunc(config.Variables(), func(v config.Variable) bool {
		return (v.Name == name || (v.Secret && v.FileName() == name)) && slices.Contains(v.UsedBy, command)
	})
}

// withSecrets is a service's environment with its mounted secrets replaced by files that are here.
func withSecrets(t *testing.T, s types.ServiceConfig) []string {
	t.Helper()
	var environment []string
	for name, value := range s.Environment {
		v := *value
		if secret, ok := strings.CutPrefix(v, "/run/secrets/"); ok {
			v = filepath.Join(t.TempDir(), secret)
			if err := os.WriteFile(v, []byte("postgres://u:p@"+secret+"/lethe\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		environment = append(environment, name+"="+v)
	}
	return environment
}

// A path that a variable names is mounted: as a secret, or inside a volume.
func TestPathsAreMounted(t *testing.T) {
	p := project(t)
	for _, s := range ours(t, p) {
		for name, value := range s.Environment {
			if strings.HasPrefix(*value, "/") && !mounted(s, *value) {
				t.Errorf("%s: %s=%s is not mounted", s.Name, name, *value)
			}
		}
	}
}

func mounted(s types.ServiceConfig, file string) bool {
	if secret, ok := strings.CutPrefix(file, "/run/secrets/"); ok {
		return slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool {
			return path.Base(c.Target) == secret || (c.Target == "" && c.Source == secret)
		})
	}
	return slices.ContainsFunc(s.Volumes, func(v types.ServiceVolumeConfig) bool {
		return v.Target == path.Dir(file)
	})
}

func TestSecrets(t *testing.T) {
	p := project(t)
	folder, err := filepath.Abs(filepath.Join(root, "deploy", "secrets"))
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, s := range p.Services {
		for _, secret := range s.Secrets {
			used[secret.Source] = true
			if _, ok := p.Secrets[secret.Source]; !ok {
				t.Errorf("%s: secret %s is not declared", s.Name, secret.Source)
			}
		}
	}
	for name, secret := range p.Secrets {
		if !used[name] {
			t.Errorf("secret %s is used by nobody", name)
		}
		if secret.File != filepath.Join(folder, name) || secret.Content != "" || secret.Environment != "" {
			t.Errorf("secret %s does not come from deploy/secrets/%s alone", name, name)
		}
	}
}

// A process gets the secrets that it needs and no others: the table is that of docs/production.md.
func TestEachProcessHasItsOwnSecrets(t *testing.T) {
	p := project(t)
	for name, want := range map[string][]string{
		"api":     {"server_database_url", "server_keys_database_url", "/keys", "/part", "/systems"},
		"worker":  {"server_database_url", "server_keys_database_url", "order_database_url", "/keys", "/part", "/systems"},
		"migrate": {"database_url", "keys_database_url", "/keys", "/part"},
		"host":    {"database_url", "/part"},
		"keys":    {"/keys", "/ledger-keys"},
		"witness": {"/witness"},
	} {
		s := p.Services[name]
		var got []string
		for _, secret := range s.Secrets {
			got = append(got, secret.Source)
		}
		for _, v := range s.Volumes {
			if !slices.Contains([]string{"/ledger", "/policy", "/exports", "/tombstones"}, v.Target) {
				got = append(got, v.Target)
			}
			if part, ok := map[string]string{"api": "serve", "worker": "worker", "migrate": "host", "host": "host"}[name]; v.Target == "/part" &&
				(!ok || path.Base(v.Source) != part || !v.ReadOnly) {
				t.Errorf("%s: the ledger's keys come from %s", name, v.Source)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s has %v, and needs %v", name, got, want)
		}
		if err := config.Surplus(s.Command[0], withSecrets(t, s)); (name == "api" || name == "worker") && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var (
	sensitiveName = regexp.MustCompile(`(?i)(password|passwd|pwd|secret|token|private_key)`)
	credentials   = regexp.MustCompile(`://[^/\s:]+:[^/\s@]+@`)
)

func TestNoSecretIsInlined(t *testing.T) {
	p := project(t)
	for _, s := range p.Services {
		for name, value := range s.Environment {
			if sensitiveName.MatchString(name) && !strings.HasSuffix(name, "_FILE") {
				t.Errorf("%s: %s belongs in a file", s.Name, name)
			}
			if value != nil && credentials.MatchString(*value) {
				t.Errorf("%s: %s holds a password", s.Name, name)
			}
		}
		for _, word := range slices.Concat(s.Command, s.Entrypoint) {
			if credentials.MatchString(word) {
				t.Errorf("%s: its command holds a password", s.Name)
			}
		}
	}
}

func TestPortsAreBoundToLoopback(t *testing.T) {
	p := project(t)
	published := 0
	for _, s := range p.Services {
		for _, port := range s.Ports {
			published++
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is bound to %q", s.Name, port.Published, port.HostIP)
			}
		}
		if s.NetworkMode == "host" {
			t.Errorf("%s: uses the host's network", s.Name)
		}
	}
	if published == 0 {
		t.Error("nothing is published: the check checks nothing")
	}
}

func TestHardening(t *testing.T) {
	p := project(t)
	writable := []string{"temporal-ui"} // explained in the file
	privileged := []string{"postgres", "keys-postgres"}
	for _, s := range p.Services {
		if s.ReadOnly == slices.Contains(writable, s.Name) {
			t.Errorf("%s: read_only is %v", s.Name, s.ReadOnly)
		}
		if !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s: keeps capabilities", s.Name)
		}
		if len(s.CapAdd) > 0 && !slices.Contains(privileged, s.Name) {
			t.Errorf("%s: adds capabilities", s.Name)
		}
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s: may gain privileges", s.Name)
		}
		if s.Privileged || s.User == "root" || strings.HasPrefix(s.User, "0") {
			t.Errorf("%s: runs with too many rights", s.Name)
		}
	}
	for _, s := range ours(t, p) {
		if s.User != "1000:1000" {
			t.Errorf("%s: runs as %q", s.Name, s.User)
		}
	}
}

// A service has a health check, or ends by itself and is waited for.
func TestHealthChecks(t *testing.T) {
	p := project(t)
	awaited := map[string]bool{"keys": true, "host": true} // run by deploy/secrets.sh, and by hand
	for _, s := range p.Services {
		for name, dependency := range s.DependsOn {
			switch dependency.Condition {
			case types.ServiceConditionCompletedSuccessfully:
				awaited[name] = true
			case types.ServiceConditionHealthy:
				if p.Services[name].HealthCheck == nil {
					t.Errorf("%s waits for the health of %s, which has no check", s.Name, name)
				}
			default:
				t.Errorf("%s depends on %s without a condition", s.Name, name)
			}
		}
	}
	for _, s := range p.Services {
		if s.HealthCheck == nil && !awaited[s.Name] {
			t.Errorf("%s has no health check", s.Name)
		}
		if awaited[s.Name] && s.Restart != "no" && !strings.HasPrefix(s.Restart, "on-failure") {
			t.Errorf("%s ends by itself, but restarts %q", s.Name, s.Restart)
		}
	}
}

var pinned = regexp.MustCompile(`^[a-z0-9./_-]+(:v?\d+\.\d+[A-Za-z0-9._-]*)?(@sha256:[0-9a-f]{64})?$`)

// isPinned wants a version of at least two numbers, or a digest.
func isPinned(image string) bool {
	name := image[strings.LastIndex(image, "/")+1:]
	return pinned.MatchString(image) && strings.ContainsAny(name, ":@")
}

func TestImagesArePinned(t *testing.T) {
	for _, s := range project(t).Services {
		if !isPinned(s.Image) {
			t.Errorf("%s: image %q is not pinned", s.Name, s.Image)
		}
	}
	for _, image := range []string{"postgres", "postgres:latest", "postgres:17", "host:5000/postgres"} {
		if isPinned(image) {
			t.Errorf("%s counts as pinned", image)
		}
	}
}

// Files that are mounted into the images' own containers are here.
func TestMountedFilesExist(t *testing.T) {
	for _, s := range project(t).Services {
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind || strings.Contains(v.Source, "/deploy/state/") {
				continue
			}
			if info, err := os.Stat(v.Source); err != nil || !info.Mode().IsRegular() {
				t.Errorf("%s mounts %s: %v", s.Name, v.Source, err)
			}
		}
	}
}
