package main

import (
	"time"

	"emberwatch/sources"

	"github.com/prometheus/client_golang/prometheus"
)

// sourceMetrics are the gauges of the sources, read when somebody asks. How a source is doing is known from the start; a time
// that is not known yet has no value: zero would look like a silence since 1970.
type sourceMetrics struct {
	health                              func() []sources.Health
	up, failures, broken                *prometheus.Desc
	lastSuccess, lastMention, expectGap *prometheus.Desc
}

func newSourceMetrics(health func() []sources.Health) *sourceMetrics {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("emberwatch_source_"+name, help, []string{"source"}, nil)
	}
	return &sourceMetrics{
		health:      health,
		up:          desc("up", "1 if the source is read or has been read to its end, 0 if it fails or has been given up."),
		failures:    desc("consecutive_failures", "Failures of the source in a row; 0 once it has run well for a minute."),
		broken:      desc("breaker_open", "1 if the server of the source has failed so often that it is left alone for a while, else 0."),
		lastSuccess: desc("last_success_timestamp_seconds", "When a batch of the source became durable last, empty ones included."),
		lastMention: desc("last_mention_timestamp_seconds", "When a batch of the source held a new mention last."),
		expectGap:   desc("expected_gap_seconds", "How long after its last mention the next one is expected."),
	}
}

// Describe implements prometheus.Collector.
func (m *sourceMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.up
	ch <- m.failures
	ch <- m.broken
	ch <- m.lastSuccess
	ch <- m.lastMention
	ch <- m.expectGap
}

// Collect implements prometheus.Collector.
func (m *sourceMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, h := range m.health() {
		tell := func(d *prometheus.Desc, v float64) {
			ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, h.Name)
		}
		tell(m.up, number(!h.Failed()))
		tell(m.failures, float64(h.Failures))
		tell(m.broken, number(h.Broken))
		if !h.LastSuccess.IsZero() {
			tell(m.lastSuccess, float64(h.LastSuccess.Unix()))
		}
		if !h.LastMention.IsZero() {
			tell(m.lastMention, float64(h.LastMention.Unix()))
		}
		if h.ExpectedGap > 0 {
			tell(m.expectGap, time.Duration(h.ExpectedGap).Seconds())
		}
	}
}

// number is a truth as Prometheus has it.
func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
