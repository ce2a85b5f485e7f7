// Package archtest holds the architecture test: who may import whom, what a
// package may be called and how long a file may grow. It has no code of its
// own. The rules are in the tables of rooms_test.go, each with its reason, and what they
// amount to is described in docs/ARCHITECTURE.md; a change of one is a change
// of both.
package archtest
