import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { accessible, closeBrowser, Gateway, newPage, noOverflow, picture, Receiver, seed, until, update } from "./world.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const some = ["wide-light", "phone-dark"];
let gateway, receiver, built;

before(async () => {
  receiver = await Receiver.start();
  gateway = await Gateway.start();
  built = build();
  await seed(gateway, receiver);
  // For the pictures: a plugin with versions, users, log lines and traps.
  await upload("line-stamp", "first", "fragile second", "third");
  await activate("line-stamp", 2);
  await routed("stamped", "line-stamp", "subject = 'press-1' OR subject = 'press-2'");
  await gateway.send(...[20, 30, 130, 140].flatMap((t) => [update("press-1", "/temperature", t), update("press-2", "/temperature", t)]));
  await until("the traps", async () => (await deadLetters("line-stamp")) === 4);
});
after(async () => {
  await closeBrowser();
  await gateway?.stop();
  await receiver?.stop();
});

/** The module of testdata/stamp, built by Go. */
function build() {
  const module = join(gateway.dir, "stamp.wasm");
  execFileSync("go", ["build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", module, "./web/e2e/testdata/stamp"], { cwd: root, env: { ...process.env, GOOS: "wasip1", GOARCH: "wasm", CGO_ENABLED: "0" } });
  return readFileSync(module);
}

/** A version of it that writes another mark; one that begins with "fragile" traps on temperatures above 100. */
function stamp(mark) {
  const was = "mark of the stamp, 32 characters";
  const at = built.indexOf(was);
  assert.ok(at > 0, "the mark is in the module");
  const module = Buffer.from(built);
  module.write(mark.padEnd(was.length), at, "latin1");
  return module;
}

const plugin = (name) => gateway.api("GET", "/plugins/" + name);
const activate = (name, version) => gateway.api("PUT", `/plugins/${name}/active`, { version });
const file = (name, buffer) => ({ name, mimeType: "application/wasm", buffer });

async function upload(name, ...marks) {
  for (const m of marks) await gateway.api("POST", `/plugins/${name}/versions`, stamp(m));
}

/** A route through a plugin to an endpoint of its own, both called as the plugin. */
async function routed(id, name, filter, delivery) {
  await gateway.api("PUT", "/endpoints/" + name, { kind: "webhook", settings: { url: receiver.url + "/" + name }, delivery });
  await gateway.api("PUT", "/routes/" + id, { endpointName: name, filter, transforms: [{ plugin: name }] });
}

async function remove(id, name) {
  await gateway.api("DELETE", "/routes/" + id);
  await gateway.api("DELETE", "/endpoints/" + name);
  await gateway.api("DELETE", "/plugins/" + name);
}

async function deadLetters(endpoint) {
  return (await gateway.api("GET", "/status")).endpoints.find((e) => e.name === endpoint)?.deadLetters;
}

const header = (got, name) => got.headers["ce-" + name];

/** Sends an event and answers what the route through name delivers of it. */
async function delivered(name, twin) {
  const event = update(twin, "/temperature", 20);
  await gateway.send(event);
  return until("the delivery of " + event.id, () => receiver.got.find((g) => g.path === "/" + name && header(g, "id") === event.id));
}

/** Lets a page send no faster than so many bytes a second, so that an upload can be seen. */
async function slow(page, bytes) {
  const client = await page.context().newCDPSession(page);
  await client.send("Network.enable");
  const set = (uploadThroughput) => client.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
  await set(bytes);
  return () => set(-1);
}

/** Drops a file on the page, as a person would from a folder: its bytes, then as many zeros as it takes to have size. */
async function drop(page, name, bytes, size = bytes.length) {
  const data = await page.evaluateHandle(
    ([name, base64, size]) => {
      const head = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const mega = new Uint8Array(1 << 20);
      const parts = [head];
      for (let left = size - head.length; left > 0; left -= mega.length) parts.push(left < mega.length ? mega.subarray(0, left) : mega);
      const data = new DataTransfer();
      data.items.add(new File(parts, name, { type: "application/wasm" }));
      return data;
    },
    [name, bytes.toString("base64"), size],
  );
  for (const type of ["dragenter", "dragover"]) await page.dispatchEvent("#main", type, { dataTransfer: data });
  await page.getByText("Drop the module to look at it").waitFor();
  await page.dispatchEvent("#main", "drop", { dataTransfer: data });
}

const panel = (page) => page.getByRole("dialog");
const question = (page, name) => page.getByRole("alertdialog", { name });
const input = (page) => page.locator("input[type=file]");
const toast = (page, title) => page.locator(".fui-ToastTitle").getByText(title, { exact: true });

/** The line of a version in the list of versions. */
const version = (page, n) => page.getByRole("region", { name: "Versions" }).getByRole("listitem").filter({ has: page.getByRole("heading", { name: "Version " + n, exact: true }) });
const isActive = (page, n) => version(page, n).getByText("active", { exact: true }).waitFor();

test("the list of plugins looks right", () =>
  picture(gateway, "plugins", "/plugins", async (page) => {
    await page.getByRole("link", { name: "line-stamp" }).waitFor();
    await page.getByText("4 traps").waitFor();
    await page.getByText("in use").first().waitFor();
  }));

test("the page of a plugin looks right", () =>
  picture(gateway, "plugin", "/plugins/line-stamp", async (page) => {
    await page.getByText("Version 3 waits to be activated").waitFor();
    await isActive(page, 2);
    await page.getByText("Highest fuel").waitFor();
  }));

test("its tabs, and an upload, look right", async () => {
  const look = (name, path, ready) => picture(gateway, "plugin-" + name, "/plugins/line-stamp" + path, ready, { only: some });
  await look("used", "?tab=used", (page) => page.getByRole("link", { name: "stamped" }).waitFor());
  await look("bench", "?tab=bench", (page) => page.getByText("stamps press-2").waitFor());
  await look("traps", "?tab=traps", async (page) => {
    const cause = page.getByRole("button", { name: /too hot to be stamped/ }).first();
    await cause.waitFor();
    if ((await cause.getAttribute("aria-expanded")) !== "true") await cause.click();
    await page.getByLabel("Trace").waitFor();
  });
  await look("logs", "?tab=logs", (page) => page.getByText("stamps press-2").first().waitFor());
  await look("settings", "?tab=settings", (page) => page.getByRole("heading", { name: "What it may use" }).waitFor());
  await look("upload", "?upload=true", async (page) => {
    const empty = panel(page).getByText("Drop a WebAssembly module here"), found = page.getByText(/^Fails on/);
    await empty.or(found).first().waitFor();
    if (await empty.isVisible()) await input(page).setInputFiles(file("line-stamp.wasm", stamp("fragile fourth")));
    await found.waitFor({ timeout: 60_000 });
  });
  await look("activate", "?activate=3", (page) => question(page).getByText(/^Of the latest/).waitFor());
});

test("the main job: a module is dropped, tried, let in, and replaced, and the stream changes", async () => {
  const page = await newPage(gateway);
  await page.goto("/plugins");
  await page.getByRole("link", { name: "line-stamp" }).waitFor();
  const fast = await slow(page, 1_500_000);
  await drop(page, "press stamp.wasm", stamp("one"));
  await page.getByText(/^Sending, \d+ %$/).waitFor();
  await page.getByRole("heading", { name: "What was found" }).waitFor();
  await fast();
  const checks = panel(page).getByRole("listitem");
  await checks.filter({ hasText: "It is a plugin: transform" }).getByLabel("Fine").waitFor();
  await checks.filter({ hasText: "nothing that the sandbox does not give" }).getByLabel("Fine").waitFor();
  await checks.filter({ hasText: /Tried on \d+ events/ }).getByLabel("Fine").waitFor();
  assert.equal(await panel(page).getByRole("textbox", { name: "Name" }).inputValue(), "press-stamp");
  assert.ok(!(await gateway.api("GET", "/plugins")).items.some((p) => p.name === "press-stamp"), "nothing is stored by the trial");
  await page.getByRole("button", { name: "Upload; it becomes active" }).click();
  await toast(page, "press-stamp 1 is active").waitFor();
  await isActive(page, 1);
  await page.getByText("and no route uses it").waitFor();

  await routed("press", "press-stamp", "subject = 'press-9'");
  assert.equal(header(await delivered("press-stamp", "press-9"), "stamp"), "one");
  await page.keyboard.press("u");
  await panel(page).getByText("New version of press-stamp").waitFor();
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Pick a file" }).click()]);
  await chooser.setFiles(file("two.wasm", stamp("two")));
  await checks.filter({ hasText: "Tried on 1 event as route press uses it: 1 becomes 1 event" }).getByLabel("Fine").waitFor();
  await accessible(page, "the report of an upload");
  await page.getByRole("button", { name: "Upload and activate" }).click();
  await toast(page, "press-stamp 2 is active").waitFor();
  await isActive(page, 2);
  assert.equal(header(await delivered("press-stamp", "press-9"), "stamp"), "two");
  await page.getByRole("button", { name: "Undo" }).click();
  await isActive(page, 1);
  assert.equal(header(await delivered("press-stamp", "press-9"), "stamp"), "one");
  // The same bytes once more are no new version.
  await page.getByRole("button", { name: "Upload a version" }).click();
  await input(page).setInputFiles(file("two.wasm", stamp("two")));
  await page.getByText("These very bytes are version 2 of press-stamp already.").waitFor();
  await page.getByRole("button", { name: "Activate version 2" }).click();
  await isActive(page, 2);
  assert.equal((await plugin("press-stamp")).versions.length, 2);
  await page.close();
  await remove("press", "press-stamp");
});

test("versions are swapped under load: no event is lost, and none fails", async (t) => {
  await upload("swapped", "one", "two");
  await activate("swapped", 1);
  await routed("swap", "swapped", "subject = 'swap'");
  const page = await newPage(gateway);
  await page.goto("/plugins/swapped");
  await isActive(page, 1);
  const sent = [];
  let over = false;
  const load = (async () => {
    while (!over) {
      const events = Array.from({ length: 10 }, () => update("swap", "/temperature", 20));
      await gateway.send(...events);
      sent.push(...events.map((e) => e.id));
      await new Promise((done) => setTimeout(done, 20)); // some hundred events a second
    }
  })();
  t.after(() => {
    over = true;
    return load;
  });
  for (const n of [2, 1, 2, 1]) {
    const have = receiver.got.filter((g) => g.path === "/swapped").length;
    await until("events to flow", () => receiver.got.filter((g) => g.path === "/swapped").length > have + 20);
    await version(page, n).getByRole("button", { name: n === 1 ? "Roll back to this" : "Activate", exact: true }).click();
    await question(page).getByText(/made into something else/).waitFor();
    await question(page).getByRole("button", { name: n === 1 ? "Roll back" : "Activate", exact: true }).click();
    await isActive(page, n);
    await until("the deliveries to be those of version " + n, () => header(receiver.got.findLast((g) => g.path === "/swapped"), "stamp") === (n === 1 ? "one" : "two"));
  }
  over = true;
  await load;
  const got = await until("all to arrive", () => {
    const got = receiver.got.filter((g) => g.path === "/swapped");
    return got.length >= sent.length && got;
  });
  const ids = new Set(got.map((g) => header(g, "id")));
  assert.deepEqual(sent.filter((id) => !ids.has(id)), [], "lost");
  assert.equal(got.length, sent.length, "none came twice");
  const by = (mark) => got.filter((g) => header(g, "stamp") === mark).length;
  assert.equal(by("one") + by("two"), sent.length);
  assert.equal(await deadLetters("swapped"), 0);
  assert.equal((await plugin("swapped")).versions.reduce((n, v) => n + (v.stats?.traps ?? 0), 0), 0, "none trapped");
  t.diagnostic(`${sent.length} events over 4 swaps: ${by("one")} by one version, ${by("two")} by the other`);
  await page.close();
  await remove("swap", "swapped");
});

test("back to an older version, with its effect shown first, and undone", async () => {
  await upload("older", "one", "two", "three");
  await activate("older", 3);
  await routed("back", "older", "subject = 'back'");
  assert.equal(header(await delivered("older", "back"), "stamp"), "three");
  const page = await newPage(gateway);
  await page.goto("/plugins/older");
  await version(page, 1).getByRole("button", { name: "Roll back to this" }).click();
  const dialog = question(page, "Roll older back to version 1?");
  await dialog.getByText("1 made into something else").waitFor();
  await dialog.getByRole("row").filter({ hasText: "stamp" }).filter({ hasText: "three" }).filter({ hasText: "one" }).waitFor();
  assert.equal(new URL(page.url()).searchParams.get("activate"), "1");
  await page.reload();
  await dialog.getByText("1 made into something else").waitFor();
  await dialog.getByRole("button", { name: "Roll back" }).click();
  await toast(page, "older 1 is active").waitFor();
  await isActive(page, 1);
  assert.equal(header(await delivered("older", "back"), "stamp"), "one");
  await page.getByRole("button", { name: "Undo" }).click();
  await toast(page, "older 3 is active again").waitFor();
  await isActive(page, 3);
  assert.equal(header(await delivered("older", "back"), "stamp"), "three");
  await page.getByRole("button", { name: "Delete version 2" }).click();
  await page.getByRole("button", { name: "Delete the version" }).click();
  await toast(page, "Version 2 of older is deleted").waitFor();
  await version(page, 2).waitFor({ state: "detached" });
  await page.close();
  await remove("back", "older");
});

test("what cannot be a plugin is refused in words, and before it is sent where that is clear", async () => {
  const page = await newPage(gateway, { expect: [/400/] });
  const posts = [];
  page.on("request", (r) => r.method() === "POST" && r.url().includes("/plugins/") && posts.push(r.url()));
  await page.goto("/plugins");
  await page.getByRole("link", { name: "line-stamp" }).waitFor();
  const head = Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  await drop(page, "huge.wasm", head, 200 * 1024 * 1024);
  await page.getByText(/huge\.wasm has 210 MB.*64 MiB.*nothing was sent/).waitFor();
  await drop(page, "photo.png", Buffer.from("\x89PNG\r\n\x1a\nrest", "latin1"));
  await page.getByText("photo.png is no WebAssembly module").waitFor();
  await drop(page, "empty.wasm", Buffer.alloc(0));
  await page.getByText("empty.wasm is empty").waitFor();
  await drop(page, "component.wasm", Buffer.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]));
  await page.getByText("component.wasm is a WebAssembly component").waitFor();
  assert.deepEqual(posts, []);
  // What only the gateway can tell comes with its reason.
  await drop(page, "hollow.wasm", head);
  await page.getByText("It is not let in").waitFor();
  await panel(page).getByText(/export/).waitFor();
  assert.equal(posts.length, 1);
  await accessible(page, "a module that is not let in");
  await noOverflow(page, "a module that is not let in");
  await page.close();
});

test("an upload is cancelled midway, and goes on when it is asked to", async () => {
  const page = await newPage(gateway);
  await page.goto("/plugins?upload=true");
  const fast = await slow(page, 300_000);
  await input(page).setInputFiles(file("cancelled.wasm", stamp("cancelled")));
  await page.getByText(/^Sending, [1-9]\d* %$/).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
  assert.equal(await page.getByRole("heading", { name: "What was found" }).count(), 0);
  await fast();
  await page.getByRole("button", { name: "Try the module" }).click();
  await page.getByRole("heading", { name: "What was found" }).waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await panel(page).waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).search, "");
  assert.ok(!(await gateway.api("GET", "/plugins")).items.some((p) => p.name === "cancelled"), "nothing is stored");
  await page.close();
});

test("the bench: an event is picked, or written, with a configuration, and tried on a version", async () => {
  await gateway.send(update("bench-1", "/temperature", 21));
  const page = await newPage(gateway);
  await page.goto("/plugins/line-stamp?tab=bench");
  const output = page.getByRole("region", { name: "What comes of it" });
  const change = (field, value) => output.getByRole("row").filter({ hasText: field }).filter({ hasText: value });
  await page.getByRole("combobox", { name: "Pick an event" }).selectOption({ label: "bench-1 · temperature → 21" });
  await change("stamp", "fragile second").waitFor();
  await output.getByText("stamps bench-1").waitFor();
  const fuel = Number((await output.locator("strong.nums").textContent()).replace(/\D/g, ""));
  assert.ok(fuel > 100, `fuel ${fuel}`);
  await page.getByRole("textbox", { name: "Field" }).fill("seal");
  await change("seal", "fragile second").waitFor();
  await page.getByRole("combobox", { name: "Version" }).selectOption("3");
  await change("seal", "third").waitFor();
  await page.getByRole("combobox", { name: "Version" }).selectOption("2");
  await change("seal", "fragile second").waitFor();
  // An event of one's own: one that it fails on.
  const box = page.getByRole("textbox", { name: "The event" });
  const write = async (text) => {
    await box.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText(text);
  };
  await write(JSON.stringify(update("bench-2", "/temperature", 999), undefined, 2));
  await output.getByText("A plugin fails").waitFor();
  await output.getByText("too hot to be stamped: bench-2").first().waitFor();
  await write('{"id": ');
  await page.getByText("This is not JSON yet").waitFor();
  assert.ok(await page.getByRole("button", { name: "Run" }).isDisabled());
  await accessible(page, "the bench with an error");
  await write(JSON.stringify(update("bench-3", "/temperature", 5)));
  await output.getByText("stamps bench-3").waitFor();
  await page.getByRole("button", { name: "Run" }).click();
  await output.getByText("stamps bench-3").waitFor();
  assert.equal((await gateway.api("GET", "/traps/groups?plugin=line-stamp")).items[0].count, 4, "the bench is not counted");
  await page.close();
});

test("a trap: its cause, event and trace, its bundle; then a fix, and its dead letters are redriven", async () => {
  await upload("brittle", "fragile one");
  await routed("ovens", "brittle", "subject = 'oven-1' OR subject = 'oven-2'");
  const hot = [150, 160, 170].map((t) => update("oven-1", "/temperature", t));
  await gateway.send(update("oven-2", "/temperature", 20), ...hot);
  await until("the dead letters", async () => (await deadLetters("brittle")) === 3);
  const page = await newPage(gateway);
  await page.goto("/plugins");
  await page.getByRole("listitem").filter({ has: page.getByRole("link", { name: "brittle" }) }).getByText("3 traps").waitFor();
  await page.getByRole("link", { name: "brittle" }).click();
  await page.getByRole("tab", { name: "Traps" }).click();
  const cause = page.getByRole("button", { name: /too hot to be stamped/ });
  await cause.click();
  await page.getByLabel("Trace").waitFor();
  assert.match(await cause.textContent(), /3 times.*brittle@1, as a transform/);
  await page.getByText("too hot to be stamped: oven-1").first().waitFor();
  await page.getByLabel("The event").getByText("oven-1").first().waitFor();
  const link = page.getByRole("link", { name: "Download the bundle" });
  const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
  const bundle = JSON.parse(readFileSync(await download.path(), "utf8"));
  assert.equal(bundle.event.event.subject, "oven-1");
  assert.match(download.suggestedFilename(), /\.json$/);

  await page.getByRole("button", { name: "Upload a version" }).click();
  await input(page).setInputFiles(file("fixed.wasm", stamp("fixed")));
  await panel(page).getByRole("listitem").filter({ hasText: "Tried on 4 events as route ovens uses it: 4 become 4 events" }).getByLabel("Fine").waitFor();
  await page.getByRole("button", { name: "Upload and activate" }).click();
  await toast(page, "brittle 2 is active").waitFor();
  await page.getByRole("tab", { name: "Traps" }).click();
  await cause.click();
  await page.getByRole("link", { name: "See the dead letters" }).click();
  await page.getByRole("row").filter({ hasText: "brittle" }).getByRole("link", { name: /too hot/ }).click();
  await page.getByRole("button", { name: "Redrive all 3" }).click();
  await page.getByText("3 sent, made now").waitFor();
  await page.getByRole("button", { name: "Redrive 3", exact: true }).click();
  await page.getByRole("heading", { name: "Redrive ended" }).waitFor();
  await page.getByText("All of them were delivered").waitFor();
  const got = receiver.got.filter((g) => g.path === "/brittle" && hot.some((e) => e.id === header(g, "id")));
  assert.deepEqual(got.map((g) => header(g, "stamp")), ["fixed", "fixed", "fixed"]);
  assert.equal(await deadLetters("brittle"), 0);
  await page.close();
  await remove("ovens", "brittle");
});

test("settings are saved, undone, and not over a change of someone else", async () => {
  await upload("limited", "one");
  const page = await newPage(gateway, { expect: [/412/, /400/] });
  await page.goto("/plugins/limited?tab=settings");
  const fuel = page.getByRole("textbox", { name: "Fuel for an event" }).or(page.getByRole("spinbutton", { name: "Fuel for an event" }));
  const save = page.getByRole("button", { name: "Save the settings" });
  assert.ok(await save.isDisabled());
  await fuel.fill("50000000");
  await page.getByRole("checkbox", { name: "The real time" }).check();
  await page.getByRole("combobox", { name: "Its events meanwhile" }).selectOption("wait");
  await page.getByRole("region", { name: "What will change" }).getByRole("row").filter({ hasText: "eventFuel" }).waitFor();
  await save.click();
  await toast(page, "The settings of limited are saved").waitFor();
  const settings = async () => (({ limits, grants, breaker }) => ({ limits, grants, breaker }))(await plugin("limited"));
  assert.deepEqual(await settings(), { limits: { eventFuel: 50000000 }, grants: ["clock"], breaker: { onOpen: "wait" } });
  await page.getByRole("button", { name: "Undo" }).click();
  await toast(page, "The settings of limited are as they were").waitFor();
  assert.deepEqual(await settings(), { limits: undefined, grants: undefined, breaker: undefined });
  assert.equal(await fuel.inputValue(), "");

  // More than the gateway allows: said, at its field.
  await fuel.fill("9000000000000000");
  await save.click();
  await page.getByRole("region", { name: "What it may use" }).getByText("this server's maximum").waitFor();
  assert.deepEqual((await settings()).limits, undefined);

  await fuel.fill("60000000");
  await gateway.api("PUT", "/plugins/limited", { limits: { eventFuel: 70000000 } });
  await save.click();
  const both = page.getByRole("alert").filter({ hasText: "Someone changed it while you edited" });
  await both.getByRole("row").filter({ hasText: "70000000" }).filter({ hasText: "60000000" }).waitFor();
  await accessible(page, "a conflict");
  assert.deepEqual((await settings()).limits, { eventFuel: 70000000 });
  await both.getByRole("button", { name: "Save mine over it" }).click();
  await both.waitFor({ state: "detached" });
  assert.deepEqual((await settings()).limits, { eventFuel: 60000000 });

  await fuel.fill("61000000");
  await gateway.api("PUT", "/plugins/limited", { limits: { eventFuel: 71000000 } });
  await save.click();
  await both.getByRole("button", { name: "Take what is stored" }).click();
  assert.equal(await fuel.inputValue(), "71000000");
  assert.ok(await save.isDisabled());
  await page.close();
  await gateway.api("DELETE", "/plugins/limited");
});

test("every tab, and what is open in it, is there after a reload", async () => {
  const group = (await gateway.api("GET", "/traps/groups?plugin=line-stamp")).items[0].id;
  const [event] = (await gateway.api("GET", "/events?subject=press-1&limit=1")).items;
  const page = await newPage(gateway);
  for (const [search, shows] of [
    ["", () => page.getByRole("heading", { name: "Version 3" })],
    ["?tab=versions&activate=3", () => question(page, "Activate version 3 of line-stamp?")],
    ["?tab=used", () => page.getByRole("link", { name: "stamped" })],
    [`?tab=bench&version=3&event=${event.id}`, () => page.getByRole("region", { name: "What comes of it" }).getByRole("row").filter({ hasText: "third" })],
    [`?tab=traps&group=${group}`, () => page.getByLabel("Trace")],
    ["?tab=logs&version=2&level=info", () => page.getByText("stamps press-2").first()],
    ["?tab=logs&version=3", () => page.getByText("It wrote nothing")],
    ["?tab=settings", () => page.getByRole("heading", { name: "When it keeps failing" })],
    ["?upload=true", () => panel(page).getByText("New version of line-stamp")],
  ]) {
    await page.goto("/plugins/line-stamp" + search);
    await shows().waitFor();
    await page.reload();
    await shows().waitFor();
    assert.equal(new URL(page.url()).search, search);
  }
  await page.goto("/plugins?q=line");
  await page.getByText(/^1 of \d+ plugins$/).waitFor();
  await page.reload();
  await page.getByText(/^1 of \d+ plugins$/).waitFor();
  await page.close();
});

test("a plugin that is not there, one that is used, and one that is deleted", async () => {
  await upload("fleeting", "one");
  const page = await newPage(gateway, { expect: [/404/, /409/] });
  await page.goto("/plugins/nobody");
  await page.getByText("There is no plugin nobody").waitFor();
  const wanted = async (name) => {
    await page.getByRole("button", { name: "More for " + name }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await question(page).getByRole("textbox").fill(name);
    await page.getByRole("button", { name: "Delete the plugin" }).click();
  };
  await page.goto("/plugins/line-stamp");
  await wanted("line-stamp");
  await question(page).getByText("take it out of stamped first").waitFor();
  await question(page).getByRole("alert").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.goto("/plugins/fleeting");
  await wanted("fleeting");
  await toast(page, "fleeting is deleted").waitFor();
  await page.getByRole("heading", { name: "Plugins", level: 1 }).waitFor();
  assert.equal(await page.getByRole("link", { name: "fleeting" }).count(), 0);
  await page.close();
});

test("an empty gateway says what a plugin is", async () => {
  const own = await Gateway.start();
  for (const p of (await own.api("GET", "/plugins")).items) await own.api("DELETE", "/plugins/" + p.name);
  await picture(own, "plugins-empty", "/plugins", (page) => page.getByText("No plugins yet").waitFor(), { only: some });
  await own.stop();
});
