import { expect, test } from "vitest";
import type { Schemas } from "~/api/queries";
import { headline, problemsOf } from "./headline";

type Status = Schemas["Status"];
type Endpoint = Schemas["EndpointStatus"];

const endpoint = (name: string, over: Partial<Endpoint> = {}): Endpoint => ({ name, kind: "webhook", state: "healthy", backlog: 0, waiting: 0, retrying: 0, deadLetters: 0, delivered: 1, failed: 0, ...over });
const status = (over: Partial<Status> = {}): Status => ({
  state: "healthy", reason: "", version: "v1", startedAt: "2026-01-01T00:00:00Z", revision: 1, routes: 2, plugins: 0, endpoints: [endpoint("hub")], sources: [],
  journal: { first: 1, last: 2, bytes: 3, full: false }, tail: { followers: 0, dropped: 0 }, ...over,
});
const since = "2026-01-01T14:02:00Z";

test.each<[string, Partial<Status>, string, string[]]>([
  ["all is well", {}, "All 2 routes can deliver.", []],
  ["one route", { routes: 1 }, "The one route can deliver.", []],
  ["nothing to do", { routes: 0, endpoints: [] }, "Nothing goes anywhere yet: there is no route.", []],
  ["dead letters", { endpoints: [endpoint("hub", { deadLetters: 3 })] }, "All 2 routes can deliver. 3 dead letters wait for somebody.", []],
  ["one fails", { endpoints: [endpoint("hub", { state: "failing", reason: "401 Unauthorized.", since })] }, "hub is failing: 401 Unauthorized.", ["hub"]],
  ["two fail", { endpoints: [endpoint("a", { state: "failing" }), endpoint("b", { state: "failing" })] }, "2 things are failing; a is one of them.", ["a", "b"]],
  ["one falls behind", { endpoints: [endpoint("hub", { state: "catching up", backlog: 40, since })] }, "All 2 routes can deliver.", ["hub"]],
  ["one is paused", { endpoints: [endpoint("hub", { state: "paused", backlog: 40 })] }, "hub is paused: what routes send there waits.", ["hub"]],
  ["two are paused", { endpoints: [endpoint("a", { state: "paused" }), endpoint("b", { state: "paused", deadLetters: 1 })] }, "2 endpoints are paused: what routes send there waits. 1 dead letter waits for somebody.", ["a", "b"]],
  ["one is paused and one fails", { endpoints: [endpoint("a", { state: "paused" }), endpoint("b", { state: "failing", reason: "401" })] }, "b is failing: 401.", ["b", "a"]],
  ["a plugin is left alone", { breakers: [{ plugin: "tsi@3", since, until: since, reason: "out of fuel" }] }, "tsi@3 is failing: out of fuel.", ["tsi@3"]],
  ["a source fails", { sources: [{ name: "orders", kind: "serviceBus", state: "stopped", received: 0, refused: 0 }] }, "orders is failing: No events can be fetched from it.", ["orders"]],
  ["a source and an endpoint of one name", { endpoints: [endpoint("hub", { state: "failing", deadLetters: 2 })], sources: [{ name: "hub", kind: "serviceBus", state: "failing", received: 0, refused: 0 }] }, "2 things are failing; hub is one of them. 2 dead letters wait for somebody.", ["hub", "hub"]],
  ["the journal is full", { journal: { first: 1, last: 2, bytes: 3, full: true, reason: "no space" } }, "journal is failing: no space.", ["journal"]],
])("%s", (_, over, sentence, names) => {
  expect(headline(status(over))).toBe(sentence);
  const problems = problemsOf(status(over));
  expect(problems.map((p) => p.name)).toEqual(names);
  expect(new Set(problems.map((p) => `${p.kind} ${p.name}`)).size).toBe(names.length);
});
