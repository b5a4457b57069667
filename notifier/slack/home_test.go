package slack_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
	"emberwatch/rules"
	"emberwatch/sources"
)

// desktop is a Reader with an incident of Boris, one of nobody and one of somebody else.
func desktop() shelf {
	mine, unowned, theirs := other("fjellbryg-1"), other("fjellbryg-2"), other("fjellbryg-3")
	mine.Handling, mine.Owner = detector.Acked, "boris"
	unowned.Severity = rules.Crisis
	theirs.Handling, theirs.Owner = detector.Acked, "U0INGRID"
	return shelf{open: []detector.Incident{theirs, mine, unowned}, mentions: notifiertest.Sample().Quotes}
}

// clocks has all mentions of a shelf wait for an answer.
func clocks(r shelf) func(*slack.Config) {
	return func(cfg *slack.Config) {
		cfg.Reader, cfg.Waiting = r, func(int) (list []detector.Waiting) {
			for i := range r.mentions {
				list = append(list, detector.Waiting{Brand: "fjellbryg", Key: r.mentions[i].Mention.Key(), At: r.mentions[i].Mention.CreatedAt})
			}
			return list
		}
		cfg.Rules = func() *rules.Set {
			return &rules.Set{SLAs: map[string]*rules.SLA{"complaint": {}}, Brands: map[string]*rules.Brand{"fjellbryg": {Names: []string{"Fjellbryg Ltd"}}}}
		}
	}
}

func TestTheHomeTab(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, _, _ := listening(t, d, clocks(desktop()))
	s.Allow("<@U0INGRID>")
	if _, err := s.OpenHome(t.Context(), "U0BORIS"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the home tab", func() bool { return s.Home("U0BORIS") != nil })
	goldenView(t, "home", s.Home("U0BORIS"))
	shown := readable(t, s.Home("U0BORIS"))
	at := -1
	for _, want := range []string{
		"👤 Yours", "fjellbryg-1", "⏳ Nobody is on it", "fjellbryg-2", "🤝 Others are on it", "fjellbryg-3",
		"Waiting longest for an answer", "Seit drei Wochen warte ich", "Fjellbryg Ltd · waiting 25 min",
	} {
		k := strings.Index(shown, want)
		if k < at {
			t.Errorf("%q is missing or out of place in\n%s", want, shown)
		}
		at = max(k, at)
	}
	before := s.Calls("views.publish")
	if _, err := s.ClickView(t.Context(), "U0BORIS", "ack", values(t, s.Home("U0BORIS"), "ack")[0]); err != nil {
		t.Fatal(err)
	}
	if e := d.all()[0]; e.Op != detector.OpAck || e.Incident != "fjellbryg-2" {
		t.Errorf("%+v", e)
	}
	eventually(t, "the renewal", func() bool { return s.Calls("views.publish") > before })
	clean(t, s)
}

// TestTheHomeTabKnowsWhoWaits: by the answer clocks alone, whether or not an incident is open.
func TestTheHomeTabKnowsWhoWaits(t *testing.T) {
	asked := notifiertest.Sample().Quotes[:1]
	quiet := slices.Clone(asked)
	quiet[0].Mention.Visibility = sources.Private
	gone := func(cfg *slack.Config) { cfg.Reader = shelf{} }
	none := func(cfg *slack.Config) { cfg.Rules = func() *rules.Set { return &rules.Set{} } }
	for _, c := range []struct {
		name   string
		r      shelf
		change func(*slack.Config)
		want   string
	}{
		{"a complaint", shelf{mentions: asked}, nil, "Fjellbryg Ltd · waiting"},
		{"nothing", shelf{}, nil, "Nobody waits for an answer."},
		{"a direct message", shelf{mentions: quiet}, nil, "Those who wait wrote directly"},
		{"a deleted one", shelf{mentions: asked}, gone, "or their words are gone"},
		{"no clocks", shelf{open: desktop().open, mentions: asked}, none, "No rule has answer clocks"},
	} {
		s, _, _ := listening(t, &desk{}, func(cfg *slack.Config) {
			clocks(c.r)(cfg)
			if c.change != nil {
				c.change(cfg)
			}
		})
		s.Allow("<@U0INGRID>")
		if _, err := s.OpenHome(t.Context(), "U0BORIS"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the home tab", func() bool { return s.Home("U0BORIS") != nil })
		if shown := readable(t, s.Home("U0BORIS")); !strings.Contains(shown, c.want) {
			t.Errorf("%s: %q is missing in\n%s", c.name, c.want, shown)
		}
		clean(t, s)
	}
}

func TestTheHomeTabHoldsManyHostileIncidents(t *testing.T) {
	var r shelf
	for k, h := range append(notifiertest.Hostile(), notifiertest.Hostile()...) {
		i := notifiertest.Poison(notifiertest.Sample(), h).Incident
		i.ID, i.Owner = "fjellbryg-"+string(rune('a'+k)), ""
		r.open = append(r.open, i)
	}
	r.mentions = notifiertest.Poison(notifiertest.Sample(), "<!channel>").Quotes
	s, _, _ := listening(t, &desk{}, clocks(r))
	if _, err := s.OpenHome(t.Context(), "U0BORIS"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the home tab", func() bool { return s.Home("U0BORIS") != nil })
	clean(t, s)
}

func TestTheCommand(t *testing.T) {
	german := func() *rules.Set {
		return &rules.Set{Routes: map[string]*rules.Route{"default": {Language: "de"}}}
	}
	english := func() *rules.Set {
		return &rules.Set{Brands: map[string]*rules.Brand{"fjellbryg": {Names: []string{"Fjellbryg Ltd"}}}}
	}
	for _, c := range []struct {
		words string
		set   func() *rules.Set
		want  []string
		op    detector.Operation
		lasts time.Duration
	}{
		{"", english, []string{"🔴 *Crisis* fjellbryg-2", "fjellbryg-1", "fjellbryg-3"}, "", 0},
		{"mine", english, []string{"fjellbryg-1"}, "", 0},
		{"brand Fjellbryg Ltd", english, []string{"fjellbryg-2"}, "", 0},
		{"brand nobody", english, []string{"Nothing is open for nobody."}, "", 0},
		{"ack fjellbryg-2", english, []string{"Done: fjellbryg-2"}, detector.OpAck, 0},
		{"ack fjellbryg-2 2h", english, []string{"Done: fjellbryg-2"}, detector.OpAck, 2 * time.Hour},
		{"snooze fjellbryg-2 1d", english, []string{"Done: fjellbryg-2"}, detector.OpSnooze, 24 * time.Hour},
		{"snooze fjellbryg-2 soon", english, []string{"“soon” is no length of time"}, "", 0},
		{"ack", english, []string{"Say which incident, as in: `/emberwatch ack fjellbryg-3 2h`"}, "", 0},
		{"help", english, []string{"`/emberwatch` snooze ID 2h"}, "", 0},
		{"sing &lt;!here&gt;", english, []string{"I do not know “sing”", "`/emberwatch` mine"}, "", 0},
		{"status", german, []string{"🔴 *Krise* fjellbryg-2", "Noch kümmert sich niemand darum"}, "", 0},
		{"help", german, []string{"was offen ist"}, "", 0},
	} {
		d := &desk{result: detector.Result{Outcome: detector.Applied}}
		s, _, _ := listening(t, d, func(cfg *slack.Config) { cfg.Reader, cfg.Rules = desktop(), c.set })
		ack, err := s.Slash(t.Context(), "/emberwatch", c.words, "U0BORIS")
		if err != nil {
			t.Fatal(err)
		}
		got := strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(string(ack.Payload))
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("%q: %s\nwant %q", c.words, got, w)
			}
		}
		if strings.Contains(got, "<!here>") {
			t.Error("a mention got through")
		}
		events := d.all()
		if c.op == "" && len(events) > 0 || c.op != "" && (len(events) != 1 || events[0].Op != c.op || time.Duration(events[0].Args.For) != c.lasts || events[0].ID == "U0BORIS"+string(c.op)) {
			t.Errorf("%q: %+v", c.words, events)
		}
		clean(t, s)
	}
}
