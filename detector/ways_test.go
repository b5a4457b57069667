package detector

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// withDesk are the machine's rules with another desk.
func withDesk(desk string) string {
	return strings.Replace(machineRules, `desk: {slack: {channel: "#desk"}}`, "desk: "+desk, 1)
}

// toldBy is told with the notifier that each went by.
func (s *stage) toldBy() []string {
	out := []string{}
	for _, a := range s.sent[s.shown:] {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s", a.Kind, a.Reason, a.Via)))
	}
	s.shown = len(s.sent)
	return out
}

func TestAlsoIsToldWhatTheRouteIsTold(t *testing.T) {
	s := newStage(t, mustRules(withDesk(`{slack: {channel: "#desk"}, also: [mail]}`)))
	s.say("drip three")
	s.wait(time.Minute)
	expect(t, "opened", s.toldBy(), []string{"root first", "root first mail"})
	s.do(OpAck, Args{})
	expect(t, "acknowledged", s.toldBy(), []string{"edit updated", "edit updated mail"})
	for range 5 {
		s.say("drip three")
		s.wait(time.Minute)
	}
	for _, told := range s.toldBy() {
		expect(t, "numbers alone", told, "edit updated")
	}
	s.do(OpResolve, Args{})
	expect(t, "closed", s.toldBy(), []string{"thread resolved", "thread resolved mail", "edit updated", "edit updated mail"})
}

func TestARouteWithoutAChannelIsTheNotifiersItNames(t *testing.T) {
	s := newStage(t, mustRules(withDesk(`{also: [mail, siren]}`)))
	s.say("drip one")
	s.wait(time.Minute)
	expect(t, "told", s.toldBy(), []string{"root first mail", "root first siren"})
}

// refuse books that what is due on a way was refused for good.
func (s *stage) refuse(via string) {
	for _, a := range s.m.Due(s.now) {
		if a.Via == via {
			s.disk.apply(s.m.Receive([]Receipt{{Seq: a.Seq, State: AlertSending}}, s.now))
			s.disk.apply(s.m.Receive([]Receipt{{Seq: a.Seq, State: AlertDead, Why: "is_archived"}}, s.now))
		}
	}
}

func TestTheFallbackTakesOver(t *testing.T) {
	s := newStage(t, mustRules(withDesk(`{slack: {channel: "#desk"}, fallback: [mail, siren]}`)))
	s.mute = true
	s.say("drip three")
	s.wait(time.Minute)
	s.refuse("")
	s.mute = false
	s.tick()
	expect(t, "refused", s.toldBy(), []string{"root delivery_failed mail", "root delivery_failed siren"})
	expect(t, "and why", s.sent[0].Note, "first could not be told by #desk: is_archived")
	s.restart()
	s.do(OpResolve, Args{})
	expect(t, "to the end", s.toldBy(), []string{"thread resolved mail", "thread resolved siren", "edit updated mail", "edit updated siren"})
}

func TestAFallbackThatIsRefusedGoesNoFurther(t *testing.T) {
	s := newStage(t, mustRules(withDesk(`{slack: {channel: "#desk"}, fallback: [mail, siren]}`)))
	s.mute = true
	s.say("drip three")
	s.wait(time.Minute)
	s.refuse("")
	s.refuse("mail")
	s.mute = false
	s.tick()
	expect(t, "told", s.toldBy(), []string{"root delivery_failed siren"})
}

// A crisis that cannot be told for five minutes is told the other ways, once, over restarts too.
func TestACrisisIsNotKeptWaiting(t *testing.T) {
	s := newStage(t, mustRules(withDesk(`{slack: {channel: "#desk"}, fallback: [mail]}`)))
	s.mute = true
	s.say("drip one")
	root := s.m.Due(s.now)[0]
	tried := func() {
		s.disk.apply(s.m.Receive([]Receipt{{Seq: root.Seq, State: AlertSending}}, s.now))
		s.disk.apply(s.m.Receive([]Receipt{{Seq: root.Seq, State: AlertPending, NotBefore: s.now.Add(5 * time.Minute)}}, s.now))
	}
	tried()
	byMail := func() (n int) {
		for _, a := range s.disk.alerts {
			if a.Via == "mail" && a.Reason == ReasonDeliveryFailed {
				n++
			}
		}
		return n
	}
	s.wait(5 * time.Minute)
	expect(t, "within five minutes", byMail(), 0)
	s.wait(time.Minute)
	expect(t, "after them", byMail(), 1)
	tried()
	s.restart()
	s.wait(20 * time.Minute)
	expect(t, "and once", byMail(), 1)
	expect(t, "the channel is tried on", s.disk.alerts[root.Seq].State, AlertPending)
}

// While nothing gets out, reminders do not heap up.
func TestTheNextReminderOvertakesTheLast(t *testing.T) {
	s := opened(t, "drip three")
	s.mute = true
	for range 12 {
		s.wait(30 * time.Minute)
		s.say("drip three")
	}
	pending := 0
	for _, a := range s.disk.alerts {
		if a.Reason == ReasonReminder && a.State == AlertPending {
			pending++
		}
	}
	if pending > 1 {
		t.Errorf("%d reminders wait", pending)
	}
}
