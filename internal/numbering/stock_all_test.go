//go:build !race

package numbering_test

// stockStep is how many countries TestStock goes on after each.
const stockStep = 1
