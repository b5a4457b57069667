package slack_test

import (
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
	"emberwatch/rules"
)

func week() *detector.Report {
	precision := 0.8
	minutes := func(n int) detector.Duration { return detector.Duration(time.Duration(n) * time.Minute) }
	share := notifiertest.Sample().Quotes[:1]
	share[0].Mention.Text = "Danke für die schnelle Hilfe, großartig!"
	return &detector.Report{
		From: time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC),
		Incidents: 7, Severity: map[string]int{"1": 1, "2": 2, "3": 4},
		Detect: detector.Times{N: 7, Median: minutes(9), Slow: minutes(31)}, Acknowledge: detector.Times{N: 6, Median: minutes(4), Slow: minutes(22), Never: 1},
		Answer: detector.Times{N: 3, Median: minutes(41), Slow: minutes(95), Never: 4}, Resolve: detector.Times{N: 1, Median: minutes(180), Slow: minutes(180), Never: 6},
		Verdicts: detector.Verdicts{Real: 4, FalseAlarm: 1, KnownEvent: 1, Unjudged: 1, Precision: &precision},
		Budgets:  []detector.BudgetReport{{Route: "default", Severity: 3, Told: 4, Allowed: 2, N: 2, Per: minutes(7 * 24 * 60)}, {Route: "default", Severity: 2, Told: 1, Allowed: 0.23, N: 1, Per: minutes(30 * 24 * 60)}},
		Brands:   []detector.BrandReport{{Brand: "fjellbryg", Name: "Fjellbryg", Mentions: 1840, Negative: 212, Answers: &detector.AnswerFigures{Of: 212, Hour: 0.31, Day: 0.84}}},
		Topics:   []detector.TopicReport{{Category: "delivery", Mentions: 94, Before: 12}, {Category: "price", Mentions: 31, Before: 40}},
		Drafts:   detector.DraftReport{Used: 9, Edited: 4, Discarded: 2}, Share: share,
		Sources: []detector.SourceReport{{Name: "forum", Fails: true}, {Name: "news", Fails: true, For: minutes(90)}, {Name: "shop", For: minutes(3000), Usual: minutes(40)}},
	}
}

func route(lang string) *rules.Route {
	return &rules.Route{ID: "default", Slack: rules.Slack{Channel: "#pr-alerts"}, Language: lang}
}

func TestTheWeeklyReportReadsAsAgreed(t *testing.T) {
	for lang, name := range map[string]string{"": "report", "de": "report_de"} {
		s, n := workspace(t)
		if _, err := n.Report(t.Context(), week(), route(lang), "report/2026-11-16", notifiertest.At); err != nil {
			t.Fatal(err)
		}
		clean(t, s)
		golden(t, name, s.Messages("#pr-alerts")[0])
	}
}

// TestAReportOfShortLinesFits: a section of Slack holds ten of them.
func TestAReportOfShortLinesFits(t *testing.T) {
	s, n := workspace(t)
	r := week()
	r.Budgets, r.Brands[0].Name = r.Budgets[:1], "F"
	if _, err := n.Report(t.Context(), r, route(""), "k", notifiertest.At); err != nil {
		t.Fatal(err)
	}
	clean(t, s)
}

// TestTheReportIsPostedOnce: not again by the same process, nor by another one, nor when the answer was lost.
func TestTheReportIsPostedOnce(t *testing.T) {
	s, n := workspace(t)
	since := time.Now().Add(-time.Hour)
	s.Fail("chat.postMessage", notifiertest.Fault{Status: 500, After: true})
	if posted, err := n.Report(t.Context(), week(), route(""), "report/1", since); err == nil || posted {
		t.Errorf("%v %v", posted, err)
	}
	for range 2 {
		if posted, err := n.Report(t.Context(), week(), route(""), "report/1", since); err != nil || posted {
			t.Errorf("%v %v", posted, err)
		}
	}
	if posted, err := n.Report(t.Context(), week(), route(""), "report/2", since); err != nil || !posted {
		t.Errorf("the next week: %v %v", posted, err)
	}
	if len(s.Messages("#pr-alerts")) != 2 {
		t.Error("posted twice")
	}
	clean(t, s)
}

func TestAReportHoldsHostileNames(t *testing.T) {
	for _, h := range notifiertest.Hostile() {
		r := week()
		r.Brands, r.Budgets, r.Topics = nil, nil, nil
		for range 12 {
			r.Brands = append(r.Brands, detector.BrandReport{Name: h, Mentions: 1, Answers: &detector.AnswerFigures{Of: 1}})
			r.Budgets = append(r.Budgets, detector.BudgetReport{Rule: h, Brand: h, Severity: 1})
		}
		for range 5 {
			r.Sources = append(r.Sources, detector.SourceReport{Name: h})
			r.Topics = append(r.Topics, detector.TopicReport{Category: h, Mentions: 1})
		}
		r.Share = notifiertest.Poison(notifiertest.Sample(), h).Quotes
		s, n := workspace(t)
		if _, err := n.Report(t.Context(), r, route(""), "k", notifiertest.At); err != nil {
			t.Fatal(err)
		}
		clean(t, s)
	}
}

// TestMessagesInOtherLanguages: what a route speaks, its messages speak; numbers and plurals follow.
func TestMessagesInOtherLanguages(t *testing.T) {
	for name, change := range map[string]func(*notifier.Message){
		"root_new_de":    func(*notifier.Message) {},
		"root_grown_de":  grown,
		"root_acked_de":  acked,
		"root_closed_de": closed(detector.FalseAlarm),
	} {
		s, n := workspace(t)
		s.Allow("<@U0BORIS>", "<http://127.0.0.1:8080/incidents/fjellbryg-3|Einzelheiten>")
		m := notifiertest.Sample()
		m.Language = (*notifier.Languages)(nil).In("de")
		m.Incident.Signals = []detector.ActiveSignal{{Rule: "neg-burst", Signal: "negative", Series: "negative", Window: detector.Duration(time.Hour), Count: 47}}
		change(m)
		ref := tell(t, n, m)
		clean(t, s)
		golden(t, name, s.Thread(ref.ID)[0])
	}
}

// TestTheLongestMessageFits: everything that can be long is, in Arabic, in every kind of message.
func TestTheLongestMessageFits(t *testing.T) {
	long := strings.Repeat("لا تشتروا هذا المنتج أبدا فهو خطير ", 60)
	s, n := workspace(t, func(cfg *slack.Config) {})
	m := notifiertest.Poison(notifiertest.Sample(), long)
	m.Incident.ID, m.Alert.Incident = "علامة-3", "علامة-3"
	m.Incident.NewSources = []string{long, long, long, long}
	m.Language = (*notifier.Languages)(nil).In("de")
	m.Link = ""
	ref := tell(t, n, m)
	for _, r := range []detector.NotifyReason{detector.ReasonWorse, detector.ReasonEscalated, detector.ReasonCalm} {
		l := notifiertest.Poison(notifiertest.Line(ref, r), long)
		l.Language = m.Language
		tell(t, n, l)
	}
	golden(t, "root_longest", s.Thread(ref.ID)[0])
	clean(t, s)
}
