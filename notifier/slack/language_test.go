package slack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
	"emberwatch/rules"
)

// theirs are the words of the samples that are not ours: names, ids, and what people wrote.
var theirs = []string{
	"Fjellbryg Fjellbryg Ltd fjellbryg Emberwatch emberwatch ingrid Ingrid boris shop instagram google bluesky mastodon youtube forum news default oncall",
	"customer service neg-burst tank leak authors(1h) > 3 pr-lead legal parcel-late public-short public-full ack mine status brand snooze help NAME Paket pakken maja",
	"In Slack wir haben note of a colleague archived is_archived", "name a cause", "valve",
	"desk channel We are sorry, Maja. The depot burnt down. Where is my parcel?", "Danke für die schnelle Hilfe, großartig! rules.yml:3:1: an unknown key soon nobody sing",
}

// life tells the whole life of an incident in a language, and returns all that people are shown.
func life(t *testing.T, lang string) string {
	t.Helper()
	var b strings.Builder
	l := (*notifier.Languages)(nil).In(lang)
	reader := desktop()
	for k := range reader.open {
		tellable(&reader.open[k])
	}
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, n, _ := listening(t, d, clocks(reader), func(cfg *slack.Config) {
		cfg.Drafts = func(context.Context, string) ([]slack.Drafted, error) {
			d := drafted("Where is my parcel?")
			d.Suggestion.Said = detector.Said{{Code: "suggest.reply.topic", Name: "parcel-late", Topic: "delivery"}}
			d.Suggestion.Drafts[0].Facts[0] = notifier.Fact{Name: "known", State: notifier.Confirmed, Text: "valve"}
			return []slack.Drafted{d}, nil
		}
		cfg.Rules = func() *rules.Set {
			return &rules.Set{
				SLAs: map[string]*rules.SLA{"complaint": {}}, Routes: map[string]*rules.Route{"default": {Language: lang}},
				Brands: map[string]*rules.Brand{"fjellbryg": {Names: []string{"Fjellbryg Ltd"}}},
			}
		}
	})
	s.Allow("<@U0INGRID>", "<http://127.0.0.1:8080/incidents/fjellbryg-3|"+l.Say("root.details")+">")
	root := course(t, &b, s, n, l)
	windows(t, &b, s, root)
	for _, words := range []string{"status", "mine", "brand nobody", "ack", "snooze fjellbryg-2 soon", "ack fjellbryg-2", "help", "sing"} {
		ack, err := s.Slash(t.Context(), "/emberwatch", words, "U0BORIS")
		if err != nil {
			t.Fatal(err)
		}
		m := notifiertest.Message{Blocks: ack.Payload}
		b.WriteString(strings.ReplaceAll(m.Shown(), words, "") + "\n")
	}
	answers(t, &b, s, d, root)
	if _, err := s.OpenHome(t.Context(), "U0BORIS"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the home tab", func() bool { return s.Home("U0BORIS") != nil })
	b.WriteString(readable(t, s.Home("U0BORIS")) + "\n")
	clean(t, s)
	return b.String()
}

// tellable has an incident say what the detector says: its title is that of a rule of ours.
func tellable(i *detector.Incident) {
	i.Title, i.NamedBy, i.Sentence = "Slow rise: More complaints than usual", "neg-burst", "Several mentions from several people."
	i.Signals = []detector.ActiveSignal{{Rule: "neg-burst", Signal: "negative", Series: "negative", Count: 12, Window: detector.Duration(time.Hour)}}
	i.SeveritySaid = nil
	for _, code := range []string{"why.topic", "why.times", "why.provisional", "why.budget"} {
		i.SeveritySaid = append(i.SeveritySaid, detector.Clause{Code: code, Topic: "delivery", N: 2})
	}
	i.SeverityWhy = i.SeveritySaid.String()
	i.Evidence.Learning, i.Evidence.Day, i.Evidence.Copied, i.Evidence.Planned = "provisional, day 3 of 7", 3, 2, ""
	i.Evidence.Budget = &detector.Budget{PerWeek: 1, Weeks: 3, Realised: 0.5}
	i.Evidence.Categories = map[string]int{"delivery": 41, "outage": 6}
}

// course posts a root, everything that may follow it, digests, a report and a refused reload. It returns the root.
func course(t *testing.T, b *strings.Builder, s *notifiertest.Slack, n *slack.Notifier, l *notifier.Language) notifiertest.Message {
	t.Helper()
	show := func(ref detector.Ref) {
		for _, m := range append(s.Messages("#pr-alerts"), s.Thread(ref.ID)...) {
			if m.TS >= ref.ID { // what was there before is no part of it
				b.WriteString(m.Shown() + "\n")
			}
		}
	}
	first := notifiertest.Sample()
	first.Language = l
	tellable(&first.Incident)
	ref := tell(t, n, first)
	show(ref)
	for k, said := range []detector.Said{
		{{Code: "why.topic", Topic: "outage"}, {Code: "note.breaks", Word: "acked", N: 3}},
		{{Code: "note.escalated", Span: detector.Duration(50 * time.Hour)}},
		{{Code: "note.failed", Word: "first", Name: "#desk"}, {Text: "is_archived"}},
		{{Code: "note.late", Name: "Slack", Span: detector.Duration(time.Hour)}, {Code: "note.repeat"}},
		{{Code: "note.flapping", N: 4}, {Code: "note.by", Name: "ingrid"}, {Text: "note of a colleague"}},
		{{Code: "note.below"}},
	} {
		for _, r := range []detector.NotifyReason{
			detector.ReasonWorse, detector.ReasonNewSource, detector.ReasonEscalated, detector.ReasonReminder, detector.ReasonLeaseEnded, detector.ReasonSnoozeOver,
			detector.ReasonCalm, detector.ReasonResolved, detector.ReasonReopened, detector.ReasonDeliveryFailed, detector.ReasonSourceDown,
		} {
			for _, change := range []func(*notifier.Message){
				func(*notifier.Message) {}, acked, closed(detector.FalseAlarm), closed(detector.KnownEvent), closed(detector.CalmAgain), closed(detector.Expired), closed(detector.Merged),
			} {
				m := notifiertest.Line(ref, r)
				tellable(&m.Incident)
				m.Language, m.Alert.Said, m.Alert.Note = l, said, said.String()
				m.Alert.Key = fmt.Sprintf("%s/%d", m.Alert.Key, k)
				if r == detector.ReasonNewSource {
					m.Alert.Said, m.Alert.Note = nil, "forum"
				}
				if change(m); k > 0 && m.Incident.Handling == detector.Closed {
					continue
				}
				tell(t, n, m)
			}
		}
	}
	for _, id := range []string{"digest:9", "digest:list-9"} {
		m := notifiertest.Digest(3)
		m.Language, m.Alert.Incident, m.Alert.Key = l, id, id
		m.Alert.Said = detector.Said{
			{Code: "note.longest", Waits: []detector.Waited{{Name: "shop/1", For: detector.Duration(72 * time.Hour)}}},
			{Code: "figures.brand", Name: "fjellbryg", N: 12, Answers: &detector.AnswerFigures{Of: 12, Hour: 0.3, Day: 0.8}},
		}
		m.Alert.Note = m.Alert.Said.String()
		for k := range m.Digest {
			tellable(&m.Digest[k].Incident)
		}
		tell(t, n, m)
	}
	route := &rules.Route{ID: "default", Slack: rules.Slack{Channel: "#pr-alerts"}, Language: l.Code()}
	if _, err := n.Report(t.Context(), week(), route, "report", notifiertest.At); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Refused(t.Context(), []string{"rules.yml:3:1: an unknown key"}, route, "refused", notifiertest.At); err != nil {
		t.Fatal(err)
	}
	show(ref)
	return s.Thread(ref.ID)[0]
}

// windows opens each window.
func windows(t *testing.T, b *strings.Builder, s *notifiertest.Slack, root notifiertest.Message) {
	t.Helper()
	for k, c := range []struct {
		action  string
		n       int
		updates int
	}{{"more", 0, 0}, {"more", 4, 0}, {"drafts", 0, 1}} {
		press(t, s, root, c.action, c.n, "U0BORIS")
		b.WriteString(whole(t, window(t, s, k+1, c.updates)))
	}
	list := window(t, s, 3, 1)
	if _, err := s.ClickView(t.Context(), list.ID, "use", values(t, list.View, "use")[0]); err != nil {
		t.Fatal(err)
	}
	use := window(t, s, 4, 1)
	b.WriteString(whole(t, use))
	var refused struct {
		Errors map[string]string `json:"errors"`
	}
	if err := json.Unmarshal([]byte(handIn(t, s, use.ID, map[string]string{"text": " "})), &refused); err != nil || refused.Errors["text"] == "" {
		t.Errorf("an empty reply is refused beside its field: %v", err)
	}
	b.WriteString(refused.Errors["text"] + "\n")
}

// whole is all that a window shows, its title and its buttons too.
func whole(t *testing.T, m notifiertest.Modal) string {
	t.Helper()
	type text struct {
		Text string `json:"text"`
	}
	var v struct{ Title, Submit, Close text }
	if err := json.Unmarshal(m.View, &v); err != nil {
		t.Fatal(err)
	}
	return strings.Join([]string{v.Title.Text, v.Submit.Text, v.Close.Text, readable(t, m.View)}, "\n") + "\n"
}

// answers has presses refused in every way.
func answers(t *testing.T, b *strings.Builder, s *notifiertest.Slack, d *desk, root notifiertest.Message) {
	t.Helper()
	results := []detector.Result{{Outcome: detector.Already}}
	for _, h := range []detector.Handling{detector.Acked, detector.Snoozed, detector.Closed} {
		results = append(results, detector.Result{Outcome: detector.Already, Incident: detector.Incident{
			Handling: h, Owner: "ingrid", AckedAt: notifiertest.At.Add(-72 * time.Hour), SnoozeUntil: notifiertest.At, Closing: detector.KnownEvent, ClosedBy: "ingrid",
		}})
	}
	for code := range detector.Phrases() {
		if strings.HasPrefix(code, "refused.") {
			said := detector.Said{{Code: code, Name: "ingrid", N: 3, Span: detector.Duration(72 * time.Hour), Limit: detector.Duration(168 * time.Hour), Word: "false_alarm", At: notifiertest.At}}
			results = append(results, detector.Result{Outcome: detector.Refused, Message: said.String(), Said: said})
		}
	}
	for k, r := range results {
		d.mu.Lock()
		d.result = r
		d.mu.Unlock()
		press(t, s, root, "ack", 0, "U0BORIS")
		eventually(t, "the answer", func() bool { return len(s.Ephemerals()) == k+1 })
		b.WriteString(s.Ephemerals()[k].Text + "\n")
	}
}

// TestTheWholeLifeOfAnIncidentIsInGerman: no word of ours is the same as in English unless it is German too.
func TestTheWholeLifeOfAnIncidentIsInGerman(t *testing.T) {
	en, de := life(t, "en"), life(t, "de")
	quotes := notifiertest.Sample().Quotes
	for i := range quotes {
		theirs = append(theirs, quotes[i].Mention.Text)
	}
	if left := notifiertest.Untranslated(t, "../words/de.yml", en, de, theirs...); len(left) > 0 {
		t.Errorf("not translated: %v\n%s", left, de)
	}
	for _, want := range []string{
		"Langsamer Anstieg: Mehr Beschwerden als sonst", "ungewöhnlich viele Beschwerden über Lieferung; das 2-Fache der ersten Meldung", "vorläufig, Tag 3 von 7",
		"Am längsten warten auf Antwort: shop/1 seit 3 Tagen.", "Antworten. Playbook parcel-late, Kategorie Lieferung", "G04 (Pflicht): keine Ursache, Haftung", "Angabe bekannt (bestätigt): valve", "1.200 Follower", "120.400", "Ausfälle", "<!date^",
	} {
		if !strings.Contains(de, want) {
			t.Errorf("%q is nowhere in\n%s", want, de)
		}
	}
	if seen := notifiertest.Untranslated(t, "../words/de.yml", en, en, theirs...); len(seen) < 60 {
		t.Errorf("the test would not see English: %v", seen)
	}
}

// TestARouteThatNamesNobodyIsToldAgain: then the next rung has nobody to name.
func TestARouteThatNamesNobodyIsToldAgain(t *testing.T) {
	s, n := workspace(t)
	m := notifiertest.Sample()
	m.Next.To = ""
	ref := tell(t, n, m)
	clean(t, s)
	if got := s.Thread(ref.ID)[0].Text; !strings.Contains(got, "2026-11-16 08:40 UTC>, it is told again.") {
		t.Error(got)
	}
}
