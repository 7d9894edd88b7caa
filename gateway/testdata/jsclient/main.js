// Sends events to a gateway, and receives them from it, by the official
// JavaScript SDK of CloudEvents. Run as: node main.js URL
import assert from "node:assert/strict";
import http from "node:http";
import { CloudEvent, HTTP, Mode, emitterFor, httpTransport } from "cloudevents";

const gateway = process.argv[2];

async function request(method, path, body, type = "application/json") {
  const answer = await fetch(gateway + path, { method, headers: { "content-type": type }, body });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

// The receiver has a path for each mode of delivery, and keeps the events that
// the SDK makes of what arrives there.
const received = { binary: new Map(), structured: new Map(), batch: new Map() };
const faults = [];
let wake = () => {};
const receiver = http.createServer((req, res) => {
  const chunks = [];
  req.on("data", (chunk) => chunks.push(chunk));
  req.on("end", () => {
    try {
      const events = [HTTP.toEvent({ headers: req.headers, body: Buffer.concat(chunks).toString() })].flat();
      for (const event of events) {
        event.validate();
        received[req.url.slice(1)].set(event.id, event);
      }
    } catch (err) {
      faults.push(`${req.url}: ${err}`);
    }
    res.writeHead(204).end();
    wake();
  });
});
await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
for (const mode of Object.keys(received)) {
  const url = `http://127.0.0.1:${receiver.address().port}/${mode}`;
  await request("PUT", `/api/v1/endpoints/js-${mode}`, JSON.stringify({ kind: "webhook", settings: { url, mode } }));
  await request("PUT", `/api/v1/routes/js-${mode}`, JSON.stringify({ endpointName: `js-${mode}`, filter: "source = '/js'" }));
}

// Attributes are ASCII without blanks: the SDK does not percent-decode headers.
const event = (id) =>
  new CloudEvent({
    id,
    source: "/js",
    type: "com.example.js",
    subject: "room-1/relationships/r",
    time: "2026-03-01T12:00:00.123Z",
    dataschema: "https://example.com/schema",
    datacontenttype: "application/json",
    twin: "room-1",
    data: { text: "Euro € 😀", list: [1, 2.5, null], nested: { yes: true } },
  });

const sent = [];
for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
  const emit = emitterFor(httpTransport(gateway + "/events"), { mode });
  const answer = await emit(event(mode));
  assert.deepEqual(JSON.parse(answer.body), { accepted: 1 });
  sent.push(mode);
}
const batch = ["batch-1", "batch-2", "batch-3"];
const accepted = await request("POST", "/events", JSON.stringify(batch.map(event)), "application/cloudevents-batch+json");
assert.deepEqual(accepted, { accepted: batch.length });
sent.push(...batch);

const whole = () => Object.values(received).every((events) => events.size >= sent.length);
while (!whole() && faults.length === 0) {
  await new Promise((resolve) => (wake = resolve));
}
receiver.close();
receiver.closeAllConnections();
assert.deepEqual(faults, []);

for (const [mode, events] of Object.entries(received)) {
  for (const id of sent) {
    const got = events.get(id);
    assert.ok(got, `${mode}: ${id} did not come`);
    const { idempotencykey, producedby, ...rest } = got.toJSON();
    assert.deepEqual(rest, event(id).toJSON(), `${mode}: ${id}`);
    assert.match(idempotencykey, /^[0-9a-f]{32}$/);
    assert.match(producedby, /^[0-9a-f]{16}$/);
  }
}
console.log(`${sent.length} events came back in ${Object.keys(received).length} modes`);
