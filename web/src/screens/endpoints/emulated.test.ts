import { expect, test } from "vitest";
import type { EmulatedEntity } from "~/api/resources";
import { entityOf, serviceOf } from "./emulated";

const entity = (e: object) => entityOf(e as EmulatedEntity);

test("a queue with sessions", () => {
  const got = entity({
    service: "serviceBus", name: "orders", kind: "queue", requiresSession: true, status: "active", messages: 2, locked: 1, scheduled: 0, deferred: 0, deadLetters: 1,
    contents: [{ sequenceNumber: 7, enqueuedTime: "t", sessionId: "line-1", subject: "s", state: "active", body: { a: 1 } }, { sequenceNumber: 8, subject: "s", state: "deferred", body: "x" }],
    deadLetterContents: [{ sequenceNumber: 3, deadLetterReason: "why" }],
  });
  expect([got.id, got.what, got.figures]).toEqual(["serviceBus/orders", "queue with sessions", [["messages", 2], ["locked", 1], ["scheduled", 0], ["deferred", 0], ["dead letters", 1]]]);
  expect(got.messages.map((m) => [m.key, m.where, m.state, m.body])).toEqual([["7", "session line-1", undefined, { a: 1 }], ["8", "s", "deferred", "x"]]);
  expect(got.dead[0]).toMatchObject({ key: "3", properties: { deadLetterReason: "why" } });
  expect(entity({ service: "serviceBus", name: "off", kind: "topic", status: "disabled" }).what).toBe("topic (disabled)");
});

test("an event hub, the latest first over its partitions", () => {
  const got = entity({
    service: "eventHubs", name: "hub",
    partitions: [{ id: "0", count: 2, receivers: 1, events: [{ sequenceNumber: 1, enqueuedTime: "2026-01-01", body: 1 }] }, { id: "1", count: 1, receivers: 0, events: [{ sequenceNumber: 1, enqueuedTime: "2026-01-02", partitionKey: "oven-1", body: 2 }] }],
  });
  expect([got.what, got.figures]).toEqual(["event hub of 2 partitions", [["events", 3], ["receivers", 1]]]);
  expect(got.messages.map((m) => [m.key, m.where])).toEqual([["1/1", "partition 1, key oven-1"], ["0/1", "partition 0"]]);
});

test("a topic of Event Grid", () => {
  const got = entity({
    service: "eventGrid", name: "topic", schema: "CloudEvents", accepted: 5, events: [{ id: "a", time: "t1", subject: "s", data: 1 }, { id: "b", time: "t2", subject: "s", data: 2 }],
    subscriptions: [{ name: "one", pending: 1, delivered: 2, dead: 1, deadLetters: [{ id: "a", data: 1 }] }, { name: "two", pending: 2, delivered: 1, dead: 0 }],
  });
  expect([got.what, got.figures]).toEqual(["topic of CloudEvents", [["accepted", 5], ["pending", 3], ["delivered", 3], ["dead letters", 1]]]);
  expect(got.messages.map((m) => [m.body, m.at])).toEqual([[2, "t2"], [1, "t1"]]);
  expect(got.dead).toMatchObject([{ where: "subscription one", properties: { id: "a" }, body: 1 }]);
});

test.each(["serviceBus", "eventHubs", "eventGrid"] as const)("%s: of an answer with nothing in it nothing is made up", (service) => {
  const got = entity({ service, name: "x" });
  expect([got.messages, got.dead, got.figures.every(([, n]) => n === 0)]).toEqual([[], [], true]);
  expect(serviceOf(service)).toMatch(/^(Service Bus|Event Hubs|Event Grid)$/);
});
