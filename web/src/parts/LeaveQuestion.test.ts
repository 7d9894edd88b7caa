import { expect, test } from "vitest";
import { leaves } from "./LeaveQuestion";

const settings = { pathname: "/endpoints/hub", search: { tab: "settings", range: "1h" } };

test.each([
  ["another tab", { ...settings, search: { tab: "history" } }, true],
  ["another page", { ...settings, pathname: "/endpoints/other" }, true],
  ["what the form does not depend on", { ...settings, search: { tab: "settings", upload: true } }, false],
] as const)("%s", (_, next, want) => expect(leaves({ current: settings, next })).toBe(want));

test("another kind is another form", () => expect(leaves({ current: { pathname: "/new-endpoint", search: { kind: "webhook" } }, next: { pathname: "/new-endpoint", search: {} } })).toBe(true));
