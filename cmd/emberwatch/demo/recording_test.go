package demo

import (
	"slices"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// recorded returns both halves, or ends the test.
func recorded(t *testing.T) (history, crisis []sources.Mention) {
	t.Helper()
	history, crisis, err := Recording()
	if err != nil {
		t.Fatal(err)
	}
	return history, crisis
}

// parsed returns the set of the rule file, or ends the test.
func parsed(t *testing.T) *rules.Set {
	t.Helper()
	set, errs := rules.Parse([]rules.File{{Name: "fjellbryg.yml", Data: Rules()}}, rules.Options{})
	if errs.Refused() {
		t.Fatal(errs)
	}
	for _, e := range errs {
		t.Log(e)
	}
	return set
}

func TestRecordingIsSmall(t *testing.T) {
	if n := len(recording); n > 200_000 {
		t.Errorf("it adds %d bytes to the binary", n)
	}
}

func TestRecordingIsInOrderAndInItsTime(t *testing.T) {
	history, crisis := recorded(t)
	if !slices.IsSortedFunc(slices.Concat(history, crisis), func(a, b sources.Mention) int { return a.CreatedAt.Compare(b.CreatedAt) }) {
		t.Error("not in the order of time")
	}
	first, end := history[0].CreatedAt, crisis[len(crisis)-1].CreatedAt
	if weeks := Begin.Sub(first).Hours() / (7 * 24); weeks < 7.9 || weeks > 8 {
		t.Errorf("%.2f weeks of history", weeks)
	}
	if d := end.Sub(Begin); d < 6*time.Hour+30*time.Minute || d > length {
		t.Errorf("the crisis lasts %s", d)
	}
	if !history[len(history)-1].CreatedAt.Before(Begin) || crisis[0].CreatedAt.Before(Begin) {
		t.Error("it is not parted at Begin")
	}
}

func TestRecordingIsNormalised(t *testing.T) {
	history, crisis := recorded(t)
	created := map[sources.Key]bool{}
	for _, m := range slices.Concat(history, crisis) {
		again := m
		if err := sources.Normalize(&again, time.Time{}); err != nil {
			t.Errorf("%s: %v", m.ID, err)
		}
		if again.Text != m.Text || again.Title != m.Title || again.Author != m.Author {
			t.Errorf("%s changes when it is normalised again", m.ID)
		}
		if known := created[m.Key()]; known != (m.Op != sources.Create) {
			t.Errorf("%s: %s, and known before: %v", m.ID, m.Op, known)
		}
		created[m.Key()] = true
	}
}

// span is what a share has to lie in, in percent.
type span struct{ low, high float64 }

func TestOrdinaryWeeksAreMixed(t *testing.T) {
	history, _ := recorded(t)
	count := map[string]float64{}
	people := map[string]bool{}
	for _, m := range history {
		count[m.Source]++
		count[string(m.Kind)]++
		count["lang "+m.Lang]++
		people[m.Author.Key()] = true
	}
	n := float64(len(history))
	if perHour := n / (quietWeeks * 7 * 24); perHour < 3 || perHour > 4 {
		t.Errorf("%.2f mentions an hour", perHour)
	}
	if len(people) < 300 {
		t.Errorf("only %d people", len(people))
	}
	for what, s := range map[string]span{
		"instagram": {35, 50}, "mastodon": {15, 30}, "appstore": {10, 22}, "helpdesk": {8, 20}, "news": {0.5, 4},
		"comment": {35, 60}, "tag": {25, 45}, "review": {10, 22}, "article": {0.5, 4}, "dm": {0.5, 4},
		"lang en": {15, 30}, "lang de": {10, 20}, "lang sv": {5, 12}, "lang ru": {3, 9}, "lang ar": {2, 7},
	} {
		if share := 100 * count[what] / n; share < s.low || share > s.high {
			t.Errorf("%s: %.1f %%, want %v", what, share, s)
		}
	}
}

func TestNightsAndWeekendsAreQuieter(t *testing.T) {
	history, _ := recorded(t)
	var night, noon, weekend, week float64
	for _, m := range history {
		local := oslo(m.CreatedAt)
		switch h := local.Hour(); {
		case h < 5:
			night++
		case h >= 10 && h < 15:
			noon++
		}
		if d := local.Weekday(); d == time.Saturday || d == time.Sunday {
			weekend++
		} else {
			week++
		}
	}
	if night > noon/5 || weekend/2 > 0.85*week/5 {
		t.Errorf("%v at night, %v around noon; %v on weekends, %v on other days", night, noon, weekend, week)
	}
}

func TestCrisisHasItsParts(t *testing.T) {
	_, crisis := recorded(t)
	count := map[string]int{}
	set := parsed(t)
	own, _ := set.Brand(brand)
	for _, m := range crisis {
		count[m.Source]++
		count[string(m.Op)]++
		count[string(m.Kind)]++
		if own.Owns(m.Network, m.Source, m.Author.Handle) {
			count["own"]++
		}
		if m.HasMedia {
			count["media"]++
		}
		if m.Rating == 1 {
			count["one star"]++
		}
	}
	t.Log(count)
	if n := len(crisis); n < 250 || n > 350 {
		t.Errorf("%d mentions", n)
	}
	for what, least := range map[string]int{
		"instagram": 70, "mastodon": 60, "appstore": 20, "helpdesk": 2, "news": 3, "update": 2,
		"delete": 3, "dm": 5, "own": 8, "media": 8, "one star": 18,
	} {
		if count[what] < least {
			t.Errorf("%s: %d, want at least %d", what, count[what], least)
		}
	}
}

func TestRulesHoldForTheRecordedBrand(t *testing.T) {
	set := parsed(t)
	for _, id := range []string{"leak-tank", "safety", "neg-burst", "legal"} {
		if _, ok := set.Rule(id); !ok {
			t.Errorf("there is no rule %s", id)
		}
	}
	b, ok := set.Brand(brand)
	if !ok || len(b.OwnAuthors) == 0 || set.Playbooks["defect-leak"] == nil {
		t.Errorf("the brand or its playbook is missing: %+v", b)
	}
	given := Rules()
	given[0] = '!'
	if Rules()[0] == '!' {
		t.Error("a caller can change the rules")
	}
}
