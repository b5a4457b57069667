package notifier_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"
)

// shelf is a reader of some mentions of one brand.
type shelf struct {
	detector.Reader
	mentions []detector.Judged
}

func (s *shelf) Mentions(_ context.Context, f detector.MentionFilter) ([]detector.Judged, error) {
	var out []detector.Judged
	for _, j := range s.mentions {
		at := j.Mention.CreatedAt
		if !f.From.IsZero() && at.Before(f.From) || !f.To.IsZero() && !at.Before(f.To) || f.Label != "" && j.P.Label() != f.Label || f.Source != "" && j.Mention.Source != f.Source {
			continue
		}
		out = append(out, j)
	}
	return out, nil
}

func (s *shelf) MentionsByKey(_ context.Context, _ string, keys []sources.Key) ([]detector.Judged, error) {
	return slices.DeleteFunc(slices.Clone(s.mentions), func(j detector.Judged) bool { return !slices.Contains(keys, j.Mention.Key()) }), nil
}

// echo gives back what it was asked about.
type echo struct {
	now, before, names []string
}

func (e *echo) Topics(now, before []detector.Text, names []string, n int) []detector.Topic {
	bodies := func(ts []detector.Text) (out []string) {
		for _, t := range ts {
			out = append(out, t.Body)
		}
		slices.Sort(out)
		return out
	}
	e.now, e.before, e.names = bodies(now), bodies(before), names
	return []detector.Topic{{Words: "a|b", Count: 3, Of: 4}, {Words: "c", Count: 2, Of: 4}}
}

func TestAboutLooksAtTheIncidentsMentions(t *testing.T) {
	start := time.Date(2026, 11, 9, 8, 0, 0, 0, time.UTC)
	bad, good := detector.P{Negative: 1}, detector.P{Positive: 1}
	said := func(text string, at time.Duration, p detector.P, vis sources.Visibility, categories ...string) detector.Judged {
		source, _, _ := strings.Cut(text, "-")
		return detector.Judged{Brand: "acme", P: p, Known: true, Own: text == "own", Rules: []string{"watch-" + text}, Categories: categories, Mention: sources.Mention{
			ID: text, Source: source, Text: text, CreatedAt: start.Add(at), Visibility: vis,
		}}
	}
	r := &shelf{mentions: []detector.Judged{
		said("old", -40*24*time.Hour, bad, sources.Public),
		said("usual", -50*time.Hour, good, sources.Public),
		said("leak", time.Minute, bad, sources.Public, "quality_defect"),
		said("late", 2*time.Minute, bad, sources.Public, "delivery"),
		said("nice", 3*time.Minute, good, sources.Public),
		said("own", 3*time.Minute, bad, sources.Public),
		said("secret", 4*time.Minute, bad, sources.Private, "quality_defect"),
	}}
	window := detector.Evidence{Window: detector.Window{Length: time.Hour}}
	for _, c := range []struct {
		name    string
		inc     detector.Incident
		private bool
		now     string
	}{
		{"negative", detector.Incident{Signal: "negative", Evidence: window}, false, "late leak"},
		{"negative on a private route", detector.Incident{Signal: "negative", Evidence: window}, true, "late leak secret"},
		{"one topic", detector.Incident{Signal: "category:quality_defect", Evidence: window}, false, "leak"},
		{"one source", detector.Incident{Signal: "source:nice", Evidence: window}, false, "nice"},
		{"one rule", detector.Incident{Signal: "rule:watch-nice", Rule: "watch-nice", Evidence: window}, false, "nice"},
		{"volume", detector.Incident{Signal: "all", Evidence: window}, false, "late leak nice"},
		{"single mentions", detector.Incident{Signal: "rule:safety", Evidence: detector.Evidence{Mentions: []sources.Key{r.mentions[3].Mention.Key()}}}, false, "late"},
	} {
		c.inc.Brand, c.inc.Since = "acme", start
		e := &echo{}
		about := notifier.About{Reader: r, Topics: e}
		ts, err := about.Find(t.Context(), &c.inc, &rules.Brand{ID: "acme", Names: []string{"Acme Coffee"}}, c.private)
		if err != nil || len(ts) != 2 {
			t.Errorf("%s: %v, %v", c.name, ts, err)
		}
		if got := strings.Join(e.now, " "); got != c.now {
			t.Errorf("%s: the incident's mentions are %q, want %q", c.name, got, c.now)
		}
		if got := fmt.Sprint(e.before, e.names); got != "[usual] [acme Acme Coffee]" {
			t.Errorf("%s: before, and names: %s", c.name, got)
		}
	}
}

func TestAboutMayBeNothing(t *testing.T) {
	var none *notifier.About
	if ts, err := none.Find(t.Context(), &detector.Incident{}, nil, false); ts != nil || err != nil {
		t.Errorf("%v, %v", ts, err)
	}
}

func TestTopicWords(t *testing.T) {
	got := notifier.TopicWords(nil, []detector.Topic{{Words: "a|b", Count: 3, Of: 4}, {Words: "c", Count: 2, Of: 4}}, func(s string) string { return strings.ReplaceAll(s, "|", "/") })
	if want := "a/b (3 of 4) · c (2 of 4)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
