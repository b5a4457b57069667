package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"emberwatch/sources"
)

// facts of one mention: a private, negative English review of one star by somebody with 120 followers.
func someFacts() *Facts {
	return &Facts{
		Mention: &sources.Mention{
			Source: "shop", Network: "instagram", Kind: sources.Review, Rating: 1, Visibility: sources.Private,
			Author: sources.Author{Followers: 120},
		},
		PNegative: 0.9, Label: "negative", Lang: "en", Categories: []string{"delivery", "billing_refund"},
	}
}

func someSum() *Sum {
	return &Sum{
		Items: func(d time.Duration) int { return int(d / time.Hour) }, Authors: func(d time.Duration) int { return 3 + int(d/time.Hour) },
		Sources: 2, Languages: 1, Reach: 5000, Media: true,
		Incidents: func(rule string, d time.Duration) int { return len(rule) + int(d/(24*time.Hour)) },
	}
}

func TestExpressions(t *testing.T) {
	mention, signal := someFacts(), &Facts{Sum: someSum()}
	both := someFacts()
	both.Sum = someSum()
	for _, c := range []struct {
		text  string
		facts *Facts
		want  bool
	}{
		{"sentiment = negative", mention, true},
		{"sentiment == positive", mention, false},
		{"negative = sentiment", mention, true},
		{"sentiment != positive", mention, true},
		{"rating <= 2", mention, true},
		{"2 >= rating", mention, true},
		{"rating <= 2", &Facts{}, false},
		{"rating > 2", &Facts{}, false},
		{"not rating <= 2", &Facts{}, true},
		{"p_negative > 0.89 and p_negative < 0.91", mention, true},
		{"category = delivery", mention, true},
		{"category = 'billing_refund'", mention, true},
		{"category != delivery", mention, false},
		{"language = en and kind = review", mention, true},
		{"source = shop and source = instagram", mention, true},
		{"private and not has_media", mention, true},
		{"reach < 500", mention, true},
		{"reach < 500", signal, false},
		{"has_media", signal, true},
		{"has_media", both, false},
		{"authors(1h) == 4 and reach < 500 and not has_media", both, true},
		{"authors = 3", signal, true},
		{"items(2h) >= 2", signal, true},
		{"sources >= 2 or languages >= 2", signal, true},
		{"languages >= sources", signal, false},
		{"incidents(leak-tank, 60d) = 69", signal, true},
		{"sources >= 2 or sources >= 9 and sources >= 9", signal, true},
		{"(sources >= 2 or sources >= 9) and sources >= 9", signal, false},
		{"not not sources >= 2", signal, true},
		{"sources >= 2", mention, false}, // nothing adds up to anything
		{"not sources >= 2", mention, true},
	} {
		e, _, errs := parseExpr(c.text, ofMention|ofSignal, false)
		if len(errs) > 0 {
			t.Errorf("%s: %s", c.text, errs[0].what)
			continue
		}
		if got := e.Holds(c.facts); got != c.want {
			t.Errorf("%s: %t, want %t", c.text, got, c.want)
		}
	}
}

func TestBrokenExpressions(t *testing.T) {
	for _, c := range []struct {
		text string
		of   factOf
		at   int
		says string
	}{
		{"", ofMention, 0, "a fact is expected here, not the end"},
		{"rating <=", ofMention, 9, "not the end"},
		{"rating", ofMention, 6, "a comparison is expected"},
		{"rating <= 2 sentiment = negative", ofMention, 12, `"sentiment" is not expected here`},
		{"ratng <= 2", ofMention, 0, `unknown fact "ratng"`},
		{"authors(1h) >= 2", ofMention, 0, "authors is not known here"},
		{"sentiment = negative", ofSignal, 0, "sentiment is not known here"},
		{"authors(1x) >= 2", ofSignal, 8, "a duration is expected here"},
		{"authors(1h, 2h) >= 2", ofSignal, 0, "authors has 2 arguments"},
		{"incidents(60d) >= 2", ofSignal, 0, "incidents has 1 arguments"},
		{"authors(1h >= 2", ofSignal, 11, `")" is expected here`},
		{"(rating <= 2", ofMention, 12, `")" is expected here, not the end`},
		{"1 <= rating <= 2", ofMention, 12, "two comparisons in a row"},
		{"rating <= 2 and", ofMention, 15, "not the end"},
		{"sentiment < negative", ofMention, 10, "sentiment has no order"},
		{"sentiment = bad", ofMention, 12, `"bad" is not one of`},
		{"rating = low", ofMention, 9, "a number is expected here"},
		{"has_media = 1", ofMention, 10, "true or false and not compared"},
		{"language = english", ofMention, 11, "no language code"},
		{"1 < 2", ofMention, 0, "unknown fact"},
		{"foo(1h) > 2", ofMention, 0, "unknown fact"},
		{"rating <= 2 & private", ofMention, 12, `"&" is not expected here`},
		{strings.Repeat("(", 5000), ofMention, 0, "an expression of 5000 letters"},
		{strings.Repeat("(", 200), ofMention, 40, "nested too deep"},
		{strings.Repeat("not ", 200), ofMention, 160, "nested too deep"},
	} {
		_, _, errs := parseExpr(c.text, c.of, false)
		if len(errs) != 1 || errs[0].at != c.at || !strings.Contains(errs[0].what, c.says) {
			t.Errorf("%s: %v; want %q at %d", c.text, errs, c.says, c.at)
		}
	}
}

// What is wrong with one value of an expression hides nothing of the others; what cannot be read ends it.
func TestBrokenExpressionsTogether(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"ratng <= 2 and sentiment = bad and has_media = 1", `0 unknown fact "ratng", 27 "bad" is not one of negative, neutral, positive, 45 has_media is true or false and not compared`},
		{"authors(0h) >= 2 or items(999999w) > 1 or langages >= 2", `8 "0h" is no time to look back, 26 "999999w" is no time to look back, 42 unknown fact "langages"`},
		{"incidents(leak) >= 2 and foo(1h, 2) < rating", `0 incidents has 1 arguments, 25 unknown fact "foo"`},
		{"langages or sorces", `0 unknown fact "langages", 12 unknown fact "sorces"`},
		{"ratng <= 2 and ) or sentiment = bad", `0 unknown fact "ratng", 15 a fact is expected here, not ")"`},
	} {
		_, _, errs := parseExpr(c.text, ofMention|ofSignal, false)
		var told []string
		for _, err := range errs {
			told = append(told, fmt.Sprint(err.at, " ", err.what))
		}
		if got := strings.Join(told, ", "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

// What is wrong in an expression is told with its own column, however the text is quoted.
func TestExpressionPlaces(t *testing.T) {
	const rule = `version: 1
rules:
  - id: a
    title: A
    kind: burst
    match: {sentiment: negative}
    floor: {items: 5, authors: 3}
    severity_if: [{when: %s, severity: 2}]
`
	for _, c := range []struct {
		when string
		col  int
		says string
	}{
		{`"sources >= 2 or langages >= 2"`, 43, `unknown fact "langages"`},
		{`'sources >= 2 or langages >= 2'`, 43, `unknown fact "langages"`},
		{`sources >= 2 or langages >= 2`, 42, `unknown fact "langages"`},
		{`"incidents(lek, 60d) >= 2"`, 37, `unknown rule "lek"`},
		{`'rating <= 2'`, 27, "rating is not known here"},
	} {
		_, errs := one(t, fmt.Sprintf(rule, c.when), Options{})
		if len(errs) == 0 || errs[0].Pos != (Pos{"r.yml", 8, c.col}) || !strings.Contains(errs[0].What, c.says) {
			t.Errorf("%s:\n got %s\nwant %s at column %d", c.when, errs, c.says, c.col)
		}
	}
}

func TestMeasures(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"share(sentiment = negative)", ""},
		{"share(rating <= 2 and language = de)", ""},
		{"share(sentiment = negative", `")" is expected here, not the end`},
		{"sharp(sentiment = negative)", `"share" is expected here, not "sharp"`},
		{"share(authors(1h) > 2)", "authors is not known here"},
	} {
		_, _, errs := parseExpr(c.text, ofMention, true)
		if got := len(errs) > 0; got != (c.says != "") || got && !strings.Contains(errs[0].what, c.says) {
			t.Errorf("%s: %+v, want %q", c.text, errs, c.says)
		}
	}
}

// Whatever is written, reading it ends, and what is read can be asked.
func FuzzExpr(f *testing.F) {
	f.Add("authors(1h) == 1 and reach < 500 and not has_media")
	f.Add("share(sentiment = negative)")
	f.Add("incidents(leak-tank, 60d) >= 2 or 'x' = source")
	f.Fuzz(func(t *testing.T, text string) {
		for _, measure := range []bool{false, true} {
			e, _, errs := parseExpr(text, ofMention|ofSignal, measure)
			if (e == nil) == (len(errs) == 0) {
				t.Fatalf("%q: %v, %v", text, e, errs)
			}
			for _, err := range errs {
				if err.at < 0 || err.at > len(text) || err.what == "" {
					t.Fatalf("%q: %+v", text, err)
				}
			}
			if e == nil {
				continue
			}
			both := someFacts()
			both.Sum = someSum()
			for _, facts := range []*Facts{{}, someFacts(), both} {
				e.Holds(facts)
			}
		}
	})
}
