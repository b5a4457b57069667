package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/store"
	"emberwatch/notifier/notifiertest"
	"emberwatch/rules"
	"emberwatch/sources"
)

// TestKill kills the daemon again and again while mentions come in, people acknowledge and alerts go out, over a
// Slack that fails in every way that matters, the worst among them: it stores a message and the answer is lost.
// In the end nothing that was acknowledged may be missing, nothing may be counted twice, and nobody may have been
// told the same thing twice. (Killing keeps the page cache: whether a commit reaches the disk is not seen here.)
func TestKill(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 10
	}
	slack := notifiertest.NewSlack()
	defer slack.Close()
	k := newKilling(t, slack, rounds)
	for k.round = range rounds {
		k.fail()
		k.kill()
	}
	c := start(t, k.launch)
	k.settle(c)
	c.stop(t)
	k.judge()
	t.Logf("%d rounds, %d mentions acknowledged, %d deliveries repeated, %d acknowledgements, %d messages",
		rounds, len(k.acked), k.repeated, len(k.acks), slack.Calls("chat.postMessage"))
}

// killing is the state of the test outside of the daemon, which is the memory of its senders and people.
type killing struct {
	t      *testing.T
	slack  *notifiertest.Slack
	launch launch
	rules  string
	round  int

	mu       sync.Mutex        // guards what follows
	acked    map[string]string // id of a mention that was answered 200 -> its brand
	sent     map[string]string // every id that was ever sent -> its brand
	unsure   []delivery        // nobody knows whether they arrived: they are sent again
	arrived  []delivery
	repeated int
	acks     map[string]bool // idempotency key of an acknowledgement -> answered 200
}

// delivery is one POST, which is repeated as it is until it is answered.
type delivery struct {
	id    string // webhook-id; empty: none
	brand string
	items []string // ids
	body  string
}

const (
	posters = 3
	learned = "learned" // a brand with a past, so that bursts are judged
)

// killKinds are the kinds that a brand's mentions may be of; each has its rule, route and channel.
var killKinds = []sources.Kind{sources.Comment, sources.Review, sources.Tag, sources.Post, sources.Article, sources.Share}

func newKilling(t *testing.T, slack *notifiertest.Slack, rounds int) *killing {
	dir := t.TempDir()
	for i := range killKinds {
		slack.AddChannel(notifiertest.Channel{ID: fmt.Sprintf("C0KILL%d", i), Name: fmt.Sprintf("kill-%d", i), Member: true})
	}
	k := &killing{t: t, slack: slack, acked: map[string]string{}, sent: map[string]string{}, acks: map[string]bool{}}
	k.rules = writeFile(t, filepath.Join(dir, "rules.yml"), killRules())
	writeFile(t, filepath.Join(dir, "past.ndjson"), pastOf(learned, time.Now()))
	config := writeFile(t, filepath.Join(dir, "emberwatch.yml"), anyPort+`rules: [rules.yml]
slack: {bot_token: env:EW_BOT, app_token: env:EW_APP, channel: "#pr-alerts", api_url: "`+slack.URL()+`"}
sources:
  - {type: jsonl, name: past, path: past.ndjson, history: true}
`)
	k.launch = launch{
		config: config, data: filepath.Join(dir, "data"), home: dir,
		env: []string{"EW_BOT=" + notifiertest.BotToken, "EW_APP=" + notifiertest.AppToken},
	}
	return k
}

// killRules tell of every injured person within a second, in several channels so that the pace of one does not
// hold up the test. The brands are named nowhere, which leaves the starter rules to them as well.
func killRules() string {
	const route = "{slack: {channel: \"#%s\"}, notify: {gather: 1s, roots: \"1000 in 10m\"}}\n"
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nroutes:\n  default: "+route, "pr-alerts")
	for i := range killKinds {
		fmt.Fprintf(&b, "  r%d: "+route, i, fmt.Sprintf("kill-%d", i))
	}
	b.WriteString("rules:\n")
	for i, kind := range killKinds {
		id := fmt.Sprintf("hurt-%d", i)
		if i == 0 {
			id = "safety" // takes the place of the starter rule, which tells in one channel
		}
		fmt.Fprintf(&b, "  - {id: %s, title: Somebody may be hurt, kind: each, severity: 1, route: r%d,\n"+
			"     match: {kinds: [%s], category: safety_injury, confidence: 0.7}, dedupe: {by: [author, text], for: 24h}}\n", id, i, kind)
	}
	return b.String()
}

// pastOf is two quiet weeks of a brand up to now.
func pastOf(brand string, now time.Time) string {
	var b strings.Builder
	for h := range 14 * 24 {
		at := now.Add(time.Duration(h-14*24) * time.Hour).UTC().Format(time.RFC3339)
		fmt.Fprintf(&b, `{"id":"past%d","brand":%q,"author":"@p%d","text":"where can I buy filters","created_at":%q}`+"\n", h, brand, h, at)
	}
	return b.String()
}

// fail lets some of Slack's next calls go wrong.
func (k *killing) fail() {
	faults := []notifiertest.Fault{
		{Drop: true, After: true},       // stored, the answer is lost
		{Drop: true},                    // lost before
		{Delay: 300 * time.Millisecond}, // somebody may be killed meanwhile
		{Status: 500, After: true},      // stored, and says that it failed
		{Status: 429, RetryAfter: "1"},  // too fast
		notifiertest.Refuse("internal_error"),
	}
	if rand.N(3) > 0 { // not always: what is left over has to be lived through in the end
		k.slack.Fail("chat.postMessage", faults[rand.N(len(faults))])
	}
	if rand.N(6) == 0 {
		k.slack.Fail("chat.update", faults[rand.N(len(faults))])
		k.slack.Fail("conversations.history", notifiertest.Fault{Status: 500})
	}
}

// kill lets senders and people work with a daemon until it is killed at some moment.
func (k *killing) kill() {
	c := start(k.t, k.launch)
	var wg sync.WaitGroup
	for p := range posters {
		wg.Go(func() { k.post(c, p) })
	}
	wg.Go(func() { k.acknowledge(c) })
	time.Sleep(rand.N(900 * time.Millisecond)) // the moment is what is tested
	c.kill()
	wg.Wait()
	for _, line := range c.log.at("ERROR") {
		if strings.Contains(line, "commit") || strings.Contains(line, "panic") {
			k.t.Errorf("round %d: %s", k.round, line)
		}
	}
}

// post hands in deliveries until the daemon is gone.
func (k *killing) post(c *child, poster int) {
	for n := 0; ; n++ {
		d, again := k.next(poster, n)
		for {
			res, err := c.try(http.MethodPost, "/v1/mentions", d.body, func(r *http.Request) {
				if d.id != "" {
					r.Header.Set("webhook-id", d.id)
				}
			})
			if err == nil && res.status == http.StatusServiceUnavailable {
				continue
			}
			if !k.answered(d, again, res, err) {
				return
			}
			break
		}
	}
}

// next chooses what to send: what nobody is sure of, sometimes what has arrived already, else something new.
func (k *killing) next(poster, n int) (d delivery, again bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if last := len(k.unsure) - 1; last >= 0 {
		d, k.unsure = k.unsure[last], k.unsure[:last]
		return d, false
	}
	if len(k.arrived) > 0 && rand.N(4) == 0 {
		k.repeated++
		return k.arrived[rand.N(len(k.arrived))], true
	}
	d = k.fresh(fmt.Sprintf("r%d-p%d-%d", k.round, poster, n))
	for _, id := range d.items {
		k.sent[id] = d.brand
	}
	return d, false
}

// fresh makes a new delivery for a brand of this round, an older one, or the one with a past.
func (k *killing) fresh(name string) delivery {
	n := 2*k.round + rand.N(2)
	if rand.N(2) == 0 {
		n = rand.N(n + 1)
	}
	d, kind := delivery{brand: fmt.Sprintf("k%d", n)}, killKinds[n%len(killKinds)]
	if rand.N(3) == 0 {
		d.brand, kind = learned, sources.Comment
	}
	if rand.N(2) == 0 {
		d.id = name
	}
	var items []string
	for i := range 1 + rand.N(12) {
		id := fmt.Sprintf("%s-%d", name, i)
		text := []string{"awful, parcel " + id + " never arrived", "my wife was injured by " + id + " and is in hospital", "what colour is " + id}[rand.N(3)]
		if d.brand == learned {
			text = "awful, parcel " + id + " never arrived"
		}
		d.items, items = append(d.items, id), append(items, itemOf(kind, id, d.brand, text))
	}
	d.body = `{"items":[` + strings.Join(items, ",") + `]}`
	return d
}

// answered books what became of a delivery. It reports whether the daemon is still there.
func (k *killing) answered(d delivery, again bool, res reply, err error) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		if !again {
			k.unsure = append(k.unsure, d)
		}
		return false
	}
	var got took
	if json.Unmarshal([]byte(res.body), &got) != nil || res.status != http.StatusOK || got.Accepted+got.Duplicates != len(d.items) {
		k.t.Errorf("round %d: %s: answer %d %s for %d items", k.round, d.items[0], res.status, res.body, len(d.items))
		return false
	}
	if again && got.Accepted > 0 {
		k.t.Errorf("round %d: %s had arrived before and was taken again: %s", k.round, d.items[0], res.body)
	}
	for _, id := range d.items {
		k.acked[id] = d.brand
	}
	if !again {
		k.arrived = append(k.arrived, d)
	}
	return true
}

// acknowledge takes incidents over until the daemon is gone.
func (k *killing) acknowledge(c *child) {
	for {
		res, err := c.try(http.MethodGet, "/api/v1/incidents?state=new", "")
		var list struct{ Incidents []detector.Incident }
		if err != nil || json.Unmarshal([]byte(res.body), &list) != nil {
			return
		}
		for _, i := range list.Incidents[:min(1, len(list.Incidents))] {
			key := "ack-" + i.ID // the same in the next round, if nobody knows what became of this one
			res, err := c.try(http.MethodPost, "/api/v1/incidents/"+i.ID+"/ack", `{"note":"seen"}`, header("Idempotency-Key", key))
			if err == nil && res.status == http.StatusOK {
				k.mu.Lock()
				k.acks[key] = true
				k.mu.Unlock()
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// settle lets the last daemon finish: what nobody is sure of is sent again, and every incident gets told. Edits of
// numbers may stay in the outbox: they are gathered for longer than a test should take.
func (k *killing) settle(c *child) {
	for _, d := range k.unsure {
		var got took
		if c.ask(k.t, http.MethodPost, "/v1/mentions", d.body, header("webhook-id", d.id)).decode(k.t, &got); got.Accepted+got.Duplicates != len(d.items) {
			k.t.Errorf("%s: %+v", d.items[0], got)
		}
		for _, id := range d.items {
			k.acked[id] = d.brand
		}
	}
	var list struct{ Incidents []detector.Incident }
	c.ask(k.t, http.MethodGet, "/api/v1/incidents?limit=1000", "").decode(k.t, &list)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		_, roots := k.messages()
		missing := slices.DeleteFunc(slices.Clone(list.Incidents), func(i detector.Incident) bool {
			return roots[i.ID] > 0 || i.Severity > rules.Issue
		})
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			k.t.Fatalf("nobody was told of %d incidents, the first is %s\n%s", len(missing), missing[0].ID, c.log)
		}
	}
}

// judge opens what is left and looks at all of it.
func (k *killing) judge() {
	db, err := store.Open(k.launch.data, store.Options{})
	if err != nil {
		k.t.Fatal(err)
	}
	defer db.Close()
	problems, err := db.Check(k.t.Context())
	if err != nil || len(problems) > 0 {
		k.t.Errorf("check: %v %v", problems, err)
	}
	st, err := db.Load(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	all, err := db.Mentions(k.t.Context(), detector.MentionFilter{Limit: 1 << 30})
	if err != nil {
		k.t.Fatal(err)
	}
	k.stored(all)
	k.counted(db, st, all)
	k.inSeries(st, all)
	incidents, err := db.Incidents(k.t.Context(), detector.IncidentFilter{Limit: 1 << 20})
	if err != nil {
		k.t.Fatal(err)
	}
	k.audited(db, incidents)
	k.told(incidents)
}

// stored: all that was acknowledged is there, once, under its brand, and nothing that nobody sent.
func (k *killing) stored(all []detector.Judged) {
	times := map[string]int{}
	for i := range all {
		m := &all[i].Mention
		times[m.ID]++
		if brand, sent := k.sent[m.ID]; m.Source != "past" && (!sent || brand != all[i].Brand) {
			k.t.Errorf("%s of %s was never sent", m.ID, all[i].Brand)
		}
	}
	for id := range k.acked {
		if times[id] != 1 {
			k.t.Errorf("%s was acknowledged and is stored %d times", id, times[id])
		}
	}
}

// counted: what the model remembers, and what readers count, is what is stored.
func (k *killing) counted(db *store.DB, st *detector.State, all []detector.Judged) {
	want, items, weight := map[string]int{}, map[string]int{}, map[string]int{}
	recent := time.Now().Add(-time.Hour) // the model forgets what is out of every window
	for i := range all {
		if all[i].Mention.CreatedAt.After(recent) {
			want[all[i].Brand]++
		}
	}
	seen := map[detector.ItemRef]bool{}
	for i := range st.Items {
		it := &st.Items[i]
		if seen[it.Ref()] {
			k.t.Errorf("the model remembers %v twice", it.Ref())
		}
		seen[it.Ref()] = true
		if it.At.After(recent) {
			items[it.Brand]++
			weight[it.Brand] += it.Weight
		}
	}
	for _, brand := range slices.Sorted(maps.Keys(want)) {
		now := time.Now()
		steps, err := db.Counts(k.t.Context(), brand, recent.Truncate(5*time.Minute), now.Add(5*time.Minute), 5*time.Minute)
		if err != nil {
			k.t.Fatal(err)
		}
		total := 0
		for _, s := range steps {
			total += s.All
		}
		if past := pastSince(brand, all, recent); total-past != want[brand] || items[brand] != want[brand] || weight[brand] != want[brand] {
			k.t.Errorf("%s: %d stored, %d counted, %d remembered with weight %d", brand, want[brand], total-past, items[brand], weight[brand])
		}
	}
}

// pastSince counts mentions between the start of the first counted step and recent.
func pastSince(brand string, all []detector.Judged, recent time.Time) (n int) {
	for i := range all {
		at := all[i].Mention.CreatedAt
		if all[i].Brand == brand && !at.Before(recent.Truncate(5*time.Minute)) && !at.After(recent) {
			n++
		}
	}
	return n
}

// inSeries: the series of complaints, from which incidents are judged, has counted each of them once. A model made
// from the state tells what its longest window holds.
func (k *killing) inSeries(st *detector.State, all []detector.Judged) {
	cfg := Default()
	cfg.Rules = []string{k.rules}
	set, errs := loadRules(cfg, nil)
	if errs.Refused() {
		k.t.Fatal(errs)
	}
	m := detector.NewModel(set, detector.LagLive)
	if err := m.Restore(st); err != nil {
		k.t.Fatal(err)
	}
	m.Tick(time.Now().Add(time.Minute)) // renews the numbers
	complaints := 0
	for i := range all {
		if all[i].Brand == learned && all[i].P.Label() == detector.Negative {
			complaints++
		}
	}
	i, ok := m.Incident(learned + "-1")
	if !ok || len(i.Evidence.Windows) == 0 {
		k.t.Fatalf("%d complaints opened no incident", complaints)
	}
	if longest := i.Evidence.Windows[len(i.Evidence.Windows)-1]; int(longest.Observed) != complaints {
		k.t.Errorf("%d complaints are stored, the window of %s has counted %g", complaints, longest.Length, longest.Observed)
	}
}

// audited: no history has a gap, and what a person was told to have done is in it once.
func (k *killing) audited(db *store.DB, incidents []detector.Incident) {
	done := map[string]int{}
	for i := range incidents {
		lines, err := db.Audit(k.t.Context(), incidents[i].ID)
		if err != nil {
			k.t.Fatal(err)
		}
		if err := detector.VerifyAudit(lines); err != nil {
			k.t.Error(err)
		}
		for _, l := range lines {
			if l.Event != "" {
				done[l.Event]++
			}
		}
	}
	for key := range k.acks {
		if done[key] != 1 {
			k.t.Errorf("%s was answered and is in the audit %d times", key, done[key])
		}
	}
	for key, n := range done {
		if n != 1 {
			k.t.Errorf("%s is in the audit %d times", key, n)
		}
	}
}

// messages counts what is in Slack: messages by their key, and roots by their incident.
func (k *killing) messages() (keys, roots map[string]int) {
	keys, roots = map[string]int{}, map[string]int{}
	channels := []string{"#pr-alerts"}
	for i := range killKinds {
		channels = append(channels, fmt.Sprintf("#kill-%d", i))
	}
	for _, channel := range channels {
		for _, m := range k.slack.Messages(channel) {
			if m.Metadata == nil {
				k.t.Fatalf("a message without its key: %s", m.Text)
			}
			keys[fmt.Sprint(m.Metadata.Payload["idempotency_key"])]++
			if m.ThreadTS == "" {
				roots[fmt.Sprint(m.Metadata.Payload["incident"])]++
			}
		}
	}
	return keys, roots
}

// told: everybody heard of every incident, nobody twice.
func (k *killing) told(incidents []detector.Incident) {
	keys, roots := k.messages()
	for key, n := range keys {
		if n != 1 {
			k.t.Errorf("the message %s was sent %d times", key, n)
		}
	}
	for i := range incidents {
		want := 0
		if incidents[i].Severity <= rules.Issue {
			want = 1
		}
		if id := incidents[i].ID; roots[id] != want {
			k.t.Errorf("%s of severity %d has %d roots", id, incidents[i].Severity, roots[id])
		}
	}
	if len(incidents) == 0 || len(k.acks) == 0 {
		k.t.Error("nothing happened that could be told or acknowledged")
	}
	for _, v := range k.slack.Violations() {
		k.t.Error(v)
	}
}
