package detector

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"emberwatch/sources"
)

// broken makes the next change of the model panic, as a mistake in it would.
func (d *Detector) broken() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.model.brands = nil // writing to it panics
}

func TestAPanicAnswersEverybodyAndLeavesNoTrace(t *testing.T) {
	var log bytes.Buffer
	d, s := open(t, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	if _, err := d.Ingest(t.Context(), batch("a", "drip three")); err != nil {
		t.Fatal(err)
	}
	d.broken()
	d.mu.Lock() // both wait for one commit
	var waiting sync.WaitGroup
	errs := make(chan error, 2)
	for _, name := range []string{"b", "c"} {
		waiting.Go(func() {
			taken, err := d.Ingest(t.Context(), batch(name, "canary drip three"))
			expect(t, "taken", taken, sources.Taken{})
			errs <- err
		})
	}
	for queued := 0; queued < 2; {
		d.queueMu.Lock()
		queued = len(d.queue)
		d.queueMu.Unlock()
	}
	d.mu.Unlock()
	waiting.Wait()
	for range 2 {
		if err := <-errs; err == nil || !strings.Contains(err.Error(), "panic") {
			t.Errorf("error %v", err)
		}
	}
	if d.Healthy() == nil {
		t.Error("healthy after a panic")
	}
	if l := log.String(); strings.Count(l, "panic;") != 1 || !strings.Contains(l, "apply.go") || strings.Contains(l, "canary") {
		t.Errorf("log without the stack, or with a text:\n%s", l)
	}
	if taken, err := d.Ingest(t.Context(), batch("b", "drip three")); err != nil || taken.Accepted != 1 {
		t.Fatalf("afterwards: taken %+v, error %v", taken, err)
	}
	if err := d.Healthy(); err != nil {
		t.Error(err)
	}
	i, _ := d.Incident("acme-1")
	expect(t, "mentions", len(i.Evidence.Mentions), 2)
	if err := VerifyAudit(s.disk.audit["acme-1"]); err != nil {
		t.Error(err)
	}
}

func TestAPanicElsewhereThrowsAwayTheHalfChangedModel(t *testing.T) {
	for name, call := range map[string]func(*Detector) error{
		"tick": func(d *Detector) error { return d.Tick(t.Context()) },
		"operation": func(d *Detector) error {
			_, err := d.Respond(t.Context(), Event{Incident: "acme-1", Op: OpSplit, Args: Args{Mentions: []sources.Key{{Source: "shop", ID: "a0"}}}})
			return err
		},
		"receipt": func(d *Detector) error { return d.Mark(t.Context(), Receipt{Seq: 1, State: AlertSent}) },
	} {
		t.Run(name, func(t *testing.T) {
			d, s := open(t)
			if _, err := d.Ingest(t.Context(), batch("a", "drip three")); err != nil {
				t.Fatal(err)
			}
			d.mu.Lock()
			d.model.brands, d.model.alerts = nil, map[uint64]*Alert{1: nil}
			d.mu.Unlock()
			if err := call(d); err == nil || !strings.Contains(err.Error(), name+": panic") {
				t.Fatalf("error %v", err)
			}
			if err := d.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
			i, ok := d.Incident("acme-1")
			expect(t, "incident", ok, true)
			expect(t, "version", i.Version, s.disk.incidents["acme-1"].Version)
			expect(t, "pending", len(d.Pending(monday.Add(gather))), 1)
		})
	}
}
