// Sends through Microsoft's own JavaScript SDKs, unmodified, and receives what
// it sent. It is given the connection strings of Service Bus and Event Hubs, an
// Event Grid topic of CloudEvents and its key, and trusts the certificate by
// NODE_EXTRA_CA_CERTS.
import assert from "node:assert/strict";
import { AzureKeyCredential, EventGridPublisherClient } from "@azure/eventgrid";
import { EventHubConsumerClient, EventHubProducerClient, earliestEventPosition } from "@azure/event-hubs";
import { ServiceBusClient } from "@azure/service-bus";

const [serviceBus, eventHubs, topic, key] = process.argv.slice(2);

const bus = new ServiceBusClient(serviceBus, { retryOptions: { maxRetries: 1, retryDelayInMs: 10 } });
await bus.createSender("orders").sendMessages([1, 2, 3].map((n) => ({ body: { n }, sessionId: "boiler-7", messageId: `${n}` })));
const session = await bus.acceptNextSession("orders");
assert.equal(session.sessionId, "boiler-7");
for (const n of [1, 2, 3]) {
  const [message] = await session.receiveMessages(1, { maxWaitTimeInMs: 5000 });
  assert.deepEqual(message.body, { n });
  await session.completeMessage(message);
}
await bus.close();

const producer = new EventHubProducerClient(eventHubs, "telemetry");
await producer.sendBatch([{ body: { n: 1 } }, { body: { n: 2 } }], { partitionKey: "boiler-7" });
await producer.close();
const consumer = new EventHubConsumerClient("$Default", eventHubs, "telemetry");
const came = [];
await new Promise((resolve, reject) => {
  consumer.subscribe({
    async processEvents(events) {
      came.push(...events.map((e) => [e.partitionKey, e.body.n]));
      if (came.length >= 2) resolve();
    },
    async processError(error) { reject(error); },
  }, { startPosition: earliestEventPosition, maxWaitTimeInSeconds: 1 });
});
await consumer.close();
assert.deepEqual(came, [["boiler-7", 1], ["boiler-7", 2]]);

const publisher = new EventGridPublisherClient(topic, "CloudEvent", new AzureKeyCredential(key));
await publisher.send([{ type: "T", source: "plant.example", subject: "boiler-7", data: { n: 1 } }]);
