import { expect, test } from "vitest";
import type { Schemas } from "~/api/queries";
import { most, topologyOf } from "./topology";

interface World {
  endpoints: Record<string, string>;
  routes: Record<string, string>;
  rate?: Record<string, number>;
}

/** Endpoints by state, routes by endpoint, and what each has a second. */
function topology({ endpoints, routes, rate = {} }: World) {
  const steps = (name: string) => [0, (rate[name] ?? 0) * 10, null];
  const status = { journal: { full: false }, sources: [{ name: "hub-in", state: "running" }], endpoints: Object.entries(endpoints).map(([name, state]) => ({ name, kind: "webhook", state })) } as unknown as Schemas["Status"];
  const all = Object.entries(routes).map(([id, endpointName]) => ({ id, endpointName, enabled: true, filter: "true", filters: [], transforms: [] })) as unknown as Schemas["Route"][];
  const rates = {
    stepSeconds: 10, gateway: { in: steps("in") }, sources: [{ name: "hub-in", received: steps("hub-in") }],
    routes: all.map((r) => ({ id: r.id, matched: steps(r.id), outputs: steps(r.id), errors: steps(r.id + " errors") })),
    endpoints: Object.keys(endpoints).map((name) => ({ name, delivered: steps(name), failed: steps(name + " failed") })),
  } as unknown as Schemas["Rates"];
  const t = topologyOf({ status, routes: all, rates });
  return { ...t, column: (n: number) => t.stations.filter((s) => s.column === n) };
}

const many = (n: number, name: string, to: (i: number) => string) => Object.fromEntries(Array.from({ length: n }, (_, i) => [`${name}-${String(i).padStart(3, "0")}`, to(i)]));

test("few: each has its place, by name, and events flow through", () => {
  const t = topology({ endpoints: { b: "healthy", a: "failing" }, routes: { r2: "b", r1: "b", r3: "a" }, rate: { in: 10, "hub-in": 4, r1: 8, "r1 errors": 2, b: 6, "b failed": 2 } });
  expect(t.column(0).map((s) => [s.label, s.rate])).toEqual([["hub-in", 4], ["HTTP", 6]]);
  expect(t.column(2).map((s) => [s.label, s.state])).toEqual([["r3", "failing"], ["r1", "healthy"], ["r2", "idle"]]);
  expect(t.column(3).map((s) => s.label)).toEqual(["a", "b"]);
  expect(t.flows.find((f) => f.id === "journal → route r1")).toMatchObject({ rate: 8, failing: 0.25 });
  expect(t.flows.find((f) => f.id === "route r1 → endpoint b")).toMatchObject({ failing: 0.25 });
  expect(t.flows.find((f) => f.id === "route r3 → endpoint a")).toMatchObject({ failing: 1 });
});

test("without rates nothing is said to be zero", () => {
  const t = topologyOf({ status: { journal: { full: false }, sources: [], endpoints: [] } as unknown as Schemas["Status"], routes: [], rates: undefined });
  expect(t.stations.map((s) => [s.label, s.rate])).toEqual([["HTTP", undefined], ["Accepted", undefined]]);
});

test("more than 20 routes fold by endpoint, but failing ones stay open", () => {
  const t = topology({ endpoints: { a: "healthy", bad: "failing", lone: "healthy" }, routes: { ...many(300, "route", (i) => (i < 8 ? "bad" : "a")), single: "lone" }, rate: { "route-100": 3, "route-200": 4 } });
  expect(t.column(2).map((s) => [s.label, s.folds])).toEqual([["routes", 292], ["route-000", undefined], ["route-001", undefined], ["route-002", undefined], ["route-003", undefined], ["route-004", undefined], ["other routes", 3], ["single", undefined]]);
  expect(t.column(2)[0]).toMatchObject({ rate: 7, state: "healthy" });
  expect(t.column(2)[6]).toMatchObject({ state: "failing" });
});

test("of more than 20 endpoints the failing and the busiest are shown, the others as one", () => {
  const t = topology({ endpoints: { ...many(50, "end", (i) => (i === 49 ? "failing" : "healthy")) }, routes: many(50, "route", (i) => `end-${String(i).padStart(3, "0")}`), rate: { "end-030": 5, "end-031": 1 } });
  const shown = t.column(3);
  expect(shown.length).toBe(most + 1);
  expect(shown.map((s) => s.label)).toEqual(expect.arrayContaining(["end-030", "end-031", "end-049"]));
  expect(shown.at(-1)).toMatchObject({ label: "other endpoints", folds: 30 });
  expect(t.flows.every((f) => t.stations.some((s) => s.id === f.from) && t.stations.some((s) => s.id === f.to))).toBe(true);
});

test("of more than 20 sources the failing and the busiest are shown, the others as one", () => {
  const sources = Array.from({ length: 30 }, (_, i) => ({ name: `source-${i}`, kind: "serviceBus", state: i === 29 ? "failing" : "running" }));
  const received = (i: number) => (i === 28 ? 50 : i < 10 ? 10 : 20);
  const t = topologyOf({
    status: { journal: { full: false }, sources, endpoints: [] } as unknown as Schemas["Status"], routes: [],
    rates: { stepSeconds: 10, gateway: { in: [0, 900, null] }, sources: sources.map((s, i) => ({ name: s.name, received: [0, received(i), null] })), routes: [], endpoints: [] } as unknown as Schemas["Rates"],
  });
  const shown = t.stations.filter((s) => s.column === 0);
  expect(shown.length).toBe(most + 2);
  expect(shown.map((s) => s.label)).toEqual(expect.arrayContaining(["source-28", "source-29", "HTTP"]));
  expect(shown.find((s) => s.id === "sources")).toMatchObject({ label: "other sources", folds: 10, rate: 10 });
  expect(shown.find((s) => s.id === "http")?.rate).toBeCloseTo(37, 6);
  expect(t.flows.every((f) => t.stations.some((s) => s.id === f.from) && t.stations.some((s) => s.id === f.to))).toBe(true);
});

test("nothing moves when rates change", () => {
  const world = { endpoints: { a: "healthy", b: "healthy", c: "idle" }, routes: many(40, "route", (i) => "abc"[i % 3]!) };
  const places = (rate: Record<string, number>) => topology({ ...world, rate }).stations.map((s) => [s.id, s.column, s.row]);
  expect(places({ a: 1, "route-001": 9 })).toEqual(places({ c: 90, "route-002": 1, in: 5 }));
});
