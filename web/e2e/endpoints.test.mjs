import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, closeBrowser, Gateway, newPage, noOverflow, picture, Receiver, seed, until, update } from "./world.mjs";

let gateway, receiver;
const some = ["wide-light", "phone-dark"];

before(async () => {
  receiver = await Receiver.start();
  gateway = await Gateway.start();
  await seed(gateway, receiver);
});
after(async () => {
  await closeBrowser();
  await gateway.stop();
  await receiver.stop();
});

const endpoint = (name) => gateway.api("GET", "/endpoints/" + name);

test("the list of endpoints looks right", () => picture(gateway, "endpoints", "/endpoints", (page) => page.getByText(/is failing, which began .*401/).waitFor()));

test("the page of an endpoint, its settings and history look right", async () => {
  await picture(gateway, "endpoint", "/endpoints/key-was-rotated", (page) => page.getByRole("heading", { name: "Latest attempts" }).waitFor());
  await picture(gateway, "endpoint-settings", "/endpoints/plant-hub?tab=settings", (page) => page.getByLabel("Max attempts").waitFor(), { only: some });
  await picture(gateway, "endpoint-history", "/endpoints/plant-hub?tab=history", (page) => page.getByText("in force").waitFor(), { only: some });
});

test("the choice of a kind, and its form, look right", async () => {
  await picture(gateway, "endpoint-new", "/new-endpoint", (page) => page.getByRole("button", { name: /Service Bus/ }).waitFor(), { only: some });
  await picture(gateway, "endpoint-form", "/new-endpoint?kind=eventHub", (page) => page.getByLabel("Connection string").waitFor(), { only: some });
});

test("an empty list says what an endpoint and a source are for", async () => {
  const own = await Gateway.start();
  await picture(own, "endpoints-empty", "/endpoints", (page) => page.getByText("No endpoint yet").waitFor(), { only: some });
  await picture(own, "sources-empty", "/endpoints?tab=sources", (page) => page.getByText("No source yet").waitFor(), { only: ["wide-dark"] });
  await own.stop();
});

test("what holds up a key is shown, tried again and skipped", async () => {
  const own = await Gateway.start();
  const away = await Receiver.start(() => 503);
  await own.api("PUT", "/endpoints/stuck", { kind: "webhook", settings: { url: away.url }, delivery: { initialBackoff: "1h", maxBackoff: "1h" } });
  await own.api("PUT", "/routes/all", { endpointName: "stuck", filter: "true" });
  for (const [id, n] of [["pump-1", 1], ["pump-1", 2], ["pump-1", 3], ["pump-2", 4]]) await own.send(update(id, "/temperature", n));
  await until("two keys to be held up", async () => {
    const { items } = await own.api("GET", "/endpoints/stuck/blocked");
    return items.length === 2 && items[0].behind === 2 && items.every((k) => k.tries === 1 && !k.underWay);
  });
  await picture(own, "endpoint-blocked", "/endpoints/stuck", (p) => p.getByText("2 keys are held up").waitFor(), { only: some });
  const page = await newPage(own);
  await page.goto("/endpoints/stuck");
  const keys = page.getByRole("grid", { name: /held up/ });
  await keys.getByText(/503/).first().waitFor();
  await keys.getByRole("button", { name: /More for .*pump-1/ }).click();
  await page.getByRole("menuitem", { name: "Skip it…" }).click();
  const dialog = page.getByRole("alertdialog").or(page.getByRole("dialog"));
  await dialog.getByText(/becomes a dead letter/).waitFor();
  away.answer = () => 200; // the next of the key goes through
  await dialog.getByRole("button", { name: "Skip it" }).click();
  await page.getByText("2 deliveries behind it go on.").first().waitFor();
  await page.getByText("One key is held up").waitFor();
  assert.deepEqual((await own.api("GET", "/dead-letters")).items.map((l) => /^skipped by hand, after it failed with: .*503/.test(l.reason)), [true]);
  await page.getByRole("button", { name: "Try again now" }).click();
  await page.getByText("What failed is tried again now").first().waitFor();
  await until("the other key to go on too", async () => (await own.api("GET", "/endpoints/stuck")).status.delivered === 3);
  await page.getByText("One key is held up").waitFor({ state: "detached" });
  assert.deepEqual(away.got.filter((r) => r.headers["ce-subject"] === "pump-1").map((r) => JSON.parse(r.body).patch?.[0]?.value ?? 0), [1, 2, 3], "in order, the skipped one by its first try alone");
  await page.close();
  await own.stop();
  await away.stop();
});

test("an endpoint is made, tried, changed, undone and deleted, with the keyboard where it matters", async () => {
  const page = await newPage(gateway, { expect: [/400/, /409/] });
  await page.goto("/endpoints");
  await page.getByRole("grid", { name: "Endpoints" }).waitFor();
  await page.keyboard.press("n");
  await page.getByRole("button", { name: /^Webhook/ }).press("Enter");
  await page.getByLabel("Name", { exact: false }).first().fill("desk");
  await page.getByLabel("URL").fill("not an address");
  await page.getByRole("button", { name: "Make the endpoint" }).click();
  // What is wrong is said in words and at its field.
  await page.getByRole("alert").filter({ hasText: "It was not made" }).waitFor();
  assert.equal(await page.getByLabel("URL").getAttribute("aria-invalid"), "true");
  await page.getByLabel("URL").fill(receiver.url + "/desk");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByLabel("Headers, name 1").fill("Authorization");
  await page.getByLabel("Headers, value 1").fill("Bearer sesame-1");
  await page.getByRole("button", { name: "Make the endpoint" }).click();
  await page.getByText("desk is made", { exact: true }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/endpoints/desk");
  assert.deepEqual((await endpoint("desk")).settings, { headers: { Authorization: "***" }, url: receiver.url + "/desk" });
  await until("the secret to be nowhere on the page once it is stored", async () => !(await page.content()).includes("sesame"));

  await page.getByRole("button", { name: "Try the connection" }).click();
  await page.getByText("It can be reached").waitFor();
  await page.getByRole("button", { name: "Send an event too" }).click();
  await page.getByText("It took an event").waitFor();
  await until("the event to be at the endpoint", () => receiver.got.some((r) => r.headers["ce-type"] === "Headgate.Probe" && r.headers.authorization === "Bearer sesame-1"));

  await page.getByRole("tab", { name: "Settings" }).click();
  await page.getByLabel("Max attempts").fill("7");
  await page.getByRole("heading", { name: "What will change" }).waitFor();
  await page.getByRole("button", { name: "Save the settings" }).click();
  await page.getByText("desk is saved", { exact: true }).waitFor();
  const saved = await endpoint("desk");
  assert.equal(saved.delivery.maxAttempts, 7);
  assert.equal(saved.settings.headers.Authorization, "***", "a secret that nobody touched stays");
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("desk is as it was", { exact: true }).waitFor();
  assert.equal((await endpoint("desk")).delivery.maxAttempts, 0);

  // The secret that was stored first still goes out.
  await gateway.api("PUT", "/routes/to-desk", { endpointName: "desk", filter: "subject = 'knock'" });
  await gateway.send(update("knock", "/x", 1));
  await until("the event at the desk", () => receiver.got.some((r) => r.path === "/desk" && r.headers.authorization === "Bearer sesame-1"));

  // In use: it is refused, and says by what.
  const remove = async () => {
    await page.getByRole("button", { name: "More for desk" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    const dialog = page.getByRole("alertdialog");
    assert.equal(await dialog.getByRole("button", { name: "Delete the endpoint" }).isDisabled(), true, "the name has to be written first");
    await dialog.getByRole("textbox").fill("desk");
    await dialog.getByRole("button", { name: "Delete the endpoint" }).click();
    return dialog;
  };
  const dialog = await remove();
  await dialog.getByText("to-desk").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await gateway.api("DELETE", "/routes/to-desk");
  await remove();
  await page.getByText("desk is deleted", { exact: true }).first().waitFor();
  await page.waitForURL((url) => url.pathname === "/endpoints");
  await page.close();
});

test("an endpoint that fails says since when and why, and its attempts are there after a reload", async () => {
  const page = await newPage(gateway);
  await page.goto("/endpoints/key-was-rotated");
  await page.getByText(/It began to fail .*401/).waitFor();
  const attempts = page.getByRole("grid", { name: "Latest attempts" });
  await attempts.getByText(/401/).first().waitFor();
  await page.getByRole("link", { name: "to-the-lake" }).first().waitFor();
  await page.goto("/endpoints/historian");
  await page.getByRole("grid", { name: "Latest attempts" }).getByText("delivered").first().waitFor();
  await page.getByRole("checkbox", { name: "Only those that failed" }).check();
  await page.getByText("None failed").waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "historian" }).waitFor();
  await page.close();
});

test("a change of someone else meanwhile is shown beside one's own", async () => {
  const page = await newPage(gateway, { expect: [/412/] });
  await page.goto("/endpoints/historian?tab=settings");
  await page.getByLabel("Timeout").fill("11s");
  const { settings, delivery } = await endpoint("historian");
  await gateway.api("PUT", "/endpoints/historian", { kind: "webhook", settings, delivery: { ...delivery, maxBackoff: "1m" } });
  await page.getByRole("button", { name: "Save the settings" }).click();
  await page.getByText("Someone changed it while you edited").waitFor();
  await accessible(page, "a conflict of settings");
  await noOverflow(page, "a conflict of settings");
  await page.getByRole("button", { name: "Save mine over it" }).click();
  await page.getByText("historian is saved", { exact: true }).waitFor();
  assert.equal((await endpoint("historian")).delivery.timeout, "11s");
  // What was written over comes back, not what there was before both.
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("historian is as it was", { exact: true }).waitFor();
  const { maxBackoff, timeout } = (await endpoint("historian")).delivery;
  assert.deepEqual({ maxBackoff, timeout }, { maxBackoff: "1m", timeout: delivery.timeout });

  // A change is not left by mistake, and Discard takes back what fields hold of their own.
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByLabel("Headers, name 2").fill("X-Other");
  await page.getByRole("tab", { name: "History" }).click();
  const question = page.getByRole("alertdialog");
  await question.getByRole("heading", { name: "Leave without saving?" }).waitFor();
  await page.waitForFunction(() => document.activeElement?.textContent === "Cancel");
  await page.keyboard.press("Enter");
  await question.waitFor({ state: "detached" });
  assert.equal(await page.getByLabel("Headers, name 2").inputValue(), "X-Other");
  await page.getByRole("button", { name: "Discard" }).click();
  await page.getByLabel("Headers, name 2").waitFor({ state: "detached" });
  await page.getByRole("tab", { name: "History" }).click();
  await page.getByText("in force").waitFor();
  await page.close();
});

test("sources: made, seen failing in words, switched off and on", async () => {
  const page = await newPage(gateway);
  await page.goto("/new-source?kind=serviceBus");
  await page.getByLabel("Name", { exact: false }).first().fill("orders");
  await page.getByLabel("Connection string").fill("Endpoint=sb://127.0.0.1:9;SharedAccessKeyName=listen;SharedAccessKey=bm90IGEga2V5;UseDevelopmentEmulator=true");
  await page.getByLabel("Entity path").fill("orders");
  await page.getByRole("button", { name: "Make the source" }).click();
  await page.getByText("orders is made", { exact: true }).waitFor();
  await page.getByText(/It is failing/).waitFor();
  await until("the secret to be nowhere on the page", async () => !(await page.content()).includes("bm90IGEga2V5"));
  await picture(gateway, "source", "/sources/orders", (p) => p.getByText(/It is failing/).waitFor(), { only: some });
  await picture(gateway, "sources", "/endpoints?tab=sources", (p) => p.getByRole("link", { name: "orders" }).waitFor(), { only: some });
  await page.getByRole("button", { name: "Try the connection" }).click();
  await page.getByText("It would fail").waitFor();
  await page.getByRole("button", { name: "More for orders" }).click();
  await page.getByRole("menuitem", { name: "Stop fetching" }).click();
  await page.getByText("Fetches nothing: it is switched off.").waitFor();
  assert.equal((await gateway.api("GET", "/sources/orders")).enabled, false);
  await page.close();
  await gateway.api("DELETE", "/sources/orders");
});

test("an endpoint is paused, which the overview tells, and resumed", async () => {
  const stored = async () => (await gateway.api("GET", "/endpoints/held")).paused === true;
  await gateway.api("PUT", "/endpoints/held", { kind: "file", settings: { path: "held.ndjson" } });
  const page = await newPage(gateway);
  await page.goto("/endpoints/held");
  await page.getByRole("button", { name: "More for held" }).click();
  await page.getByRole("menuitem", { name: "Pause" }).click();
  await page.getByText("Nothing is sent to it: it is paused").waitFor();
  assert.equal(await stored(), true);
  await page.goto("/");
  await page.getByRole("article").filter({ hasText: "held" }).getByText("It is paused.").waitFor();
  await page.goto("/endpoints/held");
  await page.getByRole("button", { name: "More for held" }).click();
  await page.getByRole("menuitem", { name: "Resume" }).click();
  await page.getByText("held is sent what it is owed", { exact: true }).waitFor();
  assert.equal(await stored(), false);
  await page.getByRole("button", { name: "Undo" }).click();
  await until("the pause to be back", stored);
  await page.close();
  await gateway.api("DELETE", "/endpoints/held");
});

test("what lies in the local emulator is seen, and does not move while it is read", async () => {
  const demo = await Gateway.start({ demo: true, rate: 50 });
  await picture(demo, "emulator", "/endpoints?tab=emulator&entity=serviceBus/lines", (page) => page.getByText("Next to be received").waitFor(), { only: some });
  const page = await newPage(demo);
  await page.goto("/endpoints?tab=emulator");
  await page.getByRole("grid", { name: "Entities of the emulator" }).getByText("lines").click();
  const panel = page.getByRole("complementary", { name: "What lies in lines" });
  await panel.getByRole("button", { name: /session line-/ }).first().click();
  await panel.getByText("Properties").first().waitFor();
  const before = await panel.getByRole("listitem").count();
  await panel.getByRole("button", { name: "Show what is there now" }).waitFor();
  assert.equal(await panel.getByRole("listitem").count(), before, "the list is as it was opened");
  await page.close();
  await picture(demo, "overview-topology", "/", (p) => p.getByLabel("Where events come from and go").or(p.getByRole("grid", { name: "Routes and their endpoints" })).first().waitFor(), { only: ["wide-light", "wide-dark"] });
  await demo.stop();
});

test("the first run: three clicks from nothing to events that flow", async () => {
  const own = await Gateway.start();
  const page = await newPage(own);
  await page.goto("/");
  await page.getByRole("button", { name: "Show me with simulated twins" }).click();
  await page.getByRole("listitem").filter({ hasText: "Send events here" }).getByLabel("done").waitFor();
  await page.getByLabel("File on the server").fill(own.dir + "/out.ndjson");
  await page.getByRole("button", { name: "Make this endpoint" }).click();
  await page.getByRole("listitem").filter({ hasText: "Add an endpoint" }).getByLabel("done").waitFor();
  await page.getByRole("button", { name: "Make this route" }).click();
  // Now there is something to see, and what it is.
  await page.getByRole("heading", { name: "What flows now" }).waitFor();
  await page.getByText(/Simulated twins send 10 events a second/).waitFor();
  await until("events of the simulated twins at the endpoint", async () => (await own.api("GET", "/status")).endpoints[0]?.delivered > 5);
  await page.getByRole("button", { name: "End them" }).click();
  await page.getByText("The simulated twins have ended", { exact: true }).first().waitFor();
  assert.equal((await own.api("GET", "/simulation")).running, false);
  await page.close();
  await own.stop();
});

test("the topology leads to what it shows, and folds when there is much", async () => {
  const page = await newPage(gateway);
  await page.goto("/");
  const topology = page.getByLabel("Where events come from and go");
  await topology.getByRole("link", { name: "key-was-rotated" }).waitFor();
  await topology.getByRole("link", { name: "plant-hub" }).click();
  await page.waitForURL((url) => url.pathname === "/endpoints/plant-hub");
  await Promise.all(Array.from({ length: 40 }, (_, i) => gateway.api("PUT", "/routes/many-" + i, { endpointName: i % 2 ? "plant-hub" : "key-was-rotated", filter: "subject = 'nobody'" })));
  await page.goto("/");
  await topology.getByText(/^\d+ other routes$/).waitFor();
  await topology.getByText(/^\d+ routes$/).first().waitFor();
  await page.close();
  for (let i = 0; i < 40; i++) await gateway.api("DELETE", "/routes/many-" + i);
});

test("the configuration in force, and everything as YAML", async () => {
  await picture(gateway, "settings-server", "/settings?tab=server", (page) => page.getByRole("grid", { name: "Configuration in force" }).waitFor(), { only: some });
  await picture(gateway, "settings-export", "/settings?tab=export", (page) => page.getByLabel("Documents as YAML").waitFor(), { only: some });
  const page = await newPage(gateway);
  await page.goto("/settings?tab=server&changed=true");
  await page.getByRole("grid", { name: "Configuration in force" }).getByText("listen", { exact: true }).waitFor();
  assert.equal(await page.getByText("drain-timeout").count(), 0, "what is the default is left out");
  await page.goto("/settings?tab=export");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download as YAML" }).click()]);
  assert.equal(download.suggestedFilename(), "headgate.yaml");
  const chunks = [];
  for await (const c of await download.createReadStream()) chunks.push(c);
  const text = Buffer.concat(chunks).toString();
  assert.match(text, /kind: Endpoint\nname: plant-hub\n/);
  assert.match(text, /\*\*\*/);
  assert.ok(!text.includes("Bearer secret"));
  await page.close();
});
