package notifier_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// always is one answer, more often than any test asks.
func always(a answer) []answer { return slices.Repeat([]answer{a}, 10_000) }

// fallen are the times at which the fallback was told.
func (s *stage) fallen() (at []time.Duration) {
	s.pager.mu.Lock()
	defer s.pager.mu.Unlock()
	for _, t := range s.pager.toldAt {
		at = append(at, t.Sub(midnight))
	}
	return at
}

func TestACrisisThatCannotBeToldFallsBackOnce(t *testing.T) {
	for name, o := range map[string]notifier.Outcome{"not sent": notifier.NotSent, "busy": notifier.Busy, "of unknown fate": notifier.Unknown} {
		t.Run(name, func(t *testing.T) {
			play(t, []detector.Alert{alert(1, detector.KindRoot, grave(rules.Crisis))}, func(t *testing.T, s *stage) {
				s.slack.notify[1] = always(answer{err: failing(o)})
				s.run(overdue - time.Second)
				if at := s.fallen(); len(at) > 0 {
					t.Fatalf("told another way after %v", at)
				}
				s.run(time.Hour)
				at := s.fallen()
				if len(at) != 1 || at[0] < overdue || at[0] > overdue+3*time.Second {
					t.Fatalf("told another way after %v", at)
				}
				if note := s.pager.told[0].Alert.Note; !strings.Contains(note, "slack could not be reached for 5 min") {
					t.Errorf("note %q", note)
				}
				if row := s.out.row(1); row.State.Done() {
					t.Errorf("given up: %s", row.State)
				}
				s.slack.mu.Lock()
				s.slack.notify[1] = nil
				s.slack.mu.Unlock()
				s.run(time.Hour)
				if row := s.out.row(1); row.State != detector.AlertSent || len(s.fallen()) != 1 {
					t.Errorf("when slack is back: %s, told another way %v", row.State, s.fallen())
				}
			})
		})
	}
}

// overdue is when a crisis counts as not told.
const overdue = 5 * time.Minute

func TestOnlyTheFirstWordOfACrisisFallsBack(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot, grave(rules.Serious)),
		alert(2, detector.KindRoot, of("acme-2"), on("crisis"), grave(rules.Crisis), sent),
		alert(3, detector.KindThread, of("acme-2"), on("crisis"), grave(rules.Crisis)),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		for _, seq := range []uint64{1, 3} {
			s.slack.notify[seq] = always(answer{err: failing(notifier.NotSent)})
		}
		s.run(time.Hour)
		if at := s.fallen(); len(at) > 0 {
			t.Errorf("told another way after %v", at)
		}
		if u, ok := s.d.Undelivered(); ok {
			t.Errorf("undelivered: %+v", u)
		}
	})
}

func TestAFallbackThatFailsIsTriedAgain(t *testing.T) {
	play(t, []detector.Alert{alert(1, detector.KindRoot, grave(rules.Crisis))}, func(t *testing.T, s *stage) {
		s.slack.notify[1] = always(answer{err: failing(notifier.NotSent)})
		s.pager.notify[1] = []answer{{err: failing(notifier.NotSent)}, {err: failing(notifier.NotSent)}}
		s.run(time.Hour)
		at := s.fallen()
		if len(at) != 3 || at[1]-at[0] < time.Minute || at[2]-at[1] < time.Minute {
			t.Errorf("the fallback was tried at %v", at)
		}
	})
}

func TestUndelivered(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot), alert(2, detector.KindRoot, of("acme-2")),
		alert(3, detector.KindRoot, on("crisis"), of("acme-3"), grave(rules.Crisis)),
		alert(4, detector.KindRoot, on("shop"), of("acme-4"), sent), alert(5, detector.KindEdit, on("shop"), of("acme-4")),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		expect := func(when string, want notifier.Undelivered) {
			t.Helper()
			got, ok := s.d.Undelivered()
			got.Since = got.Since.UTC().Round(0)
			if ok != (want != notifier.Undelivered{}) || got != want {
				t.Errorf("%s: %+v, want %+v", when, got, want)
			}
		}
		s.slack.notify[1] = []answer{{err: failing(notifier.ForGood)}}
		s.slack.notify[2] = []answer{{err: failing(notifier.Busy)}}
		s.slack.notify[3] = always(answer{err: failing(notifier.NotSent)})
		s.slack.notify[5] = []answer{{err: failing(notifier.ForGood)}}
		s.run(2 * time.Second)
		expect("refused for good", notifier.Undelivered{Seq: 1, Route: "pr", Severity: rules.Serious, Since: midnight, Refused: "for_good"})
		s.run(time.Minute)
		expect("the next got through", notifier.Undelivered{})
		s.run(5 * time.Minute)
		expect("a crisis is overdue", notifier.Undelivered{Seq: 3, Route: "crisis", Severity: rules.Crisis, Since: midnight})
		s.slack.mu.Lock()
		s.slack.notify[3] = nil
		s.slack.mu.Unlock()
		s.run(time.Hour)
		expect("it got through", notifier.Undelivered{})
	})
}

func TestARefusalIsShownForADay(t *testing.T) {
	play(t, []detector.Alert{alert(1, detector.KindRoot)}, func(t *testing.T, s *stage) {
		s.slack.notify[1] = []answer{{err: failing(notifier.ForGood)}}
		s.run(23 * time.Hour)
		if _, ok := s.d.Undelivered(); !ok {
			t.Error("forgotten")
		}
		s.run(2 * time.Hour)
		if u, ok := s.d.Undelivered(); ok {
			t.Errorf("still shown: %+v", u)
		}
	})
}
