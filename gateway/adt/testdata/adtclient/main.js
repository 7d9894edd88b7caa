// The official clients of Azure Digital Twins, against a gateway.
// Usage: node main.js URL TOKEN CONNECTION_STRING
import assert from "node:assert/strict";
import { AzureDigitalTwinsManagementClient } from "@azure/arm-digitaltwins";
import { DigitalTwinsClient } from "@azure/digital-twins-core";

const [url, token, connection] = process.argv.slice(2);
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

// Endpoints, by the client of Azure Resource Manager.
const { digitalTwinsEndpoint: endpoints } = new AzureDigitalTwinsManagementClient(credential, "50016170-c839-41ba-a724-51e9df440b9e", {
  endpoint: url, retryOptions: { maxRetries: 0 },
});
const put = (name, properties) => endpoints.beginCreateOrUpdateAndWait("rg", "twins", name, { properties });
const key = "bm90IGEga2V5";
const bodies = {
  hub1: { endpointType: "EventHub", connectionStringPrimaryKey: connection, connectionStringSecondaryKey: connection, deadLetterSecret: "https://account.blob.core.windows.net/dead?sig=bm90" },
  bus1: { endpointType: "ServiceBus", authenticationType: "IdentityBased", endpointUri: "sb://ns.servicebus.windows.net/", entityPath: "twins", deadLetterUri: "https://account.blob.core.windows.net/dead" },
  grid1: { endpointType: "EventGrid", topicEndpoint: "https://topic.eventgrid.azure.net/api/events", accessKey1: key, accessKey2: key },
  left: { endpointType: "ServiceBus", primaryConnectionString: connection },
};
for (const [name, properties] of Object.entries(bodies)) {
  const made = await put(name, properties);
  assert.equal(made.name, name);
  assert.equal(made.properties.endpointType, properties.endpointType);
  assert.equal(made.properties.provisioningState, "Succeeded");
  assert.ok(made.properties.createdTime instanceof Date);
  assert.ok(!JSON.stringify(made).includes(key));
  const again = await put(name, made.properties); // as it was read
  assert.deepEqual(again.properties, made.properties);
}
assert.equal((await endpoints.get("rg", "twins", "hub1")).properties.connectionStringPrimaryKey,
  "Endpoint=sb://***/;SharedAccessKeyName=***;SharedAccessKey=***;EntityPath=***");

const names = [];
for await (const endpoint of endpoints.list("rg", "twins")) names.push(endpoint.name);
assert.deepEqual(names, ["bus1", "grid1", "hub1", "left"]); // and not hub, which is a file

await twins.upsertEventRoute("r", "hub1", "true");
await assert.rejects(endpoints.beginDeleteAndWait("rg", "twins", "hub1"), { statusCode: 409, code: "Conflict" });
await twins.deleteEventRoute("r");
for (const name of ["hub1", "bus1", "grid1", "grid1"]) await endpoints.beginDeleteAndWait("rg", "twins", name);
await assert.rejects(endpoints.get("rg", "twins", "hub1"), { statusCode: 404, code: "ResourceNotFound" });
await assert.rejects(put("hub2", { ...bodies.hub1, connectionStringPrimaryKey: "none" }), { statusCode: 400, code: "ValidationFailed" });
console.log("ok");
