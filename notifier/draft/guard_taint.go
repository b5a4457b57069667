package draft

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// taintRun is how many words in a row may not be the mention's.
const taintRun = 5

var (
	mail    = regexp.MustCompile(`(?i)[\p{L}\d._%+-]+@[\p{L}\d.-]+\.\p{L}{2,}`)
	handle  = regexp.MustCompile(`@[\p{L}\d_](?:[\p{L}\d_.-]*[\p{L}\d_])?`)
	phone   = regexp.MustCompile(`(?:\+|\b00)\d[\d\s().\x{00a0}/-]{5,}\d|\b\d[\d\s().\x{00a0}/-]{7,}\d\b`)
	street  = regexp.MustCompile(`(?i)\b\d{1,4}[a-z]?,? \p{L}+ (?:street|st\.|road|rd\.|avenue|lane)|\p{L}{3,}(?:straße|strasse|str\.|gatan|vägen) \d+|(?:^|[^\p{L}])(?:calle|avenida|rue|ул\.|улица|проспект|شارع) [^.!?\n]{2,30}\d`)
	account = regexp.MustCompile(`\b[A-Z]{2}\d{2}(?:\s?[A-Z\d]{4}){3,}|\b\d{6,}\b`)
)

// ownWords returns the text less the addresses that are the brand's and the times that were put in: what
// still looks like an address or a number there is somebody else's.
func (e *exam) ownWords() string {
	known := []string{e.vals[slotNow], e.vals[slotUpdateTime], e.vals[slotNextContact], e.vals[slotUpdateWhere], e.vals[slotAvailable]}
	for _, x := range e.brand.Contact {
		known = append(known, clean(x, capContact))
	}
	for _, hs := range e.brand.Handles {
		known = append(known, hs...)
	}
	longestFirst(known)
	text := e.text
	for _, x := range known {
		if x != "" {
			text = strings.ReplaceAll(text, x, " ")
		}
	}
	return text
}

func (e *exam) personal() string {
	text := e.ownWords()
	for _, c := range []struct {
		what string
		re   *regexp.Regexp
	}{{"an e-mail address", mail}, {"an account or order number", account}, {"a phone number", phone}, {"a street", street}} {
		if found := findIn(c.re, text); found != "" {
			return fmt.Sprintf("holds %s: %q", c.what, clip(found, 40))
		}
	}
	if name := e.thirdPerson(); name != "" {
		return fmt.Sprintf("names somebody: %q", clip(name, 40))
	}
	return ""
}

// fullName is two words that begin with capitals, as the name of a person does.
var fullName = regexp.MustCompile(`\p{Lu}[\p{Ll}’\'-]+ \p{Lu}[\p{Ll}’\'-]+`)

// thirdPerson returns a name that the mention holds and the draft repeats, which is not the author's, the brand's
// or a product's.
func (e *exam) thirdPerson() string {
	if e.bare == e.own {
		return ""
	}
	text := e.withoutNames()
	for _, name := range fullName.FindAllString(e.item, -1) {
		if strings.Contains(text, name) && !strings.Contains(e.own, name) {
			return name
		}
	}
	return ""
}

// findIn looks for personal data, which has a digit or an @ in it: most texts have neither.
func findIn(re *regexp.Regexp, text string) string {
	if !strings.ContainsAny(text, "@0123456789") {
		return ""
	}
	return re.FindString(text)
}

// addresses lets pass what the brand's contacts hold, and other pages of the same hosts.
func (e *exam) addresses() string {
	text := e.ownWords()
	for _, re := range []*regexp.Regexp{mail, phone} {
		if found := findIn(re, text); found != "" {
			return fmt.Sprintf("%q is not among the brand's contacts", clip(found, 60))
		}
	}
	for _, found := range link.FindAllString(text, -1) {
		if h := host(found); h == "" || !slices.Contains(e.hosts(), h) {
			return fmt.Sprintf("%q is not among the brand's contacts", clip(found, 60))
		}
	}
	return ""
}

func (e *exam) hosts() []string {
	var out []string
	for _, x := range e.brand.Contact {
		if h := host(x); h != "" {
			out = append(out, h)
		}
	}
	return out
}

// host returns the host of a web address, with or without a scheme; "" for anything else.
func host(address string) string {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(strings.TrimRight(address, ".,;:!?)"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// masked stands for a value that depends on the mention. It is no word.
const masked = "¤"

// reviewed returns the draft as people have reviewed it: the general greeting, no name, no product.
func (e *exam) reviewed() string {
	v := e.vals.without(e.words(e.lang).greeting("", e.how(e.variant)), slotAuthor)
	for _, slot := range []string{slotAuthor, slotProduct} {
		if e.vals[slot] != "" {
			v[slot] = masked
		}
	}
	return e.parsed.render(v, e.lang)
}

// unnamed returns the draft less the two values that may depend on the mention: its author's safe name
// and a product name of the rule files. Anything else of the mention that got in is still there.
func (e *exam) unnamed() string {
	const signs = " ,،.!"
	l := e.words(e.lang)
	greeted := strings.TrimRight(l.greeting(e.author, e.how(e.variant)), signs)
	text := strings.Replace(e.text, greeted, strings.TrimRight(l.greeting("", e.how(e.variant)), signs), 1)
	if x := e.author; x != "" && e.parsed.uses(slotAuthor) {
		text = strings.ReplaceAll(text, x, masked)
	}
	if x := e.product; x != "" && e.parsed.uses(slotProduct) {
		text = strings.ReplaceAll(text, x, masked)
	}
	return text
}

// untainted looks for the mention in the draft: words in a row that the reviewed text does not have, links
// and handles.
func (e *exam) untainted() string {
	if run := sharedRun(e.bare, e.item, e.own, taintRun); run != "" {
		return fmt.Sprintf("repeats the mention: %q", run)
	}
	text := e.ownWords()
	for _, re := range []*regexp.Regexp{link, handle} {
		for _, found := range re.FindAllString(text, -1) {
			if strings.Contains(e.item, found) {
				return fmt.Sprintf("takes %q from the mention", clip(found, 60))
			}
		}
	}
	return ""
}

// sharedRun returns the first n words of text that also stand in a row in item, but not in own.
func sharedRun(text, item, own string, n int) string {
	if text == own {
		return ""
	}
	foreign := runs(item, n)
	reviewed := runs(own, n)
	words := strings.Fields(spaced(text))
	for i := 0; i+n <= len(words); i++ {
		run := strings.Join(words[i:i+n], " ")
		if foreign[run] && !reviewed[run] {
			return run
		}
	}
	return ""
}

// runs returns the runs of n words of a text.
func runs(text string, n int) map[string]bool {
	words := strings.Fields(spaced(text))
	out := make(map[string]bool, len(words))
	for i := 0; i+n <= len(words); i++ {
		out[strings.Join(words[i:i+n], " ")] = true
	}
	return out
}
