// Package catalog lists every event that is stored, one line each. Retired types stay, with their upcasters.
//
// # How to change a stored event
//
// A further field that may be missing keeps the version: UPDATE=1 go test ./domain/catalog writes testdata/today/<name>.json, the payload with it. Anything else is a new version, ticket.responded.v2 for instance:
//
//  1. Change the event and its stored name. Keep the old name beside it (TypeRespondedV1), and the old shape as a type of its
//     own (RespondedV1) with a method that says today what was said then. It loses nothing and guesses nothing: what v1 could
//     not say needs a value that says so. A seal is bound to the name of its field: to rename one with a text, give the old
//     type its MapTexts, too (see codec.Upcast).
//  2. Add a codec.Upcast line here. Everything else meets only today's event; Recorded.Type still tells what is stored.
//     When v3 comes, v1 is read as v2 and that as v3, by calling both methods: its line has the result.
//  3. Add the old name where views list the new one; a test in projections finds a view that was forgotten. The views that list
//     it are rebuilt when the program starts: what they have of it is in the words of the old version.
//  4. UPDATE=1 go test ./domain/catalog, twice, writes testdata/<new name>.json, testdata/today/<old name>.json (what the old
//     payload says now) and then the digest of the new payload.
//
// A payload in testdata is never edited: testdata/SHA256SUMS and the history of the repository are held against it.
package catalog
