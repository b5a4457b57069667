package demo

import (
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
)

// replayed are the steps of the incidents that the rules see in the recording.
func replayed(t *testing.T) (quiet, crisis []detector.ReplayEvent) {
	t.Helper()
	history, monday := recorded(t)
	r := detector.NewReplay(parsed(t), sentiment.New())
	r.Event = func(e detector.ReplayEvent) {
		i := &e.Incident
		t.Logf("%s %-10s %s severity %d %s %s: %s", e.At.Format("01-02 15:04"), e.Op, i.ID, i.Severity, i.Rule, i.Category, i.Sentence)
		if e.At.Before(Begin) {
			quiet = append(quiet, e)
		} else {
			crisis = append(crisis, e)
		}
	}
	r.Run(history)
	r.Run(monday)
	return quiet, crisis
}

func TestReplayOfTheRecording(t *testing.T) {
	quiet, crisis := replayed(t)
	alarms := map[string]bool{}
	for _, e := range quiet {
		if e.Incident.Severity <= rules.Issue {
			alarms[e.Incident.ID] = true
		}
	}
	if len(alarms) > 3 { // six weeks, and two rules that may each be wrong once a month
		t.Errorf("%d incidents in ordinary weeks", len(alarms))
	}
	opened, worst, hurt := time.Time{}, rules.Notice, rules.Calm
	for _, e := range crisis {
		switch i := &e.Incident; {
		case i.Category == "safety_injury" && i.Severity.GraverThan(hurt):
			hurt = i.Severity
		case i.Category == "quality_defect" && opened.IsZero():
			opened = e.At
			fallthrough
		case i.Category == "quality_defect" && i.Severity.GraverThan(worst):
			worst = i.Severity
		}
	}
	begun := Begin.Add(25 * time.Minute)
	if opened.IsZero() || opened.Sub(begun) > 30*time.Minute {
		t.Errorf("the leak is noticed at %s, want within half an hour of %s", opened.Format("15:04"), begun.Format("15:04"))
	}
	if worst != rules.Crisis {
		t.Errorf("the leak never gets graver than %d", worst)
	}
	if hurt != rules.Crisis {
		t.Errorf("two people who got a shock are severity %d", hurt)
	}
}
