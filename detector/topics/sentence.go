package topics

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"emberwatch/rules"
)

// span is one word or sign as it is put before the tagger.
type span struct {
	text  string
	forms []int32 // the vocabulary's form groups of it; nil for a sign, a number, or a word that is no topic
	cut   bool    // a link, a name or an emoji was taken out before it
}

// sentences cuts a text into what the tagger can be given. Links, handles and emoji are taken out, hashtags are
// words, a run of one sign is one sign, words at the beginning of a sentence and shouted ones are in small letters.
// Words joined by a hyphen are one. No span is long, so that the tagger's quadratic search within one stays
// cheap; and no letter is left that changes its length with its case, on which it panics.
func (c *corpus) sentences(text string) [][]span {
	d := &c.doc
	d.Reset(text)
	var all [][]span
	var spans []span
	number, cut := 0, false
	for i := range d.Tokens {
		t := &d.Tokens[i]
		if t.Sentence != number && t.Kind != rules.Punct {
			if len(spans) > 0 {
				all = append(all, spans)
			}
			spans, number, cut = nil, t.Sentence, false
		}
		switch t.Kind {
		case rules.Link, rules.Handle, rules.Emoji:
			cut = true
			continue
		}
		s := c.span(i, len(spans) == 0)
		if s.text == "" {
			cut = true
			continue
		}
		s.cut, cut = cut, false
		if hyphenated(d, i) {
			spans = join(spans, s)
		} else {
			spans = append(spans, s)
		}
	}
	if len(spans) > 0 {
		all = append(all, spans)
	}
	return all
}

// hyphenated reports whether token i is a word joined to the one before by a hyphen.
func hyphenated(d *rules.Doc, i int) bool {
	return i >= 2 && d.Tokens[i].Kind == rules.Word && d.Tokens[i-2].Kind == rules.Word &&
		d.Tokens[i-1].Start == d.Tokens[i-2].End && d.Tokens[i-1].End == d.Tokens[i].Start
}

// join makes s one word with the one before the last, a hyphen between them, unless that gets too long.
func join(spans []span, s span) []span {
	n := len(spans)
	if n < 2 || spans[n-1].text != "-" || s.cut || len(spans[n-2].text)+len(s.text) > maxWordRunes {
		return append(spans, s)
	}
	w := &spans[n-2]
	w.text += "-" + s.text
	if w.forms == nil || s.forms == nil {
		w.forms = nil // a part that is no topic makes the whole none
	} else {
		w.forms = append(w.forms, s.forms...)
	}
	return spans[:n-1]
}

func (c *corpus) span(i int, first bool) span {
	d := &c.doc
	t := &d.Tokens[i]
	if t.Kind == rules.Punct {
		return span{text: sign(d.Raw(i))}
	}
	raw := d.Raw(i)
	if first || t.Upper {
		raw = string(d.Folded(i))
	}
	s := span{text: steady(strings.TrimPrefix(raw, "#"))}
	if t.Kind == rules.Number || utf8.RuneCountInString(s.text) > maxWordRunes {
		return s.short()
	}
	if w, ok := c.ids[string(d.Folded(i))]; ok && w != noTerm {
		s.forms = []int32{c.forms[w]}
	}
	return s
}

// short leaves out what is too long to be a word.
func (s span) short() span {
	if utf8.RuneCountInString(s.text) > maxWordRunes {
		s.text = ""
	}
	return s
}

// sign returns one ASCII sign for a run of a sign.
func sign(raw string) string {
	if raw != "" && strings.IndexByte(`.,!?;:()'"$&-`, raw[0]) >= 0 {
		return raw[:1]
	}
	return ","
}

// steady drops the letters whose small form has another length in bytes, such as Ⱥ and İ, and makes
// typographic apostrophes plain ones.
func steady(word string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == 0x2018, r == 0x2019, r == 0x02BC, r == 0xFF07:
			return '\''
		case r == utf8.RuneError, unicode.IsSpace(r), utf8.RuneLen(unicode.ToLower(r)) != utf8.RuneLen(r):
			return -1
		}
		return r
	}, word)
}
