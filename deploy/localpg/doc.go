// Package localpg makes and runs a private Postgres cluster in a folder, with the machine's own Postgres programs.
//
// It is for a laptop, a trial and tests; in production the program is pointed at a server somebody looks after. It does
// not upgrade a cluster to a newer Postgres, make backups, or touch any cluster that it did not make itself. It needs a Unix.
//
// # Design
//
// The folder holds localpg.json (port and password, mode 0600, written before anything else), lock, server.log, run/ (the
// socket) and cluster/ (Postgres' own data directory). initdb works in a folder of its own that is then renamed, so that
// cluster/ is either whole or absent, and a cluster/ without localpg.json is somebody else's and is refused.
//
// The server listens on loopback and on a socket in a private folder, wants a password for both, and runs in a session of its
// own, so that Ctrl-C in the terminal reaches the program first. When the program is killed the server lives on; the next
// [Start] finds it by its pid file and its command line, shuts it down cleanly and starts it anew as its own child. Two servers
// on the same files would ruin them, so every process of a server inherits a lock, and none starts before the last has ended.
//
// Postgres refuses to run as root. Root therefore runs it as the user "postgres", or "nobody". That user must be able to
// reach the folder; where it cannot, because a folder above is closed to others as /root is, the cluster is placed in
// /var/lib/aftercare (a test's in /tmp) and cluster is a link to it. Permissions of folders above are
// never changed.
//
// WAL is kept at the level "minimal": filling a new table by COPY then needs no WAL, which is what rebuilds do. Who wants
// replication from a private cluster sets wal_level in [Options].
package localpg
