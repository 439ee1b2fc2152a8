package ledger

import (
	"maps"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
)

// ActionConfigured says that a part of the configuration is another one than the last that was
// recorded.
const ActionConfigured = "configuration.changed"

// RecordConfiguration appends an entry if the digest of a part of the configuration is another one
// than the last that was recorded, and says whether it was. Of several processes that start with the
// same one, one records it.
func RecordConfiguration(tx *database.Tx, name, digest string, details map[string]string) (bool, error) {
	before, err := RecordedConfiguration(tx, name)
	if err != nil || before == digest {
		return false, err
	}
	all := map[string]string{"sha256": digest}
	if before != "" {
		all["sha256_before"] = before
	}
	maps.Copy(all, details)
	e := Entry{Kind: KindConfiguration, Action: ActionConfigured, Object: "configuration/" + name, Details: all}
	return true, SetConfiguration(tx, name, digest, e)
}

// RecordedConfiguration is what was last recorded of a part of the configuration, "" if nothing
// was. It is locked to the end of the transaction.
func RecordedConfiguration(tx *database.Tx, name string) (string, error) {
	// Two that begin at once: the second one waits here for the first.
	err := tx.DB().Exec(`INSERT INTO recorded_configuration (name, digest, ledger_entry_id)
		VALUES (?, '', '00000000-0000-0000-0000-000000000000') ON CONFLICT (name) DO NOTHING`, name).Error
	if err != nil {
		return "", database.Wrap("recording the configuration", err)
	}
	var digest string
	err = tx.DB().Raw("SELECT digest FROM recorded_configuration WHERE name = ? FOR UPDATE", name).Scan(&digest).Error
	return digest, database.Wrap("reading the recorded configuration", err)
}

// SetConfiguration appends e and keeps what it says about a part of the configuration.
func SetConfiguration(tx *database.Tx, name, digest string, e Entry) error {
	entry, err := Append(tx, e)
	if err != nil {
		return err
	}
	err = tx.DB().Exec("UPDATE recorded_configuration SET digest = ?, ledger_entry_id = ?, recorded_at = lethe_now() WHERE name = ?",
		digest, entry, name).Error
	return database.Wrap("recording the configuration", err)
}

// Configured is since when a part of the configuration is as it is, by the entry that says so.
type Configured struct {
	Name          string
	LedgerEntryID uuid.UUID
	RecordedAt    time.Time
}

// Configurations lists what was recorded of each part of the configuration, last changed first.
func Configurations(g *gorm.DB) (all []Configured, err error) {
	err = g.Raw("SELECT name, ledger_entry_id, recorded_at FROM recorded_configuration WHERE digest <> '' ORDER BY recorded_at DESC, name").Scan(&all).Error
	return all, database.Wrap("reading the recorded configuration", err)
}
