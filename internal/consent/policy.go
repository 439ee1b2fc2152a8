package consent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"lethe/internal/database"
	"lethe/internal/invalid"
	"lethe/internal/ledger"
	"lethe/internal/textform"
	"lethe/models"
)

// Ask is what a version of the policy asks for a purpose.
type Ask struct {
	Purpose models.ConsentPurpose `json:"purpose"`
	Zh      string                `json:"zh"`
	En      string                `json:"en"`
	// Since is the version since which it asks for just this: an answer to an older one does not count for it.
	Since int `json:"since"`
}

// Document is what a version says.
type Document struct {
	Zh   string `json:"zh"`
	En   string `json:"en"`
	Asks []Ask  `json:"asks"`
}

// Ask finds what is asked for a purpose; nil: nothing.
func (d Document) Ask(p models.ConsentPurpose) *Ask {
	for i := range d.Asks {
		if d.Asks[i].Purpose == p {
			return &d.Asks[i]
		}
	}
	return nil
}

// Digest is the SHA-256 over the document, in hex.
func (d Document) Digest() string {
	text, _ := json.Marshal(d) // texts and numbers
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Policy is a version with who made it.
type Policy struct {
	ID      uuid.UUID
	Version int
	Document
	ChangedAt             *time.Time // nil: the program's own
	ChangedBy, ApprovedBy *uuid.UUID
}

// PolicyID is what requests for another version are about.
var PolicyID = uuid.MustParse("5d0c2f5e-6f0e-4c6b-9a52-70e1a7c0de02")

type policyRow struct {
	ID                    uuid.UUID
	Version               int
	Document              string
	ChangedAt             time.Time
	ChangedBy, ApprovedBy uuid.UUID
}

func (r policyRow) policy() (Policy, error) {
	p := Policy{ID: r.ID, Version: r.Version, ChangedAt: &r.ChangedAt, ChangedBy: &r.ChangedBy, ApprovedBy: &r.ApprovedBy}
	if err := json.Unmarshal([]byte(r.Document), &p.Document); err != nil {
		return p, fmt.Errorf("reading version %d of the privacy policy: %w", r.Version, err)
	}
	return p, nil
}

// Current is the version in force.
func Current(g *gorm.DB) (Policy, error) {
	return one(g.Raw("SELECT * FROM privacy_policies ORDER BY version DESC LIMIT 1"), 1)
}

// Read is a version.
func Read(g *gorm.DB, version int) (Policy, error) {
	return one(g.Raw("SELECT * FROM privacy_policies WHERE version = ?", version), version)
}

func one(q *gorm.DB, version int) (Policy, error) {
	var rows []policyRow
	switch err := q.Scan(&rows).Error; {
	case err != nil:
		return Policy{}, database.Wrap("reading the privacy policy", err)
	case len(rows) > 0:
		return rows[0].policy()
	case version == 1:
		return builtin(), nil
	}
	return Policy{}, ErrNotFound
}

// Policies are all versions, newest first. There are few: two people publish one.
func Policies(g *gorm.DB) ([]Policy, error) {
	var rows []policyRow
	if err := g.Raw("SELECT * FROM privacy_policies ORDER BY version DESC").Scan(&rows).Error; err != nil {
		return nil, database.Wrap("reading the versions of the privacy policy", err)
	}
	var all []Policy
	for _, r := range rows {
		p, err := r.policy()
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return append(all, builtin()), nil
}

// Draft is another version that somebody asks for.
type Draft struct {
	// Base is the version that it was made from.
	Base int        `json:"base"`
	Zh   string     `json:"zh"`
	En   string     `json:"en"`
	Asks []DraftAsk `json:"asks"`
}

// DraftAsk is what it would ask for a purpose.
type DraftAsk struct {
	Purpose models.ConsentPurpose `json:"purpose"`
	Zh      string                `json:"zh"`
	En      string                `json:"en"`
	// SameMeaning: other words for the same. Who answered the former ones is not asked again.
	SameMeaning bool `json:"same_meaning"`
}

const (
	maxPolicy = 20_000
	maxAsk    = 1000
)

// Prepare judges another version: it is made from the one in force, and says something else. It locks, so that two
// changes take turns.
func Prepare(tx *database.Tx, d Draft) (before, after Policy, err error) {
	if err := tx.DB().Exec("SELECT pg_advisory_xact_lock(hashtextextended('lethe privacy policy', 0))").Error; err != nil {
		return before, after, database.Wrap("locking the privacy policy", err)
	}
	if before, err = Current(tx.DB()); err != nil {
		return before, after, err
	}
	if err := d.check(); err != nil {
		return before, after, err
	}
	if d.Base != before.Version {
		return before, after, ErrChanged
	}
	after = Policy{Version: before.Version + 1, Document: d.document(before)}
	if same(before.Document, after.Document) {
		err = ErrSame
	}
	return before, after, err
}

// document is what a draft comes to after a version: what it asks in other words is asked anew.
func (d Draft) document(before Policy) Document {
	next := Document{Zh: d.Zh, En: d.En, Asks: []Ask{}}
	for _, purpose := range models.ConsentPurposes {
		for _, ask := range d.Asks {
			if ask.Purpose != purpose {
				continue
			}
			since := before.Version + 1
			if was := before.Ask(purpose); was != nil && (ask.SameMeaning || was.Zh == ask.Zh && was.En == ask.En) {
				since = was.Since
			}
			next.Asks = append(next.Asks, Ask{purpose, ask.Zh, ask.En, since})
		}
	}
	return next
}

func same(a, b Document) bool {
	left, _ := json.Marshal(a)
	right, _ := json.Marshal(b)
	return bytes.Equal(left, right)
}

// Publish puts another version into force, which two people agreed to.
func Publish(tx *database.Tx, requester, approver models.Actor, d Draft) error {
	_, next, err := Prepare(tx, d)
	if err != nil {
		return err
	}
	document, err := json.Marshal(next.Document)
	if err != nil {
		return fmt.Errorf("writing the privacy policy: %w", err)
	}
	version := strconv.Itoa(next.Version)
	entry, err := ledger.Append(tx, ledger.Entry{
		Kind: ledger.KindConfiguration, Action: "privacy_policy.published", Object: "privacy_policy/" + version,
		Details: map[string]string{"version": version, "sha256": next.Digest()},
	}.As(tx.Context(), requester))
	if err != nil {
		return err
	}
	err = tx.DB().Exec("INSERT INTO privacy_policies (id, version, document, changed_by, approved_by, ledger_entry_id) VALUES (?, ?, CAST(? AS jsonb), ?, ?, ?)",
		models.NewID(), next.Version, string(document), requester.EmployeeID, approver.EmployeeID, entry).Error
	return database.Wrap("keeping the privacy policy", err)
}

// check puts a draft into the form in which it is kept.
func (d *Draft) check() error {
	var found []invalid.Value
	put := func(location string, text *string, longest int) {
		stored, fault := textform.Paragraphs(*text, longest)
		if code := invalid.Text(fault); code != "" {
			found = append(found, invalid.Value{Location: location, Code: code})
		}
		*text = stored
	}
	put("zh", &d.Zh, maxPolicy)
	put("en", &d.En, maxPolicy)
	seen := map[models.ConsentPurpose]bool{}
	for i := range d.Asks {
		ask := &d.Asks[i]
		at := fmt.Sprintf("asks[%d].", i)
		put(at+"zh", &ask.Zh, maxAsk)
		put(at+"en", &ask.En, maxAsk)
		if seen[ask.Purpose] {
			found = append(found, invalid.Value{Location: at + "purpose", Code: invalid.Repeated})
		}
		if !slices.Contains(models.ConsentPurposes, ask.Purpose) {
			found = append(found, invalid.Value{Location: at + "purpose", Code: invalid.Unknown})
		}
		seen[ask.Purpose] = true
	}
	if len(found) > 0 {
		return &invalid.ValuesError{Problems: found}
	}
	return nil
}

// builtin is version 1. What it says never changes, since people may have agreed to just this: a test holds its digest.
// Companies publish their own after it.
func builtin() Policy {
	return Policy{ID: uuid.MustParse("01930000-0000-7000-8000-000000000001"), Version: 1, Document: Document{
		Zh: "公司为订立、履行劳动合同以及履行法定义务处理您的个人信息，这些处理依法无需征得同意，其依据随本政策逐项列明。\n" +
			"下列事项仅在您同意时进行。不同意或撤回同意，不影响您登录系统、办理入职和离职手续，也不影响在您发生紧急情况时联系家属。您可以随时撤回；撤回即时生效，此前已依您同意进行的处理不受影响。\n" +
			"公司按保留期限保存您的信息，到期销毁。您可以随时查看谁查阅过您的信息、用途和结果，并可提出异议。",
		En: "The company processes your personal information to conclude and carry out the employment contract and to fulfil duties that the law sets. These do not need your consent; what each rests on is listed with this policy.\n" +
			"What follows is done only if you agree. Declining or withdrawing does not affect your login, joining or leaving the company, nor that your family is reached in an emergency of yours. You may withdraw at any time; it takes effect at once, and what was done before by your consent stays as it was.\n" +
			"Your information is kept for its retention period and then destroyed. You may see at any time who looked at it, for which purpose and with what result, and object.",
		Asks: []Ask{
			{models.ConsentMessages, "离职后，如有人通过人事联系我，人事可以把“有人希望与我联系”这一消息转到我留存的私人邮箱。消息不写明事由；未经我本人决定，不向对方提供我的任何联系方式。",
				"After I have left, HR may pass on to the private address that I leave that somebody would like to hear from me. The message does not say what about, and nobody is given any address or number of mine.", 1},
			{models.ConsentReference, "离职后，如有新的用人单位做背景调查，人事可以向其核实任职起止日期、岗位等客观事实，不作评价。",
				"After I have left, HR may confirm facts to a future employer who checks my references: dates and post, no opinion.", 1},
			{models.ConsentContacts, "公司可以告知我填写的紧急联系人：其姓名和电话已由我提供，仅在我发生紧急情况时使用。不同意的，由我自行告知。",
				"The company may tell the emergency contacts whom I name that I gave their names and numbers, for my emergencies only. If I do not agree, I tell them myself.", 1},
		},
	}}
}
