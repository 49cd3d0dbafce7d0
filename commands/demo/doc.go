// Package demo plays believable after-sales activity through the same commands that people use.
//
// # Design
//
// A case is a function of the seed and its number, so that a larger scale adds cases and changes none, and playing twice is
// playing once: ids and command ids derive from the two. The mixes are those observed in the source documents
// (requirement R100): 70 % telephone, 25 % web, 5 % on site; 60 % misuse, 30 % product, 10 % environment as causes.
// People and words are made up. What would lie in the future is left out, so the newest cases are still open.
package demo
