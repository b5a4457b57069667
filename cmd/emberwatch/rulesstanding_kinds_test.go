package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
	"emberwatch/sources"
)

const explainedRules = `
version: 1
timezone: Europe/Oslo
brands: {acme: {names: [Acme], own_authors: ["shop:acme"]}}
sla: {complaint: {}}
rules:
  - {id: neg, title: More complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: {severity_3: 2/month, severity_2: 1/month}}
  - {id: mood, title: The mood tips, kind: shift, measure: share(sentiment = negative), window: 3h, floor: {items: 12, authors: 8}, budget: 1/month}
  - {id: runs, title: One post is spreading, kind: spread, match: {sentiment: negative}, floor: {shares: 50}, budget: {severity_2: 1/week}}
  - {id: backfire, title: Our answer draws anger, kind: backlash, under: own_authors, floor: {items: 6, authors: 5}, budget: {severity_2: 2/month}}
  - {id: leave, title: Followers leave, kind: gauge, metric: followers, direction: down, budget: 1/month}
  - {id: silent, title: A source has gone quiet, kind: silence, sources: "*", severity: 4}
  - {id: late, title: Complaints wait, kind: unanswered, match: {sentiment: negative, kinds: [comment]}, sla: complaint, severity: 3}
  - {id: hurt, title: Somebody may be hurt, kind: each, match: {category: safety_injury}, dedupe: {by: [author, text], for: 24h}, severity: 2}
  - {id: fronts, title: Several alarms at once, kind: correlate, of: [neg, hurt, runs], within: 2h, severity: 1}
`

// chronicle is a history that rules of all kinds have something to say about.
type chronicle struct {
	rng *rand.Rand
	at  time.Time
	n   int
	all []sources.Mention
}

func (p *chronicle) write(text string, change ...func(*sources.Mention)) sources.Mention {
	p.n++
	m := sources.Mention{
		ID: fmt.Sprintf("m%d", p.n), Source: "shop", Kind: sources.Comment, Brand: "acme", Text: text, Lang: "en",
		Author: sources.Author{ID: fmt.Sprintf("a%d", p.n)}, CreatedAt: p.at,
	}
	for _, f := range change {
		f(&m)
	}
	p.all = append(p.all, m)
	return m
}

func (p *chronicle) complain() sources.Mention {
	return p.write(fmt.Sprintf("terrible %s, %s", []string{"coffee", "machine", "tank", "pump"}[p.rng.IntN(4)], []string{"awful", "useless", "broken"}[p.rng.IntN(3)]))
}

func under(id string) func(*sources.Mention) {
	return func(m *sources.Mention) { m.ParentID = id }
}

// explainedPast is sixteen days: calm ones, and a bad morning at the end.
func explainedPast() (ms []sources.Mention, until time.Time) {
	p := &chronicle{rng: rand.New(rand.NewPCG(1, 2)), at: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}
	end := p.at.Add(15*24*time.Hour + 11*time.Hour)
	for followers := 48000.0; p.at.Before(end); p.at = p.at.Add(12 * time.Minute) {
		if p.at.Minute() == 0 {
			followers += 3 * p.rng.NormFloat64()
			p.write("", func(m *sources.Mention) {
				m.Kind, m.Source, m.Author = sources.Metric, "stats", sources.Author{}
				m.Metric = &sources.Gauge{Name: "followers", Value: math.Round(followers)}
			})
		}
		switch h := p.at.Hour(); {
		case h < 7 || h > 20:
		case p.rng.Float64() < 0.12:
			first := p.complain()
			p.write("we will look into it", under(first.ID), func(m *sources.Mention) { m.Author.ID = "acme" })
		default:
			p.write("great coffee, thank you")
		}
	}
	own := p.write("we are sorry about the leaking tanks", func(m *sources.Mention) { m.Author.ID = "acme" })
	for range 9 {
		p.at = p.at.Add(5 * time.Minute)
		p.write("terrible excuse, awful", under(own.ID))
	}
	post := p.complain()
	for k := range 30 {
		p.at = p.at.Add(time.Minute)
		p.write("", under(post.ID), func(m *sources.Mention) { m.Kind = sources.Share })
		if k%10 == 0 {
			p.write("the machine burned my hand, I am in hospital", func(m *sources.Mention) { m.Author.ID = "hurt" })
		}
	}
	return p.all, p.at.Add(time.Minute)
}

// A rule of every kind is explained in words: what there is, from when on it tells, what it lacks, what came nearest.
func TestExplainEveryKind(t *testing.T) {
	t.Parallel()
	history, until := explainedPast()
	set, errs := rules.Parse([]rules.File{{Name: "rules.yml", Data: []byte(explainedRules)}}, rules.Options{})
	if errs.Refused() {
		t.Fatal(errs)
	}
	r := detector.NewReplay(set, sentiment.New())
	r.Run(history)
	for _, c := range []struct {
		rule string
		want []string
	}{
		{"neg", []string{
			"now 12 negative mentions from 11 people in the last 2 hours; at this time of a Tuesday usually 1, rarely more than 4; all on shop.",
			"last seen usual rarely beyond surprise 5m 0 0.05 1 0.0 30m 1 0.30 2 0.0 2h 12 0.99 4 8.3 6h 12 2.5 11 2.1",
			"tells from a score of 0.90 on, now 8.41; it has begun, and this keeps it going; at least 5 mentions from 3 people",
			"severity 2: an unusual number of complaints; above the bar of its budget for severity 2 2 from a score of 2.54 on",
			"incident acme-1 since 2026-03-17 12:25 CET, severity 1: hurt and neg tell at the same time",
			"also slow rise: 12 negative mentions in 1 hour where 0.5 are usual",
			"nearest 2026-03-17 12:25 CET, score 11.69 for 35 min, told",
			"incidents opened since 2026-03-02: 1, of severity 1 to 3: 1; its budget allows 1.6",
		}},
		{"mood", []string{
			"acme, share, as of 2026-03-17 13:16 CET", "negative (12 of 20, from 11 people); usually 11 %, rarely more than 40 %",
			"verdict told", "severity 3: an unusual share of negative mentions",
		}},
		{"runs", []string{
			"was shared 30 times in the last hour, 30 times in all; the rule asks to be told from 50",
			"tells from 50 shares of one mention within an hour on verdict not told: 30 of 50 shares", "the rule's floor is enough for that",
			"severity 2 if it told now: one mention is passed on 30 times an hour",
		}},
		{"backfire", []string{
			"acme, backlash, m1570, as of", "now 9 negative replies under one own post from 9 people in the last 2 hours", "usually almost none",
		}},
		{"leave", []string{
			"acme, gauge:followers, stats, as of", "now Followers on stats rose by 6 to 48019 in the last 6 hours",
			"6h +6 +0.30 +22 0.0 168h +37 +8.5 +121 0.0", "a move of at least 97 beyond the usual",
			"verdict not told: it has moved 28 otherwise than usual, of at least 97", "also the last value came at 2026-03-17 11:00 CET",
		}},
		{"silent", []string{
			"now shop spoke last at 2026-03-17 13:15 CET, 1 min ago; since then next to nothing was to be expected, at this hour one usually comes every 14 min.",
			"if nothing comes that is at 2026-03-17 17:15 CET, after 4 h verdict not told: it has not been silent for long enough",
			"acme, silence, stats, as of", "tells never: what is usual is learnt only of sources that bring something in words",
		}},
		{"late", []string{
			"now 3 complaints have been waiting longer than 1 h for an answer, the longest for 1 h 11 min",
			"the next clock runs out at 2026-03-17 13:20 CET; more of them are told 15 min apart",
			"severity 3: complaints have no answer after 1 h 2 once a second clock has run out",
			"waiting 2026-03-17 12:05 CET, shop m1571, told", "shop m1575, due at 2026-03-17 13:25 CET",
		}},
		{"hurt", []string{
			"now 3 mentions from one person write about safety and injury within a day (matched “burned my”)",
			"what repeats the author and text within 24 h is one verdict not told: the last match repeats one that was told",
			"also 3 mentions matched in the last seven days within a day 2 repeated the author and text of one that was told",
			"shop m1593, repeats one that was told", "shop m1582, told",
		}},
		{"fronts", []string{
			"tells when 2 of hurt, neg, runs tell within 2 h verdict told", "severity 1: hurt and neg tell at the same time",
			"2026-03-17 12:46 CET, hurt, last above its bar at 2026-03-17 12:46 CET, counts",
		}},
	} {
		rule, _ := set.Rule(c.rule)
		res := standingsOf(set, rule, r.Standings("", rule, until))
		res.Practice = r.Practice("", rule)
		var out bytes.Buffer
		if err := (&app{stdout: &out}).printStandings(false, &res); err != nil {
			t.Fatal(err)
		}
		words := strings.Join(strings.Fields(out.String()), " ")
		for _, w := range c.want {
			if !strings.Contains(words, w) {
				t.Errorf("%s lacks %q:\n%s", c.rule, w, out.String())
			}
		}
	}
}

// The command asks a replay of files; its JSON says what the words say, and keeps the keys that it had for bursts alone.
func TestExplainFromFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all, until := explainedPast()
	var lines bytes.Buffer
	for _, m := range all[len(all)-100:] {
		line, _ := json.Marshal(m)
		lines.Write(append(line, '\n'))
	}
	args := []string{
		"emberwatch", "rules", "explain", "hurt", "--rules", writeFile(t, filepath.Join(dir, "rules.yml"), explainedRules),
		"--at", until.Format(time.RFC3339), "--json", writeFile(t, filepath.Join(dir, "past.ndjson"), lines.String()),
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	var got standingsJSON
	var keys struct {
		Standings []map[string]any `json:"standings"`
	}
	if err := errors.Join(json.Unmarshal(out.Bytes(), &got), json.Unmarshal(out.Bytes(), &keys)); err != nil {
		t.Fatal(err)
	}
	if len(got.Standings) != 1 || got.Practice == nil {
		t.Fatalf("got %s", out.String())
	}
	st := &got.Standings[0]
	if told := fmt.Sprintf("%g %d %d %d %s %d", st.Window.Observed, st.Repeats, st.Week, len(st.Latest), st.Incident, got.Practice.Told); told != "3 2 3 3 acme-1 1" {
		t.Errorf("got %s of\n%s", told, out.String())
	}
	for _, key := range []string{"brand", "rule", "signal", "at", "window", "windows", "score", "bar", "floor", "authors", "nearest"} {
		if _, ok := keys.Standings[0][key]; !ok {
			t.Errorf("no %s in\n%s", key, out.String())
		}
	}
}
