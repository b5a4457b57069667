package slack_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
	"emberwatch/sources"
)

// window waits for the n-th window, renewed so often.
func window(t *testing.T, s *notifiertest.Slack, n, updates int) notifiertest.Modal {
	t.Helper()
	eventually(t, "the window", func() bool { m := s.Modals(); return len(m) == n && m[n-1].Updates >= updates })
	return s.Modals()[n-1]
}

// handIn hands in a window, and returns what Slack is to do.
func handIn(t *testing.T, s *notifiertest.Slack, view string, fields map[string]string) string {
	t.Helper()
	ack, err := s.Submit(t.Context(), view, fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(ack.Payload)
}

func other(id string) detector.Incident {
	i := notifiertest.Sample().Incident
	i.ID = id
	return i
}

func TestAssigning(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, _, root := listening(t, d)
	for k, c := range []struct {
		fields map[string]string
		want   string
	}{
		{nil, "U0BORIS"}, // whoever presses is offered
		{map[string]string{"user": "U0INGRID", "note": "you know them"}, "U0INGRID"},
		{map[string]string{"group": "S0CRISIS"}, "S0CRISIS"},
	} {
		press(t, s, root, "more", 0, "U0BORIS")
		m := window(t, s, k+1, 0)
		goldenView(t, "window_assign", m.View)
		if got := handIn(t, s, m.ID, c.fields); got != `{"response_action":"clear"}` {
			t.Errorf("%v: %s", c.fields, got)
		}
		e := d.all()[k]
		if e.Op != detector.OpAssign || e.Args.Assignee != c.want || e.Args.Note != c.fields["note"] || e.Actor.ID != "U0BORIS" {
			t.Errorf("%+v", e)
		}
	}
	clean(t, s)
}

func TestMerging(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, _, root := listening(t, d, func(cfg *slack.Config) {
		cfg.Reader = shelf{open: []detector.Incident{other("fjellbryg-3"), other("fjellbryg-2")}}
	})
	press(t, s, root, "more", 4, "U0BORIS")
	m := window(t, s, 1, 0)
	if shown := readable(t, m.View); !strings.Contains(shown, "fjellbryg-2") || strings.Contains(shown, "🟠 fjellbryg-3") {
		t.Errorf("the other incidents are offered, and no more: %s", shown)
	}
	goldenView(t, "window_merge", m.View)
	handIn(t, s, m.ID, map[string]string{"into": "fjellbryg-2"})
	if e := d.all()[0]; e.Op != detector.OpMerge || e.Args.Into != "fjellbryg-2" || e.Expected != 1 {
		t.Errorf("%+v", e)
	}
	clean(t, s)
}

func TestMergingWithNothing(t *testing.T) {
	s, _, root := listening(t, &desk{}, func(cfg *slack.Config) {
		cfg.Reader = shelf{open: []detector.Incident{other("fjellbryg-3")}}
	})
	press(t, s, root, "more", 4, "U0BORIS")
	if shown := readable(t, window(t, s, 1, 0).View); !strings.Contains(shown, "no other open incident") {
		t.Error(shown)
	}
	clean(t, s)
}

// TestTheLongestWindowsFit: more than a select holds of groups and of incidents, all of them with long Arabic names.
func TestTheLongestWindowsFit(t *testing.T) {
	open := make([]detector.Incident, 150)
	for k := range open {
		open[k] = other(fmt.Sprintf("fjellbryg-%d", k))
		open[k].Title = "شكاوى من تأخر التسليم ومن عدم استرداد الأموال ومن سوء معاملة الموظفين في المتجر"
	}
	s, _, root := listening(t, &desk{}, func(cfg *slack.Config) { cfg.Reader = shelf{open: open} })
	for k := range 150 {
		s.AddGroup(notifiertest.Group{ID: fmt.Sprintf("S0GROUP%03d", k), Handle: fmt.Sprintf("%d-%s", k, strings.Repeat("فريق", 20))})
	}
	for k, choice := range []int{0, 4} {
		press(t, s, root, "more", choice, "U0BORIS")
		window(t, s, k+1, 0)
	}
	clean(t, s)
}

// TestDraftsInArabic: whoever cannot read the mention sees what it is about, and what the reply is.
func TestDraftsInArabic(t *testing.T) {
	made := func(context.Context, string) ([]slack.Drafted, error) {
		d := drafted("طلبت الجهاز قبل ثلاثة أسابيع (رقم 48213) ولم يصل حتى الآن!")
		d.Mention.Lang, d.Mention.Mention.Author.Handle = "ar", "@أبو_خالد"
		d.Suggestion.Drafts = d.Suggestion.Drafts[:1]
		d.Suggestion.Drafts[0].Lang = "ar"
		d.Suggestion.Drafts[0].Text = "نعتذر عن التأخير، أبا خالد. أرسل لنا رقم الطلب في رسالة خاصة لنتتبعه اليوم."
		return []slack.Drafted{d}, nil
	}
	s, _, root := listening(t, &desk{}, func(cfg *slack.Config) { cfg.Drafts = made })
	press(t, s, root, "drafts", 0, "U0BORIS")
	goldenView(t, "window_drafts_arabic", window(t, s, 1, 1).View)
	clean(t, s)
}

// TestARefusalStandsBesideTheField: the window stays open, so that what was written is not lost.
func TestARefusalStandsBesideTheField(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Refused, Message: "already closed by Ingrid"}}
	s, _, root := listening(t, d)
	press(t, s, root, "more", 0, "U0BORIS")
	got := handIn(t, s, window(t, s, 1, 0).ID, nil)
	if !strings.Contains(got, `"response_action":"errors"`) || !strings.Contains(got, `"user":"already closed by Ingrid"`) {
		t.Error(got)
	}
	d.mu.Lock()
	d.result.Said = detector.Said{{Code: "refused.snoozed", Name: "ingrid", At: notifiertest.At}}
	d.mu.Unlock()
	if got := handIn(t, s, window(t, s, 1, 0).ID, nil); !strings.Contains(got, `"user":"snoozed by ingrid until 2026-11-16 08:20 UTC"`) {
		t.Errorf("no time in the reader's zone can stand there: %s", got)
	}
	clean(t, s)
}

// chosen opens the drafts and goes on with the first one.
func chosen(t *testing.T, d *desk, change ...func(*slack.Config)) (*notifiertest.Slack, notifiertest.Modal) {
	t.Helper()
	made := func(context.Context, string) ([]slack.Drafted, error) {
		return []slack.Drafted{drafted("Where is my parcel?")}, nil
	}
	s, _, root := listening(t, d, append(change, func(cfg *slack.Config) { cfg.Drafts = made })...)
	press(t, s, root, "drafts", 0, "U0BORIS")
	list := window(t, s, 1, 1)
	uses := values(t, list.View, "use")
	goldenView(t, "window_drafts", list.View)
	if len(uses) != 1 {
		t.Fatalf("what cannot be sent is not offered: %v", uses)
	}
	if _, err := s.ClickView(t.Context(), list.ID, "use", uses[0]); err != nil {
		t.Fatal(err)
	}
	m := window(t, s, 2, 1)
	goldenView(t, "window_use", m.View)
	if m.Over != list.ID || !strings.Contains(string(m.View), `"initial_value":"We are sorry, Maja."`) {
		t.Fatalf("%s", m.View)
	}
	return s, m
}

func values(t *testing.T, view json.RawMessage, action string) []string {
	t.Helper()
	var v struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	if err := json.Unmarshal(view, &v); err != nil {
		t.Fatal(err)
	}
	m := notifiertest.Message{Blocks: v.Blocks}
	return m.Values(action)
}

func TestADraftIsMarkedAsSent(t *testing.T) {
	for text, use := range map[string]detector.DraftFate{
		"":                       detector.DraftUsed, // as it was offered
		" We are sorry, Maja.\n": detector.DraftUsed,
		"Sorry, Maja!":           detector.DraftEdited,
	} {
		d := &desk{result: detector.Result{Outcome: detector.Applied}}
		s, m := chosen(t, d)
		handIn(t, s, m.ID, map[string]string{"text": text})
		e := d.all()[0]
		want := detector.DraftUse{ID: "public-short", Mention: sources.Key{Source: "instagram", ID: "ig:1"}, Use: use, Lang: "en", Network: "instagram", Text: text}
		if text == "" {
			want.Text = "We are sorry, Maja."
		}
		if e.Op != detector.OpAnswered || e.Args.Draft == nil || *e.Args.Draft != want || e.Args.Mentions[0] != want.Mention {
			t.Errorf("%q: %+v", text, e.Args)
		}
		if len(s.Messages("#pr-alerts")) != 1 {
			t.Error("something was posted")
		}
		clean(t, s)
	}
}

func TestAChangedDraftIsCheckedAgain(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, m := chosen(t, d, func(cfg *slack.Config) {
		cfg.Recheck = func(_ context.Context, _ string, _ detector.DraftUse, text string) ([]notifier.Guard, error) {
			return []notifier.Guard{
				{ID: "G04", Level: "hard", Pass: !strings.Contains(text, "depot"), Why: "names a cause"},
				{ID: "G22", Level: "warning", Why: "like the last one"},
			}, nil
		}
	})
	if got := handIn(t, s, m.ID, map[string]string{"text": "The depot burnt down."}); !strings.Contains(got, "G04: names a cause") || len(d.all()) != 0 {
		t.Errorf("%s %v", got, d.all())
	}
	if got := handIn(t, s, m.ID, map[string]string{"text": "Sorry!"}); len(d.all()) != 1 {
		t.Error(got)
	}
	clean(t, s)
}

func TestNoneOfTheDraftsFits(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	made := func(context.Context, string) ([]slack.Drafted, error) { return []slack.Drafted{drafted("?")}, nil }
	s, _, root := listening(t, d, func(cfg *slack.Config) { cfg.Drafts = made })
	press(t, s, root, "drafts", 0, "U0BORIS")
	m := window(t, s, 1, 1)
	if _, err := s.ClickView(t.Context(), m.ID, "discard", values(t, m.View, "discard")[0]); err != nil {
		t.Fatal(err)
	}
	if e := d.all()[0]; e.Op != detector.OpNote || e.Args.Draft == nil || e.Args.Draft.Use != detector.DraftDiscarded {
		t.Errorf("%+v", e)
	}
	window(t, s, 1, 2)
	clean(t, s)
}

func TestWhatBecameOfDraftsIsShown(t *testing.T) {
	key := sources.Key{Source: "instagram", ID: "ig:1"}
	line := detector.Audit{
		At: notifiertest.At, Actor: detector.Actor{ID: "U0BORIS"}, Draft: &detector.DraftUse{ID: "public-short", Mention: key, Use: detector.DraftEdited, Text: "Sorry, dear Maja!"},
	}
	made := func(context.Context, string) ([]slack.Drafted, error) { return []slack.Drafted{drafted("?")}, nil }
	s, _, root := listening(t, &desk{}, func(cfg *slack.Config) { cfg.Drafts, cfg.Reader = made, shelf{audit: []detector.Audit{line}} })
	press(t, s, root, "drafts", 0, "U0BORIS")
	shown := readable(t, window(t, s, 1, 1).View)
	for _, want := range []string{"Sent by <@U0BORIS> with changes", "Sorry, dear Maja!"} {
		if !strings.Contains(shown, want) {
			t.Errorf("nobody can read %q in %s", want, shown)
		}
	}
	if strings.Contains(shown, "None of them fits") {
		t.Error("it was decided already")
	}
	clean(t, s)
}
