package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"lethe/internal/closed"
	"lethe/internal/i18n"
	"lethe/internal/screening"
	"lethe/internal/screening/corpus"
)

// ReasonsCmd tries the rules by which the text of a reason is screened. It needs no API and no database.
type ReasonsCmd struct {
	Test  ReasonsTestCmd  `cmd:"" help:"Measure a pack of rules by labelled reasons. 用已标注的理由检验规则包。"`
	Train ReasonsTrainCmd `cmd:"" help:"Train the likeness by labelled reasons. 用已标注的理由训练相似度。"`
	Check ReasonsCheckCmd `cmd:"" help:"Screen one reason. 筛查一条理由。"`
}

// packed is a pack of rules other than the program's.
type packed struct {
	spoken
	Pack string `type:"path" placeholder:"FILE" help:"A pack of rules other than the built-in one. 使用指定的规则包，不填则用内置规则包。"`
}

func (p packed) pack() (*screening.Pack, error) {
	if p.Pack == "" {
		return screening.Builtin(), nil
	}
	file, err := os.ReadFile(p.Pack)
	if err != nil {
		return nil, err
	}
	return screening.Parse(file)
}

// ReasonsTestCmd measures a pack.
type ReasonsTestCmd struct {
	packed
	Corpus  string `type:"path" placeholder:"FILE" help:"Labelled reasons, an object of JSON a line, instead of the built-in ones. 已标注的理由，每行一个 JSON 对象，不填则用内置语料。"`
	Cross   bool   `help:"Judge each reason without the phrases that it alone has: how one is judged that nobody has seen. 判断每条理由时不用仅它才有的短语，以估计对未见过的理由的效果。"`
	Writers bool   `name:"by-writer" help:"Judge the reasons of each writer by what the others taught: without the phrases that they alone have. 按撰写人逐一检验：只用其他撰写人的理由所教的内容。"`
	Figures bool   `help:"The figures alone, without the misses. 只显示统计，不列出判错的理由。"`
}

// Run prints the figures, and fails unless the goals are met.
func (r ReasonsTestCmd) Run() error {
	l := languageOf(r.Lang)
	p, err := r.pack()
	if err != nil {
		return err
	}
	measured := map[string][]corpus.Case{}
	if r.Corpus != "" {
		file, err := os.ReadFile(r.Corpus)
		if err != nil {
			return err
		}
		if measured[r.Corpus], err = corpus.Read(file); err != nil {
			return fmt.Errorf("%s: %w", r.Corpus, err)
		}
	} else {
		for _, name := range corpus.Halves() {
			if measured[name], err = corpus.Half(name); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	met := true
	for _, name := range slices.Sorted(maps.Keys(measured)) {
		if r.Writers {
			fmt.Printf(l.Of("%s：规则包版本 %s\n", "%s: pack %s\n"), name, p.Version)
			printWriters(os.Stdout, l, corpus.ByWriter(p, measured[name]))
			continue
		}
		measure := corpus.Measure
		if r.Cross {
			measure = corpus.CrossValidate
		}
		f := measure(p, measured[name])
		if r.Figures {
			f.Misses = nil
		}
		fmt.Printf(l.Of("%s：%d 条理由，规则包版本 %s\n", "%s: %d reasons, pack %s\n"), name, len(measured[name]), p.Version)
		printFigures(os.Stdout, l, f)
		met = met && f.Met()
	}
	if !met {
		return errors.New(l.Of("未达到目标", "the goals are not met"))
	}
	return nil
}

// printWriters prints a line for each writer. Whether the goals are met is told of a corpus as a whole alone.
func printWriters(out io.Writer, l i18n.Language, all []corpus.Written) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, l.Of("撰写人\t理由\t应拒绝的，拒绝了\t应拒绝的，未放行（拒绝或转审核）\t正当的，误拒\t正当的，转审核",
		"writer\treasons\tto be refused, and refused\tto be refused, and not let through (refused or sent to a reviewer)\thonest, but refused\thonest, but sent to a reviewer"))
	for _, f := range all {
		fmt.Fprintf(w, "%s\t%d\t%.3f\t%.3f\t%.3f\t%.3f\n", f.Writer, f.Cases, f.Share(screening.Refused, screening.Refused), f.NotLetThrough(),
			f.Share(screening.OK, screening.Refused), f.Share(screening.OK, screening.Review))
	}
	_ = w.Flush()
}

func printFigures(out io.Writer, l i18n.Language, f corpus.Figures) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", l.Of("应为", "should be"), strings.Join(closed.Texts(l, screening.Verdicts), "\t"))
	for _, of := range screening.Verdicts {
		fmt.Fprint(w, closed.Text(l, of))
		for _, got := range screening.Verdicts {
			fmt.Fprintf(w, "\t%d", f.Found[of][got])
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	for _, category := range slices.Sorted(maps.Keys(f.Categories)) {
		counts := f.Categories[category]
		fmt.Fprintf(w, "%s\t%d/%d\n", closed.Text(l, screening.Category(category)), counts[1], counts[0])
	}
	fmt.Fprintf(w, l.Of("应拒绝的，拒绝了\t%.3f（至少 %.2f）\n", "to be refused, and refused\t%.3f (at least %.2f)\n"), f.Share(screening.Refused, screening.Refused), corpus.Recall)
	fmt.Fprintf(w, l.Of("应拒绝的，未放行（拒绝或转审核）\t%.3f\n", "to be refused, and not let through (refused or sent to a reviewer)\t%.3f\n"), f.NotLetThrough())
	fmt.Fprintf(w, l.Of("正当的，误拒\t%.3f（至多 %.2f）\n", "honest, but refused\t%.3f (at most %.2f)\n"), f.Share(screening.OK, screening.Refused), corpus.HonestRefused)
	fmt.Fprintf(w, l.Of("正当的，转审核\t%.3f（至多 %.2f）\n", "honest, but sent to a reviewer\t%.3f (at most %.2f)\n"), f.Share(screening.OK, screening.Review), corpus.HonestReview)
	_ = w.Flush()
	for _, m := range f.Misses {
		fmt.Fprintf(out, "%s → %s  %s  [%s] %s\n", closed.Text(l, m.Case.Verdict), closed.Text(l, m.Found.Verdict),
			strings.Join(append(m.Found.Rules, string(m.Found.Doubt)), " "), m.Case.Purpose, m.Case.Text)
	}
	fmt.Fprintln(out)
}

// ReasonsCheckCmd screens one text.
type ReasonsCheckCmd struct {
	packed
	Text    string `arg:"" help:"The reason. 理由原文。"`
	Purpose string `help:"The purpose that it is given for, as medical_emergency. 用途，例如 medical_emergency。"`
}

// Run prints what was found, with the sentence of each rule.
func (r ReasonsCheckCmd) Run() error {
	l := languageOf(r.Lang)
	p, err := r.pack()
	if err != nil {
		return err
	}
	f := p.Screen(r.Text, r.Purpose)
	texts := []string{closed.Text(l, f.Verdict)}
	if f.Category != "" {
		texts = append(texts, closed.Text(l, f.Category))
	}
	if f.Doubt != "" {
		texts = append(texts, closed.Text(l, f.Doubt))
	}
	fmt.Println(strings.Join(texts, l.Of("：", ": ")))
	for _, rule := range f.Rules {
		fmt.Println("  " + rule + "  " + p.Sentence(rule, l))
	}
	return nil
}

// ReasonsTrainCmd trains the likeness that stands beside the rules.
type ReasonsTrainCmd struct {
	packed
	Corpus string `type:"existingfile" required:"" placeholder:"FILE" help:"Labelled reasons, an object of JSON a line. 已标注的理由，每行一个 JSON 对象。"`
	Out    string `type:"path" required:"" placeholder:"FILE" help:"Where the weights are written. 权重写入的文件。"`
}

// Run trains, and prints how it does with reasons that it was not trained by.
func (r ReasonsTrainCmd) Run() error {
	p, err := r.pack()
	if err != nil {
		return err
	}
	file, err := os.ReadFile(r.Corpus)
	if err != nil {
		return err
	}
	cases, err := corpus.Read(file)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Corpus, err)
	}
	trained := corpus.Train(p, cases)
	f := corpus.CrossValidate(p.With(trained), cases)
	f.Misses = nil
	printFigures(os.Stdout, languageOf(r.Lang), f)
	return os.WriteFile(r.Out, trained.Bytes(), 0o600)
}
