package detector

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDisk = errors.New("no space left on device")

// memory is a strict store: it fails on demand, notices a second writer, and holds a commit until it is let
// go.
type memory struct {
	t  *testing.T
	mu sync.Mutex // guards everything; held during a commit

	disk        *disk
	commits     int
	failCommits int           // how many commits fail from now on
	failLoads   int           // … and loads
	failLookups int           // … and lookups
	gate        chan struct{} // a commit waits for a value, unless nil
	entered     chan struct{} // told when a commit has begun, unless nil
}

var _ Store = (*memory)(nil)

func fails(n *int) bool {
	if *n > 0 {
		*n--
		return true
	}
	return false
}

func (s *memory) Load(context.Context) (*State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fails(&s.failLoads) {
		return nil, errDisk
	}
	return s.disk.state(), nil
}

func (s *memory) Commit(ctx context.Context, c *Change) error {
	if !s.mu.TryLock() {
		s.t.Error("two writers at once")
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if s.entered != nil {
		s.entered <- struct{}{}
	}
	if s.gate != nil {
		<-s.gate
	}
	if c.Empty() {
		s.t.Error("an empty commit")
	}
	if err := ctx.Err(); err != nil {
		s.t.Errorf("a commit whose caller may have gone: %v", err)
	}
	if fails(&s.failCommits) {
		return errDisk
	}
	s.commits++
	s.disk.apply(c)
	return nil
}

func (s *memory) Lookup(_ context.Context, keys []sources.Key) ([]Known, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fails(&s.failLookups) {
		return nil, errDisk
	}
	out := make([]Known, len(keys))
	for i, k := range keys {
		out[i] = s.disk.seen[k]
	}
	return out, nil
}

func (s *memory) Delivery(_ context.Context, source, id string) ([32]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	digest, ok := s.disk.delivered[source+"\x00"+id]
	return digest, ok, nil
}

// open returns a detector on a new store, at a fixed time.
func open(t *testing.T, change ...func(*Options)) (*Detector, *memory) {
	t.Helper()
	s := &memory{t: t, disk: newDisk()}
	opt := Options{Store: s, Scorer: plainScorer{}, Rules: machineSet()}
	for _, f := range change {
		f(&opt)
	}
	d, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	d.Now = func() time.Time { return monday }
	return d, s
}

// batch returns a batch of new mentions with these texts.
func batch(prefix string, texts ...string) sources.Batch {
	b := sources.Batch{Source: "shop"}
	for k, text := range texts {
		id := fmt.Sprintf("%s%d", prefix, k)
		b.Mentions = append(b.Mentions, sources.Mention{
			ID: id, Source: "shop", Kind: sources.Comment, Brand: "acme",
			Author: sources.Author{ID: id}, Text: text, CreatedAt: monday.Add(-time.Minute),
		})
	}
	return b
}

func TestNothingIsAcknowledgedBeforeTheCommit(t *testing.T) {
	d, s := open(t)
	s.gate, s.entered = make(chan struct{}), make(chan struct{}, 1)
	answer := make(chan sources.Taken, 1)
	go func() {
		b := batch("a", "drip three", "good")
		b.Cursor = sources.Cursor("page 2")
		taken, err := d.Ingest(t.Context(), b)
		if err != nil {
			t.Error(err)
		}
		answer <- taken
	}()
	<-s.entered
	select {
	case <-answer:
		t.Fatal("an answer before the commit")
	case <-d.Wake():
		t.Fatal("an alert before the commit")
	default:
	}
	close(s.gate)
	expect(t, "taken", <-answer, sources.Taken{Accepted: 2})
	expect(t, "cursor", string(s.disk.cursors["shop"]), "page 2")
	expect(t, "incidents", len(s.disk.incidents), 1)
	<-d.Wake()
	expect(t, "pending", len(d.Pending(monday.Add(gather))), 1)
}

// A failed commit is the source's to repeat, and leaves no trace in memory.
func TestFailedCommitLeavesNoTrace(t *testing.T) {
	d, s := open(t)
	s.failCommits = 1
	if _, err := d.Ingest(t.Context(), batch("a", "drip three")); !errors.Is(err, errDisk) {
		t.Fatalf("error %v", err)
	}
	if _, ok := d.Incident("acme-1"); ok {
		t.Error("the incident is in memory, though not on disk")
	}
	if d.Healthy() == nil {
		t.Error("healthy after a failed commit")
	}
	taken, err := d.Ingest(t.Context(), batch("a", "drip three"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "taken", taken, sources.Taken{Accepted: 1})
	if err := d.Healthy(); err != nil {
		t.Error(err)
	}
	i, _ := d.Incident("acme-1")
	expect(t, "incident", i.Version, s.disk.incidents["acme-1"].Version)
}

// After two failures in a row intake is closed until a commit succeeds again.
func TestIntakeClosesWhileCommitsFail(t *testing.T) {
	d, s := open(t)
	s.failCommits = 3
	for range 2 {
		if _, err := d.Ingest(t.Context(), batch("a", "bad")); !errors.Is(err, errDisk) {
			t.Fatalf("error %v", err)
		}
	}
	if _, err := d.Ingest(t.Context(), batch("a", "bad")); !errors.Is(err, sources.ErrUnavailable) {
		t.Errorf("third: %v", err)
	}
	if err := d.Tick(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("probe: %v", err)
	}
	if _, err := d.Ingest(t.Context(), batch("a", "bad")); !errors.Is(err, sources.ErrUnavailable) {
		t.Errorf("after a failed probe: %v", err)
	}
	if err := d.Tick(t.Context()); err != nil {
		t.Errorf("second probe: %v", err)
	}
	taken, err := d.Ingest(t.Context(), batch("a", "bad"))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "taken", taken, sources.Taken{Accepted: 1})
}

// While the store cannot even be read, nothing goes on from what was not committed.
func TestNothingGoesOnFromWhatWasNotCommitted(t *testing.T) {
	d, s := open(t)
	s.failCommits, s.failLoads = 1, 1
	if _, err := d.Ingest(t.Context(), batch("a", "drip three")); !errors.Is(err, errDisk) {
		t.Fatalf("error %v", err)
	}
	if taken, err := d.Ingest(t.Context(), batch("b", "drip three")); err == nil {
		expect(t, "taken", taken, sources.Taken{Accepted: 1})
	} else if err := d.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, b := range []sources.Batch{batch("a", "drip three"), batch("b", "drip three")} {
		if _, err := d.Ingest(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, "mentions", len(s.disk.incidents["acme-1"].Evidence.Mentions), 2)
	if err := VerifyAudit(s.disk.audit["acme-1"]); err != nil {
		t.Error(err)
	}
	expect(t, "first line", s.disk.audit["acme-1"][0].Op, "opened")
	d2, _ := open(t, func(o *Options) { o.Store = s })
	a, _ := d.Incident("acme-1")
	b, _ := d2.Incident("acme-1")
	expect(t, "after a restart", b, a)
}

func TestFailedLookupRefusesTheBatch(t *testing.T) {
	d, s := open(t)
	s.failLookups = 1
	if taken, err := d.Ingest(t.Context(), batch("a", "bad")); !errors.Is(err, errDisk) || taken.Accepted != 0 {
		t.Errorf("taken %+v, error %v", taken, err)
	}
	taken, err := d.Ingest(t.Context(), batch("a", "bad"))
	if err != nil || taken.Accepted != 1 {
		t.Errorf("again: taken %+v, error %v", taken, err)
	}
}

func TestOpenReportsADamagedStore(t *testing.T) {
	s := &memory{t: t, disk: newDisk(), failLoads: 1}
	opt := Options{Store: s, Scorer: plainScorer{}, Rules: machineSet()}
	if _, err := Open(t.Context(), opt); !errors.Is(err, errDisk) {
		t.Errorf("error %v", err)
	}
	s.disk.series[SeriesKey{"acme", "all"}] = []byte{seriesVersion, 1, 2, 3}
	if _, err := Open(t.Context(), opt); err == nil || !strings.Contains(err.Error(), "acme") {
		t.Errorf("error %v does not say which series is damaged", err)
	}
}

// Whoever waits while a commit runs is committed together, and gets an answer of his own.
func TestConcurrentIntakeIsCommittedTogether(t *testing.T) {
	const callers = 50
	d, s := open(t)
	s.gate, s.entered = make(chan struct{}), make(chan struct{}, callers)
	var wg sync.WaitGroup
	for k := range callers {
		wg.Go(func() {
			b := batch(fmt.Sprintf("c%d-", k), "bad", "good", "so so")
			b.Mentions = append(b.Mentions, b.Mentions[0])
			taken, err := d.Ingest(t.Context(), b)
			if err != nil || taken.Accepted != 3 || taken.Duplicates != 1 {
				t.Errorf("caller %d: %+v, %v", k, taken, err)
			}
		})
	}
	<-s.entered // the first is being committed; the others come together behind it
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		d.queueMu.Lock()
		waiting := len(d.queue)
		d.queueMu.Unlock()
		if waiting == callers-1 || time.Now().After(deadline) {
			break
		}
	}
	close(s.gate)
	wg.Wait()
	expect(t, "mentions", len(s.disk.seen), 3*callers)
	if s.commits >= callers/2 {
		t.Errorf("%d commits for %d callers", s.commits, callers)
	}
	t.Logf("%d commits for %d callers", s.commits, callers)
}

// All doors at once; the race detector watches.
func TestDoorsAreSafeTogether(t *testing.T) {
	d, s := open(t)
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			for n := range 10 {
				if _, err := d.Ingest(t.Context(), batch(fmt.Sprintf("w%d-%d-", k, n), "drip three", "bad")); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for n := range 10 {
				if err := d.Tick(t.Context()); err != nil {
					t.Error(err)
				}
				e := Event{ID: fmt.Sprintf("%d-%d", k, n), Incident: "acme-1", Op: OpNote, Args: Args{Note: "x"}}
				if _, err := d.Respond(t.Context(), e); err != nil && !errors.Is(err, ErrNotFound) {
					t.Error(err)
				}
				d.SetRules(machineSet())
				for _, a := range d.Pending(monday.Add(time.Hour)) {
					if err := d.Mark(t.Context(), Receipt{Seq: a.Seq, State: AlertSent, Ref: Ref{"C", "1"}}); err != nil {
						t.Error(err)
					}
				}
				d.Root(&Alert{Incident: "acme-1", Route: "desk"})
				d.Incident("acme-1")
			}
		})
	}
	wg.Wait()
	expect(t, "mentions", len(s.disk.seen), 160)
	if err := VerifyAudit(s.disk.audit["acme-1"]); err != nil {
		t.Error(err)
	}
}

func TestRepeatedDelivery(t *testing.T) {
	d, s := open(t)
	b := batch("a", "bad", "good")
	b.Delivery = &sources.Delivery{ID: "msg_1", Digest: sha256.Sum256([]byte("body"))}
	taken, err := d.Ingest(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "first", taken, sources.Taken{Accepted: 2})
	if taken, err = d.Ingest(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	expect(t, "again", taken, sources.Taken{Duplicates: 2})
	other := batch("b", "bad")
	other.Delivery = &sources.Delivery{ID: "msg_1", Digest: sha256.Sum256([]byte("another body"))}
	if _, err := d.Ingest(t.Context(), other); !errors.Is(err, sources.ErrConflict) {
		t.Errorf("another body under the same id: %v", err)
	}
	other.Source = "press"
	if _, err := d.Ingest(t.Context(), other); err != nil {
		t.Errorf("the same id from another source: %v", err)
	}
	expect(t, "mentions", len(s.disk.seen), 3)
}

// Two deliveries of one id with other bodies conflict even if they come at the same time.
func TestConflictingDeliveriesTogether(t *testing.T) {
	d, s := open(t)
	s.gate, s.entered = make(chan struct{}), make(chan struct{}, 9)
	var wg sync.WaitGroup
	wg.Go(func() { d.Ingest(t.Context(), batch("first", "bad")) })
	<-s.entered
	conflicts := make(chan bool, 2)
	for k := range 2 {
		wg.Go(func() {
			b := batch(fmt.Sprintf("x%d", k), "bad")
			b.Delivery = &sources.Delivery{ID: "msg_1", Digest: sha256.Sum256([]byte{byte(k)})}
			_, err := d.Ingest(t.Context(), b)
			conflicts <- errors.Is(err, sources.ErrConflict)
		})
	}
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		d.queueMu.Lock()
		waiting := len(d.queue)
		d.queueMu.Unlock()
		if waiting == 2 || time.Now().After(deadline) {
			break
		}
	}
	close(s.gate)
	wg.Wait()
	if a, b := <-conflicts, <-conflicts; a == b {
		t.Errorf("conflicts %v and %v, want one", a, b)
	}
}

func TestUnnamedBrandsAreLimited(t *testing.T) {
	limit := func(o *Options) { o.AutoBrands = 2 }
	brands := func(b sources.Batch) sources.Batch {
		for k := range b.Mentions {
			b.Mentions[k].Brand = fmt.Sprintf("brand %d", k)
		}
		return b
	}
	d, s := open(t, limit)
	taken, err := d.Ingest(t.Context(), brands(batch("a", "bad", "bad", "bad", "bad")))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "accepted of one batch", taken.Accepted, 2)
	expect(t, "brands", len(s.disk.brands), 2)
	taken, err = d.Ingest(t.Context(), brands(batch("b", "bad", "bad", "bad")))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "accepted of the known ones", taken.Accepted, 2)
	if len(taken.Rejected) != 1 || taken.Rejected[0].Index != 2 || !strings.Contains(taken.Rejected[0].Error, `"brand-2"`) {
		t.Errorf("rejected %+v", taken.Rejected)
	}
	if taken, err = d.Ingest(t.Context(), batch("c", "bad")); err != nil || taken.Accepted != 1 {
		t.Errorf("a brand of the rule files: %+v, %v", taken, err)
	}
}

// Times of mentions are not trusted: the future is now, and what is older than 35 days is kept but not counted.
func TestTimesAreBounded(t *testing.T) {
	d, s := open(t)
	ahead := batch("a", "bad", "bad", "bad", "bad")
	for k, off := range []time.Duration{time.Hour, 9 * time.Minute, -36 * day, -34 * day} {
		ahead.Mentions[k].CreatedAt = monday.Add(off)
	}
	if _, err := d.Ingest(t.Context(), ahead); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]time.Duration{"a0": 0, "a1": 9 * time.Minute, "a2": -36 * day, "a3": -34 * day} {
		expect(t, "time of "+id, s.disk.seen[sources.Key{Source: "shop", ID: id}].Seen.At, monday.Add(want))
	}
	for _, it := range s.disk.items {
		if it.Key.ID == "a2" {
			t.Error("a mention of 36 days ago counts")
		}
	}
}

// Wherever the daemon runs, what it decides is in UTC, and by the clock on the wall: a suspended machine
// does not stretch a lease.
func TestTimesAreUTC(t *testing.T) {
	d, _ := open(t)
	d.Now = func() time.Time { return time.Now().In(time.FixedZone("Oslo", 3600)) }
	b := batch("a", "drip three")
	b.Mentions[0].CreatedAt = time.Now()
	if _, err := d.Ingest(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	i, _ := d.Incident("acme-1")
	if i.OpenedAt.Location() != time.UTC || strings.Contains(i.OpenedAt.String(), "m=") {
		t.Errorf("opened at %s", i.OpenedAt)
	}
}

func TestRespondThroughTheShell(t *testing.T) {
	d, s := open(t)
	if _, err := d.Respond(t.Context(), Event{Incident: "acme-1", Op: OpAck}); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown incident: %v", err)
	}
	if _, err := d.Ingest(t.Context(), batch("a", "drip three")); err != nil {
		t.Fatal(err)
	}
	e := Event{ID: "1", Incident: "acme-1", Op: OpAck, Actor: Actor{Kind: "person", ID: "ann"}}
	s.failCommits = 1
	if _, err := d.Respond(t.Context(), e); !errors.Is(err, errDisk) {
		t.Errorf("failed commit: %v", err)
	}
	if i, _ := d.Incident("acme-1"); i.Handling != New {
		t.Errorf("%s in memory after a failed commit", i.Handling)
	}
	res, err := d.Respond(t.Context(), e)
	if err != nil || res.Outcome != Applied {
		t.Errorf("again: %+v, %v", res, err)
	}
}

// archive is a Reader that knows one incident of long ago.
type archive struct {
	Reader
	incident Incident
	lines    []Audit
	roots    []Alert
	merged   string // the id of one that went into it
}

func (a *archive) Incident(_ context.Context, id string) (Incident, error) {
	if id != a.incident.ID && id != a.merged {
		return Incident{}, ErrNotFound
	}
	return a.incident, nil
}

func (a *archive) Audit(context.Context, string) ([]Audit, error) { return a.lines, nil }

func (a *archive) Roots(context.Context, string) ([]Alert, error) { return a.roots, nil }

// What was closed long ago can be opened again by a person, and then people hear of it again.
func TestReopenFromTheArchive(t *testing.T) {
	past := opened(t, "drip two")
	past.do(OpResolve, Args{})
	past.disk.at = monday.Add(60 * day)
	old := &archive{incident: past.inc("acme-1"), lines: past.disk.audit["acme-1"]}
	d, _ := open(t, func(o *Options) { o.Reader, o.Store = old, &memory{t: t, disk: past.disk} })
	d.Now = func() time.Time { return past.disk.at }
	if _, ok := d.Incident("acme-1"); ok {
		t.Fatal("the incident is still in memory")
	}
	res, err := d.Respond(t.Context(), Event{ID: "1", Incident: "acme-1", Op: OpReopen, Actor: Actor{ID: "ann"}})
	if err != nil || res.Outcome != Applied {
		t.Fatalf("%+v, %v", res, err)
	}
	checkChain(t, past)
	expect(t, "last line", past.ops("acme-1")[len(past.ops("acme-1"))-1], "reopened")
	if due := d.Pending(past.disk.at); len(due) != 1 || due[0].Kind != KindRoot {
		t.Errorf("due %+v", due)
	}
}

// Where the old thread is known, it goes on there.
func TestReopenInTheOldThread(t *testing.T) {
	past := opened(t, "drip two")
	past.do(OpResolve, Args{})
	past.disk.at = monday.Add(60 * day)
	root := Alert{Seq: 900, Incident: "acme-1", Route: "desk", Kind: KindRoot, State: AlertSent, Ref: Ref{"C1", "1.2"}}
	old := &archive{incident: past.inc("acme-1"), lines: past.disk.audit["acme-1"], roots: []Alert{root}}
	root.Route = old.incident.Routes[0]
	old.roots[0] = root
	d, _ := open(t, func(o *Options) { o.Reader, o.Store = old, &memory{t: t, disk: past.disk} })
	d.Now = func() time.Time { return past.disk.at }
	if _, err := d.Respond(t.Context(), Event{ID: "1", Incident: "acme-1", Op: OpReopen, Actor: Actor{ID: "ann"}}); err != nil {
		t.Fatal(err)
	}
	for _, a := range d.Pending(past.disk.at) {
		if a.Kind == KindRoot {
			t.Errorf("a second root: %+v", a)
		}
	}
	if ref, ok := d.Root(&root); !ok || ref != root.Ref {
		t.Errorf("root %v, %v", ref, ok)
	}
}

// A button of an incident that was merged long ago leads to the one that it went into.
func TestButtonOfAMergedIncident(t *testing.T) {
	past := opened(t, "drip two")
	old := &archive{incident: past.inc("acme-1"), lines: past.disk.audit["acme-1"], merged: "acme-7"}
	d, _ := open(t, func(o *Options) { o.Reader, o.Store = old, &memory{t: t, disk: past.disk} })
	res, err := d.Respond(t.Context(), Event{ID: "1", Incident: "acme-7", Op: OpAck, Actor: Actor{ID: "ann"}})
	if err != nil || res.Outcome != Applied || res.Incident.ID != "acme-1" {
		t.Errorf("%+v, %v", res, err)
	}
}

// A delivery that comes again is answered, not applied: an edit that it brings may have been overtaken.
func TestRepeatedDeliveryUndoesNothing(t *testing.T) {
	d, s := open(t)
	deliver := func(id string, op sources.Op, text string) sources.Taken {
		b := batch("x", text)
		b.Mentions[0].Op = op
		b.Delivery = &sources.Delivery{ID: id, Digest: [32]byte{byte(len(text))}}
		taken, err := d.Ingest(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		return taken
	}
	kept := func() string {
		for _, k := range s.disk.seen {
			if len(k.Judged) > 0 {
				return k.Judged[len(k.Judged)-1].Mention.Text
			}
		}
		return ""
	}
	deliver("d0", sources.Create, "bad")
	deliver("d1", sources.Update, "bad libel")
	deliver("d2", sources.Update, "good, corrected")
	expect(t, "answer", deliver("d1", sources.Update, "bad libel"), sources.Taken{Duplicates: 1})
	expect(t, "text", kept(), "good, corrected")
	deliver("d3", sources.Delete, "")
	expect(t, "a late edit", deliver("d4", sources.Update, "bad, very late"), sources.Taken{Duplicates: 1})
	expect(t, "text after the delete", kept(), "")
}

func TestClose(t *testing.T) {
	d, _ := open(t)
	d.Close()
	if _, err := d.Ingest(t.Context(), batch("a", "bad")); !errors.Is(err, sources.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
	d, _ = open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Ingest(ctx, batch("a", "bad")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// What the rules look for is counted anew with each set, and the time that judging takes by mention.
func TestMetricsOfMatching(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	d, _ := open(t, func(o *Options) { o.Metrics = reg })
	gathered := func() string {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		all := ""
		for _, f := range families {
			all += f.String() + "\n"
		}
		return strings.ReplaceAll(all, "  ", " ")
	}
	for _, tt := range []struct{ terms, want string }{
		{"{any_words: [burnt, scorched]}", `label:{name:"search" value:"open"} gauge:{value:0}`},
		{"{regex: 'v[0-9]+'}, {raw: ':('}", `label:{name:"search" value:"open"} gauge:{value:1}`},
		{"{any_words: [burnt, scorched]}", `label:{name:"search" value:"indexed"} gauge:{value:3}`}, // and the name
	} {
		set, errs := rules.Parse([]rules.File{{Name: "r.yml", Data: []byte("version: 1\nbrands: {acme: {names: [Acme]}}\n" +
			"rules: [{id: a, title: A, kind: burst, match: {any_of: [" + tt.terms + "]}, floor: {items: 5, authors: 3}}]\n")}}, rules.Options{Builtin: true})
		if set == nil {
			t.Fatal(errs)
		}
		d.SetRules(set)
		if got := gathered(); !strings.Contains(got, tt.want) {
			t.Errorf("%s: no %s in\n%s", tt.terms, tt.want, got)
		}
	}
	if _, err := d.Ingest(t.Context(), batch("a", "one", "two")); err != nil {
		t.Fatal(err)
	}
	if got := gathered(); !regexp.MustCompile(`emberwatch_judge_seconds.*sample_count:2 `).MatchString(got) {
		t.Errorf("two mentions were judged:\n%s", got)
	}
}

// Logs and metrics use the words of the audit, and hold no text, author or brand as a label.
func TestLogsAndMetrics(t *testing.T) {
	var logged bytes.Buffer
	reg := prometheus.NewPedanticRegistry()
	d, s := open(t, func(o *Options) {
		o.Log, o.Metrics = slog.New(slog.NewTextHandler(&logged, nil)), reg
	})
	b := batch("secret-author-", "drip three secret-text")
	if _, err := d.Ingest(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := d.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.failCommits = 1
	if _, err := d.Ingest(t.Context(), batch("x", "bad")); err == nil {
		t.Fatal("no error")
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := logged.String()
	for _, f := range families {
		all += f.String() + "\n"
	}
	for _, word := range []string{"op=opened", "reason=first", "emberwatch_decisions_total", `value:"first"`, `value:"failed"`, `value:"accepted"`} {
		if !strings.Contains(all, word) {
			t.Errorf("nowhere %q", word)
		}
	}
	if strings.Contains(all, "secret") {
		t.Error("logs or metrics hold text or author of a mention")
	}
}
