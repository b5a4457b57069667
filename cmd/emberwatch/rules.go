package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/urfave/cli/v2"
)

func (a *app) rulesCommand() *cli.Command {
	return &cli.Command{
		Name: "rules", Usage: "look into the rules",
		Subcommands: []*cli.Command{a.rulesTestCommand(), a.rulesSchemaCommand(), a.rulesDiffCommand(), a.rulesTuneCommand(), {
			Name: "explain", Usage: "how a rule stands, and why it matches a mention or does not", ArgsUsage: "[RULE [FILE…]]", Action: a.rulesExplain,
			Description: "Asks the running daemon how the rule stands: what is usual, what it sees, from when on it tells, what it lacks\n" +
				"for that, how grave it would be and why, and what came nearest. Rules of every kind answer, in the words that\n" +
				"an alert would have. Without RULE, what each rule has done, and what there is to doubt: rules that look at the\n" +
				"same (W05), that are silent or tell too much (W06). With --at and files, a replay of the files up to that time\n" +
				"is asked instead.\n\n" +
				"With files alone or --text: judges each mention of the files (NDJSON or CSV), or the --text, as the daemon\n" +
				"would for the rule's brand, and takes the rule's match apart: what it asks for, what the mention has. Where the brand has a lexicon, its effect\n" +
				"on the score is shown.",
			Flags: append(serverFlags(),
				&cli.StringFlag{Name: "at", Usage: "how the rule stood at `TIME` in the files"},
				&cli.StringFlag{Name: "text", Usage: "a `TEXT` to judge instead of files"},
				&cli.StringFlag{Name: "brand", Usage: "`ID` of the brand, for a rule of all brands"},
				&cli.Float64Flag{Name: "rating", Usage: "the text's `STARS`"},
				&cli.StringFlag{Name: "lang", Usage: "the text's language, as a hint"},
				&cli.StringSliceFlag{Name: "rules", Usage: "rule `FILE` instead of those of the configuration"},
				&cli.BoolFlag{Name: "json", Usage: "one object a line"},
			),
		}},
	}
}

// explained is what explain says of one mention.
type explained struct {
	Rule       string            `json:"rule"`
	Mention    string            `json:"mention,omitempty"`
	Brand      string            `json:"brand,omitempty"`
	Matches    bool              `json:"matches"`
	Why        string            `json:"why,omitempty"`
	Lang       string            `json:"lang"`
	Known      bool              `json:"known"`
	P          detector.P        `json:"p"`
	NoLexicon  *detector.P       `json:"p_without_lexicon,omitempty"`
	Conditions []rules.Condition `json:"conditions"`
	Reasons    []detector.Reason `json:"reasons,omitempty"`
	Stars      float64           `json:"stars,omitempty"`
	But        string            `json:"but,omitempty"` // what the words are that the stars deny
	text       string
}

func (a *app) rulesExplain(c *cli.Context) error {
	if !c.Args().Present() {
		if c.IsSet("text") || c.IsSet("at") {
			return usage("name a rule: emberwatch rules explain RULE")
		}
		return a.explainAll(c)
	}
	id := c.Args().First()
	if c.NArg() == 1 && !c.IsSet("text") && !c.IsSet("at") {
		return a.explainStanding(c, id)
	}
	set, model, err := a.judgeFromFlags(c)
	if err != nil {
		return err
	}
	rule, ok := set.Rule(id)
	if !ok {
		return usage("no rule %q; there are %s", id, strings.Join(set.RuleIDs(), ", "))
	}
	if c.IsSet("at") {
		return a.explainPast(c, set, rule, model)
	}
	ms, err := a.mentionsToExplain(c, set, rule)
	if err != nil {
		return err
	}
	matched, told := 0, 0
	for i := range ms {
		for _, j := range detector.Judge(set, model, ms[i]) {
			if rule.Brand != "" && j.Brand != rule.Brand {
				continue
			}
			e := explain(set, model, rule, &j)
			if told++; e.Matches {
				matched++
			}
			if err := a.printExplained(c.Bool("json"), &e); err != nil {
				return err
			}
		}
	}
	if told != 1 {
		fmt.Fprintf(a.stderr, "%s matches %d of %d\n", rule.ID, matched, told)
	}
	return nil
}

// mentionsToExplain are those of the files, or the text, said of the rule's brand or of --brand.
func (a *app) mentionsToExplain(c *cli.Context, set *rules.Set, rule *rules.Rule) ([]sources.Mention, error) {
	brand := c.String("brand")
	if rule.Brand != "" {
		brand = rule.Brand
	}
	if files := c.Args().Tail(); len(files) > 0 {
		ms, _, err := a.readMentions(files, replayOptions{})
		if err != nil {
			return nil, err
		}
		if _, err := ruleBrandFlag(c, set, rule, ms); err != nil {
			return nil, err
		}
		for i := range ms {
			if ms[i].Brand == "" {
				ms[i].Brand = brand
			}
		}
		return ms, nil
	}
	if !c.IsSet("text") {
		return nil, usage("name a file with mentions, or give a --text")
	}
	if len(set.Brands) > 0 { // else the text's brand may be any
		if _, err := ruleBrandFlag(c, set, rule, nil); err != nil {
			return nil, err
		}
	}
	kind := sources.Comment
	if c.IsSet("rating") {
		kind = sources.Review
	}
	return []sources.Mention{{Kind: kind, Text: c.String("text"), Lang: c.String("lang"), Rating: c.Float64("rating"), Brand: brand}}, nil
}

// ruleBrandFlag is --brand, one for which the rule is in force; "" without it.
func ruleBrandFlag(c *cli.Context, set *rules.Set, rule *rules.Rule, ms []sources.Mention) (string, error) {
	brand, err := brandFlag(c, set, ms)
	if err != nil || brand == "" {
		return "", err
	}
	if why := idle(set, rule, brand); why != "" {
		return "", usage("%s", why)
	}
	return brand, nil
}

// idle says that and why a rule is not in force for a brand; "": it is.
func idle(set *rules.Set, rule *rules.Rule, brand string) string {
	why := set.Idle(rule.ID, brand)
	if why != "" {
		why = fmt.Sprintf("the rule %q is not in force for the brand %q: %s", rule.ID, brand, why)
	}
	return why
}

func explain(set *rules.Set, model *sentiment.Model, rule *rules.Rule, j *detector.Judged) explained {
	m := &j.Mention
	doc := rules.Tokenize(m.Body())
	found := set.Match(m, doc, j.Lang)
	e := explained{
		Rule: rule.ID, Mention: m.ID, Brand: j.Brand, Lang: j.Lang, Known: j.Known, P: round(j.P), text: m.Body(),
		Stars: m.Rating, But: j.Contradiction(), Conditions: []rules.Condition{},
	}
	about := detector.About{Lang: m.Lang, Rating: m.Rating, Explain: true}
	b, _ := set.Brand(j.Brand)
	if senses := detector.Senses(b, m); len(senses) > 0 {
		plain := model.Score(doc, about)
		p := round(plain.WithCues(found.Hits))
		e.NoLexicon = &p
		about.Senses = senses
	}
	e.Reasons = model.Score(doc, about).Reasons
	facts := &rules.Facts{
		Mention: m, PNegative: j.P.Negative, Label: string(j.P.Label()), Lang: j.Lang, Categories: j.Categories, Found: &found,
	}
	e.Conditions = append(e.Conditions, rule.Conditions(facts)...)
	for _, id := range j.Rules {
		e.Matches = e.Matches || id == rule.ID
	}
	if !e.Matches {
		e.Why = whyNot(rule, j, e.Conditions)
	}
	return e
}

// whyNot says what stands against a match that the conditions do not.
func whyNot(rule *rules.Rule, j *detector.Judged, cs []rules.Condition) string {
	for _, c := range cs {
		if !c.Holds {
			return ""
		}
	}
	switch {
	case j.Brand == "":
		return "the mention is about no brand; give --brand"
	case rule.Match.Sentiment != "" && !j.Known:
		return "the language is not known or the text is too short: such mentions are shown, not counted"
	case len(rule.Match.Kinds) == 0:
		return fmt.Sprintf("kind %s says nothing: a rule without kinds leaves it out", j.Mention.Kind)
	}
	return "the rule does not judge brand " + j.Brand
}

func (a *app) printExplained(asJSON bool, e *explained) error {
	if asJSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetEscapeHTML(false)
		return enc.Encode(e)
	}
	var b strings.Builder
	name := e.Mention
	if name == "" {
		name = "the text"
	}
	verdict := "matches"
	if !e.Matches {
		verdict = "does not match"
	}
	fmt.Fprintf(&b, "%s %s %s", e.Rule, verdict, clean(name))
	if e.Brand != "" {
		fmt.Fprintf(&b, ", brand %s", clean(e.Brand))
	}
	fmt.Fprintf(&b, "\n  %s\n", cutText(e.text, 100))
	fmt.Fprintf(&b, "  %s in %s, P(negative) %.2f, P(positive) %.2f\n", e.P.Label(), e.Lang, e.P.Negative, e.P.Positive)
	if e.NoLexicon != nil {
		fmt.Fprintf(&b, "  without the brand's names and lexicon: %s, P(negative) %.2f, P(positive) %.2f\n", e.NoLexicon.Label(), e.NoLexicon.Negative, e.NoLexicon.Positive)
	}
	if e.Stars > 0 {
		fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(fmt.Sprintf("with %g stars %s", e.Stars, e.But)))
	}
	if len(e.Reasons) > 0 {
		parts := make([]string, len(e.Reasons))
		for i, r := range e.Reasons {
			parts[i] = fmt.Sprintf("“%s” %+.1f", clean(r.Text), r.Weight)
		}
		fmt.Fprintf(&b, "  words: %s\n", strings.Join(parts, ", "))
	}
	for _, c := range e.Conditions {
		mark, found := "yes", ""
		if !c.Holds {
			mark = "NO "
		}
		if c.Found != "" {
			found = "; it has " + clean(c.Found)
		}
		fmt.Fprintf(&b, "  %s  %s%s\n", mark, clean(c.Wanted), found)
	}
	if e.Why != "" {
		fmt.Fprintf(&b, "  NO   %s\n", e.Why)
	}
	_, err := io.WriteString(a.stdout, b.String())
	return err
}

// cutText makes one line of a text, with at most most runes.
func cutText(s string, most int) string {
	r := []rune(strings.Join(strings.Fields(clean(s)), " "))
	if len(r) <= most {
		return string(r)
	}
	return string(r[:most-1]) + "…"
}
