//go:build race

package numbering_test

// stockStep is larger with the race detector, which makes the parsing of numbers
// ten times as slow; "make test" runs the test without it as well.
const stockStep = 8
