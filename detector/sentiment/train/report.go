package train

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
)

// Score gives the probabilities of a text and the language it was taken for. It may be called from several goroutines.
type Score func(text string) (detector.P, string)

// Line is what an evaluation says of one group, or of all groups of a language: the mean of their figures.
type Line struct {
	Lang        string  `json:"lang"`
	Domain      string  `json:"domain,omitempty"` // empty: the mean of the language; its lang is "all" for the mean of all
	Texts       int     `json:"texts"`
	Negatives   int     `json:"negatives"` // without any, the figures of negative are 0 and count in no mean
	TwoClass    bool    `json:"two_class,omitempty"`
	MacroF1     float64 `json:"macro_f1"`
	MacroRecall float64 `json:"macro_recall"`
	Precision   float64 `json:"negative_precision"`
	Recall      float64 `json:"negative_recall"`
	F1          float64 `json:"negative_f1"`
	AP          float64 `json:"negative_ap"`
	ECE         float64 `json:"ece"`
	RecallAt90  float64 `json:"recall_at_precision_90"`
	Language    float64 `json:"language_accuracy"` // of the rows that say their language
	BaseF1      float64 `json:"lexicon_macro_f1"`
	BaseAP      float64 `json:"lexicon_negative_ap"`
}

// figures are the fields that a mean is made of.
func (l *Line) figures() []*float64 {
	return []*float64{&l.MacroF1, &l.MacroRecall, &l.ECE, &l.Language, &l.BaseF1}
}

// ofNegative are those that mean nothing where no text is negative.
func (l *Line) ofNegative() []*float64 {
	return []*float64{&l.Precision, &l.Recall, &l.F1, &l.AP, &l.RecallAt90, &l.BaseAP}
}

// Report is an evaluation: a line for each group, then for each language and for all.
type Report struct {
	Lines []Line
}

// judged is what the scorer and the baseline say of one row.
type judged struct {
	model, base Scored
	langRight   bool
	langGiven   bool
}

// Evaluate scores the rows and judges each group of them, beside a lexicon baseline.
func Evaluate(rows []Row, score Score) *Report {
	all := judgeAll(rows, score)
	groups := map[string][]judged{}
	for i := range rows {
		g := rows[i].group()
		groups[g] = append(groups[g], all[i])
	}
	var r Report
	langs := map[string][]Line{}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		lang, domain, _ := strings.Cut(g, "/")
		l := lineOf(groups[g])
		l.Lang, l.Domain = lang, domain
		r.Lines = append(r.Lines, l)
		langs[lang] = append(langs[lang], l)
	}
	var means []Line
	for _, lang := range slices.Sorted(maps.Keys(langs)) {
		means = append(means, mean(lang, langs[lang]))
	}
	r.Lines = append(r.Lines, means...)
	if len(means) > 1 {
		r.Lines = append(r.Lines, mean("all", means))
	}
	return &r
}

func judgeAll(rows []Row, score Score) []judged {
	all := make([]judged, len(rows))
	lex := sentiment.NewLexicon()
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(rows); i += workers {
				r := &rows[i]
				p, lang := score(r.Text)
				b := lex.Baseline(rules.Tokenize(r.Text), r.Lang)
				all[i] = judged{
					model:     Scored{r.Label, [labels]float64{p.Negative, p.Neutral, p.Positive}},
					base:      Scored{r.Label, [labels]float64{b.Negative, b.Neutral, b.Positive}},
					langRight: lang == r.Lang,
					langGiven: r.Lang != sentiment.Und,
				}
			}
		})
	}
	wg.Wait()
	return all
}

func lineOf(js []judged) Line {
	model, base := make([]Scored, len(js)), make([]Scored, len(js))
	right, given := 0.0, 0.0
	for i := range js {
		model[i], base[i] = js[i].model, js[i].base
		if js[i].langGiven {
			given++
			if js[i].langRight {
				right++
			}
		}
	}
	m, b := Measure(model), Measure(base)
	return Line{
		Texts: m.N, Negatives: m.Labels[Negative], TwoClass: m.TwoClass(), MacroF1: m.MacroF1, MacroRecall: m.MacroR, Precision: m.Precision, Recall: m.Recall,
		F1: m.F1, AP: m.AP, ECE: m.ECE, RecallAt90: m.RecallAt90, Language: 100 * right / max(given, 1), BaseF1: b.MacroF1, BaseAP: b.AP,
	}
}

// mean gives every line the same weight, however many texts it has.
func mean(lang string, lines []Line) Line {
	m := Line{Lang: lang}
	with := 0.0
	for i := range lines {
		if lines[i].Negatives > 0 {
			with++
		}
	}
	for i := range lines {
		l := &lines[i]
		m.Texts += l.Texts
		m.Negatives += l.Negatives
		add(m.figures(), l.figures(), 1/float64(len(lines)))
		if l.Negatives > 0 {
			add(m.ofNegative(), l.ofNegative(), 1/with)
		}
	}
	return m
}

func add(to, from []*float64, share float64) {
	for k := range to {
		*to[k] += *from[k] * share
	}
}

// Figures are the means of the languages, for a model's card.
func (r *Report) Figures() map[string]float64 {
	f := map[string]float64{}
	for i := range r.Lines {
		l := &r.Lines[i]
		if l.Domain != "" {
			continue
		}
		f[l.Lang+" macro-F1"] = round(l.MacroF1)
		if l.Negatives > 0 {
			f[l.Lang+" negative AP"] = round(l.AP)
		}
	}
	return f
}

func round(x float64) float64 { return float64(int(x*10+0.5)) / 10 }

// Print writes the report as a table.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-4s %-18s %6s  %5s  %5s %5s %5s %5s  %5s %5s  %5s  %7s %6s\n",
		"lang", "domain", "texts", "mF1", "nP", "nR", "nF1", "nAP", "ECE", "R@90", "lid", "lex mF1", "nAP")
	twoClass := false
	for i := range r.Lines {
		l := &r.Lines[i]
		twoClass = twoClass || l.TwoClass
		name := l.Domain
		switch {
		case name == "":
			name = "mean"
		case l.TwoClass:
			name += " (2)"
		}
		neg := func(x float64) string {
			if l.Negatives == 0 {
				return "-"
			}
			return fmt.Sprintf("%.1f", x)
		}
		fmt.Fprintf(&b, "%-4s %-18s %6d  %5.1f  %5s %5s %5s %5s  %5.1f %5s  %5.1f  %7.1f %6s\n",
			l.Lang, name, l.Texts, l.MacroF1, neg(l.Precision), neg(l.Recall), neg(l.F1), neg(l.AP), l.ECE, neg(l.RecallAt90),
			l.Language, l.BaseF1, neg(l.BaseAP))
	}
	if twoClass {
		b.WriteString("(2): no neutral texts; judged as if neutral could not be said\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteCard writes what a reader must know of a model, in Markdown.
func WriteCard(w io.Writer, m *sentiment.Model, r *Report) error {
	var b strings.Builder
	name := m.Card.Name
	if name == "" {
		name = "Sentiment model"
	}
	when := ""
	if m.Card.Trained != "" {
		when = m.Card.Trained + " "
	}
	fmt.Fprintf(&b, "# %s\n\nTrained %son %d labelled texts: a linear model on hashed features in 2^%d buckets of four, for %s.\n",
		name, when, m.Card.Rows, m.Table.Bits(), strings.Join(sentiment.Codes(), " "))
	if len(m.Card.Sources) > 0 {
		b.WriteString("\n## Sources\n\n")
		for _, s := range m.Card.Sources {
			fmt.Fprintf(&b, "- %s\n", s)
		}
	}
	b.WriteString("\n## Figures\n\nOn the validation texts, on which the probabilities were fitted, without cue words; in per cent.\n\n```\n")
	if err := r.Print(&b); err != nil {
		return err
	}
	b.WriteString("```\n")
	_, err := io.WriteString(w, b.String())
	return err
}
