import { expect, test } from "vitest";
import { bins, lanes, whole, type TwinEvent, type TwinPage } from "./twin";

const at = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, "0")}:00Z`;

type Attempt = [route: string, outcome: string, dead?: boolean, over?: { endpoint?: string; output?: number }];

function event(minute: number, ...attempts: Attempt[]): TwinEvent {
  return { id: "1-" + minute, time: at(minute), acceptedAt: at(minute), event: {}, deliveries: attempts.map(([route, outcome, dead, over]) => ({ route, endpoint: "hub", output: 0, outcome, dead, ...over })) } as unknown as TwinEvent;
}

function page(over: object): TwinPage {
  return { key: "pump", items: [], series: [], covered: { events: 0, complete: false }, ...over } as unknown as TwinPage;
}

test("parts of a twin's past are one", () => {
  const got = whole([
    page({ items: [event(3)], series: [{ path: "/a", points: [[30, 3], [40, 4]] }], covered: { events: 5, complete: false, fromTime: at(2), toTime: at(3) }, next: "x" }),
    page({ items: [event(1)], series: [{ path: "/b", points: [[1, 1], [2, 1], [3, 1]] }, { path: "/a", points: [[10, 1]], truncated: true }], covered: { events: 7, complete: true, fromTime: at(0), toTime: at(2) } }),
  ]);
  expect(got.series).toEqual([{ path: "/a", points: [[10, 1], [30, 3], [40, 4]], truncated: true }, { path: "/b", points: [[1, 1], [2, 1], [3, 1]], truncated: false }]);
  expect([got.items.map((i) => i.id), got.events, got.complete, got.from, got.to]).toEqual([["1-3", "1-1"], 12, true, Date.parse(at(0)), Date.parse(at(3))]);
});

test.each([
  [[], false],
  [[page({ covered: { events: 1, complete: true } })], true],
  [[page({ covered: { events: 1, complete: true }, next: "x" })], false],
  [[page({ covered: { events: 1, complete: false } })], false],
])("a past of %j is complete: %j", (pages, want) => expect(whole(pages)).toMatchObject({ complete: want, from: undefined, to: undefined }));

test("a lane for the events and one for each route, with what became of them", () => {
  const got = lanes([event(1, ["r10", "delivered"], ["r2", "failed"]), event(2, ["r2", "failed", true], ["r10", "delivered", false, { endpoint: "lake" }]), event(3)]);
  expect(got.map((l) => [l.route, l.endpoints, l.marks.map((m) => m.fate)])).toEqual([
    ["", [], ["event", "event", "event"]],
    ["r2", ["hub"], ["retrying", "dead"]],
    ["r10", ["hub", "lake"], ["delivered", "delivered"]],
  ]);
});

test.each([
  ["delivered", [["r", "failed"], ["r", "delivered"]]],
  ["delivered", [["r", "failed", true], ["r", "delivered"]]], // a redrive
  ["dead", [["r", "failed", true], ["r", "delivered", false, { output: 1 }]]],
  ["retrying", [["r", "failed"], ["r", "delivered", false, { output: 1 }]]],
] as [string, Attempt[]][])("what became of an event is the worst of its outputs, of each the latest: %s of %j", (want, attempts) => expect(lanes([event(1, ...attempts)])[1]!.marks.map((m) => m.fate)).toEqual([want]));

test("marks in steps of the range", () => {
  const lane = { route: "r", endpoints: [], marks: [0, 1, 5, 9, 10, 11, -1].map((t) => ({ at: t, id: "e" + t, fate: t === 1 ? ("dead" as const) : ("delivered" as const) })) };
  expect(bins(lane, 0, 10, 5).map((b) => [b.from, b.to, b.count, Object.fromEntries(b.fates), b.id])).toEqual([
    [0, 2, 2, { delivered: 1, dead: 1 }, "e0"],
    [4, 6, 1, { delivered: 1 }, "e5"],
    [8, 10, 2, { delivered: 2 }, "e9"],
  ]);
  expect(bins(lane, 5, 5, 4)).toHaveLength(1);
});
