package sources

import (
	"html"
	"regexp"
	"strings"
	"unicode"

	xhtml "golang.org/x/net/html"
	"golang.org/x/text/unicode/norm"
)

// markup matches what only HTML holds: a tag of a known name, or a comment. A lone "<" is no markup, so that
// "a < b", "<3" and "<name>" survive.
var markup = regexp.MustCompile(`(?i)<!--|</?(?:a|abbr|article|aside|b|big|blockquote|body|br|center|cite|code|dd|del|div|dl|dt|em|` +
	`figcaption|figure|font|footer|h[1-6]|head|header|hr|html|i|iframe|img|ins|li|main|mark|noscript|object|ol|p|picture|` +
	`pre|q|s|script|section|small|source|span|strike|strong|style|sub|sup|svg|table|tbody|td|tfoot|th|thead|time|tr|tt|` +
	`u|ul|video)(?:\s[^<>]*)?/?>`)

// entity matches a character reference with its semicolon.
var entity = regexp.MustCompile(`&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});`)

// PlainText turns text that may or may not be HTML into plain text: markup is taken out if there is any,
// else entities are decoded if there are any, else the text comes back as it is. It decodes once: what was
// escaped twice stays escaped once, so it must not be applied twice.
func PlainText(s string) string {
	switch {
	case strings.IndexByte(s, '<') >= 0 && markup.MatchString(s):
		return HTMLText(s)
	case strings.IndexByte(s, '&') >= 0 && entity.MatchString(s):
		return html.UnescapeString(s)
	}
	return s
}

// HTMLText is the text of an HTML fragment: line breaks and blocks become new lines, other white space is
// collapsed, scripts and styles are dropped and entities decoded once. It reads tokens and builds no tree,
// so nesting costs nothing.
func HTMLText(s string) string {
	var out textBuilder
	z := xhtml.NewTokenizer(strings.NewReader(s))
	hidden := ""
	for {
		switch z.Next() {
		case xhtml.ErrorToken:
			return strings.TrimSpace(out.String())
		case xhtml.TextToken:
			if hidden == "" {
				out.text(string(z.Text()))
			}
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
			name, _ := z.TagName()
			if tag := string(name); hiddenTags[tag] {
				hidden = tag
			}
			out.tag(string(name))
		case xhtml.EndTagToken:
			name, _ := z.TagName()
			if string(name) == hidden {
				hidden = ""
			}
			out.tag(string(name))
		}
	}
}

// hiddenTags hold what nobody reads. The tokenizer takes their content as raw text up to the closing tag.
var hiddenTags = map[string]bool{"script": true, "style": true, "iframe": true, "noscript": true, "noembed": true, "noframes": true}

// breakTags start and end a line.
var breakTags = map[string]bool{
	"article": true, "aside": true, "blockquote": true, "br": true, "center": true, "dd": true, "div": true, "dl": true,
	"dt": true, "figcaption": true, "figure": true, "footer": true, "h1": true, "h2": true, "h3": true, "h4": true,
	"h5": true, "h6": true, "header": true, "hr": true, "li": true, "main": true, "ol": true, "p": true, "pre": true,
	"section": true, "table": true, "tr": true, "ul": true,
}

// textBuilder collects text with white space collapsed: at most one space, at most one new line in a row.
type textBuilder struct {
	strings.Builder
	gap byte // what stands between the last word and the next: 0, ' ' or '\n'
}

func (b *textBuilder) text(s string) {
	for _, r := range s {
		if unicode.IsSpace(r) {
			b.space(' ')
			continue
		}
		if b.gap != 0 && b.Len() > 0 {
			b.WriteByte(b.gap)
		}
		b.gap = 0
		b.WriteRune(r)
	}
}

func (b *textBuilder) tag(name string) {
	switch {
	case breakTags[name]:
		b.space('\n')
	case name == "td" || name == "th":
		b.space(' ')
	}
}

// space widens the gap: a new line outweighs a space.
func (b *textBuilder) space(c byte) {
	if b.gap != '\n' {
		b.gap = c
	}
}

// clean makes foreign text safe to keep: valid UTF-8 in NFC, new lines as \n, any other white space as a
// space, and none of the characters that control, reorder or hide what a reader sees.
func clean(s string) string {
	if plainASCII(s) {
		return part(strings.TrimSpace(s), len(s))
	}
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")
	s = norm.NFC.String(joiners(strings.Map(visible, s)))
	return part(trim(s), len(s))
}

// plainASCII reports text that clean would at most trim. Most ids, names and many texts are such.
func plainASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\n' || c >= 0x7f {
			return false
		}
	}
	return true
}

// trim takes spaces, and joiners that join nothing, off both ends.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || joiner(r) })
}

// visible maps a character to what is kept of it, and to -1 what is dropped: control characters, bidi
// overrides and marks, tags, soft hyphens and everything else whose only effect is invisible.
func visible(r rune) rune {
	switch {
	case r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029':
		return '\n'
	case r == '\t' || unicode.Is(unicode.Zs, r):
		return ' '
	case joiner(r):
		return r
	case unicode.IsControl(r):
		return -1
	case unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return -1
	case unicode.Is(unicode.Noncharacter_Code_Point, r):
		return -1
	}
	return r
}

// joiner reports ZWNJ and ZWJ, which Persian, Indic scripts and emoji need inside words.
func joiner(r rune) bool { return r == '\u200c' || r == '\u200d' }

// joiners keeps one joiner between two characters that can be joined and drops all others.
func joiners(s string) string {
	if !strings.ContainsFunc(s, joiner) {
		return s
	}
	var out strings.Builder
	var last, held rune
	for _, r := range s {
		if joiner(r) {
			if held == 0 {
				held = r
			}
			continue
		}
		if held != 0 && joinable(last) && joinable(r) {
			out.WriteRune(held)
		}
		out.WriteRune(r)
		last, held = r, 0
	}
	return out.String()
}

func joinable(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.Is(unicode.So, r) || unicode.Is(unicode.Sk, r)
}

// line is clean on one line, cut to a number of characters.
func line(s string, limit int) string {
	return cut(strings.ReplaceAll(clean(s), "\n", " "), limit)
}

// cut shortens text to a number of characters, never within one.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n == limit {
			return part(trim(s[:i]), len(s))
		}
		n++
	}
	return s
}

// part returns what was cut from a string of a length, as a string of its own if that is much longer: a part keeps
// all of it in memory.
func part(s string, of int) string {
	if of-len(s) > 256 {
		return strings.Clone(s)
	}
	return s
}
