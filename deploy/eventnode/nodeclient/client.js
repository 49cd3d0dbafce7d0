// Uses a node through the Node.js client, as any program would, and prints one line of JSON for every step:
// {"step": NAME} or {"step": NAME, "error": TEXT}. The connection string is its only argument.
"use strict";

const assert = require("node:assert/strict");
const {
  EventStoreDBClient, jsonEvent, binaryEvent, eventTypeFilter, persistentSubscriptionToStreamSettingsFromDefaults,
  WrongExpectedVersionError, StreamNotFoundError, StreamDeletedError, MaxAppendSizeExceededError,
  PersistentSubscriptionExistsError, PersistentSubscriptionDoesNotExistError,
  ANY, BACKWARDS, END, FORWARDS, NO_STREAM, PARK, START, STREAM_EXISTS,
} = require("@eventstore/db-client");
const { StreamsService } = require("@eventstore/db-client/generated/streams_grpc_pb");

const patience = 15_000; // milliseconds for one step
const client = EventStoreDBClient.connectionString(process.argv[2]);
// The client appends alone, and not in batches, when a call has credentials of its own.
const alone = { credentials: { username: "somebody", password: "x" } };

const noted = (n) => jsonEvent({ type: "noted", data: { n }, metadata: { by: "node" } });
const numbers = (events) => events.map((e) => e.data.n);

async function all(events) {
  const out = [];
  for await (const { event } of events) out.push(event);
  return out;
}

// take returns the next n events of a subscription. It ends the subscription unless it is to go on.
async function take(subscription, n, { goOn = false } = {}) {
  const out = [];
  const events = subscription[Symbol.asyncIterator]();
  while (out.length < n) out.push((await events.next()).value);
  if (!goOn) await subscription.unsubscribe();
  return out;
}

async function refusal(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("it succeeded");
}

const steps = {
  "append alone": async () => {
    const first = await client.appendToStream("alone", [noted(0), noted(1)], { expectedRevision: NO_STREAM, ...alone });
    assert.equal(first.success, true);
    assert.equal(first.nextExpectedRevision, 1n);
    assert.ok(first.position.commit > 0n);
    const second = await client.appendToStream("alone", noted(2), { expectedRevision: 1n, ...alone });
    assert.equal(second.nextExpectedRevision, 2n);
    assert.ok(second.position.commit > first.position.commit);
  },

  "append in batches": async () => {
    assert.equal(await client.supports(StreamsService.batchAppend), true);
    const first = await client.appendToStream("batched", [0, 1, 2].map(noted), { expectedRevision: NO_STREAM });
    assert.deepEqual([first.success, first.nextExpectedRevision], [true, 2n]);
    assert.ok(first.position.commit > 0n);
    const many = await Promise.all(
      Array.from({ length: 100 }, (_, i) => client.appendToStream(`many-${i % 10}`, noted(i), { expectedRevision: ANY })),
    );
    assert.ok(many.every((r) => r.success));
    assert.equal(new Set(many.map((r) => r.position.commit)).size, 100);
  },

  "append in parts": async () => {
    const events = Array.from({ length: 50 }, (_, i) => binaryEvent({ type: "blob", data: Buffer.alloc(10_000, i) }));
    const result = await client.appendToStream("parts", events, { batchAppendSize: 20_000 });
    assert.equal(result.nextExpectedRevision, 49n);
    const got = await all(client.readStream("parts"));
    assert.deepEqual(got.map((e) => e.data[0]), events.map((_, i) => i));
  },

  "append again": async () => {
    const event = noted(0);
    const first = await client.appendToStream("again", event, { expectedRevision: NO_STREAM });
    await client.appendToStream("again", noted(1));
    const again = await client.appendToStream("again", event, { expectedRevision: NO_STREAM });
    assert.deepEqual(again, first);
    assert.equal((await all(client.readStream("again"))).length, 2);
  },

  "wrong expected version, in batches": async () => {
    const e = await refusal(client.appendToStream("batched", noted(9), { expectedRevision: 0n }));
    assert.ok(e instanceof WrongExpectedVersionError, `got ${e}`);
    assert.deepEqual([e.type, e.streamName, e.expectedVersion, e.actualVersion], ["wrong-expected-version", "batched", 0n, 2n]);
    const none = await refusal(client.appendToStream("never", noted(9), { expectedRevision: STREAM_EXISTS }));
    assert.deepEqual([none.expectedVersion, none.actualVersion], ["stream_exists", "no_stream"]);
  },

  "wrong expected version, alone": async () => {
    const e = await refusal(client.appendToStream("alone", noted(9), { expectedRevision: NO_STREAM, ...alone }));
    assert.ok(e instanceof WrongExpectedVersionError, `got ${e}`);
    assert.deepEqual([e.type, e.streamName, e.expectedVersion, e.actualVersion], ["wrong-expected-version", "alone", "no_stream", 2n]);
  },

  "wrong expected version, as a result": async () => {
    const quiet = EventStoreDBClient.connectionString(`${process.argv[2]}&throwOnAppendFailure=false`);
    const result = await quiet.appendToStream("batched", noted(9), { expectedRevision: 0n });
    assert.equal(result.success, false);
    await quiet.dispose();
  },

  "append too much": async () => {
    const e = await refusal(client.appendToStream("large", binaryEvent({ type: "blob", data: Buffer.alloc(1_100_000) })));
    assert.ok(e instanceof MaxAppendSizeExceededError, `got ${e}`);
    assert.equal(e.maxAppendSize, 1024 * 1024);
  },

  "read a stream": async () => {
    const forwards = await all(client.readStream("alone", { direction: FORWARDS, fromRevision: START }));
    assert.deepEqual(numbers(forwards), [0, 1, 2]);
    const [event] = forwards;
    assert.deepEqual(
      [event.streamId, event.type, event.isJson, event.revision, event.metadata],
      ["alone", "noted", true, 0n, { by: "node" }],
    );
    assert.ok(event.created instanceof Date && Math.abs(Date.now() - event.created) < 60_000, `created ${event.created}`);
    const backwards = await all(client.readStream("alone", { direction: BACKWARDS, fromRevision: END, maxCount: 2 }));
    assert.deepEqual(numbers(backwards), [2, 1]);
    const e = await refusal(all(client.readStream("never")));
    assert.ok(e instanceof StreamNotFoundError, `got ${e}`);
    assert.equal(e.streamName, "never");
  },

  "read all": async () => {
    const forwards = await all(client.readAll({ direction: FORWARDS, fromPosition: START }));
    const mine = forwards.filter((e) => e.streamId === "alone");
    assert.deepEqual(numbers(mine), [0, 1, 2]);
    const from = await all(client.readAll({ fromPosition: mine[1].position, maxCount: 2 }));
    assert.deepEqual(numbers(from), [1, 2]);
    const backwards = await all(client.readAll({ direction: BACKWARDS, fromPosition: END }));
    assert.deepEqual(backwards.map((e) => e.id), forwards.map((e) => e.id).reverse());
  },

  "subscribe to a stream": async () => {
    const subscription = client.subscribeToStream("alone", { fromRevision: 0n });
    const caughtUp = new Promise((resolve) => subscription.once("caughtUp", resolve));
    const events = take(subscription, 3);
    await caughtUp;
    await client.appendToStream("alone", noted(3));
    assert.deepEqual(numbers((await events).map((r) => r.event)), [1, 2, 3]);
  },

  "subscribe to all, filtered": async () => {
    let checkpoints = 0;
    const subscription = client.subscribeToAll({
      fromPosition: START,
      filter: eventTypeFilter({ prefixes: ["wanted"], checkpointInterval: 1, checkpointReached: () => { checkpoints++; } }),
    });
    const caughtUp = new Promise((resolve) => subscription.once("caughtUp", resolve));
    const events = take(subscription, 2);
    await caughtUp;
    assert.ok(checkpoints > 0, "no checkpoint before it caught up");
    await client.appendToStream("filtered", [jsonEvent({ type: "wanted-1", data: { n: 1 } }), noted(9)]);
    await client.appendToStream("filtered", jsonEvent({ type: "wanted-2", data: { n: 2 } }));
    assert.deepEqual(numbers((await events).map((r) => r.event)), [1, 2]);
  },

  "metadata": async () => {
    await client.setStreamMetadata("alone", { maxCount: 2, colour: "red" });
    const { metadata } = await client.getStreamMetadata("alone");
    assert.deepEqual([metadata.maxCount, metadata.colour], [2, "red"]);
    assert.deepEqual(numbers(await all(client.readStream("alone"))), [2, 3]);
  },

  "delete": async () => {
    await client.appendToStream("deleted", [noted(0), noted(1)]);
    const wrong = await refusal(client.deleteStream("deleted", { expectedRevision: 0n }));
    assert.ok(wrong instanceof WrongExpectedVersionError, `got ${wrong}`);
    const result = await client.deleteStream("deleted", { expectedRevision: 1n });
    assert.ok(result.position.commit > 0n);
    assert.ok((await refusal(all(client.readStream("deleted")))) instanceof StreamNotFoundError);
    const revived = await client.appendToStream("deleted", noted(2), { expectedRevision: NO_STREAM });
    assert.equal(revived.nextExpectedRevision, 2n);
    assert.deepEqual(numbers(await all(client.readStream("deleted"))), [2]);
  },

  "tombstone": async () => {
    await client.appendToStream("gone", noted(0));
    await client.tombstoneStream("gone");
    const read = await refusal(all(client.readStream("gone")));
    assert.ok(read instanceof StreamDeletedError, `got ${read}`);
    const append = await refusal(client.appendToStream("gone", noted(1)));
    assert.ok(append instanceof StreamDeletedError, `got ${append}`);
    assert.equal(append.streamName, "gone");
  },

  "persistent subscription": async () => {
    const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START });
    await client.appendToStream("work", [0, 1, 2].map(noted));
    await client.createPersistentSubscriptionToStream("work", "group", settings);
    const twice = await refusal(client.createPersistentSubscriptionToStream("work", "group", settings));
    assert.ok(twice instanceof PersistentSubscriptionExistsError, `got ${twice}`);
    const subscription = client.subscribeToPersistentSubscriptionToStream("work", "group");
    const events = subscription[Symbol.asyncIterator]();
    const next = async () => (await events.next()).value;
    const [zero, one, two] = [await next(), await next(), await next()];
    assert.deepEqual(numbers([zero, one, two].map((r) => r.event)), [0, 1, 2]);
    await subscription.ack(zero, two);
    await subscription.nack(PARK, "not today", one);
    await client.appendToStream("work", noted(3));
    const three = await next();
    assert.equal(three.event.data.n, 3);
    await subscription.ack(three);
    for (let parked = 0n; parked !== 1n; ) {
      parked = (await client.getPersistentSubscriptionToStreamInfo("work", "group")).stats.parkedMessageCount;
    }
    await client.replayParkedMessagesToStream("work", "group");
    const replayed = await next();
    assert.deepEqual([replayed.event.data.n, replayed.event.id], [1, one.event.id]);
    await subscription.ack(replayed);
    await subscription.unsubscribe();
    await client.deletePersistentSubscriptionToStream("work", "group");
    const gone = await refusal(client.deletePersistentSubscriptionToStream("work", "group"));
    assert.ok(gone instanceof PersistentSubscriptionDoesNotExistError, `got ${gone}`);
  },
};

async function main() {
  for (const [step, run] of Object.entries(steps)) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not done after ${patience} ms`)), patience);
    });
    let error;
    try {
      await Promise.race([run(), late]);
    } catch (e) {
      error = e?.stack ?? String(e);
    }
    clearTimeout(timer);
    process.stdout.write(`${JSON.stringify({ step, error })}\n`);
  }
  await client.dispose();
}

main().then(() => process.exit(0));
