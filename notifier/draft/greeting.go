package draft

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"emberwatch/rules"
)

// maxName is how long a visible name may be to be spoken to by, in runes.
const maxName = 30

// notNames are words by which an account is no person, or pretends to be somebody it is not.
var notNames = strings.Fields(rules.Fold(`
	a an the system assistant root user users customer client google amazon apple facebook anonymous anonym guest account deleted unknown test
	admin administrator moderator mod bot support service team official staff ceo help desk channel everyone here all null
	none nil undefined angry unhappy disappointed furious scam scammer fraud fake boycott never liar sucks shit fuck bitch
	kunde kundin nutzer nutzerin gast anonymer unbekannt enttäuscht enttäuschter wütend offiziell betrug
	пользователь покупатель клиент гость аноним анонимно администратор поддержка официальный
	مستخدم عميل زبون زائر مجهول ضيف رسمي الدعم
	användare kund gäst anonym missnöjd besviken arg officiell
	usuario usuaria cliente invitado invitada anónimo anónima enfadado oficial soporte
	utilisateur utilisatrice cliente anonyme invité invitée déçu déçue officiel assistance`))

// safeName returns the visible name of an author as it may stand in a greeting, or "" where the general
// greeting is the better one: a name with digits, links or signs, of more than one script, longer than
// maxName, made of words no person is called, or borrowed from the brand.
func safeName(name string, brandNames []string) string {
	name = strings.Join(strings.Fields(norm.NFC.String(name)), " ")
	if name == "" || utf8.RuneCountInString(name) > maxName || !plainName(name) || link.MatchString(name) {
		return ""
	}
	words := strings.FieldsFunc(rules.Fold(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
	if len(words) == 0 || strings.Count(name, " ") > 2 {
		return ""
	}
	for _, w := range words {
		if slices.Contains(notNames, w) {
			return ""
		}
	}
	if r, _ := utf8.DecodeRuneInString(words[0]); len(words) == 1 && utf8.RuneCountInString(words[0]) == 1 && r < 0x2E80 {
		return "" // an initial is no name
	}
	return unlessBrand(name, brandNames)
}

func unlessBrand(name string, brandNames []string) string {
	squeezed := networkKey(name)
	for _, b := range brandNames {
		if b = networkKey(b); len(b) > 2 && strings.Contains(squeezed, b) {
			return ""
		}
	}
	return name
}

// plainName reports whether a name has letters of one script only, beside single spaces, hyphens,
// apostrophes and the full stop of an initial.
func plainName(name string) bool {
	script := ""
	before := ' '
	for _, r := range name {
		switch {
		case unicode.IsLetter(r):
			s := scriptOf(r)
			if s == "" || script != "" && s != script {
				return false
			}
			script = s
		case unicode.Is(unicode.Mn, r) && unicode.IsLetter(before), r == ' ' && before != ' ':
		case strings.ContainsRune("-'’.", r) && unicode.IsLetter(before):
		default:
			return false
		}
		before = r
	}
	first, _ := utf8.DecodeRuneInString(name)
	return unicode.IsLetter(first)
}

// scriptOf returns the script of a letter among those that names are greeted in, else "".
func scriptOf(r rune) string {
	for _, s := range []struct {
		name  string
		table *unicode.RangeTable
	}{
		{"Latin", unicode.Latin},
		{"Cyrillic", unicode.Cyrillic},
		{"Arabic", unicode.Arabic},
		{"Greek", unicode.Greek},
		{"Hebrew", unicode.Hebrew},
		{"Han", unicode.Han},
		{"Hangul", unicode.Hangul},
		{"Devanagari", unicode.Devanagari},
	} {
		if unicode.Is(s.table, r) {
			return s.name
		}
	}
	return ""
}
