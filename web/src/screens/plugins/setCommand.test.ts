import { expect, test } from "vitest";
import { setCommand } from "./setCommand";

type Settings = Parameters<typeof setCommand>[1];

test.each<[string, Settings, Settings, string]>([
  ["nothing", {}, {}, ""],
  ["what is set", {}, { limits: { eventFuel: 5 }, grants: ["clock", "random"], breaker: { onOpen: "wait", traps: 24, pause: "30s" } }, " --limit eventFuel=5 --grant clock,random --breaker onOpen=wait --breaker traps=24 --breaker pause=30s"],
  ["what stays is said too", { limits: { eventFuel: 5 } }, { limits: { eventFuel: 5, memoryBytes: 9 } }, " --limit eventFuel=5 --limit memoryBytes=9"],
  ["what is taken away", { limits: { eventFuel: 5 }, grants: ["clock"], breaker: { traps: 24 } }, {}, " --limit eventFuel= --grant '' --breaker traps="],
])("the command for %s", (_, before, after, want) => expect(setCommand("tsi", before, after)).toBe("headgate plugin set tsi" + want));
