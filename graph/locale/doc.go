// Package locale has the prose for every refusal code, in English and Chinese. The domain knows codes only.
//
// # Design
//
// A message is one line of a file: the code, a tab, the prose, with {name} where a parameter goes. English is the language
// of whoever asked for none that we have. A test reads the sources for refusals and fails when one has no prose.
package locale
