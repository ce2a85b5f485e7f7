// Package wire brings SIP messages over the network: sockets and connections (RFC 3261
// §18), transactions (§17), where URIs lead (RFC 3263), and what can be read off a
// message by itself. It knows neither calls nor trunks: whom to hear, and what to make
// of a message, is decided by who uses it (Upper).
//
// Invariants:
//   - messages are handed over in the order of their arrival, over UDP and over each
//     connection, by the goroutine that reads: who takes them must not block;
//   - nothing of who may not be heard is parsed;
//   - only Network has goroutines, for which Network.Close waits. Transactions have
//     timers, which Transactions.Close stops, and is to be closed first: what a network
//     could not send on closing would otherwise be told to those who ask.
package wire
