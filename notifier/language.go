package notifier

import (
	"cmp"
	"embed"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"emberwatch/sources"
)

//go:embed words/*.yml
var words embed.FS

// Language is everything that we say to people, in one language: phrases by key, with the forms that a number asks
// for, and how numbers are written. What a language lacks is said in English. It is immutable.
type Language struct {
	code    string
	tag     language.Tag
	name    string
	decimal string
	group   string
	phrases map[string]phrase
	rest    *Language // nil: this is English
}

// phrase is a text by plural form; one without numbers has only the form other.
type phrase map[plural.Form]string

// languageFile is a language as it stands in a file.
type languageFile struct {
	Language string `yaml:"language"`
	Name     string `yaml:"name"`
	Numbers  struct {
		Decimal string `yaml:"decimal"`
		Group   string `yaml:"group"`
	} `yaml:"numbers"`
	Phrases map[string]phraseNode `yaml:"phrases"`
}

// phraseNode reads a phrase that is one text, or one for each plural form.
type phraseNode phrase

var pluralForms = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two, "few": plural.Few, "many": plural.Many, "other": plural.Other,
}

// UnmarshalYAML reads a text or a map of texts.
func (p *phraseNode) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*p = phraseNode{plural.Other: n.Value}
		return nil
	}
	var forms map[string]string
	if err := n.Decode(&forms); err != nil {
		return err
	}
	*p = phraseNode{}
	for name, text := range forms {
		f, ok := pluralForms[name]
		if !ok {
			return fmt.Errorf("line %d: %q is no plural form; there are zero, one, two, few, many, other", n.Line, name)
		}
		(*p)[f] = text
	}
	if _, ok := (*p)[plural.Other]; !ok {
		return fmt.Errorf("line %d: the form \"other\" is missing; every language has it", n.Line)
	}
	return nil
}

// Languages are those that we can speak. The nil Languages speaks the embedded ones.
type Languages struct{ byCode map[string]*Language }

var embedded = sync.OnceValue(func() map[string]*Language {
	byCode := map[string]*Language{}
	for _, code := range []string{"en", "de"} {
		data, err := words.ReadFile("words/" + code + ".yml")
		if err != nil {
			panic(err)
		}
		l, err := parseLanguage(data, byCode["en"])
		if err != nil {
			panic(fmt.Sprintf("words/%s.yml: %v", code, err))
		}
		byCode[code] = l
	}
	return byCode
})

// English is what is spoken where nothing else is asked for.
func English() *Language { return embedded()["en"] }

// AddLanguages returns the embedded languages and those of the files, by name; a file of a known language replaces its
// phrases one by one.
func AddLanguages(files map[string][]byte) (*Languages, error) {
	all := &Languages{maps.Clone(embedded())}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		l, err := parseLanguage(files[name], English())
		if err != nil {
			return nil, fmt.Errorf("language file %s: %w", name, err)
		}
		if known := all.byCode[l.code]; known != nil {
			l.rest = known
		}
		all.byCode[l.code] = l
	}
	return all, nil
}

// parseLanguage reads a language file. Only keys that English has may stand in it, and only the blanks that the English
// text fills.
func parseLanguage(data []byte, english *Language) (*Language, error) {
	var f languageFile
	d := yaml.NewDecoder(strings.NewReader(string(data)))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	tag, err := language.Parse(f.Language)
	if err != nil || f.Language == "" {
		return nil, fmt.Errorf("language %q is no language code; write it like fr", f.Language)
	}
	base, _ := tag.Base()
	l := &Language{
		code: base.String(), tag: tag, name: f.Name, rest: english, phrases: make(map[string]phrase, len(f.Phrases)),
		decimal: cmp.Or(f.Numbers.Decimal, "."), group: cmp.Or(f.Numbers.Group, ","),
	}
	for key, p := range f.Phrases {
		l.phrases[key] = phrase(p)
		if english == nil {
			continue
		}
		if err := english.fits(key, phrase(p)); err != nil {
			return nil, err
		}
	}
	return l, nil
}

var blank = regexp.MustCompile(`\{[a-z]+\}`)

// fits says what is wrong with a translation of one of our phrases.
func (l *Language) fits(key string, p phrase) error {
	ours, ok := l.phrases[key]
	if !ok {
		return fmt.Errorf("there is no phrase %q", key)
	}
	known := map[string]bool{}
	for _, text := range ours {
		for _, b := range blank.FindAllString(text, -1) {
			known[b] = true
		}
	}
	for _, text := range p {
		for _, b := range blank.FindAllString(text, -1) {
			if !known[b] {
				return fmt.Errorf("phrase %s: nothing fills %s", key, b)
			}
		}
	}
	return nil
}

// In returns the language of a code such as "de" or "de-AT"; English for one that nobody has translated.
func (ls *Languages) In(code string) *Language {
	all := embedded()
	if ls != nil {
		all = ls.byCode
	}
	base, _, _ := strings.Cut(strings.ToLower(code), "-")
	if l, ok := all[base]; ok {
		return l
	}
	return English()
}

// Codes returns the codes of the languages, in order.
func (ls *Languages) Codes() []string {
	if ls == nil {
		return slices.Sorted(maps.Keys(embedded()))
	}
	return slices.Sorted(maps.Keys(ls.byCode))
}

// Code returns the code of the language, such as "de".
func (l *Language) Code() string { return l.orEnglish().code }

func (l *Language) orEnglish() *Language {
	if l == nil {
		return English()
	}
	return l
}

// Has reports whether there is a phrase of that key, in this language or in English.
func (l *Language) Has(key string) bool {
	for x := l.orEnglish(); x != nil; x = x.rest {
		if _, ok := x.phrases[key]; ok {
			return true
		}
	}
	return false
}

// Say returns the phrase of a key with its blanks filled: pairs of a blank's name and what stands there, which must be fit
// for where the phrase goes. A key that does not exist stands for itself.
func (l *Language) Say(key string, pairs ...string) string {
	return l.orEnglish().form(key, plural.Other, nil, pairs)
}

// Count is Say for a phrase with a number: {n} is the number, written as the language does, and the phrase is the form
// that goes with it.
func (l *Language) Count(key string, n int, pairs ...string) string {
	l = l.orEnglish()
	return l.form(key, plural.Other, &n, append([]string{"n", l.Number(float64(n))}, pairs...))
}

// decimals is Count for a number that need not be whole.
func (l *Language) decimals(key string, n float64) string {
	if whole := math.Round(n); math.Abs(n-whole) < 0.005 {
		return l.Count(key, int(whole))
	}
	return l.Say(key, "n", l.Number(n))
}

func (l *Language) form(key string, f plural.Form, n *int, pairs []string) string {
	for x := l; x != nil; x = x.rest {
		p, ok := x.phrases[key]
		if !ok {
			continue
		}
		if n != nil {
			f = plural.Cardinal.MatchPlural(x.tag, abs(*n), 0, 0, 0, 0)
		}
		text, ok := p[f]
		if !ok {
			text = p[plural.Other]
		}
		return fill(text, pairs)
	}
	return key
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// fill puts what is there into the blanks, each once: what is filled in is not looked at again. What ends with a full stop of
// its own, as "5 Min." does, ends the sentence with it.
func fill(text string, pairs []string) string {
	if len(pairs) < 2 || !strings.Contains(text, "{") {
		return text
	}
	r := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		blank, value := "{"+pairs[i]+"}", pairs[i+1]
		if strings.HasSuffix(value, ".") {
			r = append(r, blank+".", value)
		}
		r = append(r, blank, value)
	}
	return strings.NewReplacer(r...).Replace(text)
}

// Number writes a count or an expectation: with one decimal below 10 and two below 1 unless it is whole, thousands
// set apart.
func (l *Language) Number(f float64) string {
	l = l.orEnglish()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "?"
	}
	if math.Abs(f) < 10 && f != math.Trunc(f) {
		s := strconv.FormatFloat(f, 'f', 1, 64)
		if math.Abs(f) < 1 {
			s = strings.TrimSuffix(strconv.FormatFloat(f, 'f', 2, 64), "0")
		}
		return strings.Replace(s, ".", l.decimal, 1)
	}
	s := strconv.FormatFloat(math.Round(f), 'f', 0, 64)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + l.group + s[i:]
	}
	return s
}

// Span writes a length of time in the largest units that are exact enough: "40 min", "2 h 30 min", "3 days".
func (l *Language) Span(d time.Duration) string { return l.span(d, "span.") }

// SpanAfter is Span after a preposition such as for, in or within; some languages have another form there.
func (l *Language) SpanAfter(d time.Duration) string { return l.span(d, "span.after.") }

func (l *Language) span(d time.Duration, form string) string {
	if d < 0 {
		d = -d
	}
	d = d.Truncate(time.Minute)
	hours, minutes := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case d < time.Minute:
		return l.Say(form + "moment")
	case hours == 0:
		return l.Say("span.min", "n", strconv.Itoa(minutes))
	case hours >= 48 && (d%(24*time.Hour) == 0 || hours >= 7*24):
		return l.Count(form+"days", (hours+12)/24)
	case minutes == 0 || hours >= 48:
		return l.Say("span.h", "n", strconv.Itoa(hours))
	}
	return l.Say("span.h", "n", strconv.Itoa(hours)) + " " + l.Say("span.min", "n", strconv.Itoa(minutes))
}

// Ordinal writes which of many: "2nd".
func (l *Language) Ordinal(n int) string {
	l = l.orEnglish()
	for x := l; x != nil; x = x.rest {
		if p, ok := x.phrases["ordinal"]; ok {
			text, ok := p[plural.Ordinal.MatchPlural(x.tag, abs(n), 0, 0, 0, 0)]
			if !ok {
				text = p[plural.Other]
			}
			return fill(text, []string{"n", strconv.Itoa(n)})
		}
	}
	return strconv.Itoa(n)
}

// LanguageName names the language of a code; a code without a name stands for itself.
func (l *Language) LanguageName(code string) string {
	if code == "" || code == "und" {
		return l.Say("language.und")
	}
	base, _, _ := strings.Cut(strings.ToLower(code), "-")
	if l.Has("language." + base) {
		return l.Say("language." + base)
	}
	return code
}

// Topic names a category in words; one of a rule file's own is its id with blanks.
func (l *Language) Topic(category string) string {
	if l.Has("topic." + category) {
		return l.Say("topic." + category)
	}
	return strings.NewReplacer("_", " ", "-", " ").Replace(category)
}

// Kind names a kind of mention, such as a comment.
func (l *Language) Kind(kind sources.Kind) string {
	if l.Has("kind." + string(kind)) {
		return l.Say("kind." + string(kind))
	}
	return string(kind)
}

// Quote sets words apart that somebody else has written.
func (l *Language) Quote(words string) string {
	return l.Say("quote.left") + words + l.Say("quote.right")
}

// List joins words as they are said one after the other.
func (l *Language) List(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " " + l.Say("and") + " " + parts[last]
}
