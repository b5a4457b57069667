package notifiertest

import (
	"fmt"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"
)

// At is the time at which the samples take place.
var At = time.Date(2026, 11, 16, 8, 20, 0, 0, time.UTC)

// Sample returns the root of a fresh incident with everything that a message can hold. Each call makes a new
// one; change it freely.
func Sample() *notifier.Message {
	return &notifier.Message{
		Alert: detector.Alert{
			Seq: 7, Key: "fjellbryg-3/default/root/1", Incident: "fjellbryg-3", Version: 1, Route: "default",
			Kind: detector.KindRoot, Reason: detector.ReasonFirst, Severity: rules.Serious, CreatedAt: At, NotBefore: At,
		},
		Incident: incident(),
		Brand:    &rules.Brand{ID: "fjellbryg", Names: []string{"Fjellbryg"}},
		Route:    &rules.Route{ID: "default", Slack: rules.Slack{Channel: "#pr-alerts"}},
		OnDuty:   "Ingrid",
		Quotes:   quotes(),
		Private:  2,
		Topics: []detector.Topic{
			{Words: "Paket", Count: 21, Of: 30, Lang: "de", Score: 5.1}, {Words: "pakken", Count: 9, Of: 12, Lang: "nb", Score: 3.2},
		},
		Drafts: 3,
		Next:   &notifier.Escalation{At: At.Add(20 * time.Minute), To: "@ingrid"},
		Link:   "http://127.0.0.1:8080/incidents/fjellbryg-3",
		Now:    At,
	}
}

func incident() detector.Incident {
	return detector.Incident{
		ID: "fjellbryg-3", Brand: "fjellbryg", N: 3, Version: 1,
		Title:    "Complaints about delivery",
		Sentence: "47 negative mentions from 39 people in the last hour; at this time of a Monday usually 6.1, rarely more than 12; mostly on instagram; mostly about delivery.",
		Rule:     "neg-burst", Signal: "negative", Category: "delivery", Routes: []string{"default"},
		SeverityWhy: "8 times the usual rate in two sources",
		Level:       rules.Serious, Severity: rules.Serious, Handling: detector.New,
		Since: At.Add(-time.Hour), OpenedAt: At, ChangedAt: At, LastHit: At, LadderFrom: At,
		Evidence: detector.Evidence{
			Window:     detector.Window{Length: time.Hour, Observed: 47, Expected: 6.1, High: 12, Surprise: 9.3},
			Negative:   47,
			Total:      60,
			Authors:    39,
			Private:    2,
			Reach:      120400,
			Networks:   map[string]int{"instagram": 31, "google": 9, "bluesky": 4, "mastodon": 2, "youtube": 1},
			Languages:  map[string]int{"de": 30, "nb": 12, "ar": 5},
			Categories: map[string]int{"delivery": 41, "customer_service": 6},
		},
	}
}

func quotes() []detector.Judged {
	return []detector.Judged{
		judged("ig:1", "instagram", sources.Comment, "de", "Seit drei Wochen warte ich auf mein Paket. Keine Antwort, nichts!", 0),
		judged("gp:2", "google", sources.Review, "nb", "Pakken kom aldri fram.\nOg ingen svarer på telefonen.", 1),
		judged("ig:3", "instagram", sources.Comment, "ar", "لم تصل الطلبية حتى الآن 😡", 0),
	}
}

func judged(id, network string, kind sources.Kind, lang, text string, rating float64) detector.Judged {
	return detector.Judged{
		Mention: sources.Mention{
			ID: id, Source: network, Network: network, Kind: kind, Text: text, Rating: rating, Visibility: sources.Public,
			Author: sources.Author{ID: "u" + id, Handle: "@maja", Followers: 1200}, URL: "https://social.example/p/" + id,
			CreatedAt: At.Add(-25 * time.Minute),
		},
		Brand: "fjellbryg", P: detector.P{Negative: 0.93, Neutral: 0.05, Positive: 0.02}, Lang: lang, Known: true, Category: "delivery",
	}
}

// Line returns a line of the sample's thread.
func Line(root detector.Ref, reason detector.NotifyReason) *notifier.Message {
	m := Sample()
	m.Root = root
	m.Alert.Kind, m.Alert.Reason = detector.KindThread, reason
	m.Alert.Key = "fjellbryg-3/default/thread/" + string(reason)
	m.Next, m.Quotes = nil, nil
	m.Now = At.Add(30 * time.Minute)
	return m
}

// Digest returns the root of a digest of n incidents that came at once, a crisis first.
func Digest(n int) *notifier.Message {
	m := Sample()
	m.Alert.Incident, m.Alert.Key, m.Alert.Reason, m.Alert.Severity = "digest:9", "digest:9/default/root/9", detector.ReasonDigest, rules.Crisis
	m.Incident, m.Brand, m.Quotes, m.Topics, m.Next, m.Link = detector.Incident{}, &rules.Brand{}, nil, nil, nil, ""
	for k := range n {
		i := incident()
		i.N, i.ID = k+1, fmt.Sprintf("fjellbryg-%d", k+1)
		i.Severity = min(rules.Crisis+rules.Severity(k), rules.Issue)
		m.Digest = append(m.Digest, notifier.Entry{Brand: "Fjellbryg", Incident: i})
	}
	return m
}

// Hostile are texts that try to become something else on their way to people.
func Hostile() []string {
	return []string{
		"<!channel> <!here> <!everyone> <@U0INGRID> <#C0ALERTS> <!subteam^S0CRISIS>",
		"<https://evil.example/login|your bank> and https://evil.example and www.evil.example",
		"@here @channel @everyone @ingrid #pr-alerts mail me@evil.example",
		"*bold* _it_ ~gone~ `code` ```block``` > quote\n> quote\n• item :fire:",
		"\u202Egnp.exe\u202C \u2066x\u2069 \u200Fmirror\u061C",
		"&lt;!channel&gt; &amp;lt; &#60;!channel&#62; &",
		"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x00\x08\x7f \r\nnew line \u009b31m",
		"\xff\xfe broken \xed\xa0\x80 bytes",
		"<script>alert(1)</script><img src=x onerror=alert(1)> {{.Secret}} ${HOME} $(reboot)",
		strings.Repeat("لا تشتروا هذا المنتج أبدا ", 800),
		strings.Repeat("<!channel>&", 2000),
		"Z" + strings.Repeat("\u0301\u0323", 500) + "algo",
		"👨‍👩‍👧‍👦" + strings.Repeat("👩🏽‍🚒", 400),
	}
}

// Poison puts a text in every place of a message that may hold foreign words.
func Poison(m *notifier.Message, s string) *notifier.Message {
	i := &m.Incident
	i.Title, i.Sentence, i.SeverityWhy, i.Owner, i.ClosedBy = s, s, s, s, s
	i.Evidence.Learning, i.Category, i.MergedInto = s, s, s
	i.Evidence.Networks = map[string]int{s: 3, "ok": 1}
	i.Evidence.Languages = map[string]int{s: 3}
	i.Evidence.Categories = map[string]int{s: 3}
	i.NewSources = []string{s}
	m.Brand = &rules.Brand{ID: s, Names: []string{s}}
	m.Alert.Note, m.OnDuty, m.Link = s, s, "javascript:alert('"+s+"')"
	if m.Next != nil {
		m.Next.To = s
	}
	for k := range m.Digest {
		e := &m.Digest[k]
		e.Brand, e.Incident.Sentence, e.Incident.Title, e.Incident.Owner = s, s, s, s
	}
	m.Quotes = quotes()
	for k := range m.Quotes {
		q := &m.Quotes[k]
		q.Lang, q.Category = s, s
		q.Mention.Title, q.Mention.Text, q.Mention.URL, q.Mention.Network = s, s, "https://evil.example/|"+s, s
		q.Mention.Author = sources.Author{Name: s, Handle: s, Followers: 5}
	}
	return m
}
