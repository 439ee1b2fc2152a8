package payload

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"
)

func newCodec(t testing.TB) (*Codec, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "codec.key")
	if err := CreateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c, path
}

func TestI24_PayloadsAreEncryptedAndComeBack(t *testing.T) {
	c, _ := newCodec(t)
	dc := c.DataConverter()
	rapid.Check(t, func(rt *rapid.T) {
		in := rapid.StringMatching(`[a-zA-Z0-9]{8,64}`).Draw(rt, "text")
		p, err := dc.ToPayload(in)
		if err != nil {
			rt.Fatal(err)
		}
		raw, _ := proto.Marshal(p)
		if bytes.Contains(raw, []byte(in)) || bytes.Contains(raw, []byte(base64.StdEncoding.EncodeToString([]byte(in)))) {
			rt.Fatal("the value is readable in the payload")
		}
		var out string
		if err := dc.FromPayload(p, &out); err != nil || out != in {
			rt.Fatalf("got %q, %v", out, err)
		}
		p.Data[len(p.Data)-1] ^= 1
		if err := dc.FromPayload(p, &out); err == nil {
			rt.Fatal("a changed payload was decoded")
		}
	})
}

func TestI24_FailuresAreEncrypted(t *testing.T) {
	c, _ := newCodec(t)
	f := c.FailureConverter().ErrorToFailure(temporal.NewApplicationError("marker-message", "kind", "marker-detail"))
	raw, err := proto.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("marker")) {
		t.Fatal("the failure is readable")
	}
	if got := c.FailureConverter().FailureToError(f); !strings.Contains(got.Error(), "marker-message") {
		t.Fatalf("the failure does not come back: %v", got)
	}
}

func TestUnencryptedPayloadIsRefused(t *testing.T) {
	c, _ := newCodec(t)
	plain, err := converter.GetDefaultDataConverter().ToPayload("plain")
	if err != nil {
		t.Fatal(err)
	}
	var out string
	if err := c.DataConverter().FromPayload(plain, &out); !errors.Is(err, ErrNotEncrypted) {
		t.Fatalf("got %v", err)
	}
}

func TestRotationKeepsOldPayloadsReadable(t *testing.T) {
	before, path := newCodec(t)
	old, err := before.DataConverter().ToPayload("old")
	if err != nil {
		t.Fatal(err)
	}
	if err := RotateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	after, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var out string
	if err := after.DataConverter().FromPayload(old, &out); err != nil || out != "old" {
		t.Fatalf("got %q, %v", out, err)
	}
	fresh, err := after.DataConverter().ToPayload("new")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(fresh.Metadata[metadataKey], old.Metadata[metadataKey]) {
		t.Fatal("the new payload names the old key")
	}
	if err := before.DataConverter().FromPayload(fresh, &out); err == nil {
		t.Fatal("the old keyset decoded the new payload")
	}
}

func TestKeyFileIsGuarded(t *testing.T) {
	_, path := newCodec(t)
	if err := CreateKeyFile(path); !errors.Is(err, ErrKeyFile) {
		t.Fatalf("an existing key file was overwritten: %v", err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, ErrKeyFile) {
		t.Fatalf("a key file that others may read was loaded: %v", err)
	}
}

func TestEndpoint(t *testing.T) {
	c, _ := newCodec(t)
	p, err := c.DataConverter().ToPayload("departure id")
	if err != nil {
		t.Fatal(err)
	}
	one, err := protojson.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"payloads":[` + string(one) + `]}`
	allowed := true
	h := c.Endpoint("http://ui.example", func(*http.Request) bool { return allowed })
	call := func(method, path, origin string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Origin", origin)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	if w := call(http.MethodPost, "/codec/decode", "http://ui.example"); w.Code != http.StatusOK ||
		w.Header().Get("Access-Control-Allow-Origin") != "http://ui.example" ||
		!strings.Contains(w.Body.String(), base64.StdEncoding.EncodeToString([]byte(`"departure id"`))) {
		t.Fatalf("decode: %d %s", w.Code, w.Body)
	}
	if w := call(http.MethodPost, "/codec/decode", "http://evil.example"); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Fatal("a foreign origin is allowed")
	}
	if w := call(http.MethodPost, "/codec/encode", "http://ui.example"); w.Code != http.StatusNotFound {
		t.Fatalf("encode: %d", w.Code)
	}
	allowed = false
	if w := call(http.MethodPost, "/codec/decode", "http://ui.example"); w.Code != http.StatusUnauthorized {
		t.Fatalf("unauthorised decode: %d", w.Code)
	}
}
