// Package metric is the read models that data teams define by SQL files, without Go: a folder with metric.yaml, create.sql and
// apply.sql. It checks them, keeps them, reads them and lets tools for business intelligence read them. The runner and the
// rebuilder do with them what they do with every view.
//
// # Design
//
// apply.sql is given each batch of events as the table batch, and runs in the transaction that moves the metric's checkpoint.
// Events are as they are stored: personal data and free text stay sealed, so a metric cannot leak what it cannot read.
//
// The definition goes with the tables: the comment on their schema says which definition made them. Switching to a new version, or back,
// therefore changes both in one transaction; whoever has the other definition in hand folds nothing into these tables, and reads
// those that were replaced.
//
// A metric folds across streams, so its numbers are wrong as soon as one event is left out. Where other views park an event and
// the rest of its stream, a metric that refuses a batch is therefore parked as a whole, with its error: its numbers stay as they
// were at the last good batch, its checkpoint says up to where, and nothing is lost, since resuming goes on from there. Nobody
// else is held up.
//
// # What keeps a metric in its place
//
// The statements run in the projector's own transaction, on the projector's own connection, which may do anything. They run
// within a function that belongs to a role of the metric's own (SECURITY DEFINER), and not under SET ROLE, which statements could
// reset: within such a function Postgres refuses SET ROLE and SET SESSION AUTHORIZATION, and no statement can end the transaction.
// The role owns the metric's tables and may read the batch, and that is all. Reading the numbers goes through such a function
// as well, since a view runs functions as whoever reads it.
//
// What the role could leave behind to be run later by somebody else is refused before it runs: only plain statements are taken
// (see allowed.go), so that a metric has no functions, triggers, rules, cursors and prepared statements, and whatever it makes
// outside its own schema, such as a temporary table, is refused after each run. What a function of Postgres itself can change of the
// session, settings and advisory locks, is set right then.
//
// The classes of privacy are those of the columns: public and internal are served by the API and to business intelligence,
// confidential to neither until there are roles that may see it.
package metric
