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
// On two cores that other work kept busy (load 2), over 1,000,000 users with
// a username (half of them short, half an e-mail address), two names, four key
// fields, two tags and two proficiencies, each search with its exact total and
// a page of 100 (BenchmarkSearch), p50 and p99:
//
//   - username or id equal, one of few profiles, a tag, all users: 0.5 to 2
//     and 2 to 5 µs, at 10,000 users the same; first or last name or hierarchy
//     group equal, of 200 to 500 users: 3 to 10 and 13 to 22 µs;
//   - a part of the username that half of the users have: 5 to 120 µs and 10
//     to 920 µs; that a hundred have: 150 and 340 µs; that one has: 26 and
//     87 µs, at 10,000 users 3 and 7 µs, because the sets of triples that are
//     intersected grow with the users;
//   - a part of the last name, up to that of all users: 0.1 to 2.1 ms and 0.2
//     to 3.3 ms; 5,000 hierarchy groups at once: 2.7 and 9.8 ms; proficiencies
//     that 80 % have: 5.7 and 6.3 ms;
//   - Or of three dense parts: 3.5 and 4.4 ms; And of four dense conditions:
//     5.6 and 8.3 ms;
//   - two conditions read so many values that their p99 went beyond 10 ms: one
//     letter anywhere (9 and 16 ms), and a text of which many usernames have
//     a pair of letters a second time, "@example.com" after names with "co" or
//     "le", of which 140,000 were read (8 and 10 to 17 ms).
//
// A user took 250 bytes. Load took 8 to 17 µs a user, Put of a new one 17 µs,
// of a known one 3 to 13 µs and, with all its values changed, the username
// among them, 60 to 115 µs.
package search
