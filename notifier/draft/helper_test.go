package draft

import (
	"context"
	"sync"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"
)

// theHour is when the tests happen: a Monday in winter, 10:30 in Oslo.
var theHour = time.Date(2026, 11, 16, 9, 30, 0, 0, time.UTC)

const brandFile = `
version: 1
timezone: Europe/Oslo
brands:
  fjellbryg:
    names: [Fjellbryg, Fjell Bryg, Фьельбрюг, فيلبريغ]
    products: {one: [Fjellbryg One, the One], app: [Fjellbryg Home]}
    handles: {x: ["@fjellbryg"]}
    tone: {sign_off: "{{agent.first_name}}, Fjellbryg"}
    contact:
      dm: "https://fjellbryg.example/contact"
      status: "https://status.fjellbryg.example"
      phone: "+47 00 00 00 00"
    ambiguous: {"the One": {need_any: [coffee], within_words: 12}}
    languages: [de, sv]
`

// The sets that most tests share; nobody changes them.
var (
	starter  = sync.OnceValue(rules.Starter)
	brandSet = sync.OnceValue(func() *rules.Set {
		set, errs := rules.Parse([]rules.File{{Name: "test.yml", Data: []byte(brandFile)}}, rules.Options{})
		if set == nil {
			panic(errs)
		}
		return set
	})
)

// newLibrary returns the one Library of all tests: nobody can change it.
func newLibrary(testing.TB) *Library { return library() }

var library = sync.OnceValue(func() *Library {
	l, err := New(Options{})
	if err != nil {
		panic(err)
	}
	return l
})

// withBrand returns the set with the brand changed.
func withBrand(change func(b *rules.Brand)) *rules.Set {
	set := *brandSet()
	brand := *set.Brands["fjellbryg"]
	change(&brand)
	set.Brands = map[string]*rules.Brand{brand.ID: &brand}
	return &set
}

// parseRules reads rule files given as text on top of the embedded library.
func parseRules(t testing.TB, texts ...string) *rules.Set {
	t.Helper()
	var files []rules.File
	for _, text := range texts {
		files = append(files, rules.File{Name: "test.yml", Data: []byte(text)})
	}
	set, errs := rules.Parse(files, rules.Options{})
	if set == nil {
		t.Fatal(errs)
	}
	return set
}

// mention is a negative comment of Maja, to be changed by the test.
func mention(lang, category, text string) detector.Judged {
	return detector.Judged{
		Brand: "fjellbryg", Lang: lang, P: detector.P{Negative: 0.9, Neutral: 0.1}, Known: true,
		Category: category, Mention: sources.Mention{
			ID: "1", Source: "shop", Kind: sources.Comment, Text: text, Author: sources.Author{Name: "Maja"},
		},
	}
}

func request(set *rules.Set, m detector.Judged, network string) notifier.Request {
	return notifier.Request{Mention: m, Network: network, Rules: set, Now: theHour}
}

func makeDrafts(t testing.TB, l *Library, r notifier.Request) notifier.Suggestion {
	t.Helper()
	s, err := l.Draft(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func draftByID(t testing.TB, s notifier.Suggestion, id string) notifier.Draft {
	t.Helper()
	for _, d := range s.Drafts {
		if d.ID == id {
			return d
		}
	}
	t.Fatalf("no draft %q among %d", id, len(s.Drafts))
	return notifier.Draft{}
}

func guardResult(t testing.TB, d notifier.Draft, id, level string) notifier.Guard {
	t.Helper()
	for _, g := range d.Guards {
		if g.ID == id && g.Level == level {
			return g
		}
	}
	return notifier.Guard{ID: id, Level: level, Pass: true}
}
