package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/detector/store"
	"emberwatch/rules"
	"emberwatch/sources"
)

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
// from the state is handed one more, and then tells what its longest window holds.
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
	now := time.Now().Add(time.Minute) // numbers are not renewed more often
	one := sources.Mention{
		ID: "one-more", Source: "webhook", Kind: sources.Comment, Op: sources.Create, Brand: learned,
		Text: "awful, parcel never arrived", CreatedAt: now,
	}
	m.Apply([]detector.Arrival{{Key: one.Key(), Op: one.Op, At: now, Arrived: now, Judged: detector.Judge(set, sentiment.New(), one)}}, now)
	complaints := 1
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
		k.t.Errorf("%d complaints with the last one, the window of %s has counted %g", complaints, longest.Length, longest.Observed)
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
