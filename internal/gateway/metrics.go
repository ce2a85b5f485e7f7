package gateway

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what /-/metrics shows of the API.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	unserved *prometheus.CounterVec
	bound    prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ringdown_api_requests_total", Help: "Requests answered, by operation and HTTP status.",
		}, []string{"operation", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ringdown_api_request_seconds", Help: "Time to answer a request, by operation.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
		}, []string{"operation"}),
		unserved: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ringdown_api_unserved_total", Help: "Requests for operations that this release does not serve (HTTP 501), by operation.",
		}, []string{"operation"}),
		bound: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "ringdown_api_operations_served", Help: "How many operations this release serves.",
		}),
	}
	r.MustRegister(m.requests, m.seconds, m.unserved, m.bound)
	return m
}

// record counts an answer. Operation is a name of the model or "" for requests
// that found none, so the labels are few.
func (m *metrics) record(operation string, status int, took time.Duration) {
	if operation == "" {
		operation = "none"
	}
	m.requests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(operation).Observe(took.Seconds())
}
