package connector

import (
	"context"
	"fmt"
)

// Resolve returns the id of the account that ref names. A given id is read back;
// if the system does not know it, or none was given, the account is looked up by
// number, completely. ErrNotFound therefore means that neither the id nor the
// number is known there; CodeAmbiguous that several accounts carry the number.
func Resolve(ctx context.Context, c interface {
	Finder
	Reader
}, ref AccountRef) (string, error) {
	if ref.ExternalID != "" {
		_, err := c.ReadBack(ctx, ref.ExternalID)
		if err == nil {
			return ref.ExternalID, nil
		}
		if CodeOf(err) != CodeNotFound || ref.EmployeeNo == "" {
			return "", fmt.Errorf("reading back the linked account: %w", err)
		}
	}
	ids, err := c.Find(ctx, ref.EmployeeNo)
	if err != nil {
		return "", fmt.Errorf("looking up the account by number: %w", err)
	}
	switch len(ids) {
	case 0:
		return "", ErrNotFound
	case 1:
		return ids[0], nil
	default:
		return "", &Error{Code: CodeAmbiguous}
	}
}
