// Package roundtrip holds the tests of a whole instance: filled with some of
// every kind of resource, exported through Describe and List alone, rebuilt
// into another instance, and deleted without a trace. What is to be known of a
// kind is in the file of its family.
package roundtrip
