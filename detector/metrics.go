package detector

import (
	"time"

	"emberwatch/rules"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the detector's own. Labels hold configured names and words of ours, never a brand or an author.
type metrics struct {
	mentions  *prometheus.CounterVec
	decisions *prometheus.CounterVec
	commits   *prometheus.CounterVec
	seconds   prometheus.Histogram
	judging   prometheus.Histogram
	patterns  *prometheus.GaugeVec
	open      *prometheus.GaugeVec
	series    prometheus.Gauge
	refused   prometheus.Counter
	brands    prometheus.Gauge
	outbox    prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	m := &metrics{
		mentions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emberwatch_mentions_total",
			Help: "Mentions by source and what became of them.",
		}, []string{"source", "fate"}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emberwatch_decisions_total",
			Help: "Lines of the audit trail by operation and reason to notify.",
		}, []string{"op", "reason"}),
		commits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emberwatch_commits_total",
			Help: "Commits to the store by outcome.",
		}, []string{"outcome"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "emberwatch_commit_seconds",
			Help: "How long a commit took.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		judging: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "emberwatch_judge_seconds",
			Help: "How long judging a mention took: its tone, and what the rules find in it.", Buckets: prometheus.ExponentialBuckets(0.00001, 2, 16),
		}),
		patterns: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "emberwatch_rule_patterns",
			Help: "What the rules in force look for: words and texts, all found in one pass (indexed), and regular expressions that may match anything, each a search of its own (open).",
		}, []string{"search"}),
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "emberwatch_incidents_open",
			Help: "Open incidents by handling.",
		}, []string{"handling"}),
		series: prometheus.NewGauge(prometheus.GaugeOpts{Name: "emberwatch_series", Help: "Series in memory."}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "emberwatch_series_refused_total",
			Help: "How often a mention was not counted apart for a rule with baseline.per, since the rule has as many series of the brand as it may.",
		}),
		brands: prometheus.NewGauge(prometheus.GaugeOpts{Name: "emberwatch_brands", Help: "Brands in memory."}),
		outbox: prometheus.NewGauge(prometheus.GaugeOpts{Name: "emberwatch_outbox_alerts", Help: "Alerts not yet delivered."}),
	}
	reg.MustRegister(m.mentions, m.decisions, m.commits, m.seconds, m.judging, m.patterns, m.open, m.series, m.refused, m.brands, m.outbox)
	return m
}

func (m *metrics) intake(in *intake) {
	if in.err != nil {
		m.mentions.WithLabelValues(in.batch.Source, "failed").Add(float64(len(in.batch.Mentions)))
		return
	}
	m.mentions.WithLabelValues(in.batch.Source, "accepted").Add(float64(in.taken.Accepted))
	m.mentions.WithLabelValues(in.batch.Source, "duplicate").Add(float64(in.taken.Duplicates))
	m.mentions.WithLabelValues(in.batch.Source, "rejected").Add(float64(len(in.taken.Rejected) + in.batch.Rejected.Count))
}

func (m *metrics) rules(set *rules.Set) {
	indexed, open := set.Patterns()
	m.patterns.WithLabelValues("indexed").Set(float64(indexed))
	m.patterns.WithLabelValues("open").Set(float64(open))
}

func (m *metrics) decision(op, reason string) { m.decisions.WithLabelValues(op, reason).Inc() }

func (m *metrics) commit(d time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	m.commits.WithLabelValues(outcome).Inc()
	m.seconds.Observe(d.Seconds())
}

func (m *metrics) model(x *Model) {
	n := map[Handling]int{New: 0, Acked: 0, Snoozed: 0}
	for _, i := range x.incidents {
		if i.Open() {
			n[i.Handling]++
		}
	}
	for h, v := range n {
		m.open.WithLabelValues(string(h)).Set(float64(v))
	}
	series, outbox := 0, 0
	for _, b := range x.brands {
		series += len(b.series)
	}
	for _, a := range x.alerts {
		if !a.State.Done() {
			outbox++
		}
	}
	m.series.Set(float64(series))
	m.brands.Set(float64(len(x.brands)))
	m.outbox.Set(float64(outbox))
}
