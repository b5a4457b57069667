package demo

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// texts are the sentences of one language: sections of lines with slots, and the lists that fill the slots. Each
// section is dealt like a pack of cards, so that no sentence comes twice before all have come once.
type texts struct {
	lists    map[string][]string
	sections map[string][]string
	left     map[string][]string
}

// readTexts reads every file of a folder under testdata; the key is the language.
func readTexts(folder string) (map[string]*texts, error) {
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.txt"))
	if err != nil {
		return nil, err
	}
	all := map[string]*texts{}
	for _, p := range paths {
		if all[strings.TrimSuffix(filepath.Base(p), ".txt")], err = readFile(p); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func readFile(path string) (*texts, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	x := &texts{lists: map[string][]string{}, sections: map[string][]string{}, left: map[string][]string{}}
	section := ""
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		name, list, isList := strings.Cut(line, " = ")
		switch {
		case line == "" || strings.HasPrefix(line, "# "):
		case strings.HasPrefix(line, "["):
			section = strings.Trim(line, "[]")
		case section == "" && isList:
			x.lists[name] = strings.Split(list, " | ")
		case section == "":
			return nil, fmt.Errorf("%s:%d: neither a list nor in a section", path, n)
		default:
			x.sections[section] = append(x.sections[section], line)
		}
	}
	return x, lines.Err()
}

var slot = regexp.MustCompile(`\{[^{}]*\}`)

// deal returns the next text of a section with its slots filled, and its title if it has one.
func (x *texts) deal(r *rand.Rand, section string) (title, text string) {
	if len(x.left[section]) == 0 {
		for _, i := range r.Perm(len(x.sections[section])) {
			x.left[section] = append(x.left[section], x.sections[section][i])
		}
	}
	text, x.left[section] = x.left[section][0], x.left[section][1:]
	for slot.MatchString(text) {
		text = slot.ReplaceAllStringFunc(text, func(s string) string { return x.fill(r, strings.Trim(s, "{}")) })
	}
	text = upperFirst(text)
	if title, rest, ok := strings.Cut(text, " :: "); ok {
		return title, rest
	}
	return "", text
}

// fill returns one of a list, or one of the alternatives that stand in the slot itself.
func (x *texts) fill(r *rand.Rand, slot string) string {
	options, ok := x.lists[slot]
	if !ok {
		options = strings.Split(slot, "|")
	}
	return options[r.IntN(len(options))]
}

// upperFirst is for texts that begin with a slot.
func upperFirst(s string) string {
	for i, r := range s {
		return strings.ToUpper(string(r)) + s[i+len(string(r)):]
	}
	return s
}
