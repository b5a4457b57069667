package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// hashtag reads #body, or the keycap #️⃣. A body needs a letter.
func (s *scanner) hashtag(n int) bool {
	if end, ok := s.keycap(s.pos + n); ok {
		s.add(Emoji, s.pos, end, false)
		return true
	}
	end, letters, marks := s.name(s.pos+n, "_")
	if letters == 0 {
		return false
	}
	s.add(Hashtag, s.pos+n, end, marks)
	return true
}

// handle reads @name, @name.example and @name@server.example. An @ within an address is a sign.
func (s *scanner) handle(n int) bool {
	if s.pos > 0 {
		if r, _ := utf8.DecodeLastRuneInString(s.text[:s.pos]); classOf(r) == classLetter || classOf(r) == classDigit {
			return false
		}
	}
	end, letters, marks := s.name(s.pos+n, "_.-")
	if letters == 0 {
		return false
	}
	if r, n := s.peek(end); r == '@' {
		if host, letters, more := s.name(end+n, ".-"); letters > 0 {
			end, marks = host, marks || more
		}
	}
	s.add(Handle, s.pos+n, end, marks)
	return true
}

// name reads letters, digits, marks and the given signs from i on; it never ends with "." or "-".
func (s *scanner) name(i int, signs string) (end, letters int, marks bool) {
	end = i
	for i < len(s.text) {
		r, n := s.peek(i)
		switch classOf(r) {
		case classLetter, classSingle:
			letters++
		case classDigit:
		case classMark:
			marks = marks || mayCompose(r)
		case classIgnore:
			i += n
			continue
		default:
			if !strings.ContainsRune(signs, r) {
				return end, letters, marks
			}
			if r != '_' {
				i += n
				continue
			}
		}
		i += n
		end = i
	}
	return end, letters, marks
}

// placeholder reads the stand-ins of anonymised texts, <URL> and <ID>.
func (s *scanner) placeholder() bool {
	rest := s.text[s.pos:]
	switch {
	case strings.HasPrefix(rest, "<URL>"), strings.HasPrefix(rest, "<url>"):
		s.add(Link, s.pos, s.pos+len("<URL>"), false)
	case strings.HasPrefix(rest, "<ID>"), strings.HasPrefix(rest, "<id>"):
		s.add(Handle, s.pos, s.pos+len("<ID>"), false)
	default:
		return false
	}
	return true
}

// link finds the end of a link that begins here.
func (s *scanner) link() (end int, ok bool) {
	rest := s.text[s.pos:]
	switch rest[0] {
	case 'h', 'H', 'w', 'W':
	default:
		return 0, false
	}
	n := 0
	for _, p := range []string{"https://", "http://", "www."} {
		if len(rest) > len(p) && strings.EqualFold(rest[:len(p)], p) {
			n = len(p)
			break
		}
	}
	if n == 0 {
		return 0, false
	}
	for i, r := range rest[n:] {
		if unicode.IsSpace(r) || strings.ContainsRune("<>\"`{}|\\^«»“”", r) {
			rest = rest[:n+i]
			break
		}
	}
	rest = strings.TrimRight(rest, ".,;:!?)]'…")
	return s.pos + len(rest), len(rest) >= n
}

// keycap finds the end of a keycap emoji whose digit ends at i.
func (s *scanner) keycap(i int) (end int, ok bool) {
	r, n := s.peek(i)
	if isVariation(r) {
		i += n
		r, n = s.peek(i)
	}
	return i + n, r == keycap
}

// emoji reads one emoji that begins with r: a flag of two letters, or pictures joined to one.
func (s *scanner) emoji(r rune, n int) {
	end := s.pos + n
	if isRegional(r) {
		if next, n := s.peek(end); isRegional(next) {
			end += n
		}
		s.add(Emoji, s.pos, end, false)
		return
	}
	for end < len(s.text) {
		r, n := s.peek(end)
		switch {
		case isVariation(r), isSkinTone(r), isFlagTag(r), r == keycap:
			end += n
			continue
		case r == zwj:
			if next, m := s.peek(end + n); isEmoji(next) || next == 0x2640 || next == 0x2642 {
				end += n + m
				continue
			}
		}
		break
	}
	s.add(Emoji, s.pos, end, false)
}
