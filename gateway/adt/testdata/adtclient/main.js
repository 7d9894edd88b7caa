// The official clients of Azure Digital Twins, against a gateway.
// Usage: node main.js URL TOKEN
import assert from "node:assert/strict";
import { DigitalTwinsClient } from "@azure/digital-twins-core";

const [url, token] = process.argv.slice(2);
const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600e3 }) };

const filter = "$eventType = 'DigitalTwinTelemetryMessages' or\n $eventType = '<&>'";

for (const apiVersion of [undefined, "2020-10-31", "2023-10-31"]) {
  const twins = new DigitalTwinsClient(url, credential, { apiVersion, retryOptions: { maxRetries: 0 } });

  const made = await twins.upsertEventRoute("Route a", "hub", filter);
  assert.equal(made._response.status, 204);
  const { id, endpointName, filter: kept } = await twins.getEventRoute("Route a");
  assert.deepEqual({ id, endpointName, kept }, { id: "Route a", endpointName: "hub", kept: filter });

  for (let i = 0; i < 5; i++) await twins.upsertEventRoute(`page-${i}`, "hub", "true");
  const ids = [];
  for await (const route of twins.listEventRoutes(2)) ids.push(route.id);
  assert.deepEqual(ids.filter((id) => id.startsWith("page-")), [0, 1, 2, 3, 4].map((i) => `page-${i}`));
  const sizes = [];
  for await (const page of twins.listEventRoutes().byPage({ maxPageSize: 4 })) sizes.push(page.value.length);
  assert.deepEqual(sizes, [4, ids.length - 4]);

  await assert.rejects(twins.upsertEventRoute("bad", "hub", "this is not a valid filter"), (err) => {
    assert.equal(err.statusCode, 400);
    assert.equal(err.code, "EventRouteFilterInvalid");
    assert.match(err.message, /Line=1, Position=6, Message=Unexpected input 'is'/);
    return true;
  });
  await assert.rejects(twins.upsertEventRoute("bad", "nowhere", "true"), { statusCode: 400, code: "EventRouteEndpointInvalid" });
  await assert.rejects(twins.getEventRoute("route a"), { statusCode: 404, code: "EventRouteNotFound" });
  await assert.rejects(twins.deleteEventRoute("route a"), { statusCode: 404, code: "EventRouteNotFound" });

  const deleted = await twins.deleteEventRoute("Route a");
  assert.equal(deleted._response.status, 204);
  for (let i = 0; i < 5; i++) await twins.deleteEventRoute(`page-${i}`);
}

const stranger = new DigitalTwinsClient(url, { getToken: async () => ({ token: "x", expiresOnTimestamp: Date.now() + 3600e3 }) });
await assert.rejects(stranger.getEventRoute("planted"), { statusCode: 401 });

// A route that an operator made with plugins, by its text.
const twins = new DigitalTwinsClient(url, credential);
assert.equal((await twins.getEventRoute("planted")).filter, "type = 'a'");
await twins.upsertEventRoute("planted", "hub", "type = 'b'");
console.log("ok");
