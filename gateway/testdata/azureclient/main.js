// Receives what a gateway sent, through Microsoft's own JavaScript SDKs. It is
// given the connection strings of Service Bus and Event Hubs, the names of a
// queue with sessions and of an event hub, and how many events to expect of
// each; it writes what came as JSON, in the order of arrival, by session and by
// partition.
import { EventHubConsumerClient, earliestEventPosition } from "@azure/event-hubs";
import { ServiceBusClient } from "@azure/service-bus";

const [serviceBus, eventHubs, queue, hub, expected] = process.argv.slice(2);

function shown(id, properties, body) {
  const text = typeof body === "string" ? body : Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body);
  return { id, type: properties["cloudEvents:type"], subject: properties["cloudEvents:subject"], event: properties["cloudEvents:id"], body: text };
}

async function sessions() {
  const client = new ServiceBusClient(serviceBus, { retryOptions: { maxRetries: 1, retryDelayInMs: 10 } });
  const got = {};
  for (let n = 0; n < expected; ) {
    const receiver = await client.acceptNextSession(queue, { maxAutoLockRenewalDurationInMs: 0 });
    const list = (got[receiver.sessionId] ??= []);
    for (;;) {
      const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 500 });
      if (!message) break;
      list.push(shown(message.messageId, message.applicationProperties, message.body));
      await receiver.completeMessage(message);
      n++;
    }
    await receiver.close();
  }
  await client.close();
  return got;
}

async function partitions() {
  const client = new EventHubConsumerClient("$Default", eventHubs, hub);
  const got = {};
  let n = 0;
  await new Promise((resolve, reject) => {
    client.subscribe({
      async processEvents(events, context) {
        const list = (got[context.partitionId] ??= []);
        for (const e of events) list.push(shown(e.partitionKey, e.properties, e.body));
        n += events.length;
        if (n >= expected) resolve();
      },
      async processError(error) { reject(error); },
    }, { startPosition: earliestEventPosition, maxWaitTimeInSeconds: 1 });
  });
  await client.close();
  return got;
}

console.log(JSON.stringify({ sessions: await sessions(), partitions: await partitions() }));
