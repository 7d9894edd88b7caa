import { expect, test } from "vitest";
import { decimals, timeLabels } from "./axis";
import { rate } from "./figures";

const at = (day: number, h: number, m: number, s = 0) => new Date(2026, 0, day, h, m, s).getTime();

test.each([
  ["minutes", [at(1, 9, 5), at(1, 14, 0)], ["09:05", "14:00"]],
  ["seconds", [at(1, 9, 5), at(1, 9, 5, 30)], ["09:05:00", "09:05:30"]],
  ["days", [at(1, 18, 0), at(2, 6, 0)], ["1 Jan 18:00", "2 Jan 06:00"]],
  ["none", [], []],
])("times of an axis: %s", (_, times, want) => expect(timeLabels(times)).toEqual(want));

test.each([[1, 0], [20, 0], [2.5, 1], [0.1, 1], [0.25, 2], [0.05, 2], [0.001, 3], [0, 0]])("ticks %d apart have %d decimals", (distance, want) => expect(decimals(distance)).toBe(want));

test("no label of an axis is written twice", () => {
  const labels = (step: number) => [0, 1, 2, 3].map((i) => rate(i * step, decimals(step)));
  expect(labels(0.05)).toEqual(["0.00/s", "0.05/s", "0.10/s", "0.15/s"]);
  expect(labels(5)).toEqual(["0/s", "5/s", "10/s", "15/s"]);
});
