package draft

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Slots of the templates. A slot under brand.contact names a key of the brand's contact map; availability is its
// key of that name, or says when somebody is back. The greeting always has a value, any other may have none.
const (
	slotGreeting    = "item.author_greeting"
	slotAuthor      = "item.author"
	slotProduct     = "item.product"
	slotBrand       = "brand.name"
	slotContact     = "brand.contact."
	slotInstruction = "facts.instruction"
	slotKnown       = "facts.known"
	slotChecking    = "facts.checking"
	slotUpdateTime  = "facts.next_update.time"
	slotUpdateWhere = "facts.next_update.where"
	slotNextContact = "next_contact.local"
	slotNow         = "now.local"
	slotSignOff     = "sign_off"
	slotAvailable   = "availability"
	slotIntroduce   = "introduction"
	slotApology     = "apology"
)

var slots = []string{
	slotGreeting, slotAuthor, slotProduct, slotBrand, slotInstruction, slotKnown, slotChecking,
	slotUpdateTime, slotUpdateWhere, slotNextContact, slotNow, slotSignOff, slotAvailable, slotIntroduce, slotApology,
}

// wholeSentence reports whether the value of a slot is a sentence of its own, so that its absence takes no
// other words with it.
func wholeSentence(slot string) bool {
	switch slot {
	case slotInstruction, slotSignOff, slotAvailable, slotIntroduce, slotApology:
		return true
	}
	return false
}

// part is a piece of a sentence: words as written, or a slot.
type part struct {
	text string
	slot string // empty: words
}

// sentence is the unit that is dropped when one of its slots has no value. It ends with the white space
// that follows it.
type sentence []part

// template is a parsed text. It is parsed once and values are put into the result, never into its source:
// what a value looks like cannot change what the template is.
type template []sentence

// parseTemplate reads a text with {{slots}}. An unknown slot or filter, or a brace that does not close, is
// an error.
func parseTemplate(text string) (template, error) {
	var p parser
	for text != "" {
		before, after, found := strings.Cut(text, "{{")
		p.words(before)
		if !found {
			break
		}
		inner, rest, closed := strings.Cut(after, "}}")
		if !closed {
			return nil, fmt.Errorf("a slot is not closed: {{%s", clip(after, 40))
		}
		slot, err := parseSlot(inner)
		if err != nil {
			return nil, err
		}
		p.slot(slot)
		text = rest
	}
	p.end()
	return p.done, nil
}

func parseSlot(inner string) (string, error) {
	name, filter, filtered := strings.Cut(inner, "|")
	name = strings.TrimSpace(name)
	if !slices.Contains(slots, name) && (!strings.HasPrefix(name, slotContact) || name == slotContact) {
		return "", fmt.Errorf("unknown slot {{%s}}", clip(name, 40))
	}
	if filtered && strings.TrimSpace(filter) != "list" {
		return "", fmt.Errorf("unknown filter %q of the slot {{%s}}; there is only list", clip(strings.TrimSpace(filter), 40), name)
	}
	return name, nil
}

// parser gathers sentences.
type parser struct {
	done template
	now  sentence
}

func (p *parser) end() {
	if len(p.now) > 0 {
		p.done = append(p.done, p.now)
		p.now = nil
	}
}

func (p *parser) slot(name string) {
	if !wholeSentence(name) {
		p.now = append(p.now, part{slot: name})
		return
	}
	if name == slotSignOff {
		p.dropDash()
	}
	if !p.leadsIn() {
		p.end()
	}
	p.now = append(p.now, part{slot: name})
	p.end()
}

// leadsIn reports whether the words so far belong to the whole-sentence slot that follows: "Please note:".
func (p *parser) leadsIn() bool {
	for _, part := range slices.Backward(p.now) {
		if part.slot != "" {
			return false
		}
		if strings.TrimSpace(part.text) != "" {
			return true
		}
	}
	return false
}

// dropDash takes a dash off the words before a sign-off, which brings its own.
func (p *parser) dropDash() {
	if n := len(p.now); n > 0 && p.now[n-1].slot == "" {
		text := strings.TrimRight(p.now[n-1].text, " ")
		if cut := strings.TrimRight(text, "–—-"); cut != text {
			p.now[n-1].text = cut
		}
	}
}

// words adds text, cut into sentences. A full stop right after a whole-sentence slot belongs to that slot.
func (p *parser) words(text string) {
	if len(p.now) == 0 && len(p.done) > 0 {
		if i := len(text) - len(strings.TrimLeft(text, ".")); i > 0 {
			text = text[i:]
		}
	}
	for text != "" {
		n := sentenceEnd(text)
		if n == 0 {
			p.now = append(p.now, part{text: text})
			return
		}
		p.now = append(p.now, part{text: text[:n]})
		p.end()
		text = text[n:]
	}
}

// sentenceEnd returns where the first sentence of text ends, its trailing white space included, or 0.
func sentenceEnd(text string) int {
	for i, r := range text {
		if r == '\n' {
			return i + 1 + spaces(text[i+1:])
		}
		if !terminal(r) || r == '.' && abbreviation(text[:i]) {
			continue
		}
		n := i + utf8.RuneLen(r)
		for n < len(text) {
			q, size := utf8.DecodeRuneInString(text[n:])
			if !terminal(q) && !strings.ContainsRune(`"'”’»)`, q) {
				break
			}
			n += size
		}
		if s := spaces(text[n:]); s > 0 || n == len(text) {
			return n + s
		}
	}
	return 0
}

func terminal(r rune) bool { return strings.ContainsRune(".!?…؟。", r) }

func spaces(s string) int {
	return len(s) - len(strings.TrimLeftFunc(s, unicode.IsSpace))
}

// abbreviation reports whether a full stop after s follows a single letter, as in "z. B.".
func abbreviation(s string) bool {
	r, size := utf8.DecodeLastRuneInString(s)
	if !unicode.IsLetter(r) {
		return false
	}
	q, size2 := utf8.DecodeLastRuneInString(s[:len(s)-size])
	return size2 == 0 || unicode.IsSpace(q) || q == '.'
}

// clip shortens s for a message, to at most n runes.
func clip(s string, n int) string {
	if rs := []rune(s); len(rs) > n {
		return string(rs[:n]) + "…"
	}
	return s
}
