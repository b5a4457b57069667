package notifier_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/google/go-cmp/cmp"
)

// told sets the scene, sends the one alert that is due and returns its message.
func told(t *testing.T, rows []detector.Alert, set func(s *stage)) *notifier.Message {
	t.Helper()
	var m *notifier.Message
	play(t, rows, func(t *testing.T, s *stage) {
		if set != nil {
			set(s)
		}
		s.start()
		s.run(time.Minute)
		if len(s.slack.told) != 1 {
			t.Fatalf("%d messages:\n%q", len(s.slack.told), s.lines())
		}
		m = s.slack.told[0]
	})
	return m
}

var oneRoot = []detector.Alert{alert(1, detector.KindRoot)}

// change alters the incident as the outbox holds it.
func (o *outbox) change(id string, edit func(*detector.Incident)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, _ := o.model.Incident(id)
	edit(&i)
	if err := o.model.Restore(&detector.State{Incidents: []detector.Incident{i}, Seq: 1000}); err != nil {
		o.stage.t.Error(err)
	}
}

// quotable makes mentions with the ids given: "dm…" are direct messages, "gone…" were deleted. Their keys are the
// incident's evidence, in that order.
func quotable(s *stage, ids ...string) {
	var keys []sources.Key
	for _, id := range ids {
		j := detector.Judged{Brand: "acme", Mention: sources.Mention{
			Source: "shop", ID: id, Kind: sources.Comment, Visibility: sources.Public, Text: "text of " + id,
		}}
		keys = append(keys, j.Mention.Key())
		if strings.HasPrefix(id, "gone") {
			continue
		}
		if strings.HasPrefix(id, "dm") {
			j.Mention.Kind, j.Mention.Visibility = sources.DM, sources.Private
		}
		s.archive.mentions = append([]detector.Judged{j}, s.archive.mentions...)
	}
	s.out.change("acme-1", func(i *detector.Incident) { i.Evidence.Mentions = keys })
}

func TestQuotes(t *testing.T) {
	for _, c := range []struct {
		name     string
		evidence []string
		open     bool // the route may show direct messages
		want     []string
		private  int
	}{
		{name: "nothing to quote"},
		{name: "the most telling first", evidence: []string{"c", "a", "b"}, want: []string{"c", "a", "b"}},
		{name: "five at most", evidence: []string{"a", "b", "c", "d", "e", "f", "g"}, want: []string{"a", "b", "c", "d", "e"}},
		{name: "direct messages are a number", evidence: []string{"dm1", "a", "dm2", "b"}, want: []string{"a", "b"}, private: 2},
		{name: "only direct messages", evidence: []string{"dm1", "dm2"}, private: 2},
		{name: "a private route shows them", open: true, evidence: []string{"dm1", "a"}, want: []string{"dm1", "a"}},
		{name: "deleted ones are gone, others take their place", evidence: []string{"gone1", "a", "gone2", "b", "c", "d", "e"}, want: []string{"a", "b", "c", "d", "e"}},
		{name: "a direct message takes no quote's place", evidence: []string{"dm1", "a", "b", "c", "d", "e"}, want: []string{"a", "b", "c", "d", "e"}, private: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := told(t, oneRoot, func(s *stage) {
				s.set.Routes["pr"].Private = c.open
				quotable(s, c.evidence...)
			})
			var got []string
			for _, q := range m.Quotes {
				got = append(got, q.Mention.ID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || m.Private != c.private {
				t.Errorf("%d direct messages left out, want %d; quotes:\n%s", m.Private, c.private, diff)
			}
		})
	}
}

func TestQuotesAreOfTheBrand(t *testing.T) {
	m := told(t, oneRoot, func(s *stage) {
		quotable(s, "a", "b")
		s.archive.mentions[0].Brand = "rival"
	})
	if len(m.Quotes) != 1 || m.Quotes[0].Brand != "acme" {
		t.Errorf("quotes %+v", m.Quotes)
	}
}

func TestBrand(t *testing.T) {
	known := told(t, oneRoot, nil)
	if known.Brand.ID != "acme" || known.Brand.Names[0] != "Acme" {
		t.Errorf("a named brand: %+v", known.Brand)
	}
	unknown := told(t, oneRoot, func(s *stage) {
		s.out.change("acme-1", func(i *detector.Incident) { i.Brand = "upstart" })
	})
	if diff := cmp.Diff(&rules.Brand{ID: "upstart"}, unknown.Brand); diff != "" {
		t.Errorf("a brand that no file names:\n%s", diff)
	}
	heard := told(t, oneRoot, func(s *stage) {
		s.out.change("acme-1", func(i *detector.Incident) { i.Brand = "umbrella" })
	})
	if diff := cmp.Diff(&rules.Brand{ID: "umbrella", Names: []string{"Umbrella Co"}}, heard.Brand); diff != "" {
		t.Errorf("a brand known by the name its mentions gave it:\n%s", diff)
	}
}

// TestNext: who hears of it if nobody acknowledges, in the words of the route.
func TestNext(t *testing.T) {
	step := func(to string) func(*stage) {
		return func(s *stage) {
			s.set.Routes["pr"].Ladder = []rules.Step{{After: 15 * time.Minute, Severity: rules.Serious, To: to}}
		}
	}
	route := func(id string, to rules.Slack) func(*stage) {
		return func(s *stage) {
			s.set.Routes[id] = &rules.Route{ID: id, Slack: to}
			step(id)(s)
		}
	}
	at := midnight.Add(15 * time.Minute)
	for _, c := range []struct {
		name string
		set  func(*stage)
		want *notifier.Escalation
	}{
		{"the default ladder tells the same channel again", nil, &notifier.Escalation{At: midnight.Add(20 * time.Minute), To: "#pr"}},
		{"a channel", step("crisis"), &notifier.Escalation{At: at, To: "#crisis"}},
		{"a person", route("boss", rules.Slack{User: "@ingrid"}), &notifier.Escalation{At: at, To: "@ingrid"}},
		{"whoever is on call", route("oncall", rules.Slack{Channel: "#pr", Mention: "@pr-oncall"}), &notifier.Escalation{At: at, To: "@pr-oncall"}},
		{"a route without an address", route("void", rules.Slack{}), &notifier.Escalation{At: at}},
		{"the second rung once the first was climbed", func(s *stage) {
			s.out.change("acme-1", func(i *detector.Incident) { i.LadderStep = 1 })
		}, &notifier.Escalation{At: midnight.Add(time.Hour), To: "#pr"}},
		{"nothing after the last", func(s *stage) {
			s.out.change("acme-1", func(i *detector.Incident) { i.LadderStep = 2 })
		}, nil},
		{"nothing once somebody has it", func(s *stage) {
			s.out.change("acme-1", func(i *detector.Incident) { i.Handling = detector.Acked })
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, told(t, oneRoot, c.set).Next); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWhoIsNamed: those of the alert's routes that lead to somebody.
func TestWhoIsNamed(t *testing.T) {
	rows := []detector.Alert{alert(1, detector.KindRoot, func(a *detector.Alert) { a.Mention = []string{"crisis", "nowhere", "boss"} })}
	m := told(t, rows, func(s *stage) {
		s.set.Routes["pr"].Slack.Mention = "@pr-oncall"
		s.set.Routes["boss"] = &rules.Route{ID: "boss", Slack: rules.Slack{User: "@ingrid"}}
	})
	if diff := cmp.Diff([]rules.Slack{{Channel: "#crisis"}, {User: "@ingrid"}}, m.Mention); diff != "" {
		t.Error(diff)
	}
	if m.OnDuty != "@pr-oncall" || m.Route.ID != "pr" {
		t.Errorf("on duty for %s: %q", m.Route.ID, m.OnDuty)
	}
}

func TestRootAndLink(t *testing.T) {
	link := func(s *stage) { s.opt.Link = func(id string) string { return "https://watch.example/incidents/" + id } }
	root := told(t, oneRoot, link)
	if root.Root != (detector.Ref{}) || root.Link != "https://watch.example/incidents/acme-1" {
		t.Errorf("a root: root %v, link %q", root.Root, root.Link)
	}
	for _, kind := range []detector.AlertKind{detector.KindThread, detector.KindBroadcast, detector.KindEdit} {
		m := told(t, []detector.Alert{alert(1, detector.KindRoot, sent), alert(2, kind)}, nil)
		if m.Root != (detector.Ref{Channel: "#pr", ID: "ts1"}) || m.Link != "" {
			t.Errorf("%s: root %v, link %q", kind, m.Root, m.Link)
		}
	}
}

// TestAsItIsNow: the words are made of the incident as it is when it is sent, at the dispatcher's time.
func TestAsItIsNow(t *testing.T) {
	recorded := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	play(t, oneRoot, func(t *testing.T, s *stage) {
		s.d.Now = func() time.Time { return recorded }
		s.out.change("acme-1", func(i *detector.Incident) { i.Severity, i.Version = rules.Crisis, 4 })
		s.d.Drain(t.Context())
		m := s.slack.told[0]
		if m.Incident.Severity != rules.Crisis || m.Incident.Version != 4 || m.Alert.Version != 1 || !m.Now.Equal(recorded) {
			t.Errorf("severity %d, version %d, raised at %d, now %v", m.Incident.Severity, m.Incident.Version, m.Alert.Version, m.Now)
		}
	})
}

// TestForgottenIncident: what the model has forgotten is read from the archive.
func TestForgottenIncident(t *testing.T) {
	m := told(t, oneRoot, func(s *stage) {
		s.archive.incidents = map[string]detector.Incident{"acme-1": {ID: "acme-1", Brand: "acme", Title: "from the archive"}}
		s.opt.Outbox = forgetful{s.out}
	})
	if m.Incident.Title != "from the archive" {
		t.Errorf("incident %+v", m.Incident)
	}
}

// forgetful is an outbox whose incidents have left memory.
type forgetful struct{ *outbox }

// Incident knows none.
func (forgetful) Incident(string) (detector.Incident, bool) { return detector.Incident{}, false }

// TestNothingToSay: an alert whose words cannot be made stays, is tried again, and holds up no other. One that
// may be posted already is still looked up before it is sent.
func TestNothingToSay(t *testing.T) {
	for _, c := range []struct {
		row  detector.Alert
		want []string
	}{
		{alert(1, detector.KindRoot), []string{"0s 1 sending", "0s 1 pending", "3s 1 sending", "3s 1 slack has it", "3s 1 sent #pr/ts1"}},
		{alert(1, detector.KindRoot, caught), []string{"0s 1 unknown", "3s 1 found", "3s 1 sent #pr/ts1"}},
	} {
		t.Run(string(c.row.State), func(t *testing.T) {
			play(t, []detector.Alert{c.row, alert(2, detector.KindRoot, on("shop"))}, func(t *testing.T, s *stage) {
				if c.row.State == detector.AlertSending {
					s.slack.posts[c.row.Key] = []post{{detector.Ref{Channel: "#pr", ID: "ts1"}, c.row.TriedAt}}
				}
				s.archive.closed = midnight.Add(2 * time.Second)
				s.archive.incidents = map[string]detector.Incident{"acme-1": {ID: "acme-1", Brand: "acme"}}
				s.opt.Outbox = forgetful{s.out}
				s.start()
				s.run(time.Minute)
				if diff := cmp.Diff(c.want, s.lines(" 1 ")); diff != "" {
					t.Error(diff)
				}
				if s.out.row(2).State != detector.AlertSent {
					t.Error("the other channel had to wait for good")
				}
			})
		})
	}
}

// TestQuotesThatCannotBeRead: the numbers go out without them.
func TestQuotesThatCannotBeRead(t *testing.T) {
	m := told(t, oneRoot, func(s *stage) { s.archive.closed = midnight.Add(time.Hour) })
	if len(m.Quotes) != 0 || m.Incident.ID != "acme-1" {
		t.Errorf("incident %q with %d quotes", m.Incident.ID, len(m.Quotes))
	}
}

// drafter makes three drafts, of which two may be sent. With err it has none for the mention b.
type drafter struct {
	asked []notifier.Request
	err   error
}

// Draft drafts.
func (d *drafter) Draft(_ context.Context, r notifier.Request) (notifier.Suggestion, error) {
	d.asked = append(d.asked, r)
	if d.err != nil && r.Mention.Mention.ID == "b" {
		return notifier.Suggestion{}, d.err
	}
	return notifier.Suggestion{Drafts: []notifier.Draft{{Sendable: true}, {}, {Sendable: true}}}, nil
}

// TestDrafts: those that may be sent are counted, for the first three quotes; one that fails keeps no alert.
func TestDrafts(t *testing.T) {
	for err, want := range map[error]int{nil: 6, errors.New("no template"): 4} {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			d := &drafter{err: err}
			m := told(t, oneRoot, func(s *stage) {
				quotable(s, "dm1", "a", "b", "c", "d")
				s.opt.Drafter = d
			})
			if m.Drafts != want || len(d.asked) != 3 {
				t.Errorf("%d drafts of %d requests, want %d of 3", m.Drafts, len(d.asked), want)
			}
			r := d.asked[0]
			if r.Mention.Mention.ID != "a" || r.Incident.ID != "acme-1" || r.Severity != rules.Serious || r.Rules == nil || !r.Now.Equal(m.Now) {
				t.Errorf("asked for %+v", r)
			}
		})
	}
}
