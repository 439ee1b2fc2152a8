// Package places lists every place where anything of a person can lie, and when it ends there (I25). The
// columns of both databases are compared with the schema by a test: a new one that is not on the list
// fails it. docs/security/places.md is made of it, and the canary walks it after a purge.
package places

import (
	"slices"
	"strings"
)

// Kind is what a column holds, and so when that ends.
type Kind struct {
	// Name is short; Holds and Ends are sentences for docs/security/places.md.
	Name, Holds, Ends string
	// Personal: something of a person can be read from it, or opened with a key.
	Personal bool
}

// The kinds of columns.
var (
	Code = Kind{Name: "code", Holds: "a word out of a closed list, a name that the program gives, an address of the API made of ids", Ends: "stays"}
	// Setting is the company's, not a person's.
	Setting  = Kind{Name: "setting", Holds: "what the company has set up: names of entities, departments, fields, rules", Ends: "stays"}
	Skeleton = Kind{Name: "skeleton", Holds: "what law and certificates need of a person: name, number, post; and the login", Personal: true,
		Ends: "kept under a rule of its own; views of the log show a pseudonym once the person is purged"}
	Account = Kind{Name: "account", Holds: "the id of an account in its system", Personal: true,
		Ends: "cleared with the category account_snapshot, once the account is settled"}
	Sealed = Kind{Name: "sealed", Holds: "a value under the key of its employment and category", Personal: true,
		Ends: "key destroyed, column cleared and probed by the category's purge"}
	Loose = Kind{Name: "sealed alone", Holds: "a secret or a command under a key of its own", Personal: true,
		Ends: "key destroyed and column cleared when the request or the secret ends; a request about a person whose data is being destroyed ends at once"}
	File = Kind{Name: "sealed file", Holds: "rows of a file that was imported, some hundred under one key, and its header", Personal: true,
		Ends: "key destroyed and column cleared once it is of no use any more (every row went in, or the import was cancelled), after seven days at the latest; the rows around a person, at once when data of that person is deleted: what is not checked yet loses the person's row when it is"}
	Former = Kind{Name: "former plain text", Holds: "nothing: what version 0.2 kept in clear, until `lethe migrate` has sealed it and rewritten the table", Personal: true,
		Ends: "cleared by the purge like the sealed one beside it"}
	Keyed = Kind{Name: "keyed digest", Holds: "HMAC-SHA256 by a key outside the database (internal/keyed)", Personal: true,
		Ends: "of a request and of an imported row when data of whom it is about is destroyed; of a header and its columns' fields, stays as long as it is used; else the row within days (places of logins: 180 days); its key is destroyed, at the latest after twice the purpose's life"}
	Salted = Kind{Name: "salted digest", Holds: "SHA-256 with a random salt of 32 bytes that is sealed beside the request's command", Personal: true,
		Ends: "tells nothing once the salt's key is destroyed, with the request's end"}
	Random     = Kind{Name: "random", Holds: "a hash of at least 80 random bits: a token, a code, a cookie", Ends: "tells nothing of anybody"}
	Credential = Kind{Name: "credential", Holds: "a password's argon2id hash", Personal: true, Ends: "replaced with the password; the user ends with the person's cutoff"}
	Trace      = Kind{Name: "trace", Holds: "from where a session was opened", Personal: true, Ends: "cleared 30 days after the session's end"}
	Subject    = Kind{Name: "login elsewhere", Holds: "the issuer and subject of a login at the company's provider", Personal: true, Ends: "kept with the user, as a skeleton"}
	Log        = Kind{Name: "log", Holds: "an entry of the ledger: ids, codes, dates, digests, and the reason that somebody wrote for the log, whose form asks for no names, numbers or illnesses", Personal: true,
		Ends: "with the log, ten years after the entry; not with any category"}
	Reason = Kind{Name: "reason", Holds: "what somebody wrote for the record (why it was asked for, what was said to it, what was searched for, which matter a hold is for), under the key of its month", Personal: true,
		Ends: "key destroyed ten years after the month, when the log's content of that month may be dropped; not with any category"}
	FormerReason = Kind{Name: "former plain reason", Holds: "nothing: what version 0.2 kept in clear, until `lethe migrate` has sealed it and rewritten the table", Personal: true,
		Ends: "sealed by the upgrade"}
	Proof = Kind{Name: "proof", Holds: "hashes of the tree, MACs, certificates: ids, codes and dates", Ends: "stays: it holds nothing that could be guessed from it"}
	Key   = Kind{Name: "key", Holds: "a wrapped key", Ends: "set to NULL by the purge; old copies end with the generation of the key-encryption key"}
)

// Kinds are all of them, in the order of the page.
var Kinds = []Kind{Code, Setting, Skeleton, Account, Sealed, Loose, File, Former, Keyed, Salted, Random, Credential, Trace, Subject, Log, Reason, FormerReason, Proof, Key}

// Database is one of the two.
type Database string

// The databases.
const (
	Facts Database = "facts"
	Keys  Database = "keys"
)

// Column is one column that can hold text or bytes, in any form. Ids, numbers, times and truth values are
// not listed: of themselves they say nothing.
type Column struct {
	Database      Database
	Table, Column string
	Kind          Kind
}

// Columns are all of them, by table and column.
func Columns() []Column {
	var all []Column
	for _, group := range columns {
		for _, line := range strings.Split(strings.TrimSpace(group.names), "\n") {
			words := strings.Fields(line)
			for _, column := range words[1:] {
				all = append(all, Column{group.database, words[0], column, group.kind})
			}
		}
	}
	slices.SortFunc(all, func(a, b Column) int {
		return strings.Compare(string(a.Database)+" "+a.Table+" "+a.Column, string(b.Database)+" "+b.Table+" "+b.Column)
	})
	return all
}

// Place is one outside of the databases' columns.
type Place struct{ Name, Holds, Ends string }

// Elsewhere are the places outside of the databases' columns.
var Elsewhere = []Place{
	{"indexes of the facts", "the words of names and of reasons as runs of two and three characters", "with the row; Postgres removes the dead entry with the next VACUUM"},
	{"dead rows and TOAST of the facts", "former versions of rows: sealed, and so without a key after a purge. Names, and reasons in the log's own content, are in clear", "with VACUUM, which runs by itself. What 0.2 kept in clear goes when the upgrade rewrites the table"},
	{"write-ahead log, replicas, archives and backups of both databases", "everything that was in a row, sealed or wrapped as it was there", "sealed values end with their key; wrapped keys with the generation of the key-encryption key, the day that the certificate names. What version 0.2 wrote in clear or hashed without a key is there until the archive's or backup's own end"},
	{"Temporal (histories, visibility)", "ids and enumerations, encrypted", "a week after the workflow ends"},
	{"tiles, bundles and checkpoints of the ledger", "commitments with salts that lie in the database", "stay; they tell nothing once the content is dropped"},
	{"evidence packs (LETHE_EXPORT_DIR)", "entries of the log with the names of the people in them", "after a few days (LETHE_EXPORT_KEEP), or when somebody whom they show is purged"},
	{"tombstone file", "ids of purges, employments and categories", "stays"},
	{"process log", "ids, routes, codes", "the host's rule"},
	{"metrics", "counts and durations", "the host's rule"},
	{"memory of witnesses", "sizes and hashes of the tree", "stays"},
	{"connected systems", "what they hold of a person themselves", "theirs: Lethe disables accounts and deletes none"},
}
