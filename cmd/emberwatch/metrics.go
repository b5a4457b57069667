package main

import (
	"time"

	"emberwatch/sources"

	"github.com/prometheus/client_golang/prometheus"
)

// sourceMetrics are the gauges of the sources, read when somebody asks. What is not known yet has no value: a time of zero
// would look like a silence since 1970.
type sourceMetrics struct {
	health                              func() []sources.Health
	lastSuccess, lastMention, expectGap *prometheus.Desc
}

func newSourceMetrics(health func() []sources.Health) *sourceMetrics {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("emberwatch_source_"+name, help, []string{"source"}, nil)
	}
	return &sourceMetrics{
		health:      health,
		lastSuccess: desc("last_success_timestamp_seconds", "When a batch of the source became durable last, empty ones included."),
		lastMention: desc("last_mention_timestamp_seconds", "When a batch of the source held a new mention last."),
		expectGap:   desc("expected_gap_seconds", "How long after its last mention the next one is expected."),
	}
}

// Describe implements prometheus.Collector.
func (m *sourceMetrics) Describe(ch chan<- *prometheus.Desc) {
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
