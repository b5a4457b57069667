package draft

import (
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

const clusterBook = `
version: 1
rules: [{id: leak-tank, title: Leak, kind: burst, match: {}, floor: {items: 5, authors: 3}}]
playbooks:
  leak:
    cluster: accidental
    cluster_if: [{when: "incidents(leak-tank, 60d) >= 3", cluster: preventable}]
    drafts:
      - {id: public-short, for: {languages: [en], clusters: [accidental]}, text: "{{item.author_greeting}}I'm sorry about the leak. Please tell us more."}
      - {id: public-short, for: {languages: [en], clusters: [preventable]}, text: "{{item.author_greeting}}I'm sorry that this happened again. {{apology}} Please tell us more."}
`

func past(rule, category string, age time.Duration, closing detector.Closing) detector.Incident {
	return detector.Incident{ID: "fjellbryg-0", Rule: rule, Category: category, OpenedAt: theHour.Add(-age), Closing: closing}
}

// TestPosture: responsibility is proposed from the playbook and the history, and set by people.
func TestPosture(t *testing.T) {
	const day = 24 * time.Hour
	twice := []detector.Incident{past("r", "delivery", 10*day, detector.Resolved), past("r", "delivery", 50*day, detector.CalmAgain)}
	for _, c := range []struct {
		name     string
		category string
		history  []detector.Incident
		facts    map[string]string
		want     rules.Cluster
		why      string
		set      bool
	}{
		{"as the playbook has it", "delivery", nil, nil, rules.Accidental, "playbook delivery", false},
		{"a third time in 60 days is seen as preventable", "delivery", twice, nil, rules.Preventable, "incident 3 of its kind in 60 days", false},
		{"a second time is not yet", "delivery", twice[:1], nil, rules.Accidental, "playbook", false},
		{"what was long ago does not count", "delivery", []detector.Incident{past("r", "delivery", 61*day, ""), past("r", "delivery", 90*day, "")}, nil, rules.Accidental, "", false},
		{"nor what was about something else", "delivery", []detector.Incident{past("r", "price", day, ""), past("r", "price", day, "")}, nil, rules.Accidental, "", false},
		{"nor a false alarm", "delivery", []detector.Incident{past("r", "delivery", day, detector.FalseAlarm), twice[0]}, nil, rules.Accidental, "", false},
		{"a rumour for the third time is no longer only the others' doing", "misinformation", []detector.Incident{past("r", "misinformation", day, ""), past("r", "misinformation", day, "")}, nil, rules.Accidental, "", false},
		{"people decide", "delivery", twice, map[string]string{detector.FactCluster: "victim"}, rules.Victim, "set for this incident", true},
	} {
		r := request(brandSet(), mention("en", c.category, "…"), "x")
		r.History = c.history
		r.Incident = &detector.Incident{ID: "fjellbryg-9", Facts: c.facts, FactsAt: theHour}
		p := makeDrafts(t, newLibrary(t), r).Posture
		if p == nil || p.Cluster != c.want || !strings.Contains(p.Why, c.why) || p.Set != c.set {
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	praise := mention("en", "", "Great!")
	praise.P = detector.P{Positive: 1}
	if p := makeDrafts(t, newLibrary(t), request(brandSet(), praise, "x")).Posture; p != nil {
		t.Errorf("praise has a posture: %+v", p)
	}
}

// TestClusterChoosesTheText: a rule file may have a text for each cluster, and a condition on its own history.
func TestClusterChoosesTheText(t *testing.T) {
	set := parseRules(t, brandFile, clusterBook)
	r := request(set, mention("en", "", "leak"), "x")
	r.Incident = &detector.Incident{ID: "fjellbryg-9", Rule: "leak-tank", Playbook: "leak"}
	say := func() string { return draftByID(t, makeDrafts(t, newLibrary(t), r), "public-short").Text }
	if got := say(); got != "Hi Maja, I'm sorry about the leak. Please tell us more." {
		t.Errorf("the first time: %s", got)
	}
	r.History = []detector.Incident{past("leak-tank", "", time.Hour, ""), past("leak-tank", "", 2*time.Hour, "")}
	if got := say(); got != "Hi Maja, I'm sorry that this happened again. Please tell us more." {
		t.Errorf("the third time: %s", got)
	}
	r.Incident.Facts, r.Incident.FactsAt = map[string]string{detector.FactCleared + "apology": "true"}, theHour
	if got := say(); got != "Hi Maja, I'm sorry that this happened again. We apologise for what happened. Please tell us more." {
		t.Errorf("with the apology cleared: %s", got)
	}
}

// TestRestraint: where silence is better, that is said first, and the drafts carry the warning.
func TestRestraint(t *testing.T) {
	r := request(brandSet(), mention("en", "delivery", "…"), "x")
	r.Incident = &detector.Incident{ID: "fjellbryg-9", Evidence: detector.Evidence{Copied: 38, Total: 60}}
	s := makeDrafts(t, newLibrary(t), r)
	if s.Suggest != notifier.Monitor || !strings.Contains(s.Why, "38 of 60 mentions look copied") || len(s.Drafts) == 0 {
		t.Errorf("%+v", s)
	}
	r.Incident.Evidence.Copied = 3
	r.Mention.Mention.CreatedAt = theHour.AddDate(0, -2, 0)
	if s := makeDrafts(t, newLibrary(t), r); s.Suggest != notifier.Monitor || !strings.Contains(s.Why, "days old") {
		t.Errorf("%+v", s)
	}
	r.Incident = nil // an old file of complaints is drafted all the same
	if s := makeDrafts(t, newLibrary(t), r); s.Suggest != notifier.Reply {
		t.Errorf("%+v", s)
	}
}
