package evidence

import (
	"archive/zip"
	"crypto/sha256"
	_ "embed" // the README
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"lethe/internal/i18n"
	"lethe/internal/ledger"
	"lethe/internal/pdf"
)

//go:embed README.txt
var readme string

// explain writes what is not entries: checkpoint, summary, README, the manifest and its signature.
func (p *pack) explain() error {
	if err := p.member(checkpointName, p.checkpoint); err != nil {
		return err
	}
	if err := p.member(readmeName, []byte("\uFEFF"+strings.ReplaceAll(readme, "\n", "\r\n"))); err != nil {
		return err
	}
	summary, err := p.summary().Bytes()
	if err != nil {
		return err
	}
	if err := p.member(summaryName, summary); err != nil {
		return err
	}
	for _, part := range p.parts {
		p.manifest.Files = append(p.manifest.Files, part.entry())
	}
	data, err := json.MarshalIndent(p.manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	data = append(data, '\n')
	signature, err := ledger.SignManifest(p.maker.o.DB, p.export.ID, sha256.Sum256(data))
	if err != nil {
		return err
	}
	if err := p.member(manifestName, data); err != nil {
		return err
	}
	return p.member(signatureName, []byte(signature))
}

// member writes a small one.
func (p *pack) member(name string, data []byte) error {
	part, err := p.begin(name, zip.Deflate)
	if err != nil {
		return err
	}
	if _, err := part.Write(data); err != nil {
		return err
	}
	return part.finish()
}

// summary is the pages for people.
func (p *pack) summary() *pdf.Document {
	m := &p.manifest
	doc := pdf.New(pdf.About{Title: "Query log evidence 查询日志证据包", Unseen: []string{
		"[U+…] 表示本摘要无法显示的字符，原文见 manifest.json 与 entries.jsonl",
		"[U+…] stands for a character that this summary cannot show: manifest.json and entries.jsonl have it",
	}})
	doc.Title("查询日志证据包")
	doc.Text(13, "Query log evidence pack")
	doc.Space(10)
	for _, line := range p.facts() {
		doc.Text(pdf.SizeText, line[0]+"："+line[1])
	}
	doc.Heading("选取条件 Selection")
	for _, line := range p.selection() {
		doc.Text(pdf.SizeText, line)
	}
	if m.TamperedCount > 0 {
		doc.Heading(fmt.Sprintf("警告：有 %d 条记录的内容与其承诺值不符（数据库被篡改），见 manifest.json。", m.TamperedCount))
		doc.Text(pdf.SizeText, fmt.Sprintf("WARNING: the content of %d entries does not fit their commitments: the database was tampered with. See manifest.json.", m.TamperedCount))
	}
	doc.Heading("文件 Files (SHA-256)")
	for _, part := range p.parts {
		f := part.entry()
		doc.Text(9, f.Name+"  "+strconv.FormatInt(f.Bytes, 10)+" bytes")
		doc.Text(pdf.SizeSmall, f.SHA256)
	}
	doc.Heading("已签名的检查点 Signed checkpoint")
	doc.Text(pdf.SizeSmall, strings.TrimSpace(string(p.checkpoint)))
	doc.Space(8)
	for _, key := range []string{"query_log.pack.verify", "query_log.pack.proves"} {
		doc.Text(pdf.SizeText, i18n.Text(i18n.Chinese, key))
		doc.Text(9, i18n.Text(i18n.English, key))
		doc.Space(4)
	}
	return doc
}

func (p *pack) facts() [][2]string {
	m := &p.manifest
	index := func(i *int64) string {
		if i == nil {
			return "—"
		}
		return strconv.FormatInt(*i, 10)
	}
	return [][2]string{
		{"生成时间 Created (UTC)", m.CreatedAt.UTC().Format(time.DateTime)},
		{"申请人 Requested by", m.RequestedBy.EmployeeID.String() + " (" + m.RequestedBy.Role + ")"},
		{"原因 Reason", m.Reason},
		{"导出编号 Export", m.ExportID.String()},
		{"申请记录 Entry of the request", m.RequestEntry.String()},
		{"日志 Ledger", m.Origin + " / " + strconv.Itoa(m.Epoch)},
		{"记录条数 Entries", strconv.FormatInt(m.Count, 10)},
		{"首末序号 First and last index", index(m.FirstIndex) + " … " + index(m.LastIndex)},
		{"内容已按期清除 Content dropped after ten years", strconv.FormatInt(m.Dropped, 10)},
		{"日志大小 Size of the ledger", strconv.FormatInt(m.TreeSize, 10)},
		{"根哈希 Root hash", base64.StdEncoding.EncodeToString(m.Root)},
	}
}

func (p *pack) selection() []string {
	m := &p.manifest
	if m.Selection.Kind == Contiguous {
		return []string{
			fmt.Sprintf("序号 %d 至 %d 的全部记录，无遗漏。", p.first, p.end-1),
			fmt.Sprintf("All entries from index %d to %d: none is left out.", p.first, p.end-1),
		}
	}
	var lines []string
	details := p.filter.Describe()
	for _, key := range slices.Sorted(maps.Keys(details)) {
		lines = append(lines, key+" = "+details[key])
	}
	lines = append(lines, "按条件筛选：不能证明没有其他符合条件的记录。 Filtered: this does not prove that no other entry fits.")
	if m.OtherEpochs > 0 {
		lines = append(lines, fmt.Sprintf("另有 %d 条符合条件的记录在日志的其他纪元中，未包含在内。 %d more entries that fit are in other epochs of the ledger and are not in this pack.", m.OtherEpochs, m.OtherEpochs))
	}
	return lines
}
