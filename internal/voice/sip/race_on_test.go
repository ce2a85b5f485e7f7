//go:build race

package sip

// raceEnabled tells that the race detector slows everything down.
const raceEnabled = true
