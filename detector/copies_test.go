package detector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// A letter that others send on with a word of their own is a copy.
func TestCopiesOfLetters(t *testing.T) {
	letter := strings.Repeat("we the undersigned ask the company to answer for what has happened at the plant in March and to say who knew of it ", 4)
	a, b := sketch(rules.Tokenize(letter)), sketch(rules.Tokenize("Dear all: "+letter+"Anna"))
	if !copies(a, b) {
		t.Error("a letter with a greeting is no copy")
	}
}

func TestCopies(t *testing.T) {
	const original = "My parcel was promised for last Friday and nobody at the hotline can tell me where it is now"
	same := []string{
		original,
		strings.ToUpper(original),
		original + " https://example.com/x",
		"@fjellbryg " + original + "!!! 😡",
		"Nobody at the hotline can tell me where it is now and my parcel was promised for last Friday",
	}
	other := []string{
		"My parcel came on Friday, the driver even carried it up to the third floor",
		"Nobody answers at the hotline, I have been waiting for my refund since three weeks",
		"Three weeks without an answer about my refund, and the shop writes to me that all is well",
		strings.Replace(original, "Friday", "Monday", 1), // another parcel
		"",
		"never again",
	}
	sk := func(s string) uint64 { return sketch(rules.Tokenize(s)) }
	for _, s := range same {
		if !copies(sk(original), sk(s)) {
			t.Errorf("no copy of the first: %q", s)
		}
	}
	for i, s := range other {
		for _, o := range append(other[i+1:], original) {
			if copies(sk(s), sk(o)) {
				t.Errorf("taken for copies: %q, %q", s, o)
			}
		}
	}
	if s := "never again with them"; copies(sk(s), sk(s)) {
		t.Error("a few words that many say were taken for a copy")
	}
}

// A brigade, whoever it is that posts one text again and again, is no storm of complaints; it is told as more mentions
// than usual, with the number of copies. What else people say is counted as ever.
func TestBrigade(t *testing.T) {
	s, _ := aged(t, mustRules(`
version: 1
rules:
  - {id: neg, title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}}
  - {id: volume, title: Volume, kind: burst, match: {}, floor: {items: 20, authors: 10}, severity: 4}
`), 1, 2, 2)
	begin := s.now
	post := func(k int, text string) sources.Mention {
		m := s.mention("bad")
		m.Text, m.Author = text, sources.Author{ID: fmt.Sprintf("brigade%d", k)}
		return m
	}
	for k := range 60 {
		s.hear(post(k, fmt.Sprintf("@user%d this is really bad and everybody has to know what they did to us %s https://example.com/%d", k, strings.Repeat("!", k%4), k)))
		s.wait(time.Minute)
	}
	s.expectPages("of the brigade", begin, s.now, 0)
	volume := s.inc("acme-1")
	if volume.Rule != "volume" || volume.Evidence.Copied < 25 || !strings.Contains(volume.Sentence, "copy texts of others") {
		t.Errorf("the brigade as told: %s: %s", volume.Rule, volume.Sentence)
	}
	for k := range 12 {
		s.hear(post(100+k, strings.Repeat("x", k+1)+" is bad"))
		s.wait(time.Minute)
	}
	if n := len(s.pages(begin, s.now)); n != 1 {
		t.Errorf("%d pages once others complain too", n)
	}
}

func FuzzSketch(f *testing.F) {
	f.Add("My parcel was promised for last Friday and nobody knows where it is")
	f.Add("\xff\xfe 😡😡 @x #y http://z")
	f.Fuzz(func(t *testing.T, text string) {
		a := sketch(rules.Tokenize(text))
		if a != 0 && !copies(a, a) {
			t.Errorf("%q is no copy of itself", text)
		}
	})
}
