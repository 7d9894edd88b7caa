import { expect, test } from "vitest";
import { keyed, newerThan } from "./logLines";

const line = (at: number, text: string) => ({ at: `2026-01-01T00:00:0${at}Z`, version: 1, level: "info" as const, from: "plugin" as const, text });

test("a line keeps its key while new ones come and old ones go", () => {
  const before = keyed([line(3, "b"), line(2, "a"), line(2, "a"), line(1, "a")]);
  const after = keyed([line(4, "a"), line(3, "b"), line(2, "a"), line(2, "a")]);
  expect(new Set(before.map((l) => l.key)).size).toBe(4);
  expect(after.slice(1).map((l) => l.key)).toEqual(before.slice(0, 3).map((l) => l.key));
  expect([newerThan(before, after), newerThan(after, after), newerThan(before, keyed([line(5, "c"), line(6, "d")])), newerThan([], after)]).toEqual([1, 0, 2, 4]);
});
