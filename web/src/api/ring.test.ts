// @vitest-environment node
import { expect, test } from "vitest";
import { Ring } from "./ring";

test("keeps the latest, by number", () => {
  const ring = new Ring<number>(3);
  expect(ring.newest).toBe(0);
  expect(ring.before(1, 5, () => true)).toEqual([]);
  for (let i = 0; i < 10; i++) ring.push((n) => n * 10);
  expect([ring.oldest, ring.newest, ring.size]).toEqual([8, 10, 3]);
  expect([ring.get(7), ring.get(8), ring.get(10), ring.get(11)]).toEqual([undefined, 80, 100, undefined]);
  expect(ring.before(11, 2, () => true)).toEqual([100, 90]);
  expect(ring.before(10, 9, (v) => v !== 90)).toEqual([80]);
});
