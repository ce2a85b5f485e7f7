//go:build race

package conformance

// crowdSize is smaller with the race detector, which makes all of it several
// times as slow; "make test" runs the test without it as well.
const crowdSize = 300
