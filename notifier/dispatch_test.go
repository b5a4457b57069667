package notifier_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// midnight is when every bubble begins.
var midnight = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// channels are the routes of every test; each leads to a channel of its own.
var channels = []string{"pr", "crisis", "shop"}

// stage is a dispatcher between a real model's outbox and scripted people. The journal tells what happened
// to which alert, and when: "3s 1 sending".
type stage struct {
	t       *testing.T
	set     *rules.Set
	out     *outbox
	slack   *people
	mail    *people
	pager   *people // the fallback of the process
	archive *archive
	opt     notifier.DispatchOptions
	d       *notifier.Dispatcher

	mu      sync.Mutex
	journal []string
}

// play runs a scene in a bubble of its own. Every incident that an alert names is there.
func play(t *testing.T, alerts []detector.Alert, scene func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { scene(t, newStage(t, alerts)) })
}

func newStage(t *testing.T, alerts []detector.Alert) *stage {
	s := &stage{t: t, archive: &archive{}, set: &rules.Set{
		Routes: map[string]*rules.Route{}, Brands: map[string]*rules.Brand{"acme": {ID: "acme", Names: []string{"Acme"}}},
	}}
	for _, id := range channels {
		s.set.Routes[id] = &rules.Route{ID: id, Slack: rules.Slack{Channel: "#" + id}}
	}
	s.out = newOutbox(s, alerts)
	s.slack = &people{stage: s, name: "slack", notify: map[uint64][]answer{}, find: map[uint64][]answer{}, posts: map[string][]post{}}
	s.pager = &people{stage: s, name: "pager", notify: map[uint64][]answer{}, posts: map[string][]post{}}
	s.mail = &people{stage: s, name: "mail", notify: map[uint64][]answer{}, posts: map[string][]post{}}
	s.opt = notifier.DispatchOptions{
		Outbox: s.out, Reader: s.archive, Rules: func() *rules.Set { return s.set },
		For: s.by, Fallback: s.pager,
	}
	s.start()
	return s
}

// by are the ways to people: slack, and mail for routes that name it.
func (s *stage) by(via string) notifier.Notifier {
	switch via {
	case "":
		return s.slack
	case "mail":
		return s.mail
	}
	return nil
}

// start makes a new dispatcher, as after a restart.
func (s *stage) start() { s.d = notifier.NewDispatcher(s.opt) }

// run lets the dispatcher run for a while and stops it.
func (s *stage) run(span time.Duration) {
	ctx, stop := context.WithTimeout(s.t.Context(), span)
	defer stop()
	if err := s.d.Run(ctx, s.out.wake); err != nil {
		s.t.Errorf("Run: %v", err)
	}
}

func (s *stage) tell(seq uint64, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = append(s.journal, fmt.Sprintf("%v %d %s", time.Since(midnight), seq, what))
}

// lines returns the journal's lines that hold any of the words; all without words.
func (s *stage) lines(words ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.journal), func(l string) bool {
		return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(l, w) })
	})
}

func (s *stage) expect(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.lines()); diff != "" {
		s.t.Errorf("journal (-want +got):\n%s", diff)
	}
}

// outbox is a model whose changes are durable at once. Mark can be made to fail; then the model is as it
// was, as after a failed commit.
type outbox struct {
	stage *stage
	wake  chan struct{}

	mu    sync.Mutex
	model *detector.Model
	rows  map[uint64]detector.Alert // as last committed, done ones included
	fail  func(r detector.Receipt) bool
}

func newOutbox(s *stage, alerts []detector.Alert) *outbox {
	o := &outbox{stage: s, wake: make(chan struct{}, 1), rows: map[uint64]detector.Alert{}, model: detector.NewModel(s.set, detector.LagLive)}
	st := &detector.State{Alerts: slices.Clone(alerts), LastAudit: map[string]detector.Audit{}}
	for _, a := range alerts {
		o.rows[a.Seq] = a
		st.Seq = max(st.Seq, a.Seq)
		if !slices.ContainsFunc(st.Incidents, func(i detector.Incident) bool { return i.ID == a.Incident }) {
			st.Incidents = append(st.Incidents, detector.Incident{
				ID: a.Incident, Brand: "acme", Version: 1, Routes: channels[:1], Handling: detector.New,
				Level: rules.Serious, Severity: rules.Serious, OpenedAt: midnight, LadderFrom: midnight,
			})
		}
	}
	if err := o.model.Restore(st); err != nil {
		s.t.Fatal(err)
	}
	return o
}

func (o *outbox) commit(c *detector.Change) {
	for _, a := range c.Alerts {
		o.rows[a.Seq] = a
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Pending is the model's.
func (o *outbox) Pending(now time.Time) []detector.Alert {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.model.Due(now)
}

// Mark books receipts and tells the journal.
func (o *outbox) Mark(_ context.Context, rs ...detector.Receipt) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range rs {
		if o.fail != nil && o.fail(r) {
			o.stage.tell(r.Seq, "not booked: "+string(r.State))
			return errors.New("disk full")
		}
		what := string(r.State)
		if r.State == detector.AlertSent {
			what += " " + r.Ref.Channel + "/" + r.Ref.ID
		}
		o.stage.tell(r.Seq, what)
	}
	o.commit(o.model.Receive(rs, time.Now()))
	return nil
}

// Root is the model's.
func (o *outbox) Root(of *detector.Alert) (detector.Ref, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.model.Root(of)
}

// Members is the model's.
func (o *outbox) Members(digest string) []detector.Incident {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.model.Members(digest)
}

// Incident is the model's.
func (o *outbox) Incident(id string) (detector.Incident, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.model.Incident(id)
}

func (o *outbox) row(seq uint64) detector.Alert {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rows[seq]
}

// do is what ann does to acme-1.
func (o *outbox) do(op detector.Operation, args detector.Args) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := detector.Event{Incident: "acme-1", Op: op, Args: args, Actor: detector.Actor{Kind: "person", ID: "ann"}}
	res, c, ok := o.model.Respond(e, time.Now())
	if !ok || res.Outcome != detector.Applied {
		o.stage.t.Errorf("%s: %s %s", op, res.Outcome, res.Message)
	}
	o.commit(c)
}

// answer is what one call comes to. The zero answer is a success.
type answer struct {
	err   error
	there bool // the message is posted although err says otherwise
	took  time.Duration
}

// post is a message that people can see.
type post struct {
	ref detector.Ref
	at  time.Time
}

// people is a notifier that follows a script and refuses what was not booked as "sending" before. It can be
// looked through for what was posted.
type people struct {
	stage *stage
	name  string

	mu     sync.Mutex
	notify map[uint64][]answer // the next answers, by alert; none left: success
	find   map[uint64][]answer
	posts  map[string][]post // by key
	told   []*notifier.Message
	toldAt []time.Time
}

var _ notifier.Reconciler = (*people)(nil)

// Name is the name it was made with.
func (p *people) Name() string { return p.name }

// Notify plays the next answer.
func (p *people) Notify(ctx context.Context, m *notifier.Message) (detector.Ref, error) {
	seq := m.Alert.Seq
	// The fallback also hears of what waits for another attempt.
	if state := p.stage.out.row(seq).State; state != detector.AlertSending && p != p.stage.pager {
		p.stage.t.Errorf("alert %d is handed to %s while booked as %s", seq, p.name, state)
	}
	a := p.next(p.notify, m)
	if err := idle(ctx, a.took); err != nil {
		p.stage.tell(seq, p.name+" cut off")
		return detector.Ref{}, err
	}
	if a.err != nil && !a.there {
		p.stage.tell(seq, p.name+": "+a.err.Error())
		return detector.Ref{}, a.err
	}
	ref := p.put(m)
	p.stage.tell(seq, p.name+" has it")
	if a.err != nil {
		return detector.Ref{}, a.err
	}
	return ref, nil
}

// put posts a message; an edit renews what is there.
func (p *people) put(m *notifier.Message) detector.Ref {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.Alert.Kind == detector.KindEdit {
		return m.Root
	}
	ref := detector.Ref{Channel: m.Route.Slack.Channel, ID: fmt.Sprint("ts", m.Alert.Seq)}
	p.posts[m.Alert.Key] = append(p.posts[m.Alert.Key], post{ref, time.Now()})
	return ref
}

// Find looks for a post of that time.
func (p *people) Find(ctx context.Context, m *notifier.Message, since time.Time) (detector.Ref, bool, error) {
	a := p.next(p.find, nil, m.Alert.Seq)
	if err := idle(ctx, a.took); err != nil {
		return detector.Ref{}, false, err
	}
	if a.err != nil {
		p.stage.tell(m.Alert.Seq, "cannot look")
		return detector.Ref{}, false, a.err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.posts[m.Alert.Key] {
		if !x.at.Before(since) {
			p.stage.tell(m.Alert.Seq, "found")
			return x.ref, true, nil
		}
	}
	p.stage.tell(m.Alert.Seq, "not found")
	return detector.Ref{}, false, nil
}

// next takes the next answer; a message is remembered as told.
func (p *people) next(script map[uint64][]answer, m *notifier.Message, seq ...uint64) answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m != nil {
		p.told, p.toldAt = append(p.told, m), append(p.toldAt, time.Now())
		seq = []uint64{m.Alert.Seq}
	}
	left := script[seq[0]]
	if len(left) == 0 {
		return answer{}
	}
	script[seq[0]] = left[1:]
	return left[0]
}

// idle passes the time of a call.
func idle(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unsearchable is people whose channel cannot be looked through.
type unsearchable struct{ notifier.Notifier }

// archive is a reader that knows mentions, and incidents that the model has forgotten.
type archive struct {
	detector.Reader
	mentions  []detector.Judged
	incidents map[string]detector.Incident
	closed    time.Time // until then nothing can be read
}

// MentionsByKey returns those that are there, in the order asked for.
func (a *archive) MentionsByKey(_ context.Context, brand string, keys []sources.Key) ([]detector.Judged, error) {
	if time.Now().Before(a.closed) {
		return nil, errors.New("the archive is closed")
	}
	var found []detector.Judged
	for _, k := range keys {
		for _, j := range a.mentions {
			if j.Mention.Key() == k && j.Brand == brand {
				found = append(found, j)
			}
		}
	}
	return found, nil
}

// Brands knows one brand by the name that its mentions gave it.
func (a *archive) Brands(context.Context) ([]detector.BrandState, error) {
	return []detector.BrandState{{ID: "umbrella", Name: "Umbrella Co"}}, nil
}

// Incident returns an incident that only the store has.
func (a *archive) Incident(_ context.Context, id string) (detector.Incident, error) {
	if i, ok := a.incidents[id]; ok && !time.Now().Before(a.closed) {
		return i, nil
	}
	return detector.Incident{}, detector.ErrNotFound
}

// alert makes a row that is due, about acme-1 on the route pr, severity 2; edits change what is other.
func alert(seq uint64, kind detector.AlertKind, edits ...func(*detector.Alert)) detector.Alert {
	a := detector.Alert{
		Seq: seq, Incident: "acme-1", Version: 1, Route: "pr", Kind: kind, Reason: detector.ReasonFirst,
		Severity: rules.Serious, State: detector.AlertPending, CreatedAt: midnight,
	}
	for _, edit := range edits {
		edit(&a)
	}
	a.Key = fmt.Sprintf("%s/%s/%s/%d", a.Incident, a.Route, a.Kind, a.Seq)
	return a
}

func of(incident string) func(*detector.Alert) {
	return func(a *detector.Alert) { a.Incident = incident }
}

func on(route string) func(*detector.Alert) {
	return func(a *detector.Alert) { a.Route = route }
}

func grave(s rules.Severity) func(*detector.Alert) {
	return func(a *detector.Alert) { a.Severity = s }
}

// sent is a root that people have.
func sent(a *detector.Alert) {
	a.State, a.Attempts, a.TriedAt = detector.AlertSent, 1, midnight.Add(-time.Hour)
	a.Ref = detector.Ref{Channel: "#" + a.Route, ID: fmt.Sprint("ts", a.Seq)}
}

// caught is a row that a crash left in sending.
func caught(a *detector.Alert) {
	a.State, a.Attempts, a.TriedAt = detector.AlertSending, 1, midnight.Add(-time.Minute)
}

func failing(o notifier.Outcome) error {
	return fmt.Errorf("scripted: %w", &notifier.DeliveryError{Outcome: o, Reason: o.String(), RetryAfter: 30 * time.Second})
}

// TestWayOfAnAlert follows one alert from row to receipt, through everything that can become of a call.
func TestWayOfAnAlert(t *testing.T) {
	lost := errors.New("connection lost")
	for _, c := range []struct {
		name   string
		row    detector.Alert
		notify []answer
		find   []answer
		blind  bool // the channel cannot be searched at all
		want   []string
	}{
		{
			name: "sending is booked before the call and the receipt after it",
			row:  alert(1, detector.KindRoot),
			want: []string{"0s 1 sending", "0s 1 slack has it", "0s 1 sent #pr/ts1"},
		},
		{
			name:   "busy: not before the time it asked for",
			row:    alert(1, detector.KindRoot),
			notify: []answer{{err: failing(notifier.Busy)}},
			want: []string{
				"0s 1 sending", "0s 1 slack: " + failing(notifier.Busy).Error(), "0s 1 pending",
				"30s 1 sending", "30s 1 slack has it", "30s 1 sent #pr/ts1",
			},
		},
		{
			name:   "an error that says nothing: looked up, and it is there",
			row:    alert(1, detector.KindRoot),
			notify: []answer{{err: lost, there: true}},
			want:   []string{"0s 1 sending", "0s 1 slack has it", "0s 1 unknown", "3s 1 found", "3s 1 sent #pr/ts1"},
		},
		{
			name:   "not found twice, three seconds apart: sent again, once",
			row:    alert(1, detector.KindRoot),
			notify: []answer{{err: failing(notifier.Unknown)}},
			want: []string{
				"0s 1 sending", "0s 1 slack: " + failing(notifier.Unknown).Error(), "0s 1 unknown",
				"3s 1 not found", "3s 1 unknown",
				"6s 1 not found", "6s 1 sending", "6s 1 slack has it", "6s 1 sent #pr/ts1",
			},
		},
		{
			name:   "after it was sent again it is looked for twice again",
			row:    alert(1, detector.KindRoot),
			notify: []answer{{err: lost}, {err: lost}},
			want: []string{
				"0s 1 sending", "0s 1 slack: connection lost", "0s 1 unknown",
				"3s 1 not found", "3s 1 unknown",
				"6s 1 not found", "6s 1 sending", "6s 1 slack: connection lost", "6s 1 unknown",
				"9s 1 not found", "9s 1 unknown",
				"12s 1 not found", "12s 1 sending", "12s 1 slack has it", "12s 1 sent #pr/ts1",
			},
		},
		{
			name: "a call that hangs is given up",
			row:  alert(1, detector.KindRoot), notify: []answer{{took: time.Hour}},
			want: []string{
				"0s 1 sending", "45s 1 slack cut off", "45s 1 unknown", "48s 1 not found", "48s 1 unknown",
				"51s 1 not found", "51s 1 sending", "51s 1 slack has it", "51s 1 sent #pr/ts1",
			},
		},
		{
			name: "a look that fails for now is made again, and nothing is sent meanwhile",
			row:  alert(1, detector.KindRoot, caught), find: []answer{{err: failing(notifier.Busy)}},
			want: []string{
				"0s 1 cannot look", "0s 1 unknown", "30s 1 not found", "30s 1 unknown",
				"33s 1 not found", "33s 1 sending", "33s 1 slack has it", "33s 1 sent #pr/ts1",
			},
		},
		{
			name: "a look that fails for good: sent again",
			row:  alert(1, detector.KindRoot, caught), find: []answer{{err: failing(notifier.ForGood)}},
			want: []string{"0s 1 cannot look", "0s 1 sending", "0s 1 slack has it", "0s 1 sent #pr/ts1"},
		},
		{
			name: "a channel that cannot be searched: sent again",
			row:  alert(1, detector.KindRoot, caught), blind: true,
			want: []string{"0s 1 sending", "0s 1 slack has it", "0s 1 sent #pr/ts1"},
		},
		{
			name: "found in sending after a crash: looked up first",
			row:  alert(1, detector.KindRoot, caught),
			want: []string{
				"0s 1 not found", "0s 1 unknown",
				"3s 1 not found", "3s 1 sending", "3s 1 slack has it", "3s 1 sent #pr/ts1",
			},
		},
		{
			name: "refused for good: given up, and the fallback hears it",
			row:  alert(1, detector.KindRoot), notify: []answer{{err: failing(notifier.ForGood)}},
			want: []string{"0s 1 sending", "0s 1 slack: " + failing(notifier.ForGood).Error(), "0s 1 pager has it", "0s 1 dead"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, []detector.Alert{c.row}, func(t *testing.T, s *stage) {
				s.slack.notify[1], s.slack.find[1] = c.notify, c.find
				if c.blind {
					s.opt.For = func(string) notifier.Notifier { return unsearchable{s.slack} }
					s.start()
				}
				s.run(10 * time.Minute)
				s.expect(c.want...)
			})
		})
	}
}

// TestCrashAfterPosting: the message is there, the receipt was lost with the process.
func TestCrashAfterPosting(t *testing.T) {
	play(t, []detector.Alert{alert(1, detector.KindRoot)}, func(t *testing.T, s *stage) {
		s.out.fail = func(r detector.Receipt) bool { return r.State == detector.AlertSent }
		s.d.Drain(t.Context())
		s.out.fail = nil
		s.start()
		s.run(time.Minute)
		s.expect("0s 1 sending", "0s 1 slack has it", "0s 1 not booked: sent", "0s 1 found", "0s 1 sent #pr/ts1")
	})
}

// TestEditOfUnknownFate is simply sent again: an edit can be repeated.
func TestEditOfUnknownFate(t *testing.T) {
	rows := []detector.Alert{alert(1, detector.KindRoot, sent), alert(2, detector.KindEdit)}
	play(t, rows, func(t *testing.T, s *stage) {
		s.slack.notify[2] = []answer{{err: failing(notifier.Unknown)}}
		s.run(time.Minute)
		s.expect("0s 2 sending", "0s 2 slack: "+failing(notifier.Unknown).Error(), "0s 2 unknown",
			"3s 2 sending", "3s 2 slack has it", "3s 2 sent #pr/ts1")
	})
}

func TestPossibleRepeatSaysSo(t *testing.T) {
	for _, c := range []struct{ note, want string }{
		{"", "may be a repeat"},
		{"nobody acknowledged within 20 min", "nobody acknowledged within 20 min; may be a repeat"},
	} {
		row := alert(1, detector.KindRoot, caught, func(a *detector.Alert) { a.Note = c.note })
		play(t, []detector.Alert{row}, func(t *testing.T, s *stage) {
			s.slack.find[1] = []answer{{err: failing(notifier.ForGood)}}
			s.run(time.Minute)
			if len(s.slack.told) != 1 || s.slack.told[0].Alert.Note != c.want {
				t.Errorf("told %d times, note %q, want once %q", len(s.slack.told), s.slack.told[0].Alert.Note, c.want)
			}
			if note := s.out.row(1).Note; note != c.note {
				t.Errorf("the row's note became %q", note)
			}
		})
	}
}

// TestNotSentBacksOff: waits grow with the attempts, within bounds, until the message is through.
func TestNotSentBacksOff(t *testing.T) {
	const fails = 20
	play(t, []detector.Alert{alert(1, detector.KindRoot)}, func(t *testing.T, s *stage) {
		s.slack.notify[1] = slices.Repeat([]answer{{err: failing(notifier.NotSent)}}, fails)
		s.run(3 * time.Hour)
		if row := s.out.row(1); row.State != detector.AlertSent || row.Attempts != fails+1 {
			t.Fatalf("after %d refusals: %s, %d attempts", fails, row.State, row.Attempts)
		}
		longest := time.Duration(0)
		for k := range fails {
			wait := s.slack.toldAt[k+1].Sub(s.slack.toldAt[k])
			most := time.Second + min(time.Second<<k, 5*time.Minute)
			if wait < time.Second || wait > most+time.Second { // due, and then the next look into the outbox
				t.Errorf("wait %d is %v, allowed is 1s to %v", k+1, wait, most)
			}
			longest = max(longest, wait)
		}
		if longest < time.Minute {
			t.Errorf("the longest of %d waits is %v: they do not grow", fails, longest)
		}
	})
}

// TestBusyChannel rests as a whole, counts no attempt, and holds up no other.
func TestBusyChannel(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot), alert(2, detector.KindRoot, of("acme-2")),
		alert(3, detector.KindRoot, on("shop")), alert(4, detector.KindRoot, of("acme-2"), on("shop")),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		s.slack.notify[1] = []answer{{err: failing(notifier.Busy)}}
		s.run(10 * time.Second)
		if row := s.out.row(1); row.State != detector.AlertPending || row.Attempts != 0 {
			t.Errorf("after busy: %s, %d attempts", row.State, row.Attempts)
		}
		s.run(time.Minute)
		want := []string{"0s 3 sent #shop/ts3", "1s 4 sent #shop/ts4", "30s 1 sent #pr/ts1", "31s 2 sent #pr/ts2"}
		if diff := cmp.Diff(want, s.lines(" sent ")); diff != "" {
			t.Error(diff)
		}
		if n := s.out.row(1).Attempts; n != 1 {
			t.Errorf("%d attempts were counted", n)
		}
	})
}

func TestForGood(t *testing.T) {
	t.Run("what is given up takes nothing else with it", func(t *testing.T) {
		rows := []detector.Alert{alert(1, detector.KindRoot), alert(2, detector.KindThread), alert(3, detector.KindRoot, of("acme-2"))}
		play(t, rows, func(t *testing.T, s *stage) {
			s.slack.notify[1] = []answer{{err: failing(notifier.ForGood)}}
			s.run(time.Hour)
			want := []string{"0s 1 pager has it", "0s 1 dead", "1s 3 sent #pr/ts3"}
			if diff := cmp.Diff(want, s.lines("pager", "dead", " sent ")); diff != "" {
				t.Error(diff)
			}
		})
	})
	t.Run("a fallback that fails as well ends the matter", func(t *testing.T) {
		play(t, []detector.Alert{alert(1, detector.KindRoot)}, func(t *testing.T, s *stage) {
			s.slack.notify[1] = []answer{{err: failing(notifier.ForGood)}}
			s.pager.notify[1] = []answer{{err: failing(notifier.NotSent)}}
			s.run(time.Hour)
			if n := len(s.pager.told); n != 1 || s.out.row(1).State != detector.AlertDead {
				t.Errorf("the fallback was tried %d times, the alert is %s", n, s.out.row(1).State)
			}
		})
	})
	t.Run("the fallback is not asked to stand in for itself", func(t *testing.T) {
		play(t, []detector.Alert{alert(1, detector.KindRoot)}, func(t *testing.T, s *stage) {
			s.opt.For = func(string) notifier.Notifier { return s.pager }
			s.start()
			s.pager.notify[1] = []answer{{err: failing(notifier.ForGood)}}
			s.run(time.Hour)
			if n := len(s.pager.told); n != 1 {
				t.Errorf("it was told %d times", n)
			}
		})
	})
}

// TestMarkFails: what cannot be booked is not sent, and the channel sends nothing more in that pass.
func TestMarkFails(t *testing.T) {
	rows := []detector.Alert{alert(1, detector.KindRoot), alert(2, detector.KindRoot, of("acme-2")), alert(3, detector.KindRoot, on("shop"))}
	for _, c := range []struct {
		state detector.AlertState
		first answer
		told  []uint64
	}{
		{detector.AlertSending, answer{}, []uint64{3}},
		{detector.AlertSent, answer{}, []uint64{1, 3}},
		{detector.AlertPending, answer{err: failing(notifier.NotSent)}, []uint64{1, 3}},
		{detector.AlertUnknown, answer{err: failing(notifier.Unknown)}, []uint64{1, 3}},
		{detector.AlertDead, answer{err: failing(notifier.ForGood)}, []uint64{1, 3}},
	} {
		t.Run(string(c.state), func(t *testing.T) {
			play(t, rows, func(t *testing.T, s *stage) {
				s.opt.For = func(string) notifier.Notifier { return hasty{s.slack} } // the pace would stop the channel anyway
				s.start()
				s.slack.notify[1] = []answer{c.first}
				s.out.fail = func(r detector.Receipt) bool { return r.Seq == 1 && r.State == c.state }
				s.d.Drain(t.Context())
				if diff := cmp.Diff(c.told, s.slack.seqs()); diff != "" {
					t.Errorf("told:\n%s", diff)
				}
				s.out.fail = nil
				s.run(time.Hour)
				for seq, key := range map[uint64]string{1: rows[0].Key, 2: rows[1].Key, 3: rows[2].Key} {
					if n := len(s.slack.posts[key]); n != 1 {
						t.Errorf("once the disk is well again alert %d is there %d times", seq, n)
					}
				}
			})
		})
	}
}

// hasty is people who need no pause.
type hasty struct{ *people }

// Pace returns none.
func (hasty) Pace() notifier.Pace { return notifier.Pace{} }

// seqs returns which alerts were told, in ascending order.
func (p *people) seqs() []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var seqs []uint64
	for _, m := range p.told {
		seqs = append(seqs, m.Alert.Seq)
	}
	slices.Sort(seqs)
	return seqs
}

func TestOrder(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot, of("acme-9"), sent),
		alert(2, detector.KindEdit, of("acme-9"), grave(rules.Crisis)),
		alert(3, detector.KindThread, of("acme-9"), grave(rules.Crisis)),
		alert(4, detector.KindBroadcast, of("acme-9")),
		alert(5, detector.KindRoot, of("acme-3"), grave(rules.Issue)),
		alert(6, detector.KindRoot, of("acme-2")),
		alert(7, detector.KindRoot, grave(rules.Crisis)),
		alert(8, detector.KindRoot, of("acme-4"), grave(rules.Crisis)),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		s.run(time.Minute)
		want := []string{
			"0s 7 sent #pr/ts7", "1s 8 sent #pr/ts8", "2s 6 sent #pr/ts6", "3s 5 sent #pr/ts5",
			"4s 4 sent #pr/ts4", "5s 3 sent #pr/ts3", "6s 2 sent #pr/ts1",
		}
		if diff := cmp.Diff(want, s.lines(" sent ")); diff != "" {
			t.Errorf("gravest roots first, edits last:\n%s", diff)
		}
	})
}

// TestGravestOvertakes: what becomes due while a channel rests goes by its rank, not by its time.
func TestGravestOvertakes(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot), alert(2, detector.KindRoot, of("acme-2")),
		alert(3, detector.KindRoot, of("acme-3"), grave(rules.Crisis), func(a *detector.Alert) { a.NotBefore = midnight.Add(500 * time.Millisecond) }),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		s.run(time.Minute)
		want := []string{"0s 1 sent #pr/ts1", "1s 3 sent #pr/ts3", "2s 2 sent #pr/ts2"}
		if diff := cmp.Diff(want, s.lines(" sent ")); diff != "" {
			t.Error(diff)
		}
	})
}

// TestThreadsWaitForTheirRoot: a line has no thread before its root is there.
func TestThreadsWaitForTheirRoot(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindThread), alert(2, detector.KindRoot),
		alert(3, detector.KindRoot, of("acme-2"), sent), alert(4, detector.KindThread, of("acme-2")),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		s.slack.notify[2] = []answer{{err: failing(notifier.Unknown), there: true}}
		s.run(time.Minute)
		want := []string{"1s 4 sent #pr/ts4", "3s 2 sent #pr/ts2", "3s 1 sent #pr/ts1"}
		if diff := cmp.Diff(want, s.lines(" sent ")); diff != "" {
			t.Error(diff)
		}
		if line := s.slack.told[len(s.slack.told)-1]; line.Root != (detector.Ref{Channel: "#pr", ID: "ts2"}) {
			t.Errorf("the line went into the thread of %v", line.Root)
		}
	})
}

// TestUndecidedHoldsItsThread: in one pass nothing of a thread overtakes what is undecided there.
func TestUndecidedHoldsItsThread(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot, sent), alert(2, detector.KindThread, caught), alert(3, detector.KindThread),
		alert(4, detector.KindRoot, of("acme-2"), sent), alert(5, detector.KindThread, of("acme-2")),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		if n := s.d.Drain(t.Context()); n != 1 {
			t.Errorf("%d alerts were delivered", n)
		}
		s.expect("0s 2 not found", "0s 2 unknown", "0s 5 sending", "0s 5 slack has it", "0s 5 sent #pr/ts5")
	})
}

// TestOvertakenWhileLooking: a reminder that an acknowledgement cancels while something before it in the
// channel is being looked for is not sent.
func TestOvertakenWhileLooking(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot, sent), alert(2, detector.KindRoot, of("acme-2"), caught),
		alert(3, detector.KindThread, func(a *detector.Alert) { a.Reason = detector.ReasonReminder }),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		s.slack.find[2] = []answer{{took: 20 * time.Second}}
		time.AfterFunc(5*time.Second, func() { s.out.do(detector.OpAck, detector.Args{}) })
		s.run(time.Minute)
		if state := s.out.row(3).State; state != detector.AlertCancelled {
			t.Errorf("the reminder is %s", state)
		}
		if told := s.lines(" 3 "); len(told) != 0 {
			t.Errorf("an overtaken reminder: %q", told)
		}
	})
}

// TestEditsAreCoalesced: three changes in a row are one edit, with the incident as it is then.
func TestEditsAreCoalesced(t *testing.T) {
	play(t, []detector.Alert{alert(1, detector.KindRoot, sent)}, func(t *testing.T, s *stage) {
		s.out.do(detector.OpAck, detector.Args{})
		s.out.do(detector.OpAssign, detector.Args{Assignee: "boris"})
		s.out.do(detector.OpFacts, detector.Args{Facts: map[string]string{"carrier": "late"}})
		s.run(time.Minute)
		if len(s.slack.told) != 1 {
			t.Fatalf("told %d times", len(s.slack.told))
		}
		m := s.slack.told[0]
		if m.Alert.Kind != detector.KindEdit || m.Incident.Owner != "boris" || m.Incident.Facts["carrier"] != "late" {
			t.Errorf("%s, owner %q, facts %v", m.Alert.Kind, m.Incident.Owner, m.Incident.Facts)
		}
	})
}

// TestPace: a channel gets a message a second however long its calls take, and a slow channel slows no other.
func TestPace(t *testing.T) {
	var rows []detector.Alert
	for n := range uint64(5) {
		rows = append(rows, alert(n+1, detector.KindRoot, of(fmt.Sprint("acme-", n))),
			alert(n+11, detector.KindRoot, of(fmt.Sprint("acme-", n)), on("crisis")),
			alert(n+21, detector.KindRoot, of(fmt.Sprint("acme-", n)), on("shop")))
	}
	play(t, rows, func(t *testing.T, s *stage) {
		for n := range uint64(5) {
			s.slack.notify[n+1] = []answer{{took: 40 * time.Second}}
			s.slack.notify[n+11] = []answer{{took: 200 * time.Millisecond}}
			s.slack.notify[n+21] = []answer{{took: 700 * time.Millisecond}}
		}
		s.run(time.Minute)
		want := []string{
			"200ms 11 sent #crisis/ts11", "1.4s 12 sent #crisis/ts12", "2.6s 13 sent #crisis/ts13",
			"3.8s 14 sent #crisis/ts14", "5s 15 sent #crisis/ts15",
		}
		if diff := cmp.Diff(want, s.lines("sent #crisis")); diff != "" {
			t.Errorf("the quick channel:\n%s", diff)
		}
		if diff := cmp.Diff([]string{"40s 1 sent #pr/ts1", "1m21s 2 sent #pr/ts2"}, s.lines("sent #pr")); diff != "" {
			t.Errorf("the slow channel:\n%s", diff)
		}
	})
}

// TestOneCallAtATime: what becomes due while a channel is being called waits for the end of the call.
func TestOneCallAtATime(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot), alert(2, detector.KindRoot, of("acme-2"), func(a *detector.Alert) { a.NotBefore = midnight.Add(5 * time.Second) }),
	}
	play(t, rows, func(t *testing.T, s *stage) {
		s.slack.notify[1] = []answer{{took: 20 * time.Second}}
		s.run(time.Minute)
		if diff := cmp.Diff([]string{"20s 1 sent #pr/ts1", "21s 2 sent #pr/ts2"}, s.lines(" sent ")); diff != "" {
			t.Error(diff)
		}
	})
}

// TestUnpaced: a terminal gets all at once, a line as soon as its root is there, even if nobody wakes Run.
func TestUnpaced(t *testing.T) {
	rows := []detector.Alert{alert(1, detector.KindRoot), alert(2, detector.KindRoot, of("acme-2")), alert(3, detector.KindThread, of("acme-2"))}
	play(t, rows, func(t *testing.T, s *stage) {
		s.opt.For = func(string) notifier.Notifier { return hasty{s.slack} }
		s.out.wake = nil
		s.start()
		s.run(time.Millisecond)
		want := []string{"0s 1 sent #pr/ts1", "0s 2 sent #pr/ts2", "0s 3 sent #pr/ts3"}
		if diff := cmp.Diff(want, s.lines(" sent ")); diff != "" {
			t.Error(diff)
		}
	})
}

// TestManyPassesAtOnce send everything once, and count it once.
func TestManyPassesAtOnce(t *testing.T) {
	var rows []detector.Alert
	for n := range uint64(12) {
		rows = append(rows, alert(n+1, detector.KindRoot, of(fmt.Sprint("acme-", n)), on(channels[n%3])))
	}
	play(t, rows, func(t *testing.T, s *stage) {
		for _, a := range rows {
			s.slack.notify[a.Seq] = []answer{{took: 300 * time.Millisecond}}
		}
		counted := make([]int, 8)
		var drains sync.WaitGroup
		for k := range counted {
			drains.Go(func() {
				for range 70 {
					counted[k] += s.d.Drain(t.Context())
					time.Sleep(100*time.Millisecond + time.Duration(k)*time.Millisecond)
				}
			})
		}
		drains.Wait()
		total := 0
		for _, n := range counted {
			total += n
		}
		if told := s.slack.seqs(); total != len(rows) || len(told) != len(rows) || len(slices.Compact(told)) != len(rows) {
			t.Errorf("%d alerts: told %v, counted %d", len(rows), s.slack.seqs(), total)
		}
	})
}

// TestRoutesAreReloadedDuringACall: an alert that is under way to one channel is not taken for another's.
func TestRoutesAreReloadedDuringACall(t *testing.T) {
	play(t, []detector.Alert{alert(1, detector.KindRoot)}, func(t *testing.T, s *stage) {
		s.slack.notify[1] = []answer{{took: 20 * time.Second}}
		old, moved := s.set, &rules.Set{Routes: map[string]*rules.Route{"pr": {ID: "pr", Slack: rules.Slack{Channel: "#elsewhere"}}}}
		s.opt.Rules = func() *rules.Set {
			if time.Since(midnight) < 5*time.Second {
				return old
			}
			return moved
		}
		s.start()
		s.run(time.Minute)
		s.expect("0s 1 sending", "20s 1 slack has it", "20s 1 sent #pr/ts1")
	})
}

// TestShutdown: a call that has begun is finished and booked before Run returns; no other is begun.
func TestShutdown(t *testing.T) {
	rows := []detector.Alert{alert(1, detector.KindRoot), alert(2, detector.KindRoot, of("acme-2"))}
	play(t, rows, func(t *testing.T, s *stage) {
		s.slack.notify[1] = []answer{{took: 10 * time.Second}}
		s.run(2 * time.Second)
		s.expect("0s 1 sending", "10s 1 slack has it", "10s 1 sent #pr/ts1")
		time.Sleep(time.Minute) // the channel has rested
		if n := s.d.Drain(canceled(t)); n != 0 {
			t.Errorf("after the end %d more were sent", n)
		}
	})
}

func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestDeliveriesAreCounted(t *testing.T) {
	play(t, []detector.Alert{alert(1, detector.KindRoot)}, func(t *testing.T, s *stage) {
		registry := prometheus.NewRegistry()
		s.opt.Metrics = registry
		s.start()
		s.slack.notify[1] = []answer{{err: failing(notifier.Busy)}, {err: failing(notifier.Unknown), there: true}}
		s.run(time.Hour)
		families, err := registry.Gather()
		if err != nil || len(families) != 1 {
			t.Fatalf("%d families, %v", len(families), err)
		}
		got := map[string]float64{}
		for _, m := range families[0].GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			got[strings.Join(labels, " ")] = m.GetCounter().GetValue()
		}
		want := map[string]float64{
			"kind=root notifier=slack outcome=busy reason=first":    1,
			"kind=root notifier=slack outcome=unknown reason=first": 1,
			"kind=root notifier=slack outcome=found reason=first":   1,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// plan is one run of bad luck.
type plan struct {
	answers map[uint64][]answer
	looks   map[uint64][]answer
	marks   []bool // which of the first bookings fail
	crashes []time.Duration
}

func drawPlan(rt *rapid.T, rows []detector.Alert) plan {
	luck := rapid.SliceOfN(rapid.SampledFrom([]answer{
		{},
		{err: failing(notifier.NotSent)},
		{err: failing(notifier.Busy)},
		{err: failing(notifier.Unknown)},
		{err: failing(notifier.Unknown), there: true},
		{took: 20 * time.Second},
		{took: time.Minute},
		{err: errors.New("reset"), there: true, took: time.Second},
	}), 0, 5)
	p := plan{answers: map[uint64][]answer{}, looks: map[uint64][]answer{}}
	for _, a := range rows {
		p.answers[a.Seq] = luck.Draw(rt, fmt.Sprint("answers ", a.Seq))
		p.looks[a.Seq] = rapid.SliceOfN(rapid.SampledFrom([]answer{{}, {err: failing(notifier.NotSent)}, {took: time.Second}}), 0, 3).Draw(rt, fmt.Sprint("looks ", a.Seq))
	}
	p.marks = rapid.SliceOfN(rapid.Bool(), 0, 30).Draw(rt, "bookings that fail")
	for range rapid.IntRange(0, 4).Draw(rt, "crashes") {
		p.crashes = append(p.crashes, time.Duration(rapid.IntRange(0, 30_000).Draw(rt, "after ms"))*time.Millisecond)
	}
	return p
}

// TestNothingLostNothingTwice: whatever calls, bookings and processes do, once luck turns every alert is there
// exactly once, lines after their roots.
func TestNothingLostNothingTwice(t *testing.T) {
	rows := []detector.Alert{
		alert(1, detector.KindRoot), alert(2, detector.KindThread), alert(3, detector.KindBroadcast),
		alert(4, detector.KindRoot, on("shop")), alert(5, detector.KindRoot, of("acme-2")), alert(6, detector.KindThread, of("acme-2")),
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt, rows)
		var problems []string
		play(t, rows, func(t *testing.T, s *stage) { problems = p.run(s, rows) })
		if len(problems) > 0 {
			rt.Fatal(strings.Join(problems, "\n"))
		}
	})
}

func (p *plan) run(s *stage, rows []detector.Alert) (problems []string) {
	s.slack.notify, s.slack.find = p.answers, p.looks
	marks := p.marks
	s.out.fail = func(detector.Receipt) bool {
		if len(marks) == 0 {
			return false
		}
		failed := marks[0]
		marks = marks[1:]
		return failed
	}
	for _, after := range p.crashes {
		s.run(after)
		s.start()
	}
	s.run(time.Hour)
	posted := map[uint64]time.Time{}
	for _, a := range rows {
		there := s.slack.posts[a.Key]
		if len(there) != 1 || s.out.row(a.Seq).State != detector.AlertSent {
			problems = append(problems, fmt.Sprintf("alert %d is there %d times and booked as %s", a.Seq, len(there), s.out.row(a.Seq).State))
			continue
		}
		posted[a.Seq] = there[0].at
	}
	for line, root := range map[uint64]uint64{2: 1, 3: 1, 6: 5} {
		if posted[line].Before(posted[root]) {
			problems = append(problems, fmt.Sprintf("line %d is older than its root", line))
		}
	}
	if problems != nil {
		problems = append(problems, s.lines()...)
	}
	return problems
}
