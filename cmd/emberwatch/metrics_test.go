package main

import (
	"maps"
	"testing"
	"time"

	"emberwatch/sources"

	"github.com/prometheus/client_golang/prometheus"
)

// TestMetricsTellHowSourcesAreDoing: one that has failed since the start can be alerted on.
func TestMetricsTellHowSourcesAreDoing(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(newSourceMetrics(func() []sources.Health {
		return []sources.Health{
			{Name: "forum", State: sources.Running, LastSuccess: at, LastMention: at.Add(-time.Minute), ExpectedGap: sources.Gap(90 * time.Second)},
			{Name: "new", State: sources.Starting},
			{Name: "down", State: sources.Failing, Failures: 4, Broken: true},
		}
	}))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()+" "+m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue()
		}
	}
	want := map[string]float64{
		"emberwatch_source_last_success_timestamp_seconds forum": 1_800_000_000,
		"emberwatch_source_last_mention_timestamp_seconds forum": 1_799_999_940,
		"emberwatch_source_expected_gap_seconds forum":           90,
		"emberwatch_source_up forum":                             1,
		"emberwatch_source_consecutive_failures forum":           0,
		"emberwatch_source_breaker_open forum":                   0,
		"emberwatch_source_up new":                               1,
		"emberwatch_source_consecutive_failures new":             0,
		"emberwatch_source_breaker_open new":                     0,
		"emberwatch_source_up down":                              0,
		"emberwatch_source_consecutive_failures down":            4,
		"emberwatch_source_breaker_open down":                    1,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
