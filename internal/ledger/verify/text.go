package verify

import (
	"fmt"
	"strings"
	"time"
)

// sentences say what each code means, in Chinese and in English.
var sentences = map[Code][2]string{
	MissingEntry:      {"条目缺失：树中有该位置，但条目已被删除", "an entry is missing: its place is in the tree, but it was deleted"},
	MissingIndex:      {"树中缺少一个位置：被删除或被截断", "a place of the tree is missing: deleted or cut out"},
	DuplicateIndex:    {"位置或条目重复", "a place or an entry stands there twice"},
	Unsequenced:       {"条目既无位置也不在等待：系被插入，或其位置被删除", "an entry has no place and waits for none: inserted, or its place was deleted"},
	WrongPending:      {"等待队列中的项不是条目，或已有位置", "what waits for a place is no entry, or has a place already"},
	ChangedLeaf:       {"条目与树中的内容不一致：被修改、替换或属于其他账本", "an entry is not what the tree holds: changed, exchanged, or of another ledger"},
	ChangedRow:        {"时间、类别、纪元或格式与条目不符：被修改", "time, kind, epoch or format of a row are not the entry's: changed"},
	ChangedContent:    {"条目内容与承诺不符：被修改", "what an entry says is not what was committed to: changed"},
	MissingContent:    {"条目内容缺失，且账本中没有到期销毁的记录", "what an entry says is gone, and no entry names that its time had come"},
	UnknownContent:    {"存在没有条目的内容：系被插入，或其条目被删除", "a content without an entry: inserted, or its entry was deleted"},
	WrongMAC:          {"写入者校验码不符：不是本系统写入，或写入后被修改", "the writer's MAC is wrong: not written by this system, or changed since"},
	WrongHead:         {"数据库中的树头与账本不符", "the head in the database is not that of the tree"},
	WrongEpoch:        {"纪元缺少或不符合其首条记录", "an epoch is not what its first entry accounts for"},
	BadCheckpoint:     {"检查点不被策略接受（其他账本、未签名、未联署或格式错误）", "a checkpoint that the policy does not accept (of another log, not signed, not witnessed, malformed)"},
	Truncated:         {"账本比检查点短：末尾被截断", "the ledger is shorter than a checkpoint: its tail was cut off"},
	ForkedFrom:        {"账本与检查点不一致：历史被改写", "the ledger is not the one of a checkpoint: history was rewritten"},
	ChangedPlace:      {"该位置的条目与目录中的分片不一致", "the entry at this place is not the one in the tiles"},
	BadReceipt:        {"回执无效：不是本账本签发，或被修改", "a receipt that this ledger did not sign, or that was changed"},
	ReceiptMissing:    {"有人持有回执的条目不存在：被删除", "an entry for which somebody holds a receipt is not there: deleted"},
	ReceiptDiffers:    {"条目与所持回执不符：被修改", "an entry is not the one that a receipt was given for: changed"},
	DamagedTiles:      {"账本目录中的分片损坏，与其检查点不符", "the tiles in the ledger's folder do not lead to their own checkpoint"},
	MissingCheckpoint: {"未提供任何数据库以外的检查点或回执，无从比对", "no checkpoint and no receipt from outside the database was given to compare with"},
	NotCompared:       {"已结束纪元的检查点未能比对：缺少账本目录中的分片，或缺少含下一纪元首条记录的证据包", "a checkpoint of an epoch that ended was not compared: the tiles of the ledger's folder are missing, or a pack with the next epoch's first entry"},
	Malformed:         {"出现本系统不会写入的值", "a value that this system never writes"},
	BadProof:          {"条目证明格式错误、得不出其检查点的根，或并非所述条目的证明", "the proof of an entry is malformed, does not lead to its checkpoint, or is not of the entry named beside it"},
	MissingFile:       {"账本目录缺少文件：被删除", "a file of the ledger's folder is missing: deleted"},
	BadPack:           {"证据包不完整、被修改或不是证据包", "the evidence pack is incomplete, was changed, or is none"},
}

// said is how many problems a text lists.
const said = 50

// Text is the report for people; language is "zh" or "en".
func (r *Report) Text(language string) string {
	zh := language == "zh"
	pick := func(c, e string) string {
		if zh {
			return c
		}
		return e
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(pick("账本 %s", "ledger %s"), r.Origin)
	switch p := r.Pack; {
	case p != nil && r.Entries == 0:
		line("%s", pick("证据包中没有可核验的条目", "the pack has no entries that could be checked"))
	case p != nil:
		line(pick("证据包含 %d 条，第 %d 至 %d 号", "the pack has %d entries, index %d to %d"), r.Entries, p.First, p.Last)
		if p.Complete {
			line("%s", pick("区间连续：该区间内没有遗漏", "the range has no gap: nothing of it is left out"))
		} else {
			line("%s", pick("按条件筛选：不能证明没有遗漏其他条目", "chosen by filters: this does not prove that nothing else was left out"))
		}
	case r.Proven != nil:
		line(pick("所证明的条目：%s，类别 %s，写入时间 %s，第 %d 纪元第 %d 号", "the proof is of entry %s, kind %s, written at %s, epoch %d, index %d"),
			r.Proven.EntryID, r.Proven.Kind, at(&r.Proven.At, ""), r.Proven.Epoch, r.Proven.Index)
	case r.Files:
		line(pick("仅核验文件：%d 个叶子；核对回执 %d 份；尚无见证联署的叶子：%d 个", "files only: %d leaves; %d receipts compared; leaves under no witnessed checkpoint yet: %d"),
			r.Entries, r.Receipts, r.Unprotected)
	default:
		line(pick("条目 %d 条，其中 %d 条已入树；核对内容 %d 条；核对回执 %d 份", "%d entries, %d of them in a tree; %d contents and %d receipts compared"),
			r.Entries, r.Sequenced, r.Contents, r.Receipts)
		line(pick("尚无见证联署或回执保护的条目：%d 条", "entries under no witnessed checkpoint and no receipt yet: %d"), r.Unprotected)
		if !r.MACs {
			line("%s", pick("未提供写入密钥：未核对未入树条目的校验码", "without the writer key, the MACs of what is in no tree were not checked"))
		}
	}
	for _, t := range r.Trees {
		line(pick("第 %d 纪元：%d 条，根 %s；已签署 %d，已联署 %d%s", "epoch %d: %d entries, root %s; signed %d, witnessed %d%s"),
			t.Epoch, t.Size, t.Root, t.Signed, t.Witnessed, at(t.At, pick("，联署时间 ", ", at ")))
		if t.Lost > 0 {
			line(pick("  注意：有 %d 条在备份恢复中永久丢失，由下一纪元的首条记录载明", "  note: %d entries were lost for good with a restored backup, as the next epoch's first entry says"), t.Lost)
		}
	}
	for _, month := range r.Dropped {
		line(pick("%s 的内容已到期销毁，账本有记录", "the content of %s was dropped after its time, as an entry says"), month)
	}
	if r.OK() {
		line("%s", pick("已核验：未发现问题", "verified: nothing is wrong"))
		return strings.TrimSuffix(b.String(), "\n")
	}
	if r.Verdict() == Unusable {
		line(pick("无法判定：有 %d 处缺少比对所需的材料", "unusable; checkpoints that could not be compared with what was given: %d"), r.Count)
	} else {
		line(pick("有误：发现 %d 处问题", "wrong; problems: %d"), r.Count)
	}
	for i, p := range r.Problems {
		if i == said {
			line(pick("……另有 %d 处，见 --json", "… and %d more, see --json"), r.Count-said)
			break
		}
		line("  - %s [%s]", pick(sentences[p.Code][0], sentences[p.Code][1]), p)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func at(t *time.Time, before string) string {
	if t == nil {
		return ""
	}
	return before + t.UTC().Format(time.RFC3339)
}
