package train

import (
	"embed"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
)

//go:embed patterns/*.txt
var patternFiles embed.FS

//go:embed other.tsv
var foreignText string

// EmbeddedPatterns generates rows from the patterns that are part of the program.
func EmbeddedPatterns(most int, seed uint64) ([]Row, error) {
	dir, err := fs.Sub(patternFiles, "patterns")
	if err != nil {
		return nil, err
	}
	return Patterns(dir, most, seed)
}

// foreignRows are texts in languages that the model does not know. They have no label.
func foreignRows() ([]Row, error) {
	var rows []Row
	n := 0
	for line := range strings.Lines(foreignText) {
		n++
		lang, text, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "\t")
		if !ok {
			return nil, fmt.Errorf("other.tsv:%d: no tab", n)
		}
		rows = append(rows, Row{Lang: lang, Text: text})
	}
	return rows, nil
}

// patternFile is what one file of patterns says.
type patternFile struct {
	lang     string
	slots    map[string][]string
	patterns []pattern
}

type pattern struct {
	label Label
	kind  string
	text  string
	line  int
}

// Patterns generates rows from the pattern files of dir: up to most texts of each pattern, different from each other, the
// same for the same seed. The domain of a row is "stated".
//
// A file lang.txt has slots, {name} = alternatives separated by |, sections, == label kind, and patterns, one a line,
// which name slots and may have alternatives of their own in braces. A # begins a comment line.
func Patterns(dir fs.FS, most int, seed uint64) ([]Row, error) {
	names, err := fs.Glob(dir, "*.txt")
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, name := range names {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		f, err := parsePatterns(name, string(data))
		if err != nil {
			return nil, err
		}
		rows = append(rows, f.generate(most, seed)...)
	}
	return rows, nil
}

func parsePatterns(name, data string) (*patternFile, error) {
	f := &patternFile{lang: strings.TrimSuffix(path.Base(name), ".txt"), slots: map[string][]string{}}
	var section pattern
	started := false
	n := 0
	for line := range strings.Lines(data) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "=="):
			words := strings.Fields(line[2:])
			label := slices.Index(labelNames[:], strings.Join(words[:min(1, len(words))], ""))
			if len(words) != 2 || label < 0 {
				return nil, fmt.Errorf("%s:%d: a section is == negative|neutral|positive kind", name, n)
			}
			section, started = pattern{label: Label(label), kind: words[1]}, true
		case isSlot(line):
			slot, values, _ := strings.Cut(line, "=")
			slot = strings.Trim(strings.TrimSpace(slot), "{}")
			for v := range strings.SplitSeq(values, "|") {
				f.slots[slot] = append(f.slots[slot], strings.TrimSpace(v))
			}
		case !started:
			return nil, fmt.Errorf("%s:%d: a pattern before the first section", name, n)
		default:
			p := section
			p.text, p.line = line, n
			f.patterns = append(f.patterns, p)
		}
	}
	return f, f.check(name)
}

// isSlot reports whether a line defines a slot.
func isSlot(line string) bool {
	end := strings.IndexByte(line, '}')
	return line[0] == '{' && end > 0 && strings.HasPrefix(strings.TrimSpace(line[end+1:]), "=")
}

func (f *patternFile) check(name string) error {
	for i := range f.patterns {
		p := &f.patterns[i]
		rest := p.text
		for {
			open := strings.IndexAny(rest, "{}")
			if open < 0 {
				break
			}
			end := strings.IndexByte(rest, '}')
			if rest[open] == '}' || end < 0 {
				return fmt.Errorf("%s:%d: a brace without its other half: %q", name, p.line, p.text)
			}
			if body := rest[open+1 : end]; !strings.Contains(body, "|") && f.slots[body] == nil {
				return fmt.Errorf("%s:%d: no slot {%s}", name, p.line, body)
			}
			rest = rest[end+1:]
		}
	}
	return nil
}

func (f *patternFile) generate(most int, seed uint64) []Row {
	var rows []Row
	for i := range f.patterns {
		p := &f.patterns[i]
		h := fnv.New64a()
		_, _ = h.Write([]byte(f.lang + p.text))
		rng := rand.New(rand.NewPCG(seed, h.Sum64()))
		seen := map[string]bool{}
		for range 4 * most {
			text := roughen(f.fill(p.text, rng), rng)
			if seen[text] {
				continue
			}
			seen[text] = true
			rows = append(rows, Row{p.label, f.lang, "stated", text})
			if len(seen) == most {
				break
			}
		}
	}
	return rows
}

// fill chooses an alternative for every brace.
func (f *patternFile) fill(text string, rng *rand.Rand) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			b.WriteString(text)
			return tidy(b.String())
		}
		end := open + strings.IndexByte(text[open:], '}')
		b.WriteString(text[:open])
		body := text[open+1 : end]
		choice := f.slots[body]
		if strings.Contains(body, "|") {
			choice = strings.Split(body, "|")
		}
		b.WriteString(choice[rng.IntN(len(choice))])
		text = text[end+1:]
	}
}

// tidy closes the gaps that empty alternatives leave.
func tidy(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	for _, sign := range []string{",", ".", "!", "?", "،", "؟"} {
		s = strings.ReplaceAll(s, " "+sign, sign)
	}
	return strings.TrimLeft(s, ",. ")
}

// roughen types as people do: without a full stop, without capitals, with the brand called first.
func roughen(s string, rng *rand.Rand) string {
	if rng.IntN(2) == 0 {
		s = strings.TrimRight(s, ".")
	}
	switch rng.IntN(8) {
	case 0, 1:
		s = strings.ToLower(s)
	case 2:
		s = "@user " + s
	case 3:
		s += " http://t.co/x"
	}
	return s
}
