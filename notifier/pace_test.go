package notifier_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"

	"github.com/google/go-cmp/cmp"
)

// metered is people with a pace of their own.
type metered struct {
	*people
	pace notifier.Pace
}

// Pace returns it.
func (m metered) Pace() notifier.Pace { return m.pace }

func (s *stage) meter(p notifier.Pace) {
	s.opt.For = func(string) notifier.Notifier { return metered{s.slack, p} }
	s.start()
}

// TestAWorkspaceHasItsShare: all channels together get what the workspace bears, in bursts and then one by one.
func TestAWorkspaceHasItsShare(t *testing.T) {
	var rows []detector.Alert
	for n := range uint64(6) {
		rows = append(rows, alert(n+1, detector.KindRoot, of(fmt.Sprint("acme-", n)), on(channels[n%3])))
	}
	play(t, rows, func(t *testing.T, s *stage) {
		s.meter(notifier.Pace{Posts: notifier.Rate{Every: 10 * time.Second, Burst: 3}})
		s.run(time.Minute)
		at := slices.Clone(s.slack.toldAt)
		var got []time.Duration
		for _, x := range at {
			got = append(got, x.Sub(midnight).Round(time.Second))
		}
		if diff := cmp.Diff([]time.Duration{0, 0, 0, 10 * time.Second, 20 * time.Second, 30 * time.Second}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestEditsDoNotHoldUpWhatIsNew: neither by their number nor by being refused.
func TestEditsDoNotHoldUpWhatIsNew(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot, sent), alert(2, detector.KindEdit),
		alert(3, detector.KindRoot, of("acme-2"), sent), alert(4, detector.KindEdit, of("acme-2")),
		alert(5, detector.KindRoot, of("acme-3"), func(a *detector.Alert) { a.NotBefore = midnight.Add(5 * time.Second) }),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		s.meter(notifier.Pace{Channel: time.Second, Edits: notifier.Rate{Every: 20 * time.Second, Burst: 1}})
		s.slack.notify[2] = []answer{{err: failing(notifier.Busy)}}
		s.run(5 * time.Minute)
		lines := s.lines(" sent ")
		if len(lines) != 3 || lines[0] != "5s 5 sent #pr/ts5" {
			t.Errorf("%q", lines)
		}
	})
}

// TestAChannelThatCannotBeReachedWaitsAsAWhole and catches up in the order that holds by then.
func TestAChannelThatCannotBeReachedWaitsAsAWhole(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot, grave(rules.Issue)), alert(2, detector.KindRoot, of("acme-2")),
		alert(3, detector.KindRoot, of("acme-3"), grave(rules.Crisis), func(a *detector.Alert) { a.NotBefore = midnight.Add(20 * time.Minute) }),
		alert(4, detector.KindRoot, on("shop")),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		for seq := range uint64(3) {
			s.slack.notify[seq+1] = always(answer{err: failing(notifier.Down)})
		}
		s.run(30 * time.Minute)
		if n := len(s.slack.told); n < 30 || n > 300 {
			t.Errorf("%d attempts in half an hour", n)
		}
		if s.out.row(4).State != detector.AlertSent {
			t.Error("another channel waits too")
		}
		s.slack.mu.Lock()
		clear(s.slack.notify)
		s.slack.mu.Unlock()
		s.run(3 * time.Minute)
		var order []byte
		for _, l := range s.lines("sent #pr") {
			order = append(order, l[len(l)-1])
		}
		if string(order) != "321" {
			t.Errorf("order %s", order)
		}
	})
}

// TestANotifierThatIsNotThere is a failure for good, and the log of the process hears it.
func TestANotifierThatIsNotThere(t *testing.T) {
	by := func(via string) func(*detector.Alert) { return func(a *detector.Alert) { a.Via = via } }
	play(t, []detector.Alert{alert(1, detector.KindRoot, by("pigeon")), alert(2, detector.KindRoot, by("mail"))}, func(t *testing.T, s *stage) {
		s.run(time.Minute)
		for row, want := range map[string][]string{ // two ways, side by side
			"0s 1 ": {"0s 1 sending", "0s 1 pager has it", "0s 1 dead"}, "0s 2 ": {"0s 2 sending", "0s 2 mail has it", "0s 2 sent #pr/ts2"},
		} {
			if got := s.lines(row); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
		}
	})
}
