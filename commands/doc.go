// Package commands is the write side: it loads a history, decides, and appends at the revision it read.
//
// # Design
//
// There is no command bus. A Handler is a value per aggregate; Log is the store as the write side needs it. Event ids
// derive from the command id and the index, so that a retry is the same append. The stream itself is the memory of
// idempotency: a command id found in it with the same body returns the first receipt, with another body is refused.
package commands
