package detector

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// monday is when most tests begin: noon of a Monday, far from any quiet hours.
var monday = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// mustRules reads one rule file. Sets are made once and shared: they never change.
func mustRules(text string) *rules.Set {
	set, errs := rules.Parse([]rules.File{{Name: "test.yml", Data: []byte(text)}}, rules.Options{})
	if set == nil {
		panic(errs)
	}
	return set
}

// plainScorer reads the sentiment off the words "bad" and "good"; everything else is neutral. It believes the language that it
// is told.
type plainScorer struct{}

func (plainScorer) Score(doc *rules.Doc, about About) Score {
	p := P{Negative: 0.1, Neutral: 0.8, Positive: 0.1}
	switch {
	case strings.Contains(doc.Text, "bad"):
		p = P{Negative: 0.9, Neutral: 0.05, Positive: 0.05}
	case strings.Contains(doc.Text, "good"):
		p = P{Negative: 0.02, Neutral: 0.08, Positive: 0.9}
	}
	return Score{P: p, Lang: cmp.Or(about.Lang, "en"), Known: true}
}

// disk keeps what a store keeps of the changes, in memory, and gives it back as a store would: everything
// that a store writes as JSON has been through JSON.
type disk struct {
	at        time.Time
	seen      map[sources.Key]Known
	items     map[ItemRef]Item
	series    map[SeriesKey][]byte
	brands    map[string]BrandState
	incidents map[string]Incident
	audit     map[string][]Audit
	alerts    map[uint64]Alert
	done      map[string]Done
	waiting   map[WaitingRef]Waiting
	cursors   map[string]sources.Cursor
	delivered map[string][32]byte
}

func newDisk() *disk {
	return &disk{
		seen: map[sources.Key]Known{}, items: map[ItemRef]Item{}, series: map[SeriesKey][]byte{},
		brands: map[string]BrandState{}, incidents: map[string]Incident{}, audit: map[string][]Audit{},
		alerts: map[uint64]Alert{}, done: map[string]Done{}, cursors: map[string]sources.Cursor{},
		waiting: map[WaitingRef]Waiting{}, delivered: map[string][32]byte{},
	}
}

// clone returns a copy that later changes leave alone.
func (d *disk) clone() *disk {
	out := *d
	out.seen, out.items, out.series, out.brands = maps.Clone(d.seen), maps.Clone(d.items), maps.Clone(d.series), maps.Clone(d.brands)
	out.incidents, out.alerts, out.done = maps.Clone(d.incidents), maps.Clone(d.alerts), maps.Clone(d.done)
	out.waiting = maps.Clone(d.waiting)
	out.cursors, out.delivered = maps.Clone(d.cursors), maps.Clone(d.delivered)
	out.audit = map[string][]Audit{}
	for id, lines := range d.audit {
		out.audit[id] = slices.Clip(lines)
	}
	return &out
}

// throughJSON returns v as it comes back from a file.
func throughJSON[T any](v T) T {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var out T
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}

// apply commits a change. It may be applied again: nothing is added twice.
func (d *disk) apply(c *Change) {
	d.at = c.At
	for _, s := range c.Seen {
		k := Known{Found: true, Seen: s}
		for _, j := range c.Put {
			if j.Mention.Key() == s.Key {
				k.Judged = append(k.Judged, j)
			}
		}
		d.seen[s.Key] = k
	}
	for _, r := range c.DropItems {
		delete(d.items, r)
	}
	for _, it := range c.Items {
		d.items[it.Ref()] = throughJSON(it)
	}
	for _, s := range c.Series {
		d.series[s.Key] = s.Blob
	}
	for _, b := range c.Brands {
		d.brands[b.ID] = throughJSON(b)
	}
	for _, i := range c.Incidents {
		d.incidents[i.ID] = throughJSON(i)
	}
	for _, a := range c.Audit {
		if a.Seq == len(d.audit[a.Incident])+1 {
			d.audit[a.Incident] = append(d.audit[a.Incident], throughJSON(a))
		}
	}
	for _, a := range c.Alerts {
		d.alerts[a.Seq] = throughJSON(a)
	}
	for _, r := range c.DropWaiting {
		delete(d.waiting, r)
	}
	for _, w := range c.Waiting {
		d.waiting[w.Ref()] = throughJSON(w)
	}
	for _, x := range c.Done {
		d.done[x.ID] = throughJSON(x)
	}
	maps.Copy(d.cursors, c.Cursors)
	maps.Copy(d.delivered, c.Deliveries)
}

// state returns what a store loads: open incidents and those closed in the last 24 h, alerts that are not
// done and the roots of those incidents.
func (d *disk) state() *State {
	st := &State{LastAudit: map[string]Audit{}, Cursors: maps.Clone(d.cursors)}
	for _, id := range sortedKeys(d.brands) {
		st.Brands = append(st.Brands, throughJSON(d.brands[id]))
	}
	for _, it := range d.items {
		st.Items = append(st.Items, throughJSON(it))
	}
	slices.SortFunc(st.Items, func(a, b Item) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(fmt.Sprint(hash64(a.Key.ID)), fmt.Sprint(hash64(b.Key.ID)))
	})
	for k, blob := range d.series {
		st.Series = append(st.Series, SeriesBlob{k, slices.Clone(blob)})
	}
	for _, id := range sortedKeys(d.incidents) {
		if i := d.incidents[id]; i.Open() || d.at.Sub(i.ClosedAt) <= keepClosed {
			st.Incidents = append(st.Incidents, throughJSON(i))
			st.LastAudit[id] = d.audit[id][len(d.audit[id])-1]
		}
	}
	for seq, a := range d.alerts {
		st.Seq = max(st.Seq, seq)
		_, kept := st.LastAudit[a.Incident]
		kept = kept || IsDigest(a.Incident)
		if !a.State.Done() || kept && a.Kind == KindRoot && a.State == AlertSent {
			st.Alerts = append(st.Alerts, throughJSON(a))
		}
	}
	slices.SortFunc(st.Alerts, func(a, b Alert) int { return int(a.Seq) - int(b.Seq) })
	for _, w := range d.waiting {
		st.Waiting = append(st.Waiting, w)
	}
	for _, id := range sortedKeys(d.done) {
		st.Done = append(st.Done, d.done[id])
	}
	return st
}

// stage plays a model: it makes mentions, lets the clock run, keeps what was committed and delivers what
// is due, unless mute is set.
type stage struct {
	t    testing.TB
	set  *rules.Set
	m    *Model
	disk *disk
	now  time.Time
	mute bool // nothing is delivered

	crashIn int // moments until it crashes: each commit has one before and one after it, each delivery one; 0: never
	n       int
	lag     int

	sent   []Alert // in the order of delivery
	sentAt []time.Time
	shown  int // of sent, by told
}

func newStage(t testing.TB, set *rules.Set) *stage {
	return &stage{t: t, set: set, m: NewModel(set, LagLive), disk: newDisk(), now: monday, lag: LagLive}
}

// take commits a change and delivers what is due: first the roots, then what waits for them.
func (s *stage) take(c *Change) {
	s.moment()
	s.disk.apply(c)
	s.moment()
	for !s.mute && s.deliver() {
	}
}

// crashed is what a stage panics with when its time has come.
type crashed struct{}

func (s *stage) moment() {
	if s.crashIn > 0 {
		if s.crashIn--; s.crashIn == 0 {
			panic(crashed{})
		}
	}
}

// surviving runs f. Should it crash on the way, the stage goes on from what was committed, finds what was being sent where
// it was sent, and runs f again, as whoever was not answered does.
func (s *stage) surviving(f func()) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case crashed:
			s.restart()
			for _, a := range s.m.Due(s.now) {
				if a.State == AlertSending {
					s.disk.apply(s.m.Receive([]Receipt{{Seq: a.Seq, State: AlertSent, Ref: Ref{Channel: a.Route, ID: fmt.Sprint(a.Seq)}}}, s.now))
				}
			}
			f()
		default:
			panic(p)
		}
	}()
	f()
}

// deliver sends what is pending and due, and reports whether there was anything.
func (s *stage) deliver() bool {
	sent := len(s.sent)
	for _, a := range s.m.Due(s.now) {
		if a.State != AlertPending {
			continue
		}
		s.disk.apply(s.m.Receive([]Receipt{{Seq: a.Seq, State: AlertSending}}, s.now))
		s.moment()
		ref := Ref{Channel: a.Route, ID: fmt.Sprint(a.Seq)}
		s.disk.apply(s.m.Receive([]Receipt{{Seq: a.Seq, State: AlertSent, Ref: ref}}, s.now))
		s.sent, s.sentAt = append(s.sent, a), append(s.sentAt, s.now)
	}
	return len(s.sent) > sent
}

// restart throws the model away and makes another from what was committed.
func (s *stage) restart() {
	s.m = NewModel(s.set, s.lag)
	if err := s.m.Restore(s.disk.state()); err != nil {
		panic(err)
	}
}

// mention returns a new mention of the brand acme by a new author.
func (s *stage) mention(text string) sources.Mention {
	s.n++
	return sources.Mention{
		ID: fmt.Sprintf("m%d", s.n), Source: "shop", Kind: sources.Comment, Brand: "acme",
		Author: sources.Author{ID: fmt.Sprintf("a%d", s.n)}, Text: text, CreatedAt: s.now,
	}
}

// arrival judges a mention and says what is known of it already.
func (s *stage) arrival(m sources.Mention) Arrival {
	a := Arrival{Key: m.Key(), Op: m.Op, At: m.CreatedAt.UTC(), Arrived: s.now, Prior: s.disk.seen[m.Key()]}
	if m.Op != sources.Delete {
		a.Judged = Judge(s.set, plainScorer{}, m)
	}
	return a
}

// hear takes in mentions, one after the other, and returns what became of them.
func (s *stage) hear(ms ...sources.Mention) []Fate {
	var all []Fate
	for _, m := range ms {
		c, fates := s.m.Apply([]Arrival{s.arrival(m)}, s.now)
		s.take(c)
		all = append(all, fates...)
	}
	return all
}

// say takes in one new mention for each text.
func (s *stage) say(texts ...string) {
	for _, text := range texts {
		s.hear(s.mention(text))
	}
}

func (s *stage) tick() { s.take(s.m.Tick(s.now)) }

// wait lets the clock run, in steps of a minute.
func (s *stage) wait(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); {
		s.now = s.now.Add(min(time.Minute, end.Sub(s.now)))
		s.tick()
	}
}

// event makes what a person does; each has an id of its own.
func (s *stage) event(who string, op Operation, id string, args Args) Event {
	s.n++
	return Event{ID: fmt.Sprintf("e%d", s.n), Incident: id, Op: op, Actor: Actor{Kind: "person", ID: who, Via: "slack"}, Args: args}
}

// send applies an event.
func (s *stage) send(e Event) Result {
	s.t.Helper()
	res, c, ok := s.m.Respond(e, s.now)
	s.take(c)
	if !ok {
		s.t.Fatalf("%s: there is no incident %s", e.Op, e.Incident)
	}
	return res
}

// do applies what ann does to acme-1, which has to succeed.
func (s *stage) do(op Operation, args Args) Result {
	s.t.Helper()
	res := s.send(s.event("ann", op, "acme-1", args))
	if res.Outcome != Applied {
		s.t.Fatalf("%s: %s: %s", op, res.Outcome, res.Message)
	}
	return res
}

// inc returns an incident, which has to be as it was committed.
func (s *stage) inc(id string) Incident {
	s.t.Helper()
	i, ok := s.disk.incidents[id]
	if !ok {
		s.t.Fatalf("there is no incident %s; there are %v", id, sortedKeys(s.disk.incidents))
	}
	return i
}

// told returns what was delivered since it was last asked, edits and lists apart, as "kind reason route".
func (s *stage) told() []string {
	out := []string{}
	for _, a := range s.sent[s.shown:] {
		if a.Kind != KindEdit && !IsList(a.Incident) {
			out = append(out, fmt.Sprintf("%s %s %s", a.Kind, a.Reason, a.Route))
		}
	}
	s.shown = len(s.sent)
	return out
}

// ops returns the operations of an incident's history.
func (s *stage) ops(id string) []string {
	var out []string
	for _, l := range s.disk.audit[id] {
		out = append(out, l.Op)
	}
	return out
}

// expect fails unless two values are the same.
func expect[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}
