package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
	"emberwatch/sources"
)

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
