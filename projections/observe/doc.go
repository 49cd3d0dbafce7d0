// Package observe tells what the read side does: as figures for Prometheus and as spans for OpenTelemetry. Both are observers of a
// projections.Runner.
//
// # Design
//
// How far the views are is asked of the stores at every scrape, of all views and not only of those that this process keeps, so that a
// view that nobody keeps is seen too. Every process tells the same of them: alerts take the greatest. What batches hold and how long they
// take is counted where they are committed, and adds up over the processes.
//
// A scrape is bounded in time. A store or a database that does not answer is a figure (aftercare_log_up, aftercare_database_up); what is
// not known then is left out, not zero.
//
// Spans are made once a batch is committed, with the times of the batch, so that they cost nothing where no event of the batch is traced.
// A batch is a trace of its own with links to the commands whose events it has; each traced event has a span in the trace of its command.
// Neither figures nor spans name persons, streams or what events say: only categories of streams, types and positions.
package observe
