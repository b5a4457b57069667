package rules

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// Analysts write a word in one form and mean all of them: leak is leaks, leaked and leaking; Tank is Tanks; протекает is
// протекла. So the words of terms are compared without their endings, by the rules of the language that the text is in,
// after the idea of the light stemmers of Savoy ("Light stemming approaches for the French, Portuguese, German and Hungarian
// languages", SAC 2006): endings of number, case, gender and the common ones of verbs go, what makes another word of a word
// stays. It errs towards too little: a form that changes the word itself (broke, gelaufen) has to be written out.
//
// Names of brands and products are not inflected in Latin letters, where an ending more is another name; in Cyrillic they
// are declined like any noun. Cues of categories are not touched: they say with * what may follow. Words with * and raw
// are taken as written.

// inflections are the languages with rules for endings; und has none.
var inflections = map[string]func(word []byte) []byte{
	"en": stemEnglish, "de": stemGerman, "sv": stemSwedish, "ru": stemRussian, "ar": stemArabic,
	"es": stemSpanish, "fr": stemFrench, "it": stemItalian, "pt": stemPortuguese, "pl": stemPolish,
}

// latinInflections are those whose words a Latin term may be one of.
var latinInflections = []string{"de", "en", "es", "fr", "it", "pl", "pt", "sv"}

// inflectionsOf returns the languages a word may be of, by its letters.
func inflectionsOf(word []byte) []string {
	switch {
	case len(word) == 0:
		return nil
	case isCyrillic(word):
		return []string{"ru"}
	case isArabic(word):
		return []string{"ar"}
	}
	return latinInflections
}

// inflectionFor returns the language by whose rules a word of a text is taken: that of its letters, or else that of the text.
func inflectionFor(word []byte, lang string) string {
	switch {
	case len(word) == 0:
		return ""
	case isCyrillic(word):
		return "ru"
	case isArabic(word):
		return "ar"
	case lang == "ru" || lang == "ar":
		return ""
	}
	return lang
}

func isCyrillic(word []byte) bool { return 0xD0 <= word[0] && word[0] <= 0xD3 }

func isArabic(word []byte) bool { return 0xD8 <= word[0] && word[0] <= 0xDB }

// appendStem appends to key the stem of a folded word in a language. ok is false where the language has no rules.
func appendStem(key, word []byte, lang string) (stem []byte, ok bool) {
	take, ok := inflections[lang]
	if !ok {
		return key, false
	}
	from := len(key)
	key = append(key, word...)
	return key[:from+len(take(key[from:]))], true
}

// endings are suffixes, the longest first, and how many letters must be left of a word that loses one.
type endings struct {
	left  int
	words []string
}

func newEndings(left int, words ...string) endings {
	slices.SortStableFunc(words, func(a, b string) int { return len(b) - len(a) })
	return endings{left, words}
}

// cut takes the longest of the endings from a word that stays long enough without it.
func (e endings) cut(word []byte) []byte {
	for _, w := range e.words {
		if rest, ok := bytes.CutSuffix(word, []byte(w)); ok && utf8.RuneCount(rest) >= e.left {
			return rest
		}
	}
	return word
}

// plainLetters writes letters with accents without them, in place: word is no longer after it.
func plainLetters(word []byte) []byte {
	from := bytes.IndexFunc(word, func(r rune) bool { return r >= utf8.RuneSelf })
	if from < 0 {
		return word
	}
	to := from
	for from < len(word) {
		r, n := utf8.DecodeRune(word[from:])
		if p, ok := unaccented[r]; ok {
			word[to] = p
			to++
		} else {
			to += copy(word[to:], word[from:from+n])
		}
		from += n
	}
	return word[:to]
}

var unaccented = func() map[rune]byte {
	m := map[rune]byte{}
	for plain, accented := range map[byte]string{
		'a': "áàâäãåą", 'e': "éèêëę", 'i': "íìîï", 'o': "óòôöõ", 'u': "úùûü", 'c': "çć", 'n': "ñń", 's': "ś", 'z': "źż", 'l': "ł",
	} {
		for _, r := range accented {
			m[r] = plain
		}
	}
	return m
}()

func endsIn(word []byte, endings ...string) bool {
	return slices.ContainsFunc(endings, func(e string) bool { return bytes.HasSuffix(word, []byte(e)) })
}

func stemEnglish(w []byte) []byte {
	w = englishPlural(w)
	for _, ending := range []string{"ing", "ed"} {
		rest, ok := bytes.CutSuffix(w, []byte(ending))
		if !ok || len(rest) < 3 || !bytes.ContainsAny(rest, "aeiouy") || endsIn(w, "eed") {
			continue
		}
		if ending == "ed" && endsIn(rest, "i") {
			return append(rest[:len(rest)-1], 'y')
		}
		w = rest
		if n := len(w); n > 3 && w[n-1] == w[n-2] && !endsIn(w, "l", "s", "z") {
			w = w[:n-1]
		}
		break
	}
	if rest, ok := bytes.CutSuffix(w, []byte("e")); ok && len(rest) >= 3 {
		return rest
	}
	return w
}

func englishPlural(w []byte) []byte {
	n := len(w)
	switch {
	case n < 4 || w[n-1] != 's' || endsIn(w, "ss", "us", "is"):
		return w
	case endsIn(w, "ies") && n > 4:
		return append(w[:n-3], 'y')
	case endsIn(w, "xes", "ches", "shes", "sses", "zes"):
		return w[:n-2]
	}
	return w[:n-1]
}

var (
	germanCase = newEndings(3, "ern", "em", "er", "en", "es", "e", "n")
	germanVerb = newEndings(4, "test", "tet", "st", "t")
)

// stemGerman takes the s of the genitive and plural, the endings of case and then those of verbs; ä, ö and ü are a, o and u.
func stemGerman(w []byte) []byte {
	w = plainLetters(w)
	if n := len(w); n > 4 && w[n-1] == 's' && bytes.IndexByte([]byte("bdfghklmnrt"), w[n-2]) >= 0 {
		w = w[:n-1]
	}
	return germanVerb.cut(germanCase.cut(w))
}

var swedishEndings = newEndings(3,
	"arnas", "ernas", "ornas", "arna", "erna", "orna", "andet", "ande", "heten", "heter", "ades", "ade", "are", "ar", "er", "or", "en", "et",
	"an", "at", "as", "ad", "te", "de", "ta", "da", "na", "a", "e", "t", "s")

// stemSwedish takes endings twice: paketet is paket, and so is paketen. Its å, ä and ö are letters of their own.
func stemSwedish(w []byte) []byte { return swedishEndings.cut(swedishEndings.cut(w)) }

var (
	russianReflexive = newEndings(4, "ся", "сь")
	russianVerb      = newEndings(4,
		"ает", "ают", "аешь", "аем", "аете", "яет", "яют", "еет", "еют", "ует", "уют", "ала", "али", "ало", "ал", "яла", "яли", "яло", "ял",
		"ила", "или", "ило", "ил", "ела", "ели", "ело", "ел", "ула", "ули", "уло", "ул", "ла", "ли", "ло", "ать", "ять", "ить", "еть", "уть",
		"ет", "ут", "ют", "ит", "ат", "ят", "ишь", "ешь", "им", "ем", "ана", "ано", "аны", "ан", "ена", "ено", "ены", "ен", "нный", "нная",
		"нное", "нные", "нного", "нную", "нных", "ущий", "ющий", "вший")
	russianCase = newEndings(3,
		"ими", "ыми", "его", "ого", "ему", "ому", "ее", "ие", "ые", "ое", "ей", "ий", "ый", "ой", "ем", "им", "ым", "ом", "их", "ых", "ую", "юю",
		"ая", "яя", "ою", "ею", "иями", "ями", "ами", "иях", "ях", "ах", "ием", "иям", "ям", "ам", "ев", "ов", "ью", "ия", "ье", "ии", "ию",
		"и", "ы", "у", "ю", "а", "я", "о", "е", "ь", "й")
)

// stemRussian takes the reflexive ending, then the longer of an ending of verbs and one of case.
func stemRussian(w []byte) []byte {
	w = russianReflexive.cut(w)
	verb, noun := russianVerb.cut(w), russianCase.cut(w)
	if len(verb) < len(noun) {
		return verb
	}
	return noun
}

var (
	arabicArticles = []string{"وال", "بال", "فال", "كال", "ال", "ولل", "لل"}
	arabicEndings  = newEndings(3, "هما", "ها", "هم", "ات", "ون", "ين", "ان", "يه", "ته", "ه")
	arabicLetters  = newEndings(4, "ي", "ت")
)

// stemArabic takes the article with what is written before it, and endings of number, gender and possession. Particles of
// one letter are left to the readings of a token, which cannot tell them from a first letter either.
func stemArabic(w []byte) []byte {
	for _, a := range arabicArticles {
		if rest, ok := bytes.CutPrefix(w, []byte(a)); ok && utf8.RuneCount(rest) >= 3 {
			w = rest
			break
		}
	}
	return arabicLetters.cut(arabicLetters.cut(arabicEndings.cut(w)))
}

var (
	spanishVerb  = newEndings(4, "ando", "iendo", "adas", "ados", "ada", "ado", "idas", "idos", "ida", "ido", "aron", "ieron", "ar", "er", "ir")
	spanishCase  = newEndings(3, "es", "s")
	spanishVowel = newEndings(3, "a", "o", "e")
)

func stemSpanish(w []byte) []byte {
	w = spanishVerb.cut(plainLetters(w))
	return spanishVowel.cut(spanishCase.cut(w))
}

var (
	frenchPlural = newEndings(3, "s", "x")
	frenchVerb   = newEndings(4, "ees", "ee", "er", "ent", "ait", "aient")
	frenchVowel  = newEndings(3, "ee", "e")
)

func stemFrench(w []byte) []byte {
	return frenchVowel.cut(frenchVerb.cut(frenchPlural.cut(plainLetters(w))))
}

var (
	italianVerb  = newEndings(4, "ando", "endo", "ata", "ate", "ati", "ato", "ita", "ite", "iti", "ito", "uta", "ute", "uti", "uto", "are", "ere", "ire")
	italianVowel = newEndings(3, "a", "e", "i", "o")
)

func stemItalian(w []byte) []byte { return italianVowel.cut(italianVerb.cut(plainLetters(w))) }

var (
	portuguesePlural = newEndings(3, "s")
	portugueseVerb   = newEndings(4, "ando", "endo", "indo", "ada", "ado", "ida", "ido", "aram", "eram", "ar", "er", "ir")
	portugueseVowel  = newEndings(3, "a", "e", "o")
)

func stemPortuguese(w []byte) []byte {
	w = portuguesePlural.cut(plainLetters(w))
	if rest, ok := bytes.CutSuffix(w, []byte("oe")); ok { // reclamações: reclamação
		w = append(rest, "ao"...)
	}
	return portugueseVowel.cut(portugueseVerb.cut(w))
}

var polishEndings = newEndings(3,
	"ami", "ach", "owi", "ego", "emu", "ych", "ymi", "imi", "ala", "ali", "alo", "ow", "om", "em", "ej", "ie", "al", "a", "e", "i", "o", "u", "y")

func stemPolish(w []byte) []byte { return polishEndings.cut(plainLetters(w)) }
