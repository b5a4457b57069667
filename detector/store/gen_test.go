package store

import (
	"fmt"
	"math"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"emberwatch/detector"
	"emberwatch/rules"
	"emberwatch/sources"
)

// gen draws records with every field filled. Names come from small sets, so that records meet each other.
type gen struct {
	*rapid.T
	lines map[string]detector.Audit // the last of each history, so far
}

func (g gen) text(what string) string   { return rapid.String().Draw(g.T, what) }
func (g gen) chance(what string) bool   { return rapid.Bool().Draw(g.T, what) }
func (g gen) number(what string) int    { return rapid.Int().Draw(g.T, what) }
func (g gen) below(n int, w string) int { return rapid.IntRange(0, n-1).Draw(g.T, w) }

func (g gen) float(what string) float64 {
	return rapid.Float64Range(-1e9, 1e9).Draw(g.T, what)
}

func (g gen) share(what string) float64 { return rapid.Float64Range(0, 1).Draw(g.T, what) }

func (g gen) of(what string, list ...string) string { return rapid.SampledFrom(list).Draw(g.T, what) }

func (g gen) list(what string) []string { return rapid.SliceOfN(rapid.String(), 0, 3).Draw(g.T, what) }

// time draws a moment within ten days, to the nanosecond; zero at times.
func (g gen) time(what string) time.Time {
	return noon.Add(time.Duration(rapid.Int64Range(0, int64(240*time.Hour)).Draw(g.T, what)))
}

func (g gen) timeOrZero(what string) time.Time {
	if g.chance(what + " none") {
		return time.Time{}
	}
	return g.time(what)
}

func (g gen) brand() string { return g.of("brand", "", "fjellbryg", "us-airways", "Ågård") }

func (g gen) key() sources.Key {
	return sources.Key{Source: g.of("source", "shop", "news"), ID: fmt.Sprint(g.below(30, "id"))}
}

func (g gen) item() detector.Item {
	return detector.Item{
		Key: g.key(), Brand: g.brand(), At: g.time("at"), Author: rapid.Uint64().Draw(g.T, "author"),
		Weight: g.number("weight"), Negative: g.share("negative"), Label: detector.Label(g.text("label")),
		Known: g.chance("known"), Category: g.text("category"), Categories: g.list("categories"), Cue: g.text("cue"),
		Rules: g.list("rules"), Products: g.list("products"), Kind: sources.Kind(g.text("kind")), Network: g.text("network"), Lang: g.text("lang"),
		Rating: g.float("rating"), Reach: g.number("reach"), Private: g.chance("private"), Media: g.chance("media"),
		Text: rapid.Uint64().Draw(g.T, "text"), Sketch: rapid.Uint64().Draw(g.T, "sketch"), Copy: g.chance("copy"), Held: g.chance("held"),
	}
}

func (g gen) incident() detector.Incident {
	n := g.below(6, "n")
	brand := g.brand()
	inc := detector.Incident{
		ID: fmt.Sprintf("%s-%d", brand, n), Brand: brand, N: n, Version: g.below(1000, "version"), Title: g.text("title"),
		Evidence: detector.Evidence{Score: g.float("score"), Mentions: []sources.Key{g.key()}, Sources: map[string]int{"shop": 2}},
		Level:    rules.Severity(g.below(5, "level")), Handling: detector.Handling(g.of("handling", "new", "acked", "snoozed", "closed")),
		OpenedAt: g.time("opened"), ChangedAt: g.time("changed"), LeaseUntil: g.timeOrZero("lease"), Routes: g.list("routes"),
	}
	if !inc.Open() {
		inc.ClosedAt = g.time("closed")
	}
	return inc
}

func (g gen) alert() detector.Alert {
	seq := uint64(1 + g.below(20, "seq"))
	a := detector.Alert{
		Seq: seq, Key: fmt.Sprintf("key/%d", seq), Incident: fmt.Sprintf("fjellbryg-%d", g.below(6, "incident")),
		Route: g.text("route"), Kind: detector.AlertKind(g.of("kind", "root", "edit", "thread", "broadcast")),
		Reason: detector.ReasonFirst, CreatedAt: g.time("created"), NotBefore: g.time("not before"), Note: g.text("note"),
		State: detector.AlertState(g.of("state", "pending", "sending", "unknown", "sent", "dead", "cancelled")),
	}
	if a.State == detector.AlertSent {
		a.Ref = detector.Ref{Channel: "C1", ID: fmt.Sprint(seq)}
	}
	return a
}

func (g gen) judged() detector.Judged {
	views := g.number("views")
	m := sources.Mention{
		V: 1, ID: g.key().ID, Source: g.of("source", "shop", "news"), Network: g.text("network"),
		Kind: rapid.SampledFrom(sources.Kinds).Draw(g.T, "kind"), Op: sources.Create, Brand: g.text("brand"),
		Author: sources.Author{ID: g.text("author"), Name: g.text("name"), Handle: g.text("handle"), Followers: g.below(1e6, "followers")},
		Title:  g.text("title"), Text: g.text("text"), Rating: g.share("rating"), CreatedAt: g.time("created"),
		Engagement: sources.Engagement{Likes: g.below(9, "likes"), Views: &views}, Count: g.below(1000, "count"),
		HasMedia: g.chance("media"), Visibility: sources.Visibility(g.of("visibility", "public", "private")),
	}
	return detector.Judged{
		Mention: m, Brand: g.brand(), P: detector.P{Negative: g.share("n"), Neutral: g.share("z"), Positive: g.share("p")},
		Lang: g.text("lang"), Known: g.chance("known"), Category: g.text("category"), Categories: g.list("categories"),
		Cue: g.text("cue"), Confidence: g.share("confidence"), Rules: g.list("rules"), Products: g.list("products"), Own: g.chance("own"),
	}
}

func (g gen) series() detector.SeriesBlob {
	blob := rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(g.T, "blob")
	return detector.SeriesBlob{Key: detector.SeriesKey{Brand: g.brand(), Signal: g.of("signal", "all", "negative")}, Blob: blob}
}

func (g gen) brandState() detector.BrandState {
	return detector.BrandState{
		ID: g.brand(), Name: g.text("name"), Auto: g.chance("auto"), FirstSeen: g.time("first"), LastSeen: g.time("last"),
		Incidents: g.below(math.MaxInt32, "incidents"), Sources: map[string]time.Time{"shop": g.time("heard")},
	}
}

func (g gen) done() detector.Done {
	return detector.Done{
		ID: g.of("op", "a", "b", "c"), At: g.time("at"),
		Result: detector.Result{Outcome: detector.Applied, Message: g.text("message"), Incident: g.incident()},
	}
}

// many draws up to three records.
func many[T any](g gen, what string, one func() T) []T {
	var list []T
	for range g.below(4, what) {
		list = append(list, one())
	}
	return list
}

// change draws a change with something of everything.
func (g gen) change() *detector.Change {
	c := &detector.Change{
		At: g.time("now"), Items: many(g, "items", g.item), Series: many(g, "series", g.series),
		Brands: many(g, "brands", g.brandState), Incidents: many(g, "incidents", g.incident),
		Alerts: many(g, "alerts", g.alert), Done: many(g, "done", g.done), Put: many(g, "put", g.judged),
	}
	for i := range c.Put {
		j := &c.Put[i]
		c.Seen = append(c.Seen, detector.Seen{
			Key: j.Mention.Key(), Arrived: j.Mention.CreatedAt, At: j.Mention.CreatedAt, Brands: []string{j.Brand},
		})
	}
	for range g.below(4, "waiting") {
		w := detector.Waiting{Brand: g.brand(), Rule: g.text("rule"), Key: g.key(), At: g.time("at"), From: g.time("from"), Told: g.below(3, "told"), Counted: g.chance("counted")}
		c.Waiting = append(c.Waiting, w)
		if g.chance("dropped") {
			c.DropWaiting = append(c.DropWaiting, w.Ref())
		}
	}
	for _, inc := range c.Incidents {
		l := detector.Chained(g.lines[inc.ID], detector.Audit{Incident: inc.ID, At: c.At, Op: "ack", Note: g.text("note")})
		c.Audit, g.lines[inc.ID] = append(c.Audit, l), l
	}
	if g.chance("cursor") {
		c.Cursors = map[string]sources.Cursor{g.of("source", "shop", "news"): sources.Cursor(g.text("cursor"))}
	}
	return c
}

// diffRapid is diff inside of a property.
func diffRapid(t *rapid.T, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Fatalf("(-want +got):\n%s", d)
	}
}
