//go:build race

package conformance

// crowdSize is smaller with the race detector, which makes the database ten
// times as slow; "make test" runs the test without it as well.
const crowdSize = 1000
