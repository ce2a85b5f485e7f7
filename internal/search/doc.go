// Package search is an in-process index over the configuration resources of
// many instances: users, queues, flows and whatever else a Search operation of
// the Amazon Connect API lists by condition. It answers with the exact number
// of all matches and one page of them.
//
// The caller feeds it, with Load at start and with Put and Delete after each
// commit; it knows nothing of storage and keeps nothing on disk. Resources of
// one kind in one instance share a segment, which has a lock of its own:
// writes exclude each other and searches, searches run side by side. A long
// search occupies all processors but leaves no goroutine behind.
//
// # How it works
//
// A resource has a row, and rows ascend with PKs (segment). A field numbers
// its distinct values, where possible after the row that brought the value, so
// that unique values need no translation to rows (field, dictionary). Sets of
// rows and of values are roaring bitmaps (posting). Parts of texts are found
// by the three-byte sequences of the distinct values, which nearly always
// decide without reading a value (grams).
//
// # What was measured
//
// On two cores that other work kept busy (load 2 to 3), over 1,000,000 users
// with a username (half of them short, half an e-mail address), two names,
// four key fields, two tags and two proficiencies, each search with its exact
// total and a page of 100, as p50 (BenchmarkSearch):
//
//   - username or id equal, one key, one tag, all users: 1 to 4 µs, at 10,000
//     users the same; first or last name equal: 3 to 11 µs;
//   - a part of a username in half of the users: 4 to 160 µs, in one user:
//     25 µs (3 µs at 10,000), in a hundred: 150 µs;
//   - a text of which a pair of letters is frequent elsewhere in the same
//     usernames ("@example.com" after names with "co" and "le"), so that every
//     third candidate must be read: 8 ms, and 20 ms when the cores were
//     oversubscribed; the only condition that exceeded 10 ms;
//   - a part of a last name, up to all users: 1 to 3 ms; 5,000 hierarchy
//     groups at once, or proficiencies of four users in five: 4 to 6 ms;
//   - Or of three dense parts 3 ms, And of four dense conditions 7 ms.
//
// A user took 250 bytes. Load took 8 to 17 µs a user, Put of a new one 17 µs,
// Put of a known one 3 to 13 µs and, with its unique text changed (which the
// API does not allow for usernames), 60 to 115 µs.
package search
