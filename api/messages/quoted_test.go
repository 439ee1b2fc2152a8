package messages_test

import (
	"io"
	"mime/quotedprintable"
	"strings"
)

func quoted(body string) (string, error) {
	text, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(body)))
	return string(text), err
}
