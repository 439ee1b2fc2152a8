package main

import (
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"lethe/cmd/lethe/install"
	"lethe/internal/archive"
	"lethe/internal/clock"
	"lethe/internal/config"
	"lethe/internal/database"
	"lethe/internal/database/databasetest"
	"lethe/internal/reasons"
	"lethe/internal/vault"
	"lethe/models"
)

// TestI25_RestoreAcceptGivesUpWhatLostItsKey: a keys database that is older than the facts starts after
// two people said so, and not before.
func TestI25_RestoreAcceptGivesUpWhatLostItsKey(t *testing.T) {
	h := newHost(t)
	h.person("one", models.RoleHRAdmin)
	h.person("two", models.RoleITOps)
	h.person("auditor", models.RoleAuditor)
	leaver := h.env.Hire(t, "CN")
	kek, err := vault.LoadKEKFile(h.dir + "/kek.json")
	h.must(err)
	v := vault.New(h.env.Keys, kek, h.env.Installation.ID)
	h.must(database.Run(t.Context(), h.env.Facts, func(tx *database.Tx) error {
		if err := v.CreateCategories(tx, leaver.ID); err != nil {
			return err
		}
		_, _, err := v.Seal(tx, vault.Cell{Table: "field_values", Employment: leaver.ID, Category: models.CategoryIdentity, Field: "f"}, []byte("x"))
		return err
	}))
	h.must(v.CheckBinding(t.Context(), h.env.Facts))
	h.must(h.env.Keys.Read(t.Context()).Exec("DELETE FROM data_keys").Error)
	h.must(h.env.Keys.Read(t.Context()).Exec("DELETE FROM loose_keys WHERE place LIKE 'users.totp%' AND created_at = (SELECT max(created_at) FROM loose_keys WHERE place LIKE 'users.totp%')").Error)
	if err := v.CheckBinding(t.Context(), h.env.Facts); err == nil {
		t.Fatal("a process starts with a keys database that lacks keys")
	}
	accept := func(want int, logins ...string) string {
		t.Helper()
		code, out := output(t, "restore", "accept", h.people(logins...), "--reason", "the disk is gone")
		if code != want {
			t.Fatalf("lethe restore accept by %v ends with %d, want %d: %s", logins, code, want, out)
		}
		return out
	}
	accept(1, "one")
	accept(1, "one", "one")
	if err := v.CheckBinding(t.Context(), h.env.Facts); err == nil {
		t.Fatal("given up by one person")
	}
	out := accept(0, "one", "two")
	var number string
	h.must(h.env.Facts.Read(t.Context()).Raw("SELECT employee_no FROM employees WHERE id = ?", leaver.EmployeeID).Scan(&number).Error)
	for _, want := range []string{number + ": identity", "auditor: ", "2 keys are given up"} {
		if !strings.Contains(out, want) {
			t.Errorf("what lost its key is not listed as %q: %s", want, out)
		}
	}
	h.must(v.CheckBinding(t.Context(), h.env.Facts))
	var entries int64
	h.must(h.env.Facts.Read(t.Context()).Raw("SELECT count(*) FROM ledger_content WHERE action = 'restore.accepted' AND reason = 'the disk is gone' AND requested_by <> ''").Scan(&entries).Error)
	if entries != 1 {
		t.Errorf("%d entries of the ledger, want 1", entries)
	}
}

// TestI25_AnEmptyOrForeignKeysDatabaseIsRefusedEverywhere: in each command that opens both databases.
func TestI25_AnEmptyOrForeignKeysDatabaseIsRefusedEverywhere(t *testing.T) {
	h := newHost(t)
	h.person("one", models.RoleHRAdmin)
	h.person("two", models.RoleITOps)
	address, _ := h.env.Login(t, database.RoleApp)
	for want, other := range map[error]*databasetest.Env{
		database.ErrEmptyKeys: databasetest.NewEmpty(t), database.ErrForeignKeys: databasetest.New(t),
	} {
		t.Setenv("LETHE_KEYS_DATABASE_URL", other.KeysURL)
		h.lethe(1, "migrate", "--dev")
		h.lethe(1, "ledger", "adopt-policy", h.policy(), h.people("one", "two"), "--reason", "x")
		h.lethe(1, "ledger", "new-epoch", h.people("one", "two"), "--reason", "x")
		h.lethe(1, "restore", "accept", h.people("one", "two"), "--reason", "x")
		r := &runtime{config: config.Config{DatabaseURL: address, KeysDatabaseURL: other.KeysURL, Dev: true}, log: slog.New(slog.DiscardHandler)}
		if err := r.openDatabases(t.Context()); err != want {
			t.Errorf("serve and worker: %v, want %v", err, want)
		}
		if err := r.ready(t.Context()); err != want {
			t.Errorf("/readyz: %v, want %v", err, want)
		}
		r.close()
	}
	fresh := databasetest.NewEmpty(t)
	if _, err := install.Databases(t.Context(), fresh.Facts, fresh.Keys, database.ModeProduction, nil); err != database.ErrSameCluster {
		t.Errorf("keys on the facts' cluster, in production: %v", err)
	}
}

// TestI25_ReasonsThatABackupBroughtBackEndBeforeTheProcessOpens: their ten years were over, and a backup
// of the keys from before that is restored.
func TestI25_ReasonsThatABackupBroughtBackEndBeforeTheProcessOpens(t *testing.T) {
	h := newHost(t)
	kek, err := vault.LoadKEKFile(h.dir + "/kek.json")
	h.must(err)
	v := vault.New(h.env.Keys, kek, h.env.Installation.ID)
	now, err := h.env.Facts.Now(t.Context())
	h.must(err)
	sealed, err := v.SealReason(t.Context(), now, "here", "private debt")
	h.must(err)
	keys := h.env.Keys.Read(t.Context())
	h.must(keys.Exec("CREATE TABLE backup AS SELECT * FROM loose_keys").Error)
	h.env.Advance(t, 11*366*24*time.Hour)
	h.must(v.EndOver(t.Context(), h.env.Facts))
	h.must(keys.Exec("ALTER TABLE loose_keys DISABLE TRIGGER USER; DELETE FROM loose_keys; INSERT INTO loose_keys SELECT * FROM backup; DROP TABLE backup").Error)
	read := func() string {
		t.Helper()
		got, err := v.OpenReasons(t.Context(), []reasons.Text{{Cell: "here", Sealed: sealed}})
		h.must(err)
		return got[0]
	}
	if read() == "" {
		t.Fatal("the backup did not bring it back")
	}
	h.must(os.WriteFile(h.dir+"/systems.json", []byte("[]"), 0o600))
	r := &runtime{facts: h.env.AsApp(t), keys: h.env.Keys, installation: h.env.Installation, config: config.Config{KEKFile: h.dir + "/kek.json", TombstoneFile: h.dir + "/tombstones", SystemsFile: h.dir + "/systems.json", Dev: true}, log: slog.New(slog.DiscardHandler)}
	h.must(r.openKeys(t.Context()))
	if got := read(); got != "" {
		t.Errorf("what ended is read as %q", got)
	}
}

// TestI25_ARemovedContactDoesNotComeBackWithABackup from before the removal, whatever was written of them meanwhile; whom the
// file names since stays, and so does who was not removed.
func TestI25_ARemovedContactDoesNotComeBackWithABackup(t *testing.T) {
	l := newListing(t)
	reasons.Attach(l.env.Facts, l.vault)
	person := l.worker("W1", "张三", "李四", "13800138000")
	facts := l.env.Facts.Read(t.Context())
	write := func(key, value string) {
		t.Helper()
		l.env.Advance(t, time.Minute)
		l.must(database.Run(t.Context(), l.env.Facts, func(tx *database.Tx) error {
			return archive.Update(tx, l.vault, person, archive.Patch{Fields: map[string]*string{key: &value}})
		}))
	}
	write("emergency_contact_2_name", "王五")
	l.must(facts.Exec("CREATE TABLE backup AS SELECT * FROM field_values").Error)
	write("emergency_contact_phone", "13900139000") // the backup has another one of theirs
	l.env.Advance(t, time.Minute)
	now, err := l.env.Facts.Now(t.Context())
	l.must(err)
	hr := models.Actor{EmployeeID: l.first, Role: models.RoleHRAdmin}
	l.must(database.Run(models.WithCaller(t.Context(), models.Caller{Actor: hr, Authenticated: models.ByHost}), l.env.Facts, func(tx *database.Tx) error {
		return archive.RemoveContact(tx, hr, archive.Removal{
			EmployeeID: person, Contact: 1, Form: models.ContactWritten, ReceivedOn: clock.Today(now, time.UTC), KeptAt: "cabinet 3",
		})
	}))
	path := l.dir + "/tombstones"
	stones, err := vault.OpenTombstones(path)
	l.must(err)
	defer func() { _ = stones.Close() }()
	for _, want := range []int{1, 0} {
		if n, err := archive.Entomb(t.Context(), l.env.Facts, stones); n != want || err != nil {
			t.Errorf("%d tombstones, want %d: %v", n, want, err)
		}
	}
	if content, err := os.ReadFile(path); err != nil || strings.Contains(string(content), "李四") || strings.Contains(string(content), "13900139000") {
		t.Errorf("the file: %s, %v", content, err)
	}
	write("emergency_contact_name", "赵六")
	l.must(os.WriteFile(l.dir+"/systems.json", []byte("[]"), 0o600))
	start := func(what string, entries int, want ...string) {
		t.Helper()
		r := &runtime{facts: l.env.AsApp(t), keys: l.env.Keys, installation: l.env.Installation, config: config.Config{KEKFile: l.dir + "/kek.json", TombstoneFile: path, SystemsFile: l.dir + "/systems.json", Dev: true}, log: slog.New(slog.DiscardHandler)}
		l.must(r.openKeys(t.Context()))
		var keys []string
		l.must(facts.Raw("SELECT field_key FROM field_values WHERE value_sealed IS NOT NULL ORDER BY 1").Scan(&keys).Error)
		if !slices.Equal(keys, want) || l.entries("emergency_contact.removed_again") != entries {
			t.Errorf("%s: the file has %v, want %v; %d entries", what, keys, want, l.entries("emergency_contact.removed_again"))
		}
	}
	start("nothing was restored", 0, "emergency_contact_2_name", "emergency_contact_name")
	l.must(facts.Exec("ALTER TABLE contact_removals DISABLE TRIGGER USER; DELETE FROM contact_removals; ALTER TABLE contact_removals ENABLE TRIGGER USER; DELETE FROM field_values; INSERT INTO field_values SELECT * FROM backup").Error)
	start("restored", 1, "emergency_contact_2_name")
	write("emergency_contact_name", "赵六")
	start("written since", 1, "emergency_contact_2_name", "emergency_contact_name")
}
