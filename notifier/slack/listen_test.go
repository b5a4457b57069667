package slack_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
	"emberwatch/sources"
)

func TestTheSocketComesBack(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, _, root := listening(t, d)
	opened := s.Calls("apps.connections.open")
	s.Hangup()
	eventually(t, "the next connection", func() bool { return s.Calls("apps.connections.open") > opened && s.Connected() == 1 })
	insist(t, func() (notifiertest.Ack, error) { // the old socket may still be the one that is written to
		return s.Click(t.Context(), root.TS, "ack", root.Values("ack")[0], "U0BORIS")
	})
	clean(t, s)
}

func TestADeafSocketIsNotReady(t *testing.T) {
	s, n, _ := listening(t, &desk{})
	s.Hush()
	last := n.Heard()
	if err := n.Ready(last.Add(59 * time.Second)); err != nil {
		t.Errorf("after 59 s: %v", err)
	}
	if err := n.Ready(last.Add(61 * time.Second)); err == nil || !strings.Contains(err.Error(), "nothing heard for 1m1s") {
		t.Errorf("after 61 s: %v", err)
	}
}

func TestARevokedTokenIsToldAndListenGoesOn(t *testing.T) {
	s, n := workspace(t, func(cfg *slack.Config) { cfg.AppToken, cfg.Responder = notifiertest.AppToken, &desk{} })
	if err := n.Ready(notifiertest.At); err == nil {
		t.Error("ready before anything was connected")
	}
	s.Fail("apps.connections.open", notifiertest.Refuse("token_revoked"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Listen(ctx) }()
	eventually(t, "the trouble", func() bool {
		err := n.Ready(notifiertest.At)
		return err != nil && strings.Contains(err.Error(), "token_revoked")
	})
	eventually(t, "the recovery", func() bool { return n.Ready(notifiertest.At) == nil })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestSocketModeTurnedOffIsToldAndNotHammered: sockets that end at once are opened a few times, and then with pauses.
func TestSocketModeTurnedOffIsToldAndNotHammered(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, n, root := listening(t, d)
	before := s.Calls("apps.connections.open")
	s.TurnOff(true)
	eventually(t, "the trouble", func() bool {
		err := n.Ready(notifiertest.At)
		return err != nil && strings.Contains(err.Error(), "is Socket Mode on?")
	})
	if tried := s.Calls("apps.connections.open") - before; tried > 8 {
		t.Errorf("%d sockets were opened", tried)
	}
	s.TurnOff(false)
	insist(t, func() (notifiertest.Ack, error) {
		return s.Click(t.Context(), root.TS, "ack", root.Values("ack")[0], "U0BORIS")
	})
	clean(t, s)
}

// shelf is a Reader that knows a few incidents, what was written about them, and what was done.
type shelf struct {
	detector.Reader
	open     []detector.Incident
	audit    []detector.Audit
	mentions []detector.Judged
}

func (r shelf) Incidents(_ context.Context, f detector.IncidentFilter) ([]detector.Incident, error) {
	return slices.Clone(r.open[:min(f.Limit, len(r.open))]), nil
}

func (r shelf) Incident(_ context.Context, id string) (detector.Incident, error) {
	for _, i := range r.open {
		if i.ID == id {
			return i, nil
		}
	}
	return detector.Incident{}, detector.ErrNotFound
}

func (r shelf) Brands(context.Context) ([]detector.BrandState, error) { return nil, nil }

func (r shelf) Audit(context.Context, string) ([]detector.Audit, error) { return r.audit, nil }

func (r shelf) MentionsByKey(_ context.Context, _ string, keys []sources.Key) (found []detector.Judged, _ error) {
	for _, j := range r.mentions {
		if slices.Contains(keys, j.Mention.Key()) {
			found = append(found, j)
		}
	}
	return found, nil
}

func TestTheCommandSaysWhatIsOpen(t *testing.T) {
	many := make([]detector.Incident, 30)
	for i := range many {
		many[i] = notifiertest.Sample().Incident
		many[i].Sentence = strings.Repeat("<!here> ", 500)
	}
	for _, c := range []struct {
		open []detector.Incident
		user string
		want string
	}{
		{nil, "U0BORIS", "Nothing is open"},
		{many[:1], "U0BORIS", "fjellbryg-3"},
		{many, "U0BORIS", "and more on the page"},
		{many, "U0EVE", "Only members"},
	} {
		s, _, _ := listening(t, &desk{}, func(cfg *slack.Config) { cfg.Reader = shelf{open: c.open} })
		ack, err := s.Slash(t.Context(), "/emberwatch", "status", c.user)
		if err != nil || !strings.Contains(string(ack.Payload), c.want) {
			t.Errorf("%v %s", err, ack.Payload)
		}
		if strings.Contains(string(ack.Payload), `<!here>`) || strings.Contains(string(ack.Payload), `\u003c!here`) {
			t.Error("a mention got through")
		}
		clean(t, s)
	}
}

func TestAnIncidentWithAnEndlessNameCanBeReadIfNotPressed(t *testing.T) {
	s, n := workspace(t)
	m := notifiertest.Sample()
	m.Incident.ID = strings.Repeat("b", 200) + "-1"
	root := tell(t, n, m)
	if v := s.Thread(root.ID)[0].Values("ack"); v != nil {
		t.Errorf("%v", v)
	}
	clean(t, s)
}
