import { expect, test } from "vitest";
import { formSchema, hideSecrets, kindsOf, settingsName } from "./jsonSchema";

const defs = {
  reference: { type: "object", properties: { env: { type: "string" } } },
  secret: { type: "string", writeOnly: true, description: "a secret" },
  endpoint: { type: "object", properties: { kind: { enum: ["webhook", "serviceBus"] }, settings: { $ref: "#/$defs/endpointServiceBus" } } },
  endpointServiceBus: {
    type: "object",
    properties: {
      key: { anyOf: [{ $ref: "#/$defs/secret" }, { $ref: "#/$defs/reference" }], description: "of the queue" },
      size: { anyOf: [{ type: "integer" }, { type: "string" }, { $ref: "#/$defs/reference" }] },
      headers: { type: "object", additionalProperties: { $ref: "#/$defs/secret" } },
      list: { type: "array", items: { $ref: "#/$defs/secret" } },
      lost: { $ref: "#/$defs/not-there", title: "Lost" },
    },
  },
  tree: { type: "object", properties: { children: { type: "array", items: { $ref: "#/$defs/tree" } } } },
};

test("references are followed, and what may stand for a value in Git is left out", () => {
  expect(formSchema(defs, "endpointServiceBus")?.properties).toEqual({
    key: { type: "string", writeOnly: true, description: "of the queue" },
    size: { anyOf: [{ type: "integer" }, { type: "string" }] },
    headers: { type: "object", additionalProperties: { type: "string", writeOnly: true, description: "a secret" } },
    list: { type: "array", items: { type: "string", writeOnly: true, description: "a secret" } },
    lost: { title: "Lost" },
  });
  expect(formSchema(defs, "no-such")).toBeUndefined();
});

test("a definition within itself ends", () => {
  expect(JSON.stringify(formSchema(defs, "tree")).length).toBeLessThan(500);
});

test("the kinds, and the names of their settings", () => {
  expect(kindsOf(defs, "endpoint")).toEqual(["webhook", "serviceBus"]);
  expect(kindsOf(defs, "source")).toEqual([]);
  expect(settingsName("endpoint", "serviceBus")).toBe("endpointServiceBus");
});

test.each([
  ["new", "(a new secret)"],
  ["***", "***"],
  ["Endpoint=sb://x;SharedAccessKey=***", "Endpoint=sb://x;SharedAccessKey=***"],
  [{ Authorization: "Bearer x", Other: "***" }, { Authorization: "(a new secret)", Other: "***" }],
])("the secret %j is shown as %j", (value, want) => {
  expect(hideSecrets({ type: "object", properties: { key: { type: "string", writeOnly: true } } }, { key: value, url: "http://x" })).toEqual({ key: want, url: "http://x" });
});
