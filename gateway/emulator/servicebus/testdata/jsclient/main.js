// Speaks to the emulator through Microsoft's own JavaScript SDK, unmodified.
// It is given a connection string, and entities: queues "plain", "dups" (with
// duplicate detection), "poison" (two deliveries), "brief" (locks of 1 s),
// "grouped" (with sessions); a topic "topic" with subscriptions "a" and "b".
import assert from "node:assert/strict";
import { ServiceBusClient, delay } from "@azure/service-bus";

const client = new ServiceBusClient(process.argv[2], { retryOptions: { maxRetries: 1, retryDelayInMs: 10 } });
const wait = { maxWaitTimeInMs: 5000 };

async function one(receiver) {
  const messages = await receiver.receiveMessages(1, wait);
  assert.equal(messages.length, 1, "a message");
  return messages[0];
}

async function none(receiver) {
  assert.equal((await receiver.receiveMessages(1, { maxWaitTimeInMs: 200 })).length, 0, "no message");
}

const tests = {
  async "a message is kept whole"() {
    const sent = {
      body: { an: "object", n: 1 }, messageId: "id", correlationId: "correlation", subject: "subject", to: "to", replyTo: "reply",
      contentType: "application/json", partitionKey: "key", timeToLive: 3600_000, replyToSessionId: "reply session",
      applicationProperties: { s: "text", i: 7, f: 1.5, b: true, t: new Date(1e12) },
    };
    await client.createSender("plain").sendMessages(sent);
    const receiver = client.createReceiver("plain");
    const got = await one(receiver);
    for (const name of ["body", "messageId", "correlationId", "subject", "to", "replyTo", "contentType", "partitionKey", "timeToLive", "replyToSessionId"]) {
      assert.deepEqual(got[name], sent[name], name);
    }
    assert.deepEqual({ ...got.applicationProperties, t: new Date(got.applicationProperties.t) }, sent.applicationProperties);
    assert.equal(got.sequenceNumber.toNumber(), 1);
    assert.equal(got.enqueuedSequenceNumber, 1);
    assert.equal(got.deliveryCount, 0);
    assert.equal(got.state, "active");
    assert(Math.abs(got.enqueuedTimeUtc - Date.now()) < 60_000 && got.lockedUntilUtc > new Date());
    assert.equal(got.expiresAtUtc.getTime(), got.enqueuedTimeUtc.getTime() + 3600_000);
    const until = await receiver.renewMessageLock(got);
    assert(until > new Date(Date.now() + 30_000), "renewed");
    await receiver.completeMessage(got);
    await none(receiver);
    await receiver.close();
  },

  async "batches arrive whole and in order"() {
    const sender = client.createSender("plain");
    let batch = await sender.createMessageBatch();
    assert.equal(batch.maxSizeInBytes, 256 * 1024);
    for (let i = 0; i < 100; i++) assert(batch.tryAddMessage({ body: i }));
    assert(!batch.tryAddMessage({ body: "x".repeat(256 * 1024) }), "too large to add");
    await sender.sendMessages(batch);
    await sender.sendMessages([{ body: 100 }, { body: 101 }]);
    const receiver = client.createReceiver("plain", { receiveMode: "receiveAndDelete" });
    let got = [];
    while (got.length < 102) got = got.concat(await receiver.receiveMessages(102 - got.length, wait));
    assert.deepEqual(got.map((m) => m.body), [...Array(102).keys()]);
    await receiver.close();
  },

  async "messages are settled in all ways"() {
    await client.createSender("plain").sendMessages({ body: "a" });
    const receiver = client.createReceiver("plain");
    await receiver.abandonMessage(await one(receiver), { hello: "world" });
    let m = await one(receiver);
    assert.equal(m.deliveryCount, 1);
    assert.equal(m.applicationProperties.hello, "world");
    await receiver.deferMessage(m, { n: 1 });
    await none(receiver);
    [m] = await receiver.receiveDeferredMessages(m.sequenceNumber);
    assert.equal(m.body, "a");
    assert.equal(m.state, "deferred");
    assert.equal(m.applicationProperties.n, 1);
    await receiver.deadLetterMessage(m, { deadLetterReason: "reason", deadLetterErrorDescription: "description", p: "q" });
    await client.createSender("plain").sendMessages({ body: "b" });
    await receiver.deadLetterMessage(await one(receiver), { deadLetterReason: "reason", deadLetterErrorDescription: "description", p: "q" });
    const dead = client.createReceiver("plain", { subQueueType: "deadLetter" });
    for (const body of ["a", "b"]) {
      const d = await one(dead);
      assert.equal(d.body, body);
      assert.equal(d.deadLetterReason, "reason");
      assert.equal(d.deadLetterErrorDescription, "description");
      assert.equal(d.deadLetterSource, "plain");
      await dead.completeMessage(d);
    }
    await receiver.close();
    await dead.close();
  },

  async "too many deliveries end in the dead-letter queue"() {
    await client.createSender("poison").sendMessages({ body: "poison" });
    const receiver = client.createReceiver("poison");
    for (let i = 0; i < 2; i++) await receiver.abandonMessage(await one(receiver));
    const d = await one(client.createReceiver("poison", { subQueueType: "deadLetter", receiveMode: "receiveAndDelete" }));
    assert.equal(d.deadLetterReason, "MaxDeliveryCountExceeded");
    await receiver.close();
  },

  async "a lock runs out"() {
    await client.createSender("brief").sendMessages({ body: "a", messageId: "1" });
    const receiver = client.createReceiver("brief", { maxAutoLockRenewalDurationInMs: 0 });
    const m = await one(receiver);
    const again = await one(receiver);
    assert.equal(again.deliveryCount, 1);
    await assert.rejects(receiver.completeMessage(m), { code: "MessageLockLost" });
    await receiver.completeMessage(again);
    await receiver.close();
  },

  async "messages are scheduled and cancelled"() {
    const sender = client.createSender("plain");
    const receiver = client.createReceiver("plain");
    const at = new Date(Date.now() + 1000);
    const [soon, never] = await sender.scheduleMessages([{ body: "soon" }, { body: "never" }], at);
    await sender.cancelScheduledMessages(never);
    await assert.rejects(sender.cancelScheduledMessages(never), { code: "MessageNotFound" });
    const [peeked] = await receiver.peekMessages(1, { fromSequenceNumber: soon });
    assert.equal(peeked.state, "scheduled");
    assert.equal(peeked.body, "soon");
    const m = await one(receiver);
    assert.equal(m.body, "soon");
    assert(m.enqueuedTimeUtc >= at);
    await receiver.completeMessage(m);
    await receiver.close();
  },

  async "peeking locks nothing"() {
    const sender = client.createSender("plain");
    const receiver = client.createReceiver("plain");
    assert.deepEqual(await receiver.peekMessages(5), []);
    await sender.sendMessages([{ body: 1 }, { body: 2 }, { body: 3 }]);
    assert.deepEqual((await receiver.peekMessages(2)).map((m) => m.body), [1, 2]);
    assert.deepEqual((await receiver.peekMessages(2)).map((m) => m.body), [3]);
    for (const body of [1, 2, 3]) {
      const m = await one(receiver);
      assert.equal(m.body, body);
      await receiver.completeMessage(m);
    }
    await receiver.close();
  },

  async "duplicates are dropped"() {
    const sender = client.createSender("dups");
    for (let i = 0; i < 3; i++) await sender.sendMessages({ body: i, messageId: "same" });
    const receiver = client.createReceiver("dups", { receiveMode: "receiveAndDelete" });
    assert.equal((await one(receiver)).body, 0);
    await none(receiver);
    await receiver.close();
  },

  async "a topic gives each subscription its copy"() {
    await client.createSender("topic").sendMessages({ body: "a" });
    for (const name of ["a", "b"]) {
      const receiver = client.createReceiver("topic", name);
      const m = await one(receiver);
      assert.equal(m.body, "a");
      await receiver.completeMessage(m);
      await receiver.close();
    }
  },

  async "sessions are received in order, by name and as they come"() {
    const sender = client.createSender("grouped");
    for (let i = 0; i < 10; i++) {
      for (const sessionId of ["x", "y", "z"]) await sender.sendMessages({ body: i, sessionId });
    }
    for (const sessionId of ["x", "y", "z"]) {
      await sender.sendMessages([...Array(10).keys()].map((i) => ({ body: 10 + i, sessionId })));
    }
    const seen = [];
    for (let s = 0; s < 3; s++) {
      const receiver = s == 0 ? await client.acceptSession("grouped", "y") : await client.acceptNextSession("grouped");
      assert(receiver.sessionLockedUntilUtc > new Date(Date.now() + 30_000));
      seen.push(receiver.sessionId);
      let next = 0;
      while (next < 20) {
        for (const m of await receiver.receiveMessages(20 - next, wait)) {
          assert.equal(m.body, next++);
          assert.equal(m.sessionId, receiver.sessionId);
          await receiver.completeMessage(m);
        }
      }
      await receiver.close();
    }
    assert.deepEqual(seen.sort(), ["x", "y", "z"]);
  },

  async "a session has a lock and a state"() {
    const receiver = await client.acceptSession("grouped", "s");
    assert.equal(await receiver.getSessionState(), null);
    await receiver.setSessionState({ at: 7 });
    assert.deepEqual(await receiver.getSessionState(), { at: 7 });
    assert(await receiver.renewSessionLock() > new Date(Date.now() + 30_000));
    await assert.rejects(client.acceptSession("grouped", "s"), { code: "SessionCannotBeLocked" });
    await client.createSender("grouped").sendMessages([{ body: 1, sessionId: "s" }, { body: 2, sessionId: "other" }]);
    assert.deepEqual((await receiver.peekMessages(10)).map((m) => m.body), [1]);
    const m = await one(receiver);
    await receiver.deferMessage(m);
    const [deferred] = await receiver.receiveDeferredMessages(m.sequenceNumber);
    await receiver.completeMessage(deferred);
    await receiver.setSessionState(null);
    await receiver.close();
    const other = await client.acceptNextSession("grouped");
    assert.equal(other.sessionId, "other");
    await other.completeMessage(await one(other));
    await other.close();
  },

  async "the next session is waited for"() {
    const accepted = client.acceptNextSession("grouped");
    await delay(100);
    await client.createSender("grouped").sendMessages({ body: 1, sessionId: "late" });
    const receiver = await accepted;
    assert.equal(receiver.sessionId, "late");
    await receiver.completeMessage(await one(receiver));
    await receiver.close();
  },

  async "a subscriber is fed"() {
    const receiver = client.createReceiver("plain");
    const got = [];
    await new Promise((resolve, reject) => {
      receiver.subscribe({
        async processMessage(m) {
          if (got.push(m.body) == 50) resolve();
        },
        async processError(e) {
          reject(e.error);
        },
      }, { maxConcurrentCalls: 1 });
      client.createSender("plain").sendMessages([...Array(50).keys()].map((body) => ({ body }))).catch(reject);
    });
    assert.deepEqual(got, [...Array(50).keys()]);
    await receiver.close();
  },

  async "what the service refuses is refused"() {
    const send = (queue, m) => client.createSender(queue).sendMessages(m);
    await assert.rejects(send("grouped", { body: 1 }), /has no session id/);
    await assert.rejects(send("unknown", { body: 1 }), { code: "MessagingEntityNotFound" });
    await assert.rejects(send("plain", { body: "x".repeat(257 * 1024) }), { code: "MessageSizeExceeded" });
    await assert.rejects(client.acceptSession("plain", "s"), { code: "SessionCannotBeLocked" });
    await assert.rejects(client.createReceiver("grouped").receiveMessages(1, wait), /requires sessions/);
  },
};

for (const [name, test] of Object.entries(tests)) {
  const started = Date.now();
  try {
    await test();
  } catch (e) {
    console.error(`FAIL: ${name}\n`, e);
    process.exit(1);
  }
  console.log(`ok: ${name} (${Date.now() - started} ms)`);
}
await client.close();
