import { expect, test } from "vitest";
import { brief, glanceOf, patchOf } from "./glance";

test.each([
  ["update", { data: { patch: [{ op: "replace", path: "/a/b", value: 7 }, { op: "remove", path: "/c" }] } }, "a.b → 7, c removed"],
  ["update", { data: { patch: [] } }, "{patch: []}"],
  ["update", { data: { patch: [7, { op: "add", path: "/x", value: { y: [1, "z"] } }] } }, 'x → {y: [1, "z"]}'],
  ["create", { data: { $metadata: { $model: "dtmi:example:Pump;1" }, t: 1 } }, "dtmi:example:Pump;1"],
  ["delete", { data: { t: 1 } }, "{t: 1}"],
  ["relationship", { data: { $relationshipName: "feeds", $targetId: "pump-2" } }, "feeds → pump-2"],
  ["relationship", { data: { patch: [{ op: "replace", path: "/flow", value: 3 }] } }, "flow → 3"],
  ["telemetry", { data: { temperature: 21.5, unit: "C" } }, 'temperature 21.5, unit "C"'],
  ["other", { data: [1, null, "x"] }, '[1, null, "x"]'],
  ["other", { data: "<b>" }, '"<b>"'],
  ["other", { data_base64: "AAEC" }, "binary, 3 bytes"],
  ["other", { data_base64: "AAE=" }, "binary, 2 bytes"],
  ["other", {}, ""],
] as const)("%s: %j", (kind, event, want) => expect(glanceOf(kind, event)).toBe(want));

test("a glance at what is huge is short, and quick", () => {
  const huge = { rows: Array.from({ length: 20_000 }, (_, i) => ({ i, text: "x".repeat(100) })) };
  expect(glanceOf("other", { data: huge }).length).toBeLessThanOrEqual(161);
  expect(glanceOf("telemetry", { data: { text: "y".repeat(1_000_000) } }).length).toBeLessThanOrEqual(161);
  expect(brief("y".repeat(1000), 5)).toBe('"yyyyy…"');
});

test("the operations of a patch", () => {
  expect(patchOf({ patch: [{ op: "remove", path: "/a/b~1c" }] })).toEqual([{ path: "a.b/c", value: undefined, gone: true }]);
  expect([patchOf(undefined), patchOf([]), patchOf({ patch: "x" })]).toEqual([undefined, undefined, undefined]);
  expect(patchOf({ patch: Array.from({ length: 50 }, () => ({ op: "add", path: "/a", value: 1 })) })).toHaveLength(12);
});
