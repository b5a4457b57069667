package web

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"
)

// noon is when the tests happen: 16 November 2026, 12:00 UTC.
var noon = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// world is an in-memory Reader and Responder.
type world struct {
	mu        sync.Mutex
	incidents []detector.Incident
	audits    map[string][]detector.Audit
	mentions  []detector.Judged
	brandList []detector.BrandState
	counts    []detector.Count
	fails     error

	filter   detector.IncidentFilter // of the last call
	mentionF detector.MentionFilter
	counted  [2]time.Time
	step     time.Duration
	events   []detector.Event
	result   func(detector.Event) (detector.Result, error)
}

func (w *world) Incidents(_ context.Context, f detector.IncidentFilter) ([]detector.Incident, error) {
	w.filter = f
	var out []detector.Incident
	for _, i := range w.incidents {
		fits := f.State == "" || f.State == string(i.Handling) || (f.State == "open" && i.Open())
		if fits && (f.Brand == "" || f.Brand == i.Brand) {
			out = append(out, i)
		}
	}
	return out, w.fails
}

func (w *world) Incident(_ context.Context, id string) (detector.Incident, error) {
	if w.fails != nil {
		return detector.Incident{}, w.fails
	}
	for _, i := range w.incidents {
		if i.ID == id && i.MergedInto != "" {
			return w.Incident(context.Background(), i.MergedInto)
		}
		if i.ID == id {
			return i, nil
		}
	}
	return detector.Incident{}, detector.ErrNotFound
}

func (w *world) Audit(_ context.Context, id string) ([]detector.Audit, error) {
	return w.audits[id], w.fails
}

func (w *world) Mentions(_ context.Context, f detector.MentionFilter) ([]detector.Judged, error) {
	w.mentionF = f
	return w.mentions, w.fails
}

func (w *world) MentionsByKey(_ context.Context, brand string, keys []sources.Key) ([]detector.Judged, error) {
	var out []detector.Judged
	for _, k := range keys {
		for _, j := range w.mentions {
			if j.Brand == brand && j.Mention.Key() == k {
				out = append(out, j)
			}
		}
	}
	return out, w.fails
}

func (w *world) Brands(context.Context) ([]detector.BrandState, error) { return w.brandList, w.fails }

func (w *world) Counts(_ context.Context, _ string, from, to time.Time, step time.Duration) ([]detector.Count, error) {
	w.counted, w.step = [2]time.Time{from, to}, step
	return w.counts, w.fails
}

func (w *world) Respond(_ context.Context, e detector.Event) (detector.Result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
	if w.result != nil {
		return w.result(e)
	}
	i, err := w.Incident(context.Background(), e.Incident)
	return detector.Result{Outcome: detector.Applied, Message: "done", Incident: i}, err
}

// last returns the event that arrived last.
func (w *world) last(t *testing.T) detector.Event {
	t.Helper()
	if len(w.events) == 0 {
		t.Fatal("no event has arrived")
	}
	return w.events[len(w.events)-1]
}

// busy is a world in which something happens: one crisis that nobody has, milder ones in other hands, and one
// that is over.
func busy() *world {
	w := &world{audits: map[string][]detector.Audit{}, brandList: []detector.BrandState{
		{ID: "fjellbryg", Name: "fjellbryg", Sources: map[string]time.Time{"shop": noon}},
		{ID: "us-airways", Name: "US Airways", Auto: true},
	}}
	w.mentions = fjellbrygMentions()
	w.incidents = []detector.Incident{
		incidentOf("us-airways", 7, rules.Issue, detector.Acked, 5*time.Hour, "11 negative mentions about luggage in 6 hours, where 3.2 are usual."),
		incidentOf("fjellbryg", 3, rules.Crisis, detector.New, 40*time.Minute,
			"47 negative mentions about delivery in 1 hour from 39 people, where 6.1 are usual and 14 would be much."),
		incidentOf("fjellbryg", 4, rules.Issue, detector.New, 20*time.Minute, "Nine 1-star reviews in 2 hours, where 1.4 are usual."),
		incidentOf("us-airways", 6, rules.Issue, detector.New, 3*time.Hour, "Six people ask about the same cancelled flight in 30 minutes."),
		incidentOf("fjellbryg", 2, rules.Serious, detector.Closed, 30*time.Hour, "31 negative mentions about taste in 3 hours, where 8 are usual."),
	}
	w.incidents[1].Evidence.Mentions = keysOf(w.mentions)
	w.incidents[1].Routes = []string{"pr"}
	w.audits["fjellbryg-3"] = []detector.Audit{
		{
			Seq: 1, At: noon.Add(-25 * time.Minute), Actor: detector.Actor{Kind: "rule", ID: "neg-burst", Via: "rule"}, Op: "opened",
			Reason: detector.ReasonFirst, Changes: map[string][2]any{"severity": {0, 2}},
		},
		{
			Seq: 2, At: noon.Add(-12 * time.Minute), Actor: detector.Actor{Kind: "rule", ID: "neg-burst", Via: "rule"}, Op: "worse",
			Reason: detector.ReasonWorse, Changes: map[string][2]any{"severity": {2, 1}, "version": {3, 4}},
		},
		{
			Seq: 3, At: noon.Add(-4 * time.Minute), Actor: detector.Actor{Kind: "person", ID: "desk", Name: "Ingrid (desk)", Via: "page"},
			Op: "note", Note: "The warehouse says the carrier has lost a lorry. شكرا",
		},
	}
	for h := range 48 {
		n := 4 + h%5
		w.counts = append(w.counts, detector.Count{At: noon.Add(time.Duration(h-47) * time.Hour), All: 3*n + h/4, Negative: n / 2})
	}
	w.counts[46].All, w.counts[46].Negative = 58, 41
	w.counts[47].All, w.counts[47].Negative = 71, 49
	return w
}

func incidentOf(brand string, n int, s rules.Severity, h detector.Handling, age time.Duration, sentence string) detector.Incident {
	i := detector.Incident{
		ID: brand + "-" + string(rune('0'+n)), Brand: brand, N: n, Version: 4, Title: "Unusual many complaints", Sentence: sentence,
		Rule: "neg-burst", Signal: "negative", Category: "delivery", Severity: s, Level: s, Handling: h,
		SeverityWhy: "three times the usual high, 39 people, two sources", Since: noon.Add(-age), OpenedAt: noon.Add(-age * 2 / 3),
		LadderFrom: noon.Add(-age * 2 / 3),
		Evidence: detector.Evidence{
			Window: detector.Window{Length: time.Hour, Observed: 47, Expected: 6.1, High: 14, Surprise: 9.3},
			Windows: []detector.Window{
				{Length: 15 * time.Minute, Observed: 14, Expected: 1.6, High: 6, Surprise: 6.2},
				{Length: time.Hour, Observed: 47, Expected: 6.1, High: 14, Surprise: 9.3},
				{Length: 6 * time.Hour, Observed: 66, Expected: 34, High: 53, Surprise: 4.0},
				{Length: 24 * time.Hour, Observed: 1204, Expected: 1140.2, High: 1290, Surprise: 0.8},
			},
			Score: 8.7, Bar: 4.6, Negative: 47, Total: 71, Authors: 39, Private: 1, Reach: 12400,
			Sources: map[string]int{"shop": 30, "instagram": 12, "news": 5}, Networks: map[string]int{"instagram": 12, "web": 35},
			Languages:  map[string]int{"de": 33, "ar": 8, "en": 6},
			Categories: map[string]int{"delivery": 40, "service": 5, "quality": 2}, Cues: []string{"nicht angekommen", "لم يصل", "lost parcel"},
		},
	}
	switch h {
	case detector.Acked:
		i.Owner, i.LeaseUntil, i.Level = "Boris", noon.Add(3*time.Hour), rules.Notice
	case detector.Closed:
		i.Closing, i.ClosedBy, i.ClosedAt, i.Level = detector.Resolved, "Maja", noon.Add(-20*time.Hour), rules.Calm
	}
	return i
}

func fjellbrygMentions() []detector.Judged {
	say := func(id, lang, category, text string, rating float64, a sources.Author) detector.Judged {
		return detector.Judged{
			Brand: "fjellbryg", Lang: lang, Known: true, Category: category, P: detector.P{Negative: 0.91, Neutral: 0.07, Positive: 0.02},
			Mention: sources.Mention{
				ID: id, Source: "shop", Network: "instagram", Kind: sources.Comment, Text: text, Rating: rating, Author: a,
				URL: "https://example.com/p/" + id, CreatedAt: noon.Add(-22 * time.Minute), Lang: lang,
			},
		}
	}
	js := []detector.Judged{
		say("m1", "de", "delivery", "Seit zwei Wochen warte ich, das Paket ist immer noch nicht angekommen. Niemand antwortet!", 1, sources.Author{Name: "Maja L.", Handle: "@maja", Followers: 1200}),
		say("m2", "ar", "delivery", "لم يصل الطلب حتى الآن، والشركة لا ترد على الرسائل. خدمة سيئة جدا!", 0, sources.Author{Name: "أحمد", Handle: "@ahmad_k"}),
		say("m3", "en", "service", "Third lost parcel this month.\nSupport closed my ticket without a word.", 2, sources.Author{Handle: "@tomwrites"}),
		say("m4", "en", "delivery", "My address is 4 Harbour Lane, where is my order?", 0, sources.Author{Name: "Private Person", Handle: "@pp"}),
	}
	js[2].Mention.Kind = sources.Review
	js[3].Mention.Kind, js[3].Mention.Visibility, js[3].Cue = sources.DM, sources.Private, "where is my order"
	return js
}

func keysOf(js []detector.Judged) []sources.Key {
	return slices.Collect(func(yield func(sources.Key) bool) {
		for i := range js {
			if !yield(js[i].Mention.Key()) {
				return
			}
		}
	})
}

func health() []sources.Health {
	return []sources.Health{
		{Name: "shop", State: sources.Running, Mentions: 18204, LastSuccess: noon, LastMention: noon.Add(-2 * time.Minute)},
		{Name: "instagram", State: sources.Running, Mentions: 911, LastSuccess: noon},
		{Name: "news", State: sources.Failing, Failures: 4, LastError: "fetch: 503 Service Unavailable", LastSuccess: noon.Add(-90 * time.Minute), NextTry: noon.Add(4 * time.Minute)},
	}
}

func ruleSet() *rules.Set {
	return &rules.Set{
		Zone:   time.FixedZone("CET", 3600),
		Brands: map[string]*rules.Brand{"fjellbryg": {ID: "fjellbryg", Names: []string{"Fjellbryg"}}, "unheard": {ID: "unheard", Names: []string{"Unheard Of"}}},
		Routes: map[string]*rules.Route{"pr": {ID: "pr", Ladder: []rules.Step{
			{After: 20 * time.Minute, Severity: rules.Crisis, To: "lead"},
			{After: 30 * time.Minute, Severity: rules.Crisis, To: "lead"},
			{After: time.Hour, Severity: rules.Serious, To: "lead"},
		}}, "lead": {ID: "lead", Slack: rules.Slack{User: "@ingrid"}}},
	}
}

func someDrafts(js []detector.Judged) func(context.Context, string) ([]MentionDrafts, error) {
	return func(context.Context, string) ([]MentionDrafts, error) {
		good := notifier.Draft{
			ID: "public-short", Lang: "de", Network: "instagram", Length: 143, Limit: 2200, Sendable: true,
			Text:   "Hallo Maja, dass dein Paket nach zwei Wochen noch nicht da ist, tut uns leid. Schickst du uns die Bestellnummer per Nachricht? – Ida",
			Guards: []notifier.Guard{{ID: "G01", Level: "hard", Pass: true}, {ID: "G04", Level: "hard", Pass: true}},
		}
		held := notifier.Draft{
			ID: "public-full", Lang: "ar", Network: "instagram", Length: 61, Text: "نأسف لتأخر طلبك يا أحمد. هل ترسل لنا رقم الطلب في رسالة خاصة؟",
			Guards: []notifier.Guard{{ID: "G01", Level: "hard", Pass: true}, {ID: "G09", Level: "hard", Why: "no time is named when people hear more"}},
		}
		all := []MentionDrafts{
			{js[0], notifier.Suggestion{Suggest: notifier.Reply, Why: "A public complaint with a question that can be answered.", Approve: []string{"pr-lead"}, Drafts: []notifier.Draft{good}}},
			{js[1], notifier.Suggestion{Suggest: notifier.Reply, Why: "The same complaint in Arabic.", Drafts: []notifier.Draft{held}}},
		}
		for _, j := range js[2:] {
			all = append(all, MentionDrafts{j, notifier.Suggestion{Suggest: notifier.Handover, Why: "Secret reason of " + cmp.Or(j.Mention.Author.Name, "somebody"), Drafts: []notifier.Draft{good}}})
		}
		return all, nil
	}
}

// configOf is an open server on w.
func configOf(w *world) Config {
	return Config{
		Reader: w, Responder: w, Sources: health, Rules: ruleSet, Drafts: someDrafts(fjellbrygMentions()),
		Open: true, Now: func() time.Time { return noon },
	}
}
