// Package crashtest makes disks fail for tests of the event store: files whose writes and syncs fail when told to, and a
// whole disk in memory that loses power.
package crashtest
