import { expect, test } from "vitest";
import { cliOf, selectionOf } from "./selection";

test.each([
  [{}, "", undefined],
  [{ all: true }, "", { all: true }],
  [{ endpoint: "hub" }, "", { endpoint: "hub" }],
  [{ group: "9f2c", endpoint: "hub" }, "1-2", { group: "9f2c" }],
  [{}, "1-2,x,3-4,<b>,5", { ids: ["1-2", "3-4"] }],
  [{}, "nothing", undefined],
] as const)("%j and #%s name %j", (search, hash, want) => expect(selectionOf(search, hash)).toEqual(want));

test.each([
  [{ group: "9f2c" }, "headgate dead-letters redrive --group 9f2c"],
  [{ endpoint: "it's" }, "headgate dead-letters redrive --endpoint 'it'\\''s'"],
  [{ all: true }, "headgate dead-letters redrive --all"],
  [{ ids: ["1-2", "3-4"] }, "headgate dead-letters redrive 1-2 3-4"],
] as const)("the command of %j", (selection, want) => expect(cliOf("redrive", selection as never)).toBe(want));

test("the command of a purge says that it is meant", () => {
  expect(cliOf("purge", { group: "9f2c" })).toBe("headgate dead-letters purge --group 9f2c --yes");
  expect(cliOf("purge", { all: true, through: "42-0" })).toBe("headgate dead-letters purge --all --through 42-0 --yes");
});
