package detector

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

var seasons = []rules.Season{"", rules.NoSeason, rules.HourOfDay, rules.DayOfWeek}

// seasonalBurst is a series with a season after weeks of an ordinary stream.
func seasonalBurst(season rules.Season, weeks int) *burst {
	s := newSeries(SeriesKey{"acme", "rule:r@" + string(season)}, defaultWindows, bucketOf(countsStart)).burst
	cell{40, 0.25}.feed(7, weeks, 0, 1, func(b int64, n float64) bool {
		s.roll(b, LagReplay)
		s.add(b, n)
		return true
	})
	return s
}

// What is expected follows the season and nothing finer: the stream has a daily cycle of nine to one, and weekends at 0.7.
func TestForecastFollowsTheSeason(t *testing.T) {
	for season, want := range map[rules.Season]struct{ day, weekend bool }{
		"":              {true, true},
		rules.NoSeason:  {false, false},
		rules.HourOfDay: {true, false},
		rules.DayOfWeek: {false, true},
	} {
		s := seasonalBurst(season, 6)
		at := func(weekday time.Weekday, hour int) float64 {
			t := bucketStart(s.cur).Truncate(24 * time.Hour)
			for t.Weekday() != weekday {
				t = t.Add(day)
			}
			return s.season(bucketOf(t.Add(time.Duration(hour) * time.Hour)))
		}
		if crest := at(time.Wednesday, 16) / at(time.Wednesday, 4); want.day && crest < 3 || !want.day && crest != 1 {
			t.Errorf("%q: the crest of a day is %.2f of its night", season, crest)
		}
		weekend := (at(time.Saturday, 16) + at(time.Sunday, 16)) / (at(time.Tuesday, 16) + at(time.Thursday, 16))
		if want.weekend && weekend > 0.97 || !want.weekend && weekend != 1 {
			t.Errorf("%q: a weekend is %.2f of other days", season, weekend)
		}
		week, usual := 0.0, 0.0
		for h := range int64(168) {
			week += 12 * s.forecast(s.cur+12*h)
			usual += rhythm(40, bucketStart(s.cur+12*h))
		}
		if math.Abs(week/usual-1) > 0.25 {
			t.Errorf("%q: %.0f are expected of a week that holds %.0f", season, week, usual)
		}
	}
}

// The name of a series says its season, and no other name does.
func TestSeasonOfASeries(t *testing.T) {
	for name, want := range map[string]rules.Season{
		"negative": "", "source:shop@none": "", "rule:r": "", "rule:r/source:shop@none": "", "rule:r@none": rules.NoSeason,
		"rule:r@day_of_week/language:de": rules.DayOfWeek, "shift:r@hour_of_week": rules.HourOfWeek, "gauge:r/shop@none": "",
	} {
		expect(t, name, seasonOf(name), want)
	}
	r := mustRules("version: 1\nrules:\n  - {id: r, title: R, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, baseline: {season: none}}\n").Rules[0]
	expect(t, "a season asks for a series of its own", signalName(r, ""), "rule:r@none")
}

const seasonRules = `
version: 1
rules:
  - {id: rhythm, title: Against the hour, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 1/week}
  - {id: flat, title: Against the days, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 1/week, baseline: {season: none}}
`

// A busy hour at night is much for the night, and ordinary by the days: a rule without season leaves it. The same trouble
// on top of a busy afternoon is found by both.
func TestNightIsJudgedBySeason(t *testing.T) {
	skipShort(t)
	s := newStage(t, mustRules(seasonRules))
	s.m.volatile = true
	x := newStream(5, 12)
	hours := func(from, to time.Time, extra float64) (ms []sources.Mention) {
		for h := from; h.Before(to); h = h.Add(time.Hour) {
			x.rate, x.variance = 12, 0.05
			if h.Hour() < 8 || h.Hour() >= 20 {
				x.rate = 0.4
			}
			rate := x.rate/rhythm(1, h) + extra/rhythm(1, h)
			x.rate = rate
			ms = append(ms, x.between(h, h.Add(time.Hour), 1)...)
		}
		return ms
	}
	night := monday.Truncate(day).Add(24*day + 2*time.Hour)
	s.live(hours(monday, night, 0))
	calm := map[string]int{"rhythm": len(s.incidentsOf("rhythm")), "flat": len(s.incidentsOf("flat"))}
	s.live(hours(night, night.Add(2*time.Hour), 11))
	if n := len(s.incidentsOf("rhythm")); n != calm["rhythm"]+1 {
		t.Errorf("by the hour of the week: %d incidents before, %d after the night", calm["rhythm"], n)
	}
	if n := len(s.incidentsOf("flat")); n != calm["flat"] {
		t.Errorf("without season an hour of 11 is told: %s", s.incidentsOf("flat")[n-1].Sentence)
	}
	noon := night.Add(11 * time.Hour)
	s.live(hours(s.now.Truncate(time.Hour).Add(time.Hour), noon, 0))
	s.live(hours(noon, noon.Add(2*time.Hour), 150))
	if n := len(s.incidentsOf("flat")); n != calm["flat"]+1 {
		t.Errorf("without season ten times the usual at noon is not told: %d incidents before, %d after", calm["flat"], n)
	}
}

// An alert says which times it compares.
func TestSentenceOfASeason(t *testing.T) {
	m := NewModel(mustRules(seasonRules), LagLive)
	m.now = monday
	for season, want := range map[string]string{
		"none": "in the last hour; usually 2, rarely", "hour_of_day": "in the last hour; at this time of day usually 2, rarely",
		"day_of_week": "in the last hour; on a Monday usually 2, rarely", "hour_of_week": "in the last hour; at this time of a Monday usually 2, rarely",
	} {
		r := *m.set.Rules[1]
		if r.Season = rules.Season(season); r.Season == rules.HourOfWeek {
			r.Season = "" // as it is read
		}
		f := found{rule: &r, evidence: Evidence{Authors: 9, Window: Window{Length: time.Hour, Observed: 9, Expected: 2, High: 5}}}
		m.setApart(m.brand("acme"), &f.evidence, f.rule, "")
		if got := m.sentence(&f); !strings.Contains(got, want) {
			t.Errorf("%s: %s", season, got)
		}
	}
}

// The usual share follows its season.
func TestShareFollowsItsSeason(t *testing.T) {
	for season, want := range map[rules.Season]struct{ night, sunday bool }{
		"": {false, true}, rules.NoSeason: {false, false}, rules.HourOfDay: {true, false}, rules.HourOfWeek: {true, true},
	} {
		s := newShare(time.Hour, season, monday)
		for b := s.cur; b < bucketOf(monday)+8*7*bucketsPerDay; b++ {
			s.roll(b)
			at := bucketStart(b)
			bad := 1.0
			if at.Hour() < 6 || at.Weekday() == time.Sunday {
				bad = 4
			}
			s.add(b, true, bad)
			s.add(b, false, 10-bad)
		}
		noon := monday.Truncate(day).Add(8*7*day + 12*time.Hour) // of a Monday
		usual := func(at time.Time) float64 { return s.expected(bucketOf(at)) }
		night, sunday := usual(noon.Add(-9*time.Hour))/usual(noon), usual(noon.Add(-day))/usual(noon)
		if (night > 1.5) != want.night || (sunday > 1.5) != want.sunday {
			t.Errorf("%q: at night %.2f times as many, on a Sunday %.2f times", season, night, sunday)
		}
		tr := &trail{key: SeriesKey{"acme", "shift:r@" + string(season)}, share: s}
		blob, _ := tr.MarshalBinary()
		back := &trail{key: tr.key}
		if err := back.UnmarshalBinary(blob); err != nil {
			t.Fatalf("%q: %v", season, err)
		}
		if again, _ := back.MarshalBinary(); !slices.Equal(again, blob) || back.share.expected(bucketOf(noon)) != usual(noon) {
			t.Errorf("%q: it is another one after reading and writing", season)
		}
	}
}

// A series with a season is read back with it.
func TestSeasonSurvivesARestart(t *testing.T) {
	s := &series{key: SeriesKey{"acme", "rule:r@none"}, burst: seasonalBurst(rules.NoSeason, 1), episodes: map[string]*episode{}}
	blob, _ := s.MarshalBinary()
	back := &series{key: s.key}
	if err := back.UnmarshalBinary(blob); err != nil {
		t.Fatal(err)
	}
	for k := range int64(168) {
		if b := s.burst.cur + 12*k; back.burst.forecast(b) != s.burst.forecast(b) {
			t.Fatalf("another forecast %d hours on", k)
		}
	}
}

// TestCalibrationSeasons: the bars of budgets, measured against the hour of the week, hold against the other seasons as well.
func TestCalibrationSeasons(t *testing.T) {
	skipShort(t)
	streams, weeks, slack, tested := 4, 8, 2.0, []float64{1, 100}
	if *long {
		streams, weeks, slack, tested = 60, 26, 1.25, rates
	}
	budgets := []float64{2, 1, 0.5, 7.0 / 30}
	values := []float64{defaultBar}
	for _, perWeek := range budgets {
		values = append(values, barFor(perWeek))
	}
	for _, season := range seasons[1:] {
		for _, v := range []float64{0.25, 1} {
			for _, r := range tested {
				got := cell{r, v}.falseAlarmsOf(season, streams, weeks, values...)
				t.Logf("%-11s %5g/h variance %.2f: %.2f at the default bar, %.2f for 2/week, %.2f for 1/week, %.2f for 1 in 2 weeks, %.2f for 1/month",
					season, r, v, got[0], got[1], got[2], got[3], got[4])
				for i, perWeek := range append([]float64{1}, budgets...) {
					if most := slack*perWeek + 0.1; got[i] > most {
						t.Errorf("%s at %s, bar %.1f: %.2f alerts a week, want at most %.2f", season, cell{r, v}, values[i], got[i], most)
					}
				}
			}
		}
	}
	for _, season := range seasons {
		var row []string
		for _, factor := range []float64{3, 10} {
			for _, r := range []float64{10, 100} {
				if !*long && r > 10 {
					continue
				}
				found := cell{r, 0.25}.delays(min(streams, 40), factor, func(first int64) watcher { return newBurstWatcherOf(season, first, defaultBar) })
				row = append(row, fmt.Sprintf("%gx at %g/h %s", factor, r, medianDelay(found, min(streams, 40))))
			}
		}
		t.Logf("%-11s delays: %s", season, strings.Join(row, "; "))
	}
}
