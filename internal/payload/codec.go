package payload

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/tink"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"
)

const (
	encoding    = "binary/encrypted"
	metadataKey = "encryption-key-id"
)

// associated binds every payload to its purpose, so that nothing else that the key may once have
// encrypted decodes as a payload.
var associated = []byte("lethe temporal payload v1")

// Refusals of the codec.
var (
	ErrNotEncrypted = errors.New("a payload that is not encrypted is refused")
	ErrUndecodable  = errors.New("a payload cannot be decrypted with the keys at hand")
)

// Codec encrypts payloads; each names the key it was encrypted with.
type Codec struct {
	primitive tink.AEAD
	primary   string
}

// Load reads the codec's keys from a file of mode 0600.
func Load(path string) (*Codec, error) {
	handle, err := read(path)
	if err != nil {
		return nil, err
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("%w: it holds no AEAD keyset", ErrKeyFile)
	}
	id := strconv.FormatUint(uint64(handle.KeysetInfo().GetPrimaryKeyId()), 10)
	return &Codec{primitive: primitive, primary: id}, nil
}

var _ converter.PayloadCodec = (*Codec)(nil)

// Encode encrypts each payload, its metadata included.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	sealed := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("encoding a payload: %w", err)
		}
		box, err := c.primitive.Encrypt(plain, associated)
		if err != nil {
			return nil, fmt.Errorf("encrypting a payload: %w", err)
		}
		sealed[i] = &commonpb.Payload{
			Metadata: map[string][]byte{
				converter.MetadataEncoding: []byte(encoding),
				metadataKey:                []byte(c.primary),
			},
			Data: box,
		}
	}
	return sealed, nil
}

// Decode decrypts each payload and refuses one that is not encrypted.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	plain := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if string(p.GetMetadata()[converter.MetadataEncoding]) != encoding {
			return nil, ErrNotEncrypted
		}
		data, err := c.primitive.Decrypt(p.GetData(), associated)
		if err != nil {
			return nil, ErrUndecodable
		}
		plain[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(data, plain[i]); err != nil {
			return nil, ErrUndecodable
		}
	}
	return plain, nil
}

// DataConverter is the SDK's default one behind the codec.
func (c *Codec) DataConverter() converter.DataConverter {
	return converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), c)
}

// FailureConverter encrypts messages and stack traces of failures as well.
func (c *Codec) FailureConverter() converter.FailureConverter {
	return temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{
		DataConverter:          c.DataConverter(),
		EncodeCommonAttributes: true,
	})
}
