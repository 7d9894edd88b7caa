import { expect, test } from "vitest";
import { kindOf, targetOf } from "./kinds";

test.each([
  [{ url: "https://x.example/in?code=secret" }, "https://x.example/in"],
  [{ topicEndpoint: "https://t.example/api/events" }, "https://t.example/api/events"],
  [{ containerUri: "https://a.blob.example/lake?sv=1&sig=secret" }, "https://a.blob.example/lake"],
  [{ path: "/var/out.ndjson" }, "/var/out.ndjson"],
  [{ connectionString: "Endpoint=sb://ns.example/;SharedAccessKeyName=k;SharedAccessKey=***;EntityPath=hub" }, "ns.example / hub"],
  [{ endpointUri: "sb://ns.example/", entityPath: "queue" }, "ns.example / queue"],
  [{ endpointUri: "sb://ns.example", topic: "t", subscription: "s" }, "ns.example / t/s"],
  [{ connectionString: "AccountName=acc;AccountKey=***", container: "lake" }, "acc / lake"],
  [{ url: 7 }, ""],
  [{}, ""],
])("%j leads to %j", (settings, want) => expect(targetOf(settings)).toBe(want));

test("a kind that is not known is called what it is", () => {
  expect(kindOf("carrierPigeon")).toMatchObject({ label: "carrierPigeon" });
  expect(kindOf("webhook").label).toBe("Webhook");
});
