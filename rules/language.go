package rules

import (
	"strings"
	"unicode/utf8"
)

// negators turn what follows around: "not dangerous". Those of a language count in texts of that language
// and, unless they are an ordinary word elsewhere ("sin" is Spanish for without and English for a vice), in texts of
// no known language.
var negators = map[string][]string{
	"en": {"not", "no", "never", "without", "cannot", "cant", "dont", "doesnt", "didnt", "isnt", "wasnt", "wont", "nothing", "none", "nobody", "neither", "nor", "hardly"},
	"de": {"nicht", "kein*", "nie", "niemals", "ohne", "nichts", "weder", "kaum"},
	"ru": {"не", "нет", "без", "никогда", "ни", "ничего", "нельзя"},
	"ar": {"لا", "لم", "لن", "ليس", "ليست", "بدون", "دون", "ما", "مو", "مش", "غير", "بلا"},
	"sv": {"inte", "ingen", "inget", "inga", "ingenting", "aldrig", "utan", "ej", "icke", "knappt"},
	"es": {"no", "sin", "nunca", "jamás", "jamas", "ningún", "ningun", "ninguna", "ninguno", "nada", "tampoco", "ni"},
	"fr": {"ne", "pas", "sans", "jamais", "aucun", "aucune", "rien", "ni", "non"},
}

// onlyIn are negators that mean something else in another language.
var onlyIn = map[string]bool{"sin": true, "ni": true, "ma": true, "nie": true, "ej": true, "nada": true, "non": true, "pas": true}

// undone are words that take the force from a negator before them: "can't believe it exploded", "not only".
var undone = wordSet(
	"only just believe know idea wonder doubt problem problems understand surprised surprise " +
		"nur glauben fassen wundern wissen ahnung zweifel problem probleme " +
		"только верю верится поверить знаю понимаю удивительно " +
		"فقط اصدق اعرف ادري شك " +
		"bara tro fatta veta vet tvivel problem " +
		"solo creer creo sé se entiendo duda problema " +
		"seulement crois croire sais comprends doute problème probleme")

// turns end the reach of a negator within a clause: "not cheap but dangerous".
var turns = wordSet("but however although aber sondern doch но однако а لكن بل men dock utan pero sino aunque mais pourtant")

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		set[Fold(w)] = true
	}
	return set
}

// negatorLangs maps each negator to the languages it belongs to, as ",de,en,". Stems keep their *.
func negatorLangs() map[string]string {
	langs := map[string]string{}
	for lang, words := range negators {
		for _, w := range words {
			w = Fold(w)
			langs[w] += "," + lang + ","
		}
	}
	return langs
}

// isNegator reports whether a folded word negates in a text of that language.
func isNegator(langs map[string]string, word []byte, lang string) bool {
	if n := len(word); n > 3 && string(word[n-3:]) == "n't" {
		return true
	}
	if len(word) > 2 && word[0] == 'n' && word[1] == '\'' { // French n'est, n'a
		return lang == "fr" || unknownLang(lang)
	}
	in, ok := langs[string(word)]
	if !ok && len(word) >= 4 && string(word[:4]) == "kein" {
		in, ok = ",de,", true
	}
	if !ok && len(word) > 4 && (string(word[:2]) == "و" || string(word[:2]) == "ف") {
		in, ok = langs[string(word[2:])], true
	}
	if !ok {
		return false
	}
	if unknownLang(lang) {
		return !onlyIn[string(word)]
	}
	return strings.Contains(in, ","+lang+",")
}

func unknownLang(lang string) bool { return lang == "" || lang == "und" }

// speaks reports whether a cue of one language counts in a text of another. In a text of no known language
// a single short word in Latin letters is too likely to be another language's: Swedish "dog" is "died".
func speaks(p *pattern, lang string) bool {
	switch {
	case p.lang == lang, p.lang == "any":
		return true
	case p.role == roleSign:
		return unknownLang(lang)
	case !unknownLang(lang), p.role == roleWeak:
		return false
	}
	return p.words > 1 || len(p.folded) >= 5 || p.folded[0] >= utf8.RuneSelf
}
