package web

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"

	"golang.org/x/net/html"
)

// mustContain checks that all parts are in body, in this order.
func mustContain(t *testing.T, body string, parts ...string) {
	t.Helper()
	rest := body
	for _, p := range parts {
		_, after, ok := strings.Cut(rest, p)
		if !ok {
			t.Fatalf("%q is not there (or not in this order) in:\n%s", p, body)
		}
		rest = after
	}
}

func TestOverviewShowsTheGravestFirst(t *testing.T) {
	a := get("/").send(New(configOf(busy())))
	mustContain(t, a.Body.String(),
		"4 open incidents", "3 without an owner",
		"crisis", "/incidents/fjellbryg-3", "Not acknowledged for 27 min", "12:20 CET", "(40 min ago)", "escalates to @ingrid any moment",
		"/incidents/us-airways-6", "Not acknowledged for 2 h", // has waited longest among those of its severity
		"/incidents/fjellbryg-4",
		"/incidents/us-airways-7", "Boris has it until 16:00 CET",
		"3 sources: 2 running, 1 failing", "news", "503 Service Unavailable",
		"Closed lately", "/incidents/fjellbryg-2", "Resolved by Maja")
}

func TestOverviewWithNothingToDo(t *testing.T) {
	quiet := func(c *Config) { c.Reader = &world{} }
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{
			"calm", func(c *Config) { c.Sources = func() []sources.Health { return health()[:2] } },
			[]string{"All is calm", "has read 19,115 mentions", "about 2 brands", "2 min ago", "2 sources: 2 running"},
		},
		{"calm but deaf in one ear", func(*Config) {}, []string{"All is calm", "is not calm", "news"}},
		{"calm, but what comes is not understood", func(c *Config) {
			c.Sources = func() []sources.Health {
				return []sources.Health{{Name: "desk", State: sources.Running, Rejecting: true, RejectedWhy: "created_at: missing"}}
			}
		}, []string{"is not calm", "desk", "rejecting most of what comes", "created_at: missing"}},
		{"nothing read yet", func(c *Config) { c.Sources, c.Rules = nil, nil }, []string{"All is calm", "No mention has come in", "No source is polled"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			conf := configOf(busy())
			quiet(&conf)
			c.change(&conf)
			a := get("/").send(New(conf))
			if a.Code != 200 {
				t.Fatal(a.Code)
			}
			mustContain(t, a.Body.String(), c.want...)
		})
	}
}

func TestIncidentPageShowsItsWork(t *testing.T) {
	body := get("/incidents/fjellbryg-3").send(New(configOf(busy()))).Body.String()
	mustContain(t, body,
		"crisis", "Fjellbryg", "47 negative mentions about delivery",
		`name="version" value="4"`, `value="note"`, `value="ack-1h"`, `value="ack-4h"`, `value="ack-morning"`, `value="snooze-4h"`,
		`value="resolve"`, `value="false-alarm"`, `value="known-event"`,
		"three times the usual high", "about 12,400 followers",
		"/incidents/fjellbryg-3/chart.svg", "15 min", "1 h", "led", "47", "6.1", "14", "9.3", "1,204",
		"The score is 8.7; it had to pass 4.6", "nicht angekommen",
		"delivery", "40", "85 %", "Sources", "Languages", "Arabic",
		`lang="de"`, "Seit zwei Wochen", "1 of 5 stars", "★☆☆☆☆", "Maja L.", `href="https://example.com/p/m1" rel="noopener noreferrer nofollow"`,
		`dir="auto" lang="ar"`, "لم يصل الطلب",
		"needs approval: pr-lead", "can be sent", "2 checks passed", "must not be sent as it is", "G09 hard", "no time is named",
		"note</strong>", "Ingrid (desk), page", "carrier has lost a lorry", "worse</strong>", "told: worse", "severity: serious → crisis", "opened</strong>")
	if strings.Contains(body, `value="reopen"`) {
		t.Error("an open incident can be reopened")
	}
}

func TestClosedIncidentCanOnlyBeReopened(t *testing.T) {
	body := get("/incidents/fjellbryg-2").send(New(configOf(busy()))).Body.String()
	mustContain(t, body, "Resolved by Maja", `value="note"`, `value="reopen"`)
	if strings.Contains(body, `value="ack-1h"`) {
		t.Error("a closed incident can be acknowledged")
	}
}

func TestPagesDoWithoutAnything(t *testing.T) {
	w := &world{incidents: []detector.Incident{{ID: "x-1", Brand: "x", Handling: detector.New}}}
	s := New(Config{Reader: w, Responder: w, Open: true})
	for _, path := range []string{"/", "/incidents/x-1", "/incidents/x-1/chart.svg", "/api/v1/incidents/x-1", "/api/v1/incidents/x-1/drafts", "/api/v1/sources", "/api/v1/brands"} {
		a := get(path).send(s)
		if a.Code != 200 {
			t.Errorf("%s: %d %s", path, a.Code, a.Body)
		}
		if !strings.HasPrefix(path, "/api/") && strings.Contains(a.Body.String(), "0001") {
			t.Errorf("%s shows a time that nobody knows: %s", path, a.Body)
		}
	}
	a := get("/incidents/acme-1", "Accept", "text/html").send(s)
	if a.Code != 404 || !strings.Contains(a.Body.String(), "There is no such incident") {
		t.Errorf("unknown incident: %d %s", a.Code, a.Body)
	}
}

func TestPageIsShownWithoutItsDrafts(t *testing.T) {
	c := configOf(busy())
	c.Drafts = func(context.Context, string) ([]MentionDrafts, error) { return nil, errors.New("secret") }
	a := get("/incidents/fjellbryg-3").send(New(c))
	mustContain(t, a.Body.String(), "could not be made just now", "Timeline")
	if a.Code != 200 || strings.Contains(a.Body.String(), "secret") {
		t.Errorf("%d", a.Code)
	}
}

// press sends the form of the page of fjellbryg-3.
func press(s http.Handler, fields ...string) (int, string, string) {
	f := url.Values{"version": {"4"}, "nonce": {"n1"}}
	for i := 0; i+1 < len(fields); i += 2 {
		f.Set(fields[i], fields[i+1])
	}
	a := post("/incidents/fjellbryg-3", f.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html").send(s)
	return a.Code, a.Header().Get("Location"), a.Body.String()
}

func TestButtonsBecomeEvents(t *testing.T) {
	for value, want := range map[string]struct {
		op   detector.Operation
		args detector.Args
	}{
		"ack-1h":         {detector.OpAck, detector.Args{For: detector.Duration(time.Hour)}},
		"ack-4h":         {detector.OpAck, detector.Args{For: detector.Duration(4 * time.Hour)}},
		"ack-morning":    {detector.OpAck, detector.Args{Until: time.Date(2026, 11, 17, 8, 0, 0, 0, time.UTC)}},
		"snooze-1h":      {detector.OpSnooze, detector.Args{For: detector.Duration(time.Hour)}},
		"snooze-4h":      {detector.OpSnooze, detector.Args{For: detector.Duration(4 * time.Hour)}},
		"snooze-morning": {detector.OpSnooze, detector.Args{Until: time.Date(2026, 11, 17, 8, 0, 0, 0, time.UTC)}},
		"resolve":        {detector.OpResolve, detector.Args{}},
		"false-alarm":    {detector.OpFalseAlarm, detector.Args{}},
		"known-event":    {detector.OpKnownEvent, detector.Args{}},
		"reopen":         {detector.OpReopen, detector.Args{}},
		"note":           {detector.OpNote, detector.Args{}},
	} {
		t.Run(value, func(t *testing.T) {
			w := busy()
			s := New(configOf(w))
			code, location, _ := press(s, "do", value, "note", " why \n", "as", "Ingrid")
			if code != 303 || location != "/incidents/fjellbryg-3?done="+string(want.op) {
				t.Fatalf("%d to %q", code, location)
			}
			e := w.last(t)
			want.args.Note = "why"
			if e.Op != want.op || e.Expected != 4 || e.Actor != (detector.Actor{Kind: "person", ID: "Ingrid", Name: "Ingrid", Via: "page"}) ||
				e.Args.For != want.args.For || !e.Args.Until.Equal(want.args.Until) || e.Args.Note != want.args.Note {
				t.Errorf("event %+v", e)
			}
			if a := get(location).send(s); english.notice(string(want.op)) == "" || !strings.Contains(a.Body.String(), english.notice(string(want.op))) {
				t.Error("the page does not say what was done")
			}
		})
	}
}

func TestOnePressIsOneEvent(t *testing.T) {
	w := busy()
	s := New(configOf(w))
	press(s, "do", "ack-1h")
	press(s, "do", "ack-1h")
	press(s, "do", "ack-4h")
	press(s, "do", "note", "note", "one")
	press(s, "do", "note", "note", "two")
	ids := map[string]bool{}
	for _, e := range w.events {
		ids[e.ID] = true
	}
	if w.events[0].ID != w.events[1].ID || len(ids) != 4 {
		t.Errorf("a form sent twice is one event, another button or note is another: %v", ids)
	}
}

func TestStaleFormIsAnsweredKindly(t *testing.T) {
	w := busy()
	s := New(configOf(w))
	w.result = func(e detector.Event) (detector.Result, error) {
		return detector.Result{Outcome: detector.Refused, Message: "Boris acknowledged it 2 min ago.", Incident: w.incidents[1]}, nil
	}
	w.incidents[1].Version = 5
	code, _, body := press(s, "do", "ack-1h")
	if code != http.StatusConflict {
		t.Errorf("got %d", code)
	}
	mustContain(t, body, "Boris acknowledged it 2 min ago. Below is how it stands now.", `name="version" value="5"`)

	w.result = func(e detector.Event) (detector.Result, error) {
		return detector.Result{Outcome: detector.Already, Message: "It is yours already.", Incident: w.incidents[1]}, nil
	}
	if code, _, body := press(s, "do", "ack-1h"); code != 200 || !strings.Contains(body, "It is yours already.") {
		t.Errorf("already: %d", code)
	}
}

func TestFormsThatCannotBeMeant(t *testing.T) {
	w := busy()
	s := New(configOf(w))
	for _, c := range []struct{ name, do, version, says string }{
		{"unknown button", "explode", "4", "no button"},
		{"no version", "resolve", "", "load the page again"},
		{"note without words", "note", "4", "The note is empty"},
	} {
		if code, _, body := press(s, "do", c.do, "version", c.version); code != 400 || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s", c.name, code, body)
		}
	}
	if len(w.events) > 0 {
		t.Errorf("events %+v", w.events)
	}
}

func TestNameIsRemembered(t *testing.T) {
	s := New(configOf(busy()))
	f := url.Values{"do": {"resolve"}, "version": {"4"}, "as": {`Ingrid "Å" <b>`}}
	a := post("/incidents/fjellbryg-3", f.Encode(), "Content-Type", "application/x-www-form-urlencoded").send(s)
	c := a.Result().Cookies()
	if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode {
		t.Fatalf("cookies %v", c)
	}
	body := get("/incidents/fjellbryg-3", "Cookie", c[0].Name+"="+c[0].Value).send(s).Body.String()
	mustContain(t, body, `value="Ingrid &#34;Å&#34; &lt;b&gt;"`)
}

// poison puts markup into everything that is foreign.
func poison() *world {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}`
	w := busy()
	for i := range w.incidents {
		in := &w.incidents[i]
		in.Sentence, in.Title, in.SeverityWhy, in.Owner, in.ClosedBy, in.Rule, in.Signal = evil, evil, evil, evil, evil, evil, evil
		in.Evidence.Cues, in.Evidence.Learning, in.Previous = []string{evil}, evil, evil
		in.Evidence.Sources, in.Evidence.Networks = map[string]int{evil: 1}, map[string]int{evil: 1}
		in.Evidence.Languages, in.Evidence.Categories = map[string]int{evil: 1}, map[string]int{evil: 1}
	}
	for i := range w.mentions {
		j := &w.mentions[i]
		j.Lang, j.Category = `ar" onmouseover="alert(3)`, evil
		m := &j.Mention
		m.Text, m.Title, m.Author, m.Network, m.Lang = evil, evil, sources.Author{Name: evil, Handle: evil}, evil, evil
		m.URL = []string{"javascript:alert(4)", "data:text/html,<script>alert(5)</script>", "https://example.com/\"><script>alert(6)</script>", "//evil.example/x"}[i]
	}
	w.brandList[0].Name = evil
	w.audits["fjellbryg-3"] = []detector.Audit{{Op: evil, Note: evil, Actor: detector.Actor{Kind: "person", Name: evil, Via: evil}, Changes: map[string][2]any{evil: {evil, evil}}}}
	return w
}

// active returns everything in a page that could run or lead elsewhere by itself, as a browser reads it.
func active(t *testing.T, page string) (bad []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	elements := []string{"script", "iframe", "object", "embed", "base"}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && slices.Contains(elements, n.Data) {
			bad = append(bad, "element "+n.Data)
		}
		for _, a := range n.Attr {
			if !harmless(a) {
				bad = append(bad, n.Data+" "+a.Key+"="+a.Val)
			}
		}
	}
	return bad
}

func harmless(a html.Attribute) bool {
	local := strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "//")
	switch a.Key {
	case "src", "action":
		return local
	case "href":
		return local || a.Val == "#main" || strings.HasPrefix(a.Val, "https://")
	}
	return !strings.HasPrefix(a.Key, "on") && a.Key != "style"
}

func TestStoredMarkupStaysText(t *testing.T) {
	w := poison()
	c := configOf(w)
	evil := w.incidents[0].Sentence
	c.Rules = func() *rules.Set {
		return &rules.Set{Routes: map[string]*rules.Route{"pr": {Ladder: []rules.Step{{After: time.Hour, Severity: 1, To: "lead"}}}, "lead": {Slack: rules.Slack{User: evil}}}}
	}
	c.Sources = func() []sources.Health {
		return []sources.Health{{Name: evil, State: sources.Failing, LastError: evil}}
	}
	c.Drafts = func(context.Context, string) ([]MentionDrafts, error) {
		return []MentionDrafts{{w.mentions[0], notifier.Suggestion{
			Suggest: notifier.Suggest(evil), Why: evil, Approve: []string{evil},
			Drafts: []notifier.Draft{{ID: evil, Lang: evil, Network: evil, Text: evil, Guards: []notifier.Guard{{ID: evil, Level: evil, Why: evil}}}},
		}}}, nil
	}
	s := New(c)
	for _, path := range []string{"/", "/incidents/fjellbryg-3", "/incidents/fjellbryg-2", "/incidents/fjellbryg-3?done=%3Cscript%3E", "/incidents/fjellbryg-3/chart.svg", "/%3Cscript%3E", "/incidents/%3Cscript%3E"} {
		body := get(path, "Accept", "text/html").send(s).Body.String()
		for _, bad := range active(t, body) {
			t.Errorf("%s: %s", path, bad)
		}
		if strings.Contains(body, "ZgotmplZ") {
			t.Errorf("%s: a template puts foreign text where it cannot be shown", path)
		}
	}
}

func TestEveryAnswerIsProtected(t *testing.T) {
	s := New(configOf(busy()))
	closed, _ := guarded(busy())
	for _, c := range []struct {
		h    http.Handler
		path string
	}{{s, "/"}, {s, "/incidents/fjellbryg-3"}, {s, "/nowhere"}, {s, "/api/v1/brands"}, {s, "/api/v1/nowhere"}, {closed, "/login"}, {closed, "/"}, {s, "/incidents/fjellbryg-3/chart.svg"}} {
		h := get(c.path, "Accept", "text/html").send(c.h).Header()
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; ") || !strings.Contains(csp, "frame-ancestors 'none'; base-uri 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", c.path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", c.path, h)
		}
	}
	body := get("/incidents/fjellbryg-3").send(s).Body.String()
	if strings.Contains(body, "style=") || strings.Contains(body, "<style") || strings.Contains(body, "<script") {
		t.Error("the page has something inline that its own policy forbids")
	}
}

func TestStaticFilesCanBeKept(t *testing.T) {
	s := New(configOf(busy()))
	refs := regexp.MustCompile(`"(/static/[^"]+)"`).FindAllStringSubmatch(get("/").send(s).Body.String(), -1)
	if len(refs) < 2 {
		t.Fatalf("the page refers to %v", refs)
	}
	for _, r := range refs {
		a := get(r[1]).send(s)
		if a.Code != 200 || !strings.Contains(a.Header().Get("Cache-Control"), "immutable") || a.Body.Len() == 0 {
			t.Errorf("%s: %d %v", r[1], a.Code, a.Header())
		}
	}
	if a := get("/static/style.css").send(s); a.Code != 404 {
		t.Errorf("a name without its hash: %d", a.Code)
	}
}

func TestChart(t *testing.T) {
	w := busy()
	conf, set := configOf(w), ruleSet()
	set.Brands["fjellbryg"].Names = []string{"Fjell & Söhne <AB>\x00"}
	conf.Rules = func() *rules.Set { return set }
	a := get("/incidents/fjellbryg-3/chart.svg").send(New(conf))
	if a.Header().Get("Content-Type") != "image/svg+xml; charset=utf-8" {
		t.Errorf("type %q", a.Header().Get("Content-Type"))
	}
	body := a.Body.String()
	mustContain(t, body, "<title", "Mentions of Fjell &amp; Söhne &lt;AB&gt; per hour", "<desc", "The peak is 49 negative in the hour from 16 Nov 13:00 CET", `class="neg"`, `class="since"`)
	for d := xml.NewDecoder(strings.NewReader(body)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, body)
		}
	}
	if want := [2]time.Time{noon.Add(-47 * time.Hour), noon.Add(time.Hour)}; w.counted != want || w.step != time.Hour {
		t.Errorf("asked for %v in steps of %s", w.counted, w.step)
	}
}

func TestChartOfAClosedIncidentShowsItsTime(t *testing.T) {
	w := busy()
	get("/incidents/fjellbryg-2/chart.svg").send(New(configOf(w)))
	if want := noon.Add(-20*time.Hour + 7*time.Hour); !w.counted[1].Equal(want) {
		t.Errorf("drawn until %v, want %v", w.counted[1], want)
	}
}
