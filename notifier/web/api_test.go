package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/google/go-cmp/cmp"
)

// request is one request of a test; headers come in pairs.
type request struct {
	method, path, body string
	headers            []string
}

func get(path string, headers ...string) request { return request{"GET", path, "", headers} }
func post(path, body string, headers ...string) request {
	return request{"POST", path, body, headers}
}

// send has the request answered.
func (r request) send(h http.Handler) *httptest.ResponseRecorder {
	req := httptest.NewRequest(r.method, "http://localhost:8080"+r.path, strings.NewReader(r.body))
	for i := 0; i+1 < len(r.headers); i += 2 {
		if r.headers[i] == "Host" {
			req.Host = r.headers[i+1]
			continue
		}
		req.Header.Set(r.headers[i], r.headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// decode reads a JSON answer.
func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("answer %d is no JSON: %v\n%s", w.Code, err, w.Body)
	}
	return v
}

type problem struct {
	Error string `json:"error"`
}

func TestIncidentsAreListedAsAskedFor(t *testing.T) {
	w := busy()
	s := New(configOf(w))
	for _, c := range []struct {
		query  string
		filter detector.IncidentFilter
		ids    []string
	}{
		{"", detector.IncidentFilter{}, []string{"us-airways-7", "fjellbryg-3", "fjellbryg-4", "us-airways-6", "fjellbryg-2"}},
		{"?state=open&brand=fjellbryg&limit=5", detector.IncidentFilter{State: "open", Brand: "fjellbryg", Limit: 5}, []string{"fjellbryg-3", "fjellbryg-4"}},
		{"?state=acked", detector.IncidentFilter{State: "acked"}, []string{"us-airways-7"}},
		{"?brand=unheard", detector.IncidentFilter{Brand: "unheard"}, nil},
	} {
		t.Run(c.query, func(t *testing.T) {
			a := get("/api/v1/incidents" + c.query).send(s)
			got := decode[struct{ Incidents []detector.Incident }](t, a)
			var ids []string
			for _, i := range got.Incidents {
				ids = append(ids, i.ID)
			}
			if a.Code != 200 || w.filter != c.filter || cmp.Diff(c.ids, ids) != "" {
				t.Errorf("%d, filter %+v, ids %v; want %+v, %v", a.Code, w.filter, ids, c.filter, c.ids)
			}
			if strings.Contains(a.Body.String(), `"incidents":null`) {
				t.Errorf("an empty list is null: %s", a.Body)
			}
		})
	}
}

func TestOneIncidentComesWithItsHistoryAndEvidence(t *testing.T) {
	w := busy()
	a := get("/api/v1/incidents/fjellbryg-3").send(New(configOf(w)))
	got := decode[struct {
		Incident detector.Incident
		Audit    []detector.Audit
		Mentions []struct {
			detector.Judged
			Masked bool
		}
	}](t, a)
	if a.Code != 200 || got.Incident.ID != "fjellbryg-3" || len(got.Audit) != 3 || len(got.Mentions) != 4 {
		t.Fatalf("%d: %s", a.Code, a.Body)
	}
	if diff := cmp.Diff(w.mentions[1], got.Mentions[1].Judged); diff != "" {
		t.Errorf("a mention does not arrive as it is (-want +got):\n%s", diff)
	}
	if cc := a.Header().Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control %q", cc)
	}
}

func TestMergedIncidentLeadsToTheOneItWentInto(t *testing.T) {
	w := busy()
	w.incidents = append(w.incidents, detector.Incident{ID: "fjellbryg-1", Brand: "fjellbryg", Handling: detector.Closed, Closing: detector.Merged, MergedInto: "fjellbryg-3"})
	s := New(configOf(w))
	got := decode[struct {
		Incident detector.Incident
		Audit    []detector.Audit
	}](t, get("/api/v1/incidents/fjellbryg-1").send(s))
	if got.Incident.ID != "fjellbryg-3" || len(got.Audit) != 3 {
		t.Errorf("got %s with %d lines of history", got.Incident.ID, len(got.Audit))
	}
	if a := get("/incidents/fjellbryg-1").send(s); a.Code != 303 || a.Header().Get("Location") != "/incidents/fjellbryg-3" {
		t.Errorf("page: %d to %q", a.Code, a.Header().Get("Location"))
	}
}

func TestLookups(t *testing.T) {
	w := busy()
	s := New(configOf(w))
	if a := get("/api/v1/mentions?brand=fjellbryg&source=shop&from=2026-11-15&to=2h&label=negative&limit=3").send(s); a.Code != 200 {
		t.Fatalf("mentions: %d %s", a.Code, a.Body)
	}
	want := detector.MentionFilter{
		Brand: "fjellbryg", Source: "shop", From: time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC),
		To: noon.Add(-2 * time.Hour), Label: detector.Negative, Limit: 3,
	}
	if diff := cmp.Diff(want, w.mentionF); diff != "" {
		t.Errorf("filter of mentions (-want +got):\n%s", diff)
	}
	brands := decode[struct{ Brands []detector.BrandState }](t, get("/api/v1/brands").send(s))
	var list []string
	for _, b := range brands.Brands {
		list = append(list, b.ID+"="+b.Name)
	}
	if diff := cmp.Diff([]string{"fjellbryg=Fjellbryg", "unheard=Unheard Of", "us-airways=US Airways"}, list); diff != "" {
		t.Errorf("brands (-want +got):\n%s", diff)
	}
	if got := decode[struct{ Sources []sources.Health }](t, get("/api/v1/sources").send(s)); cmp.Diff(health(), got.Sources) != "" {
		t.Errorf("sources: %+v", got)
	}
	got := decode[series](t, get("/api/v1/series?brand=fjellbryg&from=2d&step=30m").send(s))
	if len(got.Counts) != 48 || w.step != 30*time.Minute || w.counted != [2]time.Time{noon.Add(-48 * time.Hour), noon} {
		t.Errorf("series: %d counts, asked for %v in steps of %s", len(got.Counts), w.counted, w.step)
	}
	report := decode[detector.Report](t, get("/api/v1/report?from=2026-11-09&to=2026-11-16").send(s))
	if report.To != time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC) || w.filter.State != "" || report.Severity == nil || len(report.Sources) != 1 {
		t.Errorf("report: %+v", report)
	}
	if a := get("/api/v1/report?from=2026-11-16&to=2026-11-09").send(s); a.Code != 400 {
		t.Errorf("a report that ends before it begins: %d", a.Code)
	}
	drafts := decode[struct{ Drafts []MentionDrafts }](t, get("/api/v1/incidents/fjellbryg-3/drafts").send(s))
	if len(drafts.Drafts) != 4 || drafts.Drafts[0].Drafts[0].ID != "public-short" || drafts.Drafts[1].Mention.Mention.ID != "m2" {
		t.Errorf("drafts: %+v", drafts)
	}
}

func TestWhatTheAPIRefuses(t *testing.T) {
	long := strings.Repeat("x", longestNote+1)
	for _, c := range []struct {
		name string
		request
		code int
		says string // part of the error
	}{
		{"unknown state", get("/api/v1/incidents?state=burning"), 400, "allowed are open, new, acked, snoozed, closed"},
		{"unknown parameter", get("/api/v1/incidents?stat=open"), 400, "allowed are state, brand, limit"},
		{"parameter twice", get("/api/v1/incidents?state=open&state=new"), 400, "2 times"},
		{"unknown brand", get("/api/v1/incidents?brand=acme"), 400, "known are fjellbryg, unheard, us-airways"},
		{"limit too large", get("/api/v1/incidents?limit=5000"), 400, "from 1 to 1000"},
		{"limit in words", get("/api/v1/mentions?limit=all"), 400, "from 1 to 1000"},
		{"unknown label", get("/api/v1/mentions?label=angry"), 400, "negative, neutral, positive"},
		{"unreadable time", get("/api/v1/mentions?from=yesterday"), 400, "write 2026-11-16T07:42:10Z"},
		{"unreadable query", get("/api/v1/mentions?from=%zz"), 400, "cannot be read"},
		{"series of nothing", get("/api/v1/series"), 400, "say which brand"},
		{"series backwards", get("/api/v1/series?brand=fjellbryg&from=1h&to=2h"), 400, "before"},
		{"step too fine", get("/api/v1/series?brand=fjellbryg&step=1s"), 400, "too fine"},
		{"step in words", get("/api/v1/series?brand=fjellbryg&step=often"), 400, "write it like"},
		{"too many steps", get("/api/v1/series?brand=fjellbryg&from=60d&step=1m"), 400, "5000 steps"},
		{"unknown incident", get("/api/v1/incidents/acme-1"), 404, "no such incident"},
		{"drafts of an unknown incident", get("/api/v1/incidents/acme-1/drafts"), 404, "no such incident"},
		{"unknown path", get("/api/v2/incidents"), 404, "there is no GET /api/v2/incidents"},
		{"wrong method", post("/api/v1/brands", ""), 404, "there is no POST /api/v1/brands"},

		{"operation on an unknown incident", post("/api/v1/incidents/acme-1/ack", ""), 404, "no such incident"},
		{"unknown operation", post("/api/v1/incidents/fjellbryg-3/explode", ""), 400, "there are ack, unack, assign"},
		{"no JSON", post("/api/v1/incidents/fjellbryg-3/ack", "for=4h"), 400, `{"for":"4h"`},
		{"unknown argument", post("/api/v1/incidents/fjellbryg-3/ack", `{"fro":"4h"}`), 400, `"fro"`},
		{"two objects", post("/api/v1/incidents/fjellbryg-3/ack", `{}{}`), 400, "more than one"},
		{"body too large", post("/api/v1/incidents/fjellbryg-3/note", `{"note":"`+strings.Repeat("x", formLimit)+`"}`), 413, "bytes at most"},
		{"no duration", post("/api/v1/incidents/fjellbryg-3/ack", `{"for":"a while"}`), 400, "write it like"},
		{"two ends", post("/api/v1/incidents/fjellbryg-3/ack", `{"for":"1h","until":"2026-11-17T00:00:00Z"}`), 400, "not both"},
		{"end in the past", post("/api/v1/incidents/fjellbryg-3/ack", `{"until":"2026-11-15T00:00:00Z"}`), 400, "future"},
		{"negative time", post("/api/v1/incidents/fjellbryg-3/ack", `{"for":-60}`), 400, "future"},
		{"negative version", post("/api/v1/incidents/fjellbryg-3/ack", `{"expected_version":-1}`), 400, "from 1"},
		{"snooze without an end", post("/api/v1/incidents/fjellbryg-3/snooze", ""), 400, "how long"},
		{"snooze for ever", post("/api/v1/incidents/fjellbryg-3/snooze", `{"for":"8d"}`), 400, "7 days"},
		{"assign to nobody", post("/api/v1/incidents/fjellbryg-3/assign", `{"assignee":" "}`), 400, "to whom"},
		{"empty note", post("/api/v1/incidents/fjellbryg-3/note", `{}`), 400, "empty"},
		{"endless note", post("/api/v1/incidents/fjellbryg-3/note", `{"note":"`+long+`"}`), 400, "4000 characters"},
		{"no severity", post("/api/v1/incidents/fjellbryg-3/severity", `{"severity":5}`), 400, "1 crisis"},
		{"merge into itself", post("/api/v1/incidents/fjellbryg-3/merge", `{"into":"fjellbryg-3"}`), 400, "which other"},
		{"split off nothing", post("/api/v1/incidents/fjellbryg-3/split", ""), 400, "which mentions"},
		{"split off and bring back", post("/api/v1/incidents/fjellbryg-3/split", `{"into":"fjellbryg-1","mentions":[{"source":"a","id":"b"}]}`), 400, "not both"},
		{"no facts", post("/api/v1/incidents/fjellbryg-3/facts", ""), 400, "facts"},
		{"key with blanks", post("/api/v1/incidents/fjellbryg-3/ack", "", "Idempotency-Key", "a b"), 400, "Idempotency-Key"},
		{"key too long", post("/api/v1/incidents/fjellbryg-3/ack", "", "Idempotency-Key", strings.Repeat("k", 201)), 400, "Idempotency-Key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := busy()
			a := c.send(New(configOf(w)))
			if got := decode[problem](t, a); a.Code != c.code || !strings.Contains(got.Error, c.says) {
				t.Errorf("got %d %q, want %d and %q in it", a.Code, got.Error, c.code, c.says)
			}
			if c.code != 404 && len(w.events) > 0 {
				t.Errorf("the detector was asked all the same: %+v", w.events)
			}
		})
	}
}

func TestOperationBecomesAnEvent(t *testing.T) {
	w := busy()
	s := New(configOf(w))
	a := post("/api/v1/incidents/fjellbryg-3/ack", `{"for":"4h","note":"on it","expected_version":4,"as":"Ingrid"}`,
		"Idempotency-Key", "abc-1", "X-Emberwatch-Via", "cli", "X-Emberwatch-Actor", "ignored").send(s)
	want := detector.Event{
		ID: "abc-1", Incident: "fjellbryg-3", Op: detector.OpAck, Expected: 4,
		Actor: detector.Actor{Kind: "person", ID: "Ingrid", Name: "Ingrid", Via: "cli"},
		Args:  detector.Args{For: detector.Duration(4 * time.Hour), Note: "on it"},
	}
	if diff := cmp.Diff(want, w.last(t)); a.Code != 200 || diff != "" {
		t.Errorf("%d %s (-want +got):\n%s", a.Code, a.Body, diff)
	}
	if got := decode[detector.Result](t, a); got.Outcome != detector.Applied || got.Incident.ID != "fjellbryg-3" {
		t.Errorf("result %+v", got)
	}
}

func TestEveryOperationIsCarried(t *testing.T) {
	bodies := map[detector.Operation]string{
		detector.OpSnooze: `{"until":"2026-11-17T09:00:00+01:00"}`, detector.OpAssign: `{"assignee":"Maja"}`, detector.OpNote: `{"note":"n"}`,
		detector.OpSeverity: `{"severity":2}`, detector.OpMerge: `{"into":"fjellbryg-4"}`,
		detector.OpSplit: `{"mentions":[{"source":"shop","id":"m1"}]}`, detector.OpFacts: `{"facts":{"cause":"lorry"}}`,
	}
	for _, op := range operations {
		t.Run(string(op), func(t *testing.T) {
			w := busy()
			a := post("/api/v1/incidents/fjellbryg-3/"+string(op), bodies[op], "X-Emberwatch-Actor", "Boris\u202e\n", "X-Emberwatch-Via", "slack").send(New(configOf(w)))
			if a.Code != 200 {
				t.Fatalf("%d %s", a.Code, a.Body)
			}
			e := w.last(t)
			if e.Op != op || e.ID == "" || e.Actor.ID != "Boris" || e.Actor.Via != "http" {
				t.Errorf("event %+v", e)
			}
		})
	}
}

func TestWithoutAKeyEveryRequestIsItsOwn(t *testing.T) {
	w := busy()
	s := New(configOf(w))
	for range 2 {
		post("/api/v1/incidents/fjellbryg-3/ack", "").send(s)
	}
	if len(w.events) != 2 || w.events[0].ID == w.events[1].ID {
		t.Errorf("events %+v", w.events)
	}
}

func TestOutcomesOfAnOperation(t *testing.T) {
	i := detector.Incident{ID: "fjellbryg-3", Severity: rules.Crisis}
	for _, c := range []struct {
		name string
		res  detector.Result
		err  error
		code int
		says string
	}{
		{"applied", detector.Result{Outcome: detector.Applied, Message: "It is yours.", Incident: i}, nil, 200, `"outcome":"applied"`},
		{"already", detector.Result{Outcome: detector.Already, Message: "It was yours.", Incident: i}, nil, 200, `"outcome":"already"`},
		{"refused", detector.Result{Outcome: detector.Refused, Message: "Boris closed it.", Incident: i}, nil, 409, `"error":"Boris closed it."`},
		{"not to be found", detector.Result{}, fmt.Errorf("respond: %w", detector.ErrNotFound), 404, "no such incident"},
		{"nothing can be stored", detector.Result{}, fmt.Errorf("commit: %w", sources.ErrUnavailable), 503, "try again"},
		{"broken", detector.Result{}, errors.New("secret path /data/state.db"), 500, "something went wrong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := busy()
			w.result = func(detector.Event) (detector.Result, error) { return c.res, c.err }
			a := post("/api/v1/incidents/fjellbryg-3/resolve", "").send(New(configOf(w)))
			if body := a.Body.String(); a.Code != c.code || !strings.Contains(body, c.says) || strings.Contains(body, "secret") {
				t.Errorf("%d %s, want %d with %s", a.Code, body, c.code, c.says)
			}
		})
	}
}

func TestReaderThatFailsIsNoSecretTold(t *testing.T) {
	w := busy()
	w.fails = errors.New("secret path /data/state.db")
	s := New(configOf(w))
	for _, path := range []string{
		"/api/v1/incidents", "/api/v1/incidents/fjellbryg-3", "/api/v1/mentions", "/api/v1/brands", "/api/v1/series?brand=fjellbryg",
		"/api/v1/incidents?brand=x", "/", "/incidents/fjellbryg-3", "/incidents/fjellbryg-3/chart.svg",
	} {
		a := get(path).send(s)
		if a.Code != 500 || bytes.Contains(a.Body.Bytes(), []byte("secret")) {
			t.Errorf("%s: %d %s", path, a.Code, a.Body)
		}
	}
}

func TestOverARealConnection(t *testing.T) {
	srv := httptest.NewServer(New(configOf(busy())))
	defer srv.Close()
	res, err := srv.Client().Post(srv.URL+"/api/v1/incidents/fjellbryg-3/ack", "application/json", strings.NewReader(`{"for":"1h"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || res.StatusCode != 200 {
		t.Errorf("%d %s %v", res.StatusCode, b, err)
	}
}

func TestAssigneeIsOneLine(t *testing.T) {
	w := busy()
	a := post("/api/v1/incidents/fjellbryg-3/assign", `{"assignee":" Maja\n\u001b[31m\u202eLindqvist "}`).send(New(configOf(w)))
	if got := w.last(t).Args.Assignee; a.Code != 200 || got != "Maja[31mLindqvist" {
		t.Errorf("%d, assigned to %q", a.Code, got)
	}
	if a := post("/api/v1/incidents/fjellbryg-3/assign", `{"assignee":"\n\u202e"}`).send(New(configOf(busy()))); a.Code != 400 {
		t.Errorf("a name of nothing: %d %s", a.Code, a.Body)
	}
}
