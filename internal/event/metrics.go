package event

import "github.com/prometheus/client_golang/prometheus"

// metrics are what /-/metrics shows of deliveries.
type metrics struct {
	delivered, failures, undeliverable *prometheus.CounterVec
	lag                                *prometheus.GaugeVec
}

func newMetrics() *metrics {
	labels := []string{"sink", "stream"}
	return &metrics{
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ringdown_events_delivered_total", Help: "Contact events and records delivered, by sink and stream.",
		}, labels),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ringdown_events_failures_total", Help: "Deliveries that failed and are tried again, by sink and stream.",
		}, labels),
		undeliverable: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ringdown_events_undeliverable_total", Help: "Contact events and records that a sink can never take, by sink and stream.",
		}, labels),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "ringdown_events_lag_seconds", Help: "Age of the oldest entry that is being delivered, 0 when there is none, by sink and stream.",
		}, labels),
	}
}

// Describe and Collect make the Outbox a prometheus.Collector.
func (b *Outbox) Describe(to chan<- *prometheus.Desc) {
	b.metrics.delivered.Describe(to)
	b.metrics.failures.Describe(to)
	b.metrics.undeliverable.Describe(to)
	b.metrics.lag.Describe(to)
}

// Collect tells what has been delivered since the start.
func (b *Outbox) Collect(to chan<- prometheus.Metric) {
	b.metrics.delivered.Collect(to)
	b.metrics.failures.Collect(to)
	b.metrics.undeliverable.Collect(to)
	for _, f := range b.feeds {
		var lag float64
		if oldest := f.oldest.Load(); oldest > 0 {
			lag = float64(b.now().UnixMilli()-oldest) / 1000
		}
		b.metrics.lag.WithLabelValues(f.labels()...).Set(lag)
	}
	b.metrics.lag.Collect(to)
}
