package detector

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/prometheus/client_golang/prometheus"
)

// apart is a rule that judges complaints by something.
func apart(per string) *rules.Set {
	return mustRules(`
version: 1
brands: {acme: {names: [Acme], products: {one: [Acme One], two: [Acme Two]}}}
rules:
  - {id: apart, title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 2/week, baseline: {per: ` + per + `}}
`)
}

// What a mention counts for follows from what it names, and a key is read back to what it was made of.
func TestDims(t *testing.T) {
	it := &Item{Lang: "de", Products: []string{"one", "two"}, Categories: []string{"delivery"}, Key: sources.Key{Source: "a/b:language:sv/product:two"}}
	one, _ := apart("product").Rule("apart")
	asks := func(per string) *rules.Rule {
		r := *one
		r.Per = strings.Fields(per)
		return &r
	}
	for per, want := range map[string]string{
		"product":                   "[product:one product:two]",
		"language":                  "[language:de]",
		"language source":           "[language:de/source:a/b:language:sv/product:two]",
		"product source":            "[product:one/source:a/b:language:sv/product:two product:two/source:a/b:language:sv/product:two]",
		"category language product": "[category:delivery/language:de/product:one category:delivery/language:de/product:two]",
	} {
		r := asks(per)
		all := dims(r, it)
		expect(t, per, fmt.Sprint(all), want)
		for _, d := range all {
			if back, ok := watchedDim(r, signalName(r, d)); !ok || back != d {
				t.Errorf("%s: %q is read back as %q, %t", per, d, back, ok)
			}
			for by, value := range d.values(r) {
				if !slices.Contains(it.values(by), value) {
					t.Errorf("%s: %s of %q is %q", per, by, d, value)
				}
			}
		}
		if got := dims(r, &Item{Key: sources.Key{Source: "shop"}}); strings.Contains(per, "product") && len(got) > 0 {
			t.Errorf("%s: a mention that names no product counts for %q", per, got)
		}
	}
	if d, ok := watchedDim(asks("language"), "rule:apart/language:de/source:shop"); ok {
		t.Errorf("a series of what the rule asked before is taken for %q", d)
	}
}

// talk returns ordinary complaints that somebody has made his own, in the order of time.
func talk(seed uint64, from, to time.Time, perHour float64, own func(*sources.Mention)) []sources.Mention {
	ms := newStream(seed, perHour).between(from, to, 1)
	for k := range ms {
		ms[k].ID = fmt.Sprintf("%d-%d-%s", seed, from.Unix(), ms[k].ID)
		ms[k].Author.ID = ms[k].ID
		own(&ms[k])
	}
	return ms
}

func merged(lists ...[]sources.Mention) []sources.Mention {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b sources.Mention) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return all
}

func naming(text string) func(*sources.Mention) {
	return func(m *sources.Mention) { m.Text = "bad " + text }
}

// Of two products one has trouble: that is told once, and says which.
func TestOneProductBursts(t *testing.T) {
	skipShort(t)
	s := newStage(t, apart("product"))
	s.m.volatile = true
	turn := monday.Add(17 * day)
	s.live(merged(
		talk(1, monday, turn, 3, naming("Acme One")), talk(2, monday, turn, 3, naming("Acme Two")), talk(3, monday, turn, 6, naming("Acme"))))
	if got := s.pages(monday.Add(7*day), turn); len(got) > 1 {
		t.Errorf("calm weeks raised %d incidents: %s", len(got), got[0].Sentence)
	}
	s.told()
	end := turn.Add(4 * time.Hour)
	s.live(merged(
		talk(4, turn, end, 3, naming("Acme One")), talk(5, turn, end, 25, naming("Acme Two")), talk(6, turn, end, 6, naming("Acme"))))
	got := s.pages(turn, end)
	if len(got) != 1 {
		t.Fatalf("%d incidents", len(got))
	}
	i := got[0]
	says(t, i, "negative mentions about Acme Two from ", "usually ")
	expect(t, "what it is of", i.Evidence.Per, map[string]string{"product": "two"})
	expect(t, "signals", len(i.Signals), 1)
	expect(t, "series", i.Signals[0].Series, "rule:apart/product:two")
	expect(t, "signal", i.Signal, "negative")
	if roots := strings.Count(fmt.Sprint(s.told()), "root first"); roots != 1 {
		t.Errorf("told %d times", roots)
	}
	if w := i.Evidence.Window; w.Expected > 3*w.Length.Hours()*2+2 {
		t.Errorf("%g expected in %s: more than of one product", w.Expected, w.Length)
	}
	s.send(s.event("ann", OpFalseAlarm, i.ID, Args{}))
	later := end.Add(3 * time.Hour)
	s.live(merged(talk(7, end, later, 25, naming("Acme One")), talk(8, end, later, 3, naming("Acme Two"))))
	if got := s.pages(end, later); len(got) != 1 || got[0].Evidence.Product != "Acme One" {
		t.Errorf("trouble with the other product is %d incidents", len(got))
	}
	if share := s.m.brands["acme"].watchedBy(s.set.Rules[0]); share != 2 {
		t.Errorf("the budget is shared among %g series", share)
	}
}

// A mention that names two products counts for both, one that names none for neither; an edit takes it out again.
func TestTwoProductsInOneMention(t *testing.T) {
	s := newStage(t, apart("product"))
	both, none := s.mention("bad Acme One and Acme Two"), s.mention("bad Acme")
	s.hear(both, none)
	held := func() (n [2]float64) {
		for k, key := range []string{"one", "two"} {
			n[k] = s.m.brands["acme"].series["rule:apart/product:"+key].burst.countOver(1)
		}
		return n
	}
	expect(t, "counted", held(), [2]float64{1, 1})
	s.restart()
	expect(t, "after a restart", held(), [2]float64{1, 1})
	both.Op, both.Text = sources.Update, "bad Acme Two"
	s.hear(both)
	expect(t, "after the edit", held(), [2]float64{0, 1})
	past := s.mention("")
	past.Verdict = &sources.Verdict{Lang: "en", Known: true, Rules: []string{"apart"}, Products: []string{"one"}}
	past.Verdict.P.Negative = 1
	s.hear(past) // its text has expired
	expect(t, "with one from an export", held(), [2]float64{1, 1})
	if n := len(s.m.brands["acme"].series); n != 5 { // all, negative, source and two products
		t.Errorf("%d series: %v", n, sortedKeys(s.m.brands["acme"].series))
	}
}

// Trouble in one language on one source stands out from what is said there in others, and in the language elsewhere; the
// alert names both.
func TestOnePairBursts(t *testing.T) {
	skipShort(t)
	s := newStage(t, apart("[source, language]"))
	s.m.volatile = true
	turn, end := monday.Add(17*day), monday.Add(17*day+4*time.Hour)
	at := func(source, lang string) func(*sources.Mention) {
		return func(m *sources.Mention) { m.Source, m.Lang = source, lang }
	}
	s.live(merged(
		talk(1, monday, turn, 3, at("shop", "de")), talk(2, monday, turn, 3, at("shop", "en")), talk(3, monday, turn, 3, at("forum", "de"))))
	s.live(merged(
		talk(4, turn, end, 3, at("shop", "de")), talk(5, turn, end, 3, at("shop", "en")), talk(6, turn, end, 25, at("forum", "de"))))
	got := s.pages(turn, end)
	if len(got) != 1 {
		t.Fatalf("%d incidents", len(got))
	}
	i := got[0]
	says(t, i, "negative mentions in German from ", "; all on forum")
	expect(t, "what it is of", i.Evidence.Per, map[string]string{"language": "de", "source": "forum"})
	r := s.set.Rules[0]
	all := s.m.Standings("acme", r, s.now)
	if len(all) != 3 || all[0].Per["language"] != "de" || all[0].Per["source"] != "forum" || all[0].Incident != i.ID {
		t.Errorf("standings %+v", all)
	}
}

// A share is judged by product as well.
func TestShareOfOneProductShifts(t *testing.T) {
	skipShort(t)
	s := newStage(t, mustRules(`
version: 1
brands: {acme: {names: [Acme], products: {one: [Acme One], two: [Acme Two]}}}
rules:
  - {id: mood, title: The mood tips, kind: shift, measure: share(sentiment = negative), window: 3h, floor: {items: 20, authors: 8}, budget: 1/month, baseline: {per: product}}
`))
	s.m.volatile = true
	of := func(product string, ms []sources.Mention) []sources.Mention {
		for k := range ms {
			ms[k].ID, ms[k].Text = product+ms[k].ID, ms[k].Text+" "+product
			ms[k].Author.ID = ms[k].ID
		}
		return ms
	}
	turn, end := monday.Add(21*day-2*time.Hour), monday.Add(21*day+3*time.Hour)
	s.live(merged(of("Acme One", mixed(1, monday, turn, 12, 0.15)), of("Acme Two", mixed(2, monday, turn, 12, 0.4))))
	if got := s.incidentsOf("mood"); len(got) > 0 {
		t.Fatalf("calm weeks raised %s", got[0].Sentence)
	}
	s.live(merged(of("Acme One", mixed(3, turn, end, 12, 0.65)), of("Acme Two", mixed(4, turn, end, 12, 0.4))))
	i := s.oneIncidentOf("mood")
	says(t, i, "% of the mentions in the last 3 hours about Acme One are negative", "people); usually 1")
	expect(t, "trails", sortedKeys(s.m.brands["acme"].trails), []string{"shift:mood/product:one", "shift:mood/product:two"})
}

// However many values come from outside, a rule has so many series and no more. What is refused is counted in a metric, and a
// restart gives nobody more room.
func TestSeriesOfARuleAreBounded(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	set := mustRules(`
version: 1
brands: {acme: {names: [Acme]}}
rules:
  - {id: tongues, title: A, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, baseline: {per: [source, language]}}
  - {id: moods, title: B, kind: shift, measure: share(sentiment = negative), window: 3h, floor: {items: 5, authors: 3}, budget: 1/week, baseline: {per: language}}
`)
	d, store := open(t, func(o *Options) { o.Rules, o.Metrics = set, reg })
	say := func(round string, n int) {
		t.Helper()
		b := batch(round, slices.Repeat([]string{"bad"}, n)...)
		for k := range b.Mentions {
			b.Mentions[k].Lang, b.Mentions[k].CreatedAt = fmt.Sprintf("x%d", k), monday
		}
		if _, err := d.Ingest(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	counted := func() (series, trails int) {
		b := d.model.brands["acme"]
		for name := range b.series {
			if strings.HasPrefix(name, "rule:tongues/") {
				series++
			}
		}
		return series, len(b.trails)
	}
	const more = 40
	say("a", maxDims+more)
	for range 2 {
		if series, trails := counted(); series != maxDims || trails != maxDims {
			t.Errorf("%d series and %d trails, want %d", series, trails, maxDims)
		}
		if n := d.model.brands["acme"].series["rule:tongues/language:x0/source:shop"].burst.countOver(1); n < 1 {
			t.Error("one that was there first is not counted any more")
		}
		d, _ = open(t, func(o *Options) { o.Rules, o.Store, o.Metrics = set, store, nil })
		say("b", maxDims+more)
	}
	families, _ := reg.Gather()
	for _, f := range families {
		if f.GetName() == "emberwatch_series_refused_total" {
			expect(t, "refused", f.GetMetric()[0].GetCounter().GetValue(), float64(2*more))
			return
		}
	}
	t.Error("there is no metric of what is refused")
}

// However many series a rule judges by themselves, it tells no more often than its budget says.
func TestSeriesOfARuleShareItsBudget(t *testing.T) {
	skipShort(t)
	const weeks, perWeek = 6, 1.0
	end := monday.AddDate(0, 0, 7*weeks)
	for kind, rule := range map[string]string{
		"products": "kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 1/week, baseline: {per: product}",
		"no hours": "kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 1/week, baseline: {per: product, season: none}",
	} {
		s := newStage(t, mustRules(`
version: 1
brands: {acme: {names: [Acme], products: {p0: [Acme Nought], p1: [Acme One], p2: [Acme Two], p3: [Acme Three], p4: [Acme Four], p5: [Acme Five]}}}
rules:
  - {id: r, title: R, `+rule+`}
`))
		s.m.volatile = true
		var all [][]sources.Mention
		for k, name := range []string{"Nought", "One", "Two", "Three", "Four", "Five"} {
			all = append(all, talk(uint64(20+k), monday, end, 3, func(m *sources.Mention) {
				m.Source, m.Lang, m.Text = []string{"shop", "forum"}[k%2], []string{"en", "de", "sv"}[k/2], "bad Acme "+name
			}))
		}
		s.live(merged(all...))
		got := len(s.pages(monday.AddDate(0, 0, 7), end))
		t.Logf("%s: %d told in %d weeks of six series", kind, got, weeks-1)
		if most := perWeek * (weeks - 1); float64(got) > 1.25*most {
			t.Errorf("%s: %d told in %d weeks, the budget is %g a week", kind, got, weeks-1, perWeek)
		}
	}
}
