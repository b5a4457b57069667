package slack_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier/notifiertest"
	"emberwatch/rules"
)

// lucks are what can become of a call: refused for now, failed, done and the answer lost, slow, too slow, nonsense.
var lucks = []notifiertest.Fault{
	{},
	{},
	{},
	{Status: 429, RetryAfter: "3"},
	{Status: 429},
	{Status: 500},
	{Status: 503, After: true},
	{Status: 502, Body: "<html>bad gateway</html>", After: true},
	{Drop: true},
	{Drop: true, After: true},
	{Body: `{"ok":`, After: true},
	{Body: "{}"},
	{Delay: 4 * time.Second},
	{Delay: time.Minute},
	notifiertest.Refuse("service_unavailable"),
	notifiertest.Refuse("internal_error"),
}

// TestNothingIsLostOrTwiceWhateverSlackDoes: for many minutes every call may go wrong in every way; the channel takes no
// more than a message a second all the while.
func TestNothingIsLostOrTwiceWhateverSlackDoes(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		fake := notifiertest.NewSlack()
		defer fake.Close()
		fake.Limit(time.Second)
		fake.AddChannel(notifiertest.Channel{ID: "C0SECOND", Name: "second", Member: true})
		luck := rand.New(rand.NewPCG(seed, 1))
		// What cannot be looked for ten times is sent again, marked as a possible repeat: reading fails less often.
		for method, times := range map[string]int{"chat.postMessage": 120, "chat.update": 60, "conversations.history": 9, "conversations.replies": 9} {
			for range times {
				fake.Fail(method, lucks[luck.IntN(len(lucks))])
			}
		}
		synctest.Test(t, func(t *testing.T) {
			r := openNewsroom(t, fake, `{slack: {channel: "#pr-alerts"}, notify: {roots: "50 in 10m"}}`)
			for n := range 24 {
				r.complain(n, []string{"issue", "serious", "crisis"}[n%3])
				r.run(20 * time.Second)
			}
			for _, id := range []string{"b0-1", "b1-1", "b2-1", "b5-1"} {
				r.do(id, detector.OpAck)
			}
			r.run(90 * time.Minute)
			for n := range 24 { // nothing more is to come
				if i, _ := r.Incident(fmt.Sprintf("b%d-1", n)); i.Open() {
					r.do(i.ID, detector.OpResolve)
				}
			}
			r.run(90 * time.Minute)
			r.check(24)
			for _, a := range r.all() {
				if a.State != detector.AlertSent && a.State != detector.AlertCancelled {
					t.Errorf("seed %d: %s is %s after %d attempts: %s", seed, a.Key, a.State, a.Attempts, a.LastError)
				}
			}
		})
	}
}

// TestAnHourWithoutSlack: what came is told when it is back, the gravest first and in a bearable number; what people did
// meanwhile overtakes what would only remind them; a crisis went by mail.
func TestAnHourWithoutSlack(t *testing.T) {
	fake := notifiertest.NewSlack()
	defer fake.Close()
	fake.Limit(time.Second)
	synctest.Test(t, func(t *testing.T) {
		r := openNewsroom(t, fake, `{slack: {channel: "#pr-alerts"}, fallback: [mail]}`)
		r.complain(0, "issue") // told in time
		r.run(time.Minute)
		r.reachable(false)
		for n := 1; n < 40; n++ {
			r.complain(n, []string{"issue", "serious"}[n%2])
			r.run(time.Minute)
		}
		r.complain(40, "crisis")
		r.do("b0-1", detector.OpAck) // its reminder has been waiting for a while
		r.run(21 * time.Minute)
		before := len(fake.Messages("#pr-alerts"))
		r.reachable(true)
		back := time.Now()
		r.run(7 * time.Minute)

		r.check(41)
		told := since(r, back)
		if len(told) == 0 || told[0].Incident != "b40-1" || told[0].Severity != rules.Crisis {
			t.Fatalf("first after the hour: %+v", told)
		}
		roots := slices.DeleteFunc(slices.Clone(told), func(a detector.Alert) bool { return a.Kind != detector.KindRoot })
		if !slices.IsSortedFunc(roots, func(a, b detector.Alert) int { return int(a.Severity) - int(b.Severity) }) {
			t.Errorf("not the gravest first: %+v", roots)
		}
		if n := len(fake.Messages("#pr-alerts")) - before; n > 40 {
			t.Errorf("%d messages at once", n)
		}
		for _, a := range r.all() {
			if a.Incident == "b0-1" && a.Reason == detector.ReasonReminder && a.State != detector.AlertCancelled {
				t.Errorf("a reminder of what somebody has: %s", a.State)
			}
		}
		r.mail.mu.Lock()
		defer r.mail.mu.Unlock()
		if len(r.mail.got) == 0 || r.mail.got[0].Kind != detector.KindRoot || r.mail.got[0].Reason != detector.ReasonDeliveryFailed {
			t.Errorf("by mail: %+v", r.mail.got)
		}
		for _, a := range r.mail.got {
			if a.Incident != "b40-1" {
				t.Errorf("by mail: %s", a.Key)
			}
		}
	})
}

// since are the messages that were told after a time, edits apart, in their order.
func since(r *newsroom, from time.Time) []detector.Alert {
	told := slices.DeleteFunc(r.all(), func(a detector.Alert) bool {
		return a.State != detector.AlertSent || a.TriedAt.Before(from) || a.Kind == detector.KindEdit || a.Digest != "" || a.Via != ""
	})
	slices.SortFunc(told, func(a, b detector.Alert) int { return cmp.Or(a.TriedAt.Compare(b.TriedAt), int(a.Seq)-int(b.Seq)) })
	return told
}
