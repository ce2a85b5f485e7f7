package server

import "github.com/prometheus/client_golang/prometheus"

// What /-/metrics shows of calls.
var (
	sipCalls    = prometheus.NewDesc("ringdown_sip_calls", "Calls by SIP that have not ended.", nil, nil)
	rtpSessions = prometheus.NewDesc("ringdown_rtp_sessions", "Sides of calls whose sound is carried.", nil, nil)
	rtpPorts    = prometheus.NewDesc("ringdown_rtp_ports", "Pairs of RTP ports that are not free, those at rest after a call included.", nil, nil)
)

// Describe and Collect make voice a prometheus.Collector.
func (v *voice) Describe(to chan<- *prometheus.Desc) {
	to <- sipCalls
	to <- rtpSessions
	to <- rtpPorts
}

// Collect tells how it is now.
func (v *voice) Collect(to chan<- prometheus.Metric) {
	load := v.calls.Load()
	to <- prometheus.MustNewConstMetric(sipCalls, prometheus.GaugeValue, float64(load.Calls))
	to <- prometheus.MustNewConstMetric(rtpSessions, prometheus.GaugeValue, float64(load.Sessions))
	to <- prometheus.MustNewConstMetric(rtpPorts, prometheus.GaugeValue, float64(load.Ports))
}
