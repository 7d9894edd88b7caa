// Publishes to topics of an emulator by the official JavaScript SDK, and checks
// what it answers. Run as: node main.js EVENTGRID-ENDPOINT CLOUDEVENTS-ENDPOINT KEY
import assert from "node:assert/strict";
import { AzureKeyCredential, AzureSASCredential, EventGridPublisherClient, generateSharedAccessSignature } from "@azure/eventgrid";

const [, , gridURL, cloudURL, key] = process.argv;
const once = { retryOptions: { maxRetries: 0 } };
const credential = new AzureKeyCredential(key);

const gridEvent = (id) => ({
  id,
  eventType: "Microsoft.DigitalTwins.Twin.Update",
  subject: "boiler-7",
  eventTime: new Date("2026-03-01T12:00:00.123Z"),
  dataVersion: "1.0",
  data: { data: { patch: [{ op: "replace", path: "/t", value: 20.5 }] }, contenttype: "application/json" },
});
const cloudEvent = (id) => ({
  id,
  source: "plant.example",
  type: "Microsoft.DigitalTwins.Twin.Update",
  subject: "boiler-7",
  time: new Date("2026-03-01T12:00:00.123Z"),
  extensionAttributes: { twin: "boiler-7" },
  data: { text: "Euro € 😀" },
});

const grid = new EventGridPublisherClient(gridURL, "EventGrid", credential, once);
await grid.send([gridEvent("grid-1"), gridEvent("grid-2")]);

const expires = new Date(Date.now() + 3600_000);
const signature = await generateSharedAccessSignature(gridURL, credential, expires);
const signed = new EventGridPublisherClient(gridURL, "EventGrid", new AzureSASCredential(signature), once);
await signed.send([gridEvent("grid-3")]);

const cloud = new EventGridPublisherClient(cloudURL, "CloudEvent", credential, once);
await cloud.send([cloudEvent("cloud-1"), cloudEvent("cloud-2")]);
await cloud.send([{ ...cloudEvent("cloud-3"), data: new Uint8Array([0, 255]), datacontenttype: "application/octet-stream" }]);

const refused = async (client, event, statusCode, code) => {
  await assert.rejects(client.send([event]), (err) => {
    assert.equal(err.statusCode, statusCode, String(err));
    assert.equal(err.code, code, String(err));
    return true;
  });
};
const stranger = new EventGridPublisherClient(gridURL, "EventGrid", new AzureKeyCredential("bm90IHRoZSBrZXk="), once);
await refused(stranger, gridEvent("no"), 401, "Unauthorized");
const late = await generateSharedAccessSignature(gridURL, credential, new Date(Date.now() - 60_000));
await refused(new EventGridPublisherClient(gridURL, "EventGrid", new AzureSASCredential(late), once), gridEvent("no"), 401, "Unauthorized");
await refused(new EventGridPublisherClient(cloudURL, "EventGrid", credential, once), gridEvent("no"), 400, "BadRequest");
await refused(grid, { ...gridEvent("no"), data: { text: "x".repeat(1 << 20) } }, 413, "RequestEntityTooLarge");
