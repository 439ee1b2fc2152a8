package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/models"
)

// newManager is scs with our store: it draws the tokens and hashes them (SHA-256) before the store
// sees them. Limits are ours, by the database's clock; scs's own are set so that they never end a
// session before.
func (s *Service) newManager() *scs.SessionManager {
	// Not scs.New, which starts a goroutine for a store in memory that we do not use.
	return &scs.SessionManager{Lifetime: s.options.Absolute, HashTokenInStore: true, Codec: idCodec{}, Store: sessionStore{s.db}}
}

// sessionID is the one value that scs keeps for us; everything else is in columns.
const sessionID = "session"

// idCodec stores that value alone.
type idCodec struct{}

var errSessionData = errors.New("the data of a session is not one id")

func (idCodec) Encode(_ time.Time, values map[string]any) ([]byte, error) {
	id, ok := values[sessionID].([]byte)
	if !ok || len(id) != 16 || len(values) != 1 {
		return nil, errSessionData
	}
	return id, nil
}

func (idCodec) Decode(data []byte) (time.Time, map[string]any, error) {
	if len(data) != 16 {
		return time.Time{}, nil, errSessionData
	}
	return time.Time{}, map[string]any{sessionID: data}, nil
}

// sessionCall is what one call of scs needs to know beyond its arguments.
type sessionCall struct {
	tx    *database.Tx
	fresh *models.Session // to be inserted
	found sessionRow
}

type sessionCallKey struct{}

func callOf(ctx context.Context) *sessionCall {
	call, _ := ctx.Value(sessionCallKey{}).(*sessionCall)
	return call
}

// commit gives a session a new token, and inserts it if it is new.
func (s *Service) commit(tx *database.Tx, session *models.Session, isNew bool) (token string, err error) {
	call := &sessionCall{tx: tx}
	if isNew {
		call.fresh = session
	}
	ctx, err := s.sessions.Load(context.WithValue(tx.Context(), sessionCallKey{}, call), "")
	if err != nil {
		return "", fmt.Errorf("preparing a session: %w", err)
	}
	s.sessions.Put(ctx, sessionID, session.ID[:])
	if token, _, err = s.sessions.Commit(ctx); err != nil {
		return "", fmt.Errorf("storing a session: %w", err)
	}
	return token, nil
}

// find looks a token up.
func (s *Service) find(ctx context.Context, token string) (sessionRow, error) {
	call := &sessionCall{}
	if _, err := s.sessions.Load(context.WithValue(ctx, sessionCallKey{}, call), token); err != nil {
		return sessionRow{}, fmt.Errorf("reading a session: %w", err)
	}
	if call.found.ID == uuid.Nil {
		return sessionRow{}, ErrSessionUnknown
	}
	return call.found, nil
}

// sessionStore keeps sessions in Postgres. The tokens that it sees are hashes.
type sessionStore struct{ db *database.DB }

var (
	_               scs.CtxStore = sessionStore{}
	errNeedsContext              = errors.New("the session store is used with a context only")
)

// FindCtx finds a session that still holds, and leaves it in the call.
func (st sessionStore) FindCtx(ctx context.Context, tokenHash string) ([]byte, bool, error) {
	row, err := liveSession(st.db.Read(ctx).Where("s.token_hash = ?", tokenHash))
	if errors.Is(err, ErrSessionUnknown) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	callOf(ctx).found = row
	return row.ID[:], true, nil
}

// CommitCtx inserts a new session, or gives a known one its next token. The old token is forgotten.
func (st sessionStore) CommitCtx(ctx context.Context, tokenHash string, data []byte, _ time.Time) error {
	call := callOf(ctx)
	if call.fresh != nil {
		call.fresh.TokenHash, call.fresh.Data = &tokenHash, data
		return database.Hide(call.tx.DB().Create(call.fresh).Error)
	}
	return database.UpdateOne(call.tx.DB().Model(&models.Session{}).
		Where("id = ? AND revoked_at IS NULL", uuid.UUID(data)).Update("token_hash", tokenHash))
}

// DeleteCtx ends a session.
func (st sessionStore) DeleteCtx(ctx context.Context, tokenHash string) error {
	return database.Hide(st.db.Read(ctx).Model(&models.Session{}).Where("token_hash = ? AND revoked_at IS NULL", tokenHash).
		Update("revoked_at", gorm.Expr("lethe_now()")).Error)
}

// Find is never called: scs prefers the methods with a context.
func (sessionStore) Find(string) ([]byte, bool, error) { return nil, false, errNeedsContext }

// Commit is never called.
func (sessionStore) Commit(string, []byte, time.Time) error { return errNeedsContext }

// Delete is never called.
func (sessionStore) Delete(string) error { return errNeedsContext }
