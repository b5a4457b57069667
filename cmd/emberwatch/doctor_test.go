package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"emberwatch/notifier/notifiertest"
	"emberwatch/rules"
	"emberwatch/sources"
	"emberwatch/sources/feed"
	"emberwatch/sources/youtube"
)

// TestDoctorLooksAtEveryChannelAndName: those of routes, of the rooms that routes fall back on, and who may act.
func TestDoctorLooksAtEveryChannelAndName(t *testing.T) {
	fake := notifiertest.NewSlack()
	defer fake.Close()
	cfg := Default()
	cfg.Slack.BotToken.value, cfg.Slack.AppToken.value, cfg.Slack.APIURL = notifiertest.BotToken, notifiertest.AppToken, fake.URL()
	cfg.Slack.Channel = "#pr-alerts"
	cfg.Slack.Allow.Act = []string{"pr-team", "#pr-alerts"}
	cfg.Notifiers = []NotifierConfig{{Type: "slack", Name: "backup", Channel: "#pr-backup"}}
	set := &rules.Set{Routes: map[string]*rules.Route{"lead": {ID: "lead", Slack: rules.Slack{User: "@ingrid", Channel: "#leads", Mention: "@here"}}}}
	var problems []string
	for _, f := range examineSlack(t.Context(), cfg, set) {
		if f.Problem != "" {
			problems = append(problems, f.Check)
		}
	}
	if got := strings.Join(problems, ", "); got != "slack: channel #leads, slack: channel #pr-backup, slack: @ingrid, slack: pr-team" {
		t.Error(got)
	}
	for _, v := range fake.Violations() {
		t.Error(v)
	}
}

// TestDoctorReadsEveryPartOfASource: what works of a source must not hide what does not, whichever comes first.
func TestDoctorReadsEveryPartOfASource(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch page := r.URL.Query().Get("page"); {
		case strings.HasPrefix(r.URL.Path, "/zz/"), strings.HasSuffix(r.URL.Path, "/tag/closed"):
			w.WriteHeader(http.StatusForbidden)
		case strings.HasPrefix(r.URL.Path, "/us/") && page == "1":
			fmt.Fprint(w, `{"feed":{"entry":[{"id":{"label":"1"},"im:rating":{"label":"1"},"title":{"label":"x"},"updated":{"label":"2026-11-15T13:00:00Z"}},7]}}`)
		case strings.HasPrefix(r.URL.Path, "/us/"):
			fmt.Fprint(w, `{"feed":{}}`)
		case r.URL.Path == "/channels":
			fmt.Fprint(w, `{"items":[{"statistics":{"subscriberCount":"1200"}}]}`)
		case r.URL.Path == "/commentThreads":
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"error":{"errors":[{"reason":"quotaExceeded"}]}}`)
		case strings.HasPrefix(r.URL.Path, "/api/v1/timelines/tag/"):
			fmt.Fprint(w, `[]`)
		}
	}))
	defer server.Close()
	cfg := Default()
	cfg.Outgoing.Allow = []string{"127.0.0.0/8"}
	cfg.Sources = []SourceConfig{
		{Type: "appstore", Name: "ios", URL: server.URL, Path: Strings{"/{country}/{app}?page={page}"}, App: "7", Countries: Strings{"us", "zz"}, Budget: 24},
		{Type: "mastodon", Name: "toots", URL: server.URL, Hashtags: Strings{"open", "closed"}},
		{Type: "youtube", Name: "video", URL: server.URL, Key: Secret{value: "k"}, Channel: "UCxxxxxxxxxxxxxxxxxxxxxx", Brand: "nordhavn"},
		{Type: "appstore", Name: "us", URL: server.URL, Path: Strings{"/{country}/{app}?page={page}"}, App: "7"},
	}
	at := "GET " + strings.TrimPrefix(server.URL, "http://")
	want := []finding{
		bad("source ios", "country zz: page 1: "+at+": status 403; the rest gave 1 mention, 1 item refused: "+sources.ErrForm.Error(), statusRepair(403)),
		bad("source toots", "hashtag closed: fetch: "+at+": status 403", statusRepair(403)),
		bad("source video", "channel:UCxxxxxxxxxxxxxxxxxxxxxx: the daily quota of the key is used up; it begins anew at ", sourceRepair(youtube.ErrQuota)),
		good("source us", "1 mention, 1 item refused: %v", sources.ErrForm),
	}
	got := examineSources(t.Context(), cfg, nil)
	for i := range got {
		if w := want[i]; got[i].Check != w.Check || got[i].Level != w.Level || got[i].Detail != w.Detail || !strings.HasPrefix(got[i].Problem, w.Problem) || got[i].Fix != w.Fix {
			t.Errorf("got  %+v\nwant %+v", got[i], w)
		}
	}
}

// TestEachErrorOfASourceHasItsRepair: two classes of errors never have the same one.
func TestEachErrorOfASourceHasItsRepair(t *testing.T) {
	status := func(n int) error { return &sources.StatusError{Method: "GET", Host: "h", Status: n} }
	of := map[string]string{}
	for _, err := range []error{
		status(400), status(401), status(404), &sources.RetryAfterError{Err: status(429)}, status(503), youtube.ErrQuota, feed.ErrNoFeed, feed.ErrDTD,
		&sources.AddressError{Addr: "10.9.9.9"}, sources.ErrNoTLS, sources.ErrNoHTTP, sources.ErrRedirects, sources.ErrTooLarge, os.ErrNotExist,
		os.ErrPermission, context.DeadlineExceeded, errors.New("something else"),
	} {
		repair := sourceRepair(fmt.Errorf("fetch: %w", err))
		if other, taken := of[repair]; taken || repair == "" {
			t.Errorf("%v: %q, like %s", err, repair, other)
		}
		of[repair] = err.Error()
	}
}
