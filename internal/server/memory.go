package server

import (
	"regexp"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// goCollector collects what is usual of Go's runtime, and what of the heap was in
// use after the last collection: what grows there, whatever the heap floor and the
// rate of requests, is kept by somebody.
func goCollector() prometheus.Collector {
	return collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(
		collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)},
	))
}

// heapFloor is memory that is never touched, so it costs address space and
// nothing else; but the garbage collector, which starts when the heap has
// doubled, takes it for live. A server with little data holds some 15 MB, and
// at its full rate of requests would otherwise collect every few milliseconds:
// measured, a fifth of the processor time of a CreateUser. With much data it
// makes no difference.
var heapFloor atomic.Pointer[[]byte]

const heapFloorSize = 64 << 20

// CollectLess makes garbage collections rarer while the heap is small. A
// process calls it once, before it serves.
func CollectLess() {
	floor := make([]byte, heapFloorSize)
	heapFloor.Store(&floor)
}
