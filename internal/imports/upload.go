package imports

import (
	"bytes"
	"cmp"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"lethe/internal/archive"
	"lethe/internal/database"
	"lethe/internal/keyed"
	"lethe/internal/ledger"
	"lethe/internal/sheet"
	"lethe/models"
)

// content is what a part holds, sealed.
type content struct {
	Numbers []int         `json:"n"` // of the rows, as a spreadsheet program counts
	Cells   [][]string    `json:"c"`
	Lost    map[int][]int `json:"l,omitempty"` // by the place in Cells: columns whose digits are lost
}

// Upload is a file that was read and sealed, and that nothing refers to yet.
type Upload struct {
	kind    models.BatchKind
	id      uuid.UUID
	format  sheet.Format
	bytes   int
	sha256  string
	headers []string
	sealed  models.Sealed
	parts   []models.BatchPart
	rows    int
}

// SHA256 is the file's digest, in hex.
func (u *Upload) SHA256() string { return u.sha256 }

// Cells of what is sealed alone.
func headersCell(id uuid.UUID) string { return "batches.headers_sealed/" + id.String() }
func partCell(id uuid.UUID) string    { return "batch_parts.rows_sealed/" + id.String() }

// Read reads a whole file and seals it in parts. A file that is no table is a [sheet.Error].
func Read(ctx context.Context, v Vault, kind models.BatchKind, file []byte) (*Upload, error) {
	table, format, err := sheet.Open(file, sheet.Bounds)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(file)
	u := &Upload{kind: kind, id: models.NewID(), format: format, bytes: len(file), sha256: hex.EncodeToString(sum[:])}
	head, err := table.Next()
	if err != nil {
		return nil, emptied(err)
	}
	u.headers = kept(head.Cells)
	var part content
	for {
		row, err := table.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(row.Lost) > 0 {
			if part.Lost == nil {
				part.Lost = map[int][]int{}
			}
			part.Lost[len(part.Cells)] = row.Lost
		}
		part.Numbers, part.Cells = append(part.Numbers, row.Number), append(part.Cells, kept(row.Cells))
		if len(part.Cells) == rowsOfPart(kind) {
			if err := u.seal(ctx, v, part); err != nil {
				return nil, err
			}
			part = content{}
		}
	}
	if len(part.Cells) > 0 {
		if err := u.seal(ctx, v, part); err != nil {
			return nil, err
		}
	}
	if u.rows == 0 {
		return nil, &sheet.Error{Fault: sheet.Empty}
	}
	u.sealed, err = sealJSON(ctx, v, headersCell(u.id), u.headers)
	return u, err
}

// kept are the cells of a row. A NUL, which no text of the database may have, becomes what stands for an unreadable character.
func kept(cells []string) []string {
	all := slices.Clone(cells)
	for i, c := range all {
		all[i] = strings.ReplaceAll(c, "\x00", "\uFFFD")
	}
	return all
}

func emptied(err error) error {
	if errors.Is(err, io.EOF) {
		return &sheet.Error{Fault: sheet.Empty}
	}
	return err
}

func (u *Upload) seal(ctx context.Context, v Vault, part content) error {
	id := models.NewID()
	sealed, err := sealJSON(ctx, v, partCell(id), part)
	u.parts = append(u.parts, models.BatchPart{
		ID: id, BatchID: u.id, Position: len(u.parts), Rows: len(part.Cells), RowsSealed: sealed, People: models.IDs{}, Problems: []models.BatchProblem{},
	})
	u.rows += len(part.Cells)
	return err
}

func sealJSON(ctx context.Context, v Vault, cell string, what any) (models.Sealed, error) {
	var b bytes.Buffer
	defer func() { clear(b.Bytes()) }()
	z, err := flate.NewWriter(&b, flate.BestSpeed)
	if err == nil {
		err = json.NewEncoder(z).Encode(what)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		return models.Sealed{}, errors.New("packing rows failed") // the cause could quote them
	}
	return v.SealLoose(ctx, cell, b.Bytes())
}

func openJSON(ctx context.Context, v Vault, cell string, sealed models.Sealed, into any) error {
	plain, err := v.OpenLoose(ctx, cell, sealed)
	if err != nil {
		return fmt.Errorf("opening rows: %w", err)
	}
	defer clear(plain)
	if err := json.NewDecoder(flate.NewReader(bytes.NewReader(plain))).Decode(into); err != nil {
		return errors.New("unpacking rows failed") // the cause could quote them
	}
	return nil
}

// Forget destroys the keys of an upload that nothing refers to.
func (u *Upload) Forget(ctx context.Context, v Vault) {
	for _, p := range u.parts {
		_ = v.ShredLoose(ctx, p.RowsSealed)
	}
	_ = v.ShredLoose(ctx, u.sealed)
}

// Begin makes an import of a file that was read, for whoever is behind the context. It is checked at once if the headers
// say enough.
func Begin(tx *database.Tx, u *Upload) (uuid.UUID, error) {
	rules, err := archive.RulesNow(tx)
	if err != nil {
		return uuid.Nil, err
	}
	mapping, err := remembered(tx, u.kind, u.headers, rules.Definitions)
	if err != nil {
		return uuid.Nil, err
	}
	if mapping == nil {
		mapping = guess(u.kind, u.headers, rules.Definitions)
	}
	now, err := tx.Now()
	if err != nil {
		return uuid.Nil, err
	}
	caller := models.CallerOf(tx.Context())
	batch := models.Batch{
		ID: u.id, Kind: u.kind, State: models.BatchMapping, Driven: models.Driven{Revision: 1},
		ActorID: caller.Actor.EmployeeID, ActorRole: caller.Actor.Role, UserID: caller.UserID, Authenticated: caller.Authenticated,
		Format: string(u.format), Bytes: int64(u.bytes), Mapping: mapping, HeadersSealed: u.sealed, Rows: u.rows, ContentUntil: now.Add(ContentLife),
	}
	if complete(mapping) {
		batch.State = models.BatchChecking
	}
	digest, err := keyed.Text(tx.Context(), tx, keyed.Imports, "file", u.sha256)
	if err != nil {
		return uuid.Nil, err
	}
	batch.LedgerEntryID, err = record(tx, actionUploaded, batch, map[string]string{
		"file": digest, "format": batch.Format, "bytes": strconv.Itoa(u.bytes), "rows": strconv.Itoa(u.rows),
	})
	if err != nil {
		return uuid.Nil, err
	}
	if err := tx.DB().Create(&batch).Error; err != nil {
		return uuid.Nil, database.Wrap("beginning an import", err)
	}
	for _, part := range u.parts {
		if err := tx.DB().Create(&part).Error; err != nil {
			return uuid.Nil, database.Wrap("keeping a part of a file", err)
		}
	}
	tx.Nudge(models.DrivenBatch, u.id)
	return u.id, nil
}

// The ledger's actions.
const (
	actionUploaded   = "import.uploaded"
	actionMapped     = "import.mapped"
	actionRun        = "import.run"
	actionDone       = "import.done"
	actionCancelled  = "import.cancelled"
	actionExpired    = "import.expired"
	actionDownloaded = "import.downloaded"
)

// The ledger's actions about departures.
const (
	actionPaused  = "departure_batch.paused"
	actionResumed = "departure_batch.resumed"
)

// ofDepartures are the actions of departures by those of people.
var ofDepartures = map[string]string{
	actionUploaded: "departure_batch.uploaded", actionMapped: "departure_batch.mapped", actionRun: "departure_batch.run", actionDone: "departure_batch.done",
	actionCancelled: "departure_batch.cancelled", actionExpired: "departure_batch.expired", actionDownloaded: "departure_batch.downloaded",
}

func record(tx *database.Tx, action string, b models.Batch, details map[string]string) (uuid.UUID, error) {
	kind := ledger.KindArchive
	if b.Kind == models.BatchDepartures {
		kind, action = ledger.KindDeparture, cmp.Or(ofDepartures[action], action)
	}
	return ledger.Append(tx, ledger.Entry{Kind: kind, Action: action, Object: models.Ref{Kind: b.Kind.Ref(), ID: b.ID}.String(), Details: details})
}

// ID is the import's that begins with it.
func (u *Upload) ID() uuid.UUID { return u.id }
