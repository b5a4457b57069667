package draft

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"emberwatch/notifier"
	"emberwatch/rules"
)

//go:embed languages.yml
var languagesFile []byte

// fallbackLanguage is what a draft is written in if neither the mention nor the brand says otherwise.
const fallbackLanguage = "en"

// language is what the drafts need to know about a language besides the texts of the playbooks.
type language struct {
	Greet         string            `yaml:"greet"`
	Plain         string            `yaml:"plain"`
	Calm          string            `yaml:"calm"`       // empty: as Greet
	CalmPlain     string            `yaml:"calm_plain"` // empty: as Plain
	Name          string            `yaml:"name"`
	Stamp         string            `yaml:"stamp"`
	Clock         string            `yaml:"clock"`
	And           string            `yaml:"and"`
	Back          string            `yaml:"back"`
	BackOn        string            `yaml:"back_on"`
	Apology       string            `yaml:"apology"`
	Introduction  map[string]string `yaml:"introduction"` // by family of networks
	Familiar      familiar          `yaml:"familiar"`
	FormalWords   []string          `yaml:"formal_words"`
	FamiliarWords []string          `yaml:"familiar_words"`
	Common        []string          `yaml:"common"`
}

// familiar is the second form of address of a language that has two in the library.
type familiar struct {
	Form  string `yaml:"form"` // as in the tone of a brand; empty: there is none
	Greet string `yaml:"greet"`
	Plain string `yaml:"plain"`
	Name  string `yaml:"name"`
}

func loadLanguages(data []byte) (map[string]*language, error) {
	var f struct {
		Languages map[string]*language `yaml:"languages"`
	}
	if err := yaml.Load(data, &f, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("language table: %w", err)
	}
	for _, l := range f.Languages {
		for i, w := range l.Common {
			l.Common[i] = rules.Fold(w)
		}
	}
	return f.Languages, nil
}

// manner is how a draft addresses people: whatever the matter allows.
type manner struct{ calm, familiar bool }

// greeting returns the opening of a reply with its trailing space. An empty name gives the general one.
func (l *language) greeting(name string, how manner) string {
	greet, plain, part := l.Greet, l.Plain, l.Name
	switch {
	case how.familiar && l.Familiar.Form != "":
		greet, plain, part = l.Familiar.Greet, l.Familiar.Plain, l.Familiar.Name
	case how.calm && l.Calm != "":
		greet, plain = l.Calm, l.CalmPlain
	}
	if name == "" {
		return plain
	}
	if first, _, ok := strings.Cut(name, " "); ok && part == "first" && !strings.HasSuffix(first, ".") {
		name = first
	}
	return strings.ReplaceAll(greet, "{name}", name)
}

// withoutGreeting cuts the opening off a text, whatever the name in it; ok reports whether there was one.
func (l *language) withoutGreeting(text string) (rest string, ok bool) {
	for _, plain := range []string{l.Plain, l.CalmPlain, l.Familiar.Plain, "{{" + slotGreeting + "}}"} {
		if plain != "" && strings.HasPrefix(text, plain) {
			return text[len(plain):], true
		}
	}
	for _, greet := range []string{l.Greet, l.Calm, l.Familiar.Greet} {
		before, after, _ := strings.Cut(greet, "{name}")
		rest, found := strings.CutPrefix(text, before)
		if greet == "" || !found {
			continue
		}
		if i := strings.Index(rest, after); i > 0 && utf8.RuneCountInString(rest[:i]) <= maxName && !strings.ContainsAny(rest[:i], ".!?،,") {
			return rest[i+len(after):], true
		}
	}
	return text, false
}

// back says when somebody answers again.
func (l *language) back(t, now time.Time) string {
	if sameDay(t, now) {
		return strings.ReplaceAll(l.Back, "{time}", t.Format(l.Clock))
	}
	return strings.ReplaceAll(l.BackOn, "{time}", t.Format(l.Stamp))
}

func sameDay(t, now time.Time) bool {
	return t.Format(time.DateOnly) == now.In(t.Location()).Format(time.DateOnly)
}

// at writes a time for readers who are at now: with its date unless it is the same day.
func (l *language) at(t, now time.Time) string {
	if sameDay(t, now) {
		return t.Format(l.Clock)
	}
	return t.Format(l.Stamp)
}

// list joins items as the language writes a list.
func (l *language) list(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + l.And + items[last]
}

// baseLanguage returns the language of a tag such as "pt-BR", or "" where none is known.
func baseLanguage(tag string) string {
	tag, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(strings.ReplaceAll(tag, "_", "-"))), "-")
	if tag == "und" {
		return ""
	}
	return tag
}

// mentionLanguage returns the language a mention is written in, or "".
func mentionLanguage(r *notifier.Request) string {
	if l := baseLanguage(r.Mention.Lang); l != "" {
		return l
	}
	return baseLanguage(r.Mention.Mention.Lang)
}

// languageOrder returns the languages a draft may be in, the best first.
func languageOrder(want string, b *rules.Brand) []string {
	order := make([]string, 0, 3)
	for _, l := range append(append([]string{want}, b.Languages...), fallbackLanguage) {
		if l = baseLanguage(l); l != "" && !slices.Contains(order, l) {
			order = append(order, l)
		}
	}
	return order
}

// speaks returns the known language whose frequent words stand most in text, and how many more of them
// than of want; "" and 0 if none is ahead of want. It tells a text of the wrong language, no more.
func speaks(langs map[string]*language, text, want string) (string, int) {
	counts := map[string]int{}
	words := strings.FieldsFunc(rules.Fold(text), func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' })
	for id, l := range langs {
		for _, w := range words {
			if slices.Contains(l.Common, w) {
				counts[id]++
			}
		}
	}
	best := want
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		if counts[id] > counts[best] {
			best = id
		}
	}
	if best == want {
		return "", 0
	}
	return best, counts[best] - counts[want]
}
