//go:build !race

package conformance

// crowdSize is how many resources of a kind TestPaging pages through.
const crowdSize = 10_000
