import { expect, test } from "vitest";
import { tailFilter } from "./tail";

const update = "type IN ['Microsoft.DigitalTwins.Twin.Update']";
const known = "['Microsoft.DigitalTwins.Twin.Update', 'Microsoft.DigitalTwins.Twin.Create', 'Microsoft.DigitalTwins.Twin.Delete', 'Microsoft.DigitalTwins.Relationship.Create', 'Microsoft.DigitalTwins.Relationship.Update', 'Microsoft.DigitalTwins.Relationship.Delete', 'Microsoft.DigitalTwins.Telemetry', 'microsoft.iot.telemetry']";

test.each([
  [[], "", "", ""],
  [["update"], "", "", update],
  [["other"], "", "", `NOT type IN ${known}`],
  [["update", "other"], "", "", `${update} OR NOT type IN ${known}`],
  [[], "it's", "", "CONTAINS(subject, 'it''s') OR CONTAINS(source, 'it''s')"],
  [[], "", "  a = 1 OR b = 2 ", "a = 1 OR b = 2"],
  [["update"], "p", "a = 1 OR b = 2", `(${update}) AND (CONTAINS(subject, 'p') OR CONTAINS(source, 'p')) AND (a = 1 OR b = 2)`],
] as const)("the tail of %j, %j and %j", (kinds, text, filter, want) => expect(tailFilter(kinds, text, filter)).toBe(want));
