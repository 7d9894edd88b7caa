// Sends and receives through the official JavaScript client:
//   node main.js CONNECTION_STRING HUB
import assert from "node:assert/strict";
import { EventHubBufferedProducerClient, EventHubConsumerClient, EventHubProducerClient, earliestEventPosition } from "@azure/event-hubs";

const [connection, hub] = process.argv.slice(2);
const producer = new EventHubProducerClient(connection, hub);
const consumer = new EventHubConsumerClient("$Default", connection, hub);

// Properties of the hub and of an empty partition.
const properties = await producer.getEventHubProperties();
assert.equal(properties.name, hub);
assert.deepEqual(properties.partitionIds, ["0", "1", "2", "3"]);
assert.ok(properties.createdOn instanceof Date);
const empty = await producer.getPartitionProperties("3");
assert.equal(empty.isEmpty, true);
assert.equal(Number(empty.lastEnqueuedSequenceNumber), -1);

// 200 events over five keys, as batches and as arrays, one to a partition, one large one.
const sent = new Map();
for (let i = 0; i < 40; i++) {
  const partitionKey = `twin-${i % 5}`;
  const events = [];
  for (let j = 0; j < 5; j++) {
    const n = sent.get(partitionKey) ?? 0;
    sent.set(partitionKey, n + 1);
    events.push({ body: { n }, contentType: "application/json", messageId: `${partitionKey}/${n}`, properties: { "cloudEvents:subject": partitionKey, n } });
  }
  if (i % 2) {
    await producer.sendBatch(events, { partitionKey });
  } else {
    const batch = await producer.createBatch({ partitionKey });
    for (const event of events) assert.ok(batch.tryAdd(event));
    await producer.sendBatch(batch);
  }
}
const large = "x".repeat(900_000);
await producer.sendBatch([{ body: large, properties: { large: true } }], { partitionId: "3" });
assert.equal((await producer.createBatch()).tryAdd({ body: "x".repeat(1 << 20) }), false);
await assert.rejects(producer.sendBatch([{ body: 1 }], { partitionId: "9" }));
await assert.rejects(producer.sendBatch([{ body: "x".repeat((1 << 20) + 1) }]), { code: "MessageTooLargeError" });

// Everything comes out, each key in order from one partition.
const got = new Map();
const home = new Map();
let count = 0;
await new Promise((resolve, reject) => {
  const subscription = consumer.subscribe(
    {
      async processEvents(events, context) {
        try {
          for (const event of events) {
            count++;
            assert.ok(event.enqueuedTimeUtc instanceof Date);
            if (event.properties.large) {
              assert.equal(event.body, large);
              assert.equal(context.partitionId, "3");
              continue;
            }
            const key = event.partitionKey;
            const n = got.get(key) ?? 0;
            assert.deepEqual(event.body, { n });
            assert.equal(event.messageId, `${key}/${n}`);
            assert.equal(event.properties.n, n);
            assert.equal(event.properties["cloudEvents:subject"], key);
            assert.equal(home.get(key) ?? context.partitionId, context.partitionId);
            home.set(key, context.partitionId);
            got.set(key, n + 1);
          }
          if (count === 201) await subscription.close().then(resolve);
        } catch (error) {
          reject(error);
        }
      },
      async processError(error) {
        reject(error);
      },
    },
    { startPosition: earliestEventPosition, maxWaitTimeInSeconds: 1 },
  );
});
assert.deepEqual(got, sent);

// A reader that starts at a sequence number; a higher owner level that takes the partition over.
const last = await consumer.getPartitionProperties("3");
const from = { sequenceNumber: Number(last.lastEnqueuedSequenceNumber), isInclusive: true };
const rival = new EventHubConsumerClient("$Default", connection, hub);
const read = (client, options) =>
  new Promise((resolve, reject) => {
    const subscription = client.subscribe("3", {
      async processEvents(events, context) {
        if (events.length) resolve({ subscription, events, context });
      },
      async processError(error) {
        (options.lost ?? reject)(error);
      },
    }, { startPosition: from, ...options });
  });
let tell;
const lost = new Promise((resolve) => (tell = resolve));
const low = await read(consumer, { ownerLevel: 1, lost: tell });
assert.equal(low.events.length, 1);
const high = await read(rival, { ownerLevel: 2, trackLastEnqueuedEventProperties: true });
assert.equal(Number(high.context.lastEnqueuedEventProperties.sequenceNumber), Number(last.lastEnqueuedSequenceNumber));
assert.equal(high.context.lastEnqueuedEventProperties.offset, last.lastEnqueuedOffset);
assert.equal((await lost).code, "ReceiverDisconnectedError");
await low.subscription.close();
await high.subscription.close();

// The buffered producer, which sends in the background.
const buffered = new EventHubBufferedProducerClient(connection, hub, {
  async onSendEventsErrorHandler({ error }) {
    throw error;
  },
});
for (let i = 0; i < 50; i++) await buffered.enqueueEvent({ body: i });
await buffered.close();

await rival.close();
await consumer.close();
await producer.close();

// What the client waits for between two looks at its partitions still runs.
process.exit(0);
