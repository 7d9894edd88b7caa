// What a browser test stands on: a gateway of its own with something in it, and
// pages that fail the test when the browser complains.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const binary = process.env.HEADGATE_BIN ?? join(root, "bin/headgate");
const dist = join(root, "web/dist/app");
const axe = readFileSync(fileURLToPath(new URL("../node_modules/axe-core/axe.min.js", import.meta.url)), "utf8");

export const pictures = join(root, "bin/screens");

/** The sizes and themes in which every screen is looked at. */
export const looks = [
  { name: "wide-light", width: 1440, height: 900, theme: "light" },
  { name: "wide-dark", width: 1440, height: 900, theme: "dark" },
  { name: "phone-light", width: 390, height: 844, theme: "light" },
  { name: "phone-dark", width: 390, height: 844, theme: "dark" },
];

/** Calls cond until it answers something true, which is returned. */
export async function until(what, cond, ms = 15_000) {
  const end = Date.now() + ms;
  for (;;) {
    const got = await cond();
    if (got) return got;
    if (Date.now() > end) throw new Error("waited in vain for " + what);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

// Gateways that a test which failed did not stop must neither keep this process nor outlive it.
const running = new Set();
process.on("exit", () => {
  for (const child of running) child.kill();
});

/**
 * A gateway on a free port, with a directory of its own. Give `demo` to have
 * the demo's instead: routes, plugins, endpoints, simulated twins and emulators.
 */
export class Gateway {
  static async start({ token, demo, rate = 50, args = [], dir } = {}) {
    const own = dir ?? mkdtempSync(join(tmpdir(), "headgate-e2e-"));
    const line = demo ? ["demo", "--listen", "127.0.0.1:0", "--rate", String(rate), "--quiet", ...args] : ["serve", "--data", join(own, "data"), "--listen", "127.0.0.1:0", ...args];
    const env = { ...process.env, TMPDIR: own };
    if (token) env.HEADGATE_TOKEN = token;
    const child = spawn(binary, line, { env, stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    child.once("exit", () => running.delete(child));
    let out = "";
    const url = await new Promise((resolve, reject) => {
      const heard = (chunk) => {
        out += chunk;
        const m = /listening on (https?:\/\/\S+)/.exec(out) ?? (demo && /(http:\/\/127\.0\.0\.1:\d+)/.exec(out));
        if (m) resolve(m[1]);
      };
      child.stdout.on("data", heard);
      child.stderr.on("data", heard);
      child.on("error", (e) => reject(new Error(`${binary}: ${e.message}; build it with go tool task build`)));
      child.on("exit", (code) => reject(new Error(`${binary} ${line.join(" ")} ended with ${code}:\n${out}`)));
    });
    for (const handle of [child, child.stdout, child.stderr]) handle.unref();
    const g = new Gateway();
    Object.assign(g, { url, child, dir: own, token, args: line, output: () => out, keep: dir !== undefined });
    await until("the gateway to be ready", async () => (await fetch(url + "/readyz").catch(() => undefined))?.ok);
    return g;
  }

  /** A request to the API; answers its JSON. */
  async api(method, path, body) {
    const headers = { ...(this.token && { Authorization: "Bearer " + this.token }) };
    if (body instanceof Uint8Array) headers["Content-Type"] = "application/wasm";
    else if (body !== undefined) headers["Content-Type"] = "application/json";
    const answer = await fetch(this.url + "/api/v1" + path, { method, headers, body: body instanceof Uint8Array || body === undefined ? body : JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  async send(...events) {
    const headers = { "Content-Type": "application/cloudevents-batch+json", ...(this.token && { Authorization: "Bearer " + this.token }) };
    const answer = await fetch(this.url + "/events", { method: "POST", headers, body: JSON.stringify(events) });
    assert.equal(answer.status, 202, await answer.text());
  }

  /** Ends the process as an operator would, and waits until it is gone. */
  async stop() {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.ref();
      const gone = new Promise((resolve) => this.child.once("exit", resolve));
      this.child.kill("SIGTERM");
      await gone;
    }
    if (!this.keep) rmSync(this.dir, { recursive: true, force: true });
  }
}

let serial = 0;

/** An event as Azure Digital Twins sends it when a property changed. */
export function update(twin, path, value, over = {}) {
  return {
    specversion: "1.0", id: "e2e-" + ++serial, source: "plant.api.weu.digitaltwins.example", type: "Microsoft.DigitalTwins.Twin.Update",
    subject: twin, time: new Date().toISOString(), datacontenttype: "application/json",
    data: { modelId: "dtmi:example:Pump;1", patch: [{ op: "replace", path, value }] }, ...over,
  };
}

/** A webhook that answers what its test says, by default 200. */
export class Receiver {
  static async start(answer = () => 200) {
    const r = new Receiver();
    r.got = [];
    r.answer = answer;
    r.server = createServer((req, res) => {
      let body = "";
      req.on("data", (c) => (body += c));
      req.on("end", () => {
        r.got.push({ path: req.url, headers: req.headers, body });
        const status = r.answer(req.url, body);
        res.writeHead(status).end(status < 300 ? "" : "no: " + status);
      });
    });
    await new Promise((resolve) => r.server.listen(0, "127.0.0.1", resolve));
    r.url = `http://127.0.0.1:${r.server.address().port}`;
    return r;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/**
 * A catalog with something of everything: endpoints that work and that refuse,
 * routes with and without plugins, events that arrived, and dead letters.
 */
export async function seed(gateway, receiver, { twins = 6, rounds = 5 } = {}) {
  receiver.answer = (path) => (path.startsWith("/refuses") ? 400 : path.startsWith("/away") ? 401 : 200);
  const hook = (name, path, delivery) => gateway.api("PUT", "/endpoints/" + name, { kind: "webhook", settings: { url: receiver.url + path, headers: { Authorization: "Bearer secret" } }, delivery });
  await hook("plant-hub", "/hub", { maxAttempts: 5 });
  await hook("historian", "/historian");
  await hook("refuses-everything", "/refuses", { maxAttempts: 1 });
  await hook("key-was-rotated", "/away");
  const route = (id, endpointName, filter, more = {}) => gateway.api("PUT", "/routes/" + id, { endpointName, filter, ...more });
  await route("everything", "plant-hub", "true");
  await route("tsi-plant-a", "historian", "type = 'Microsoft.DigitalTwins.Twin.Update'", { transforms: [{ plugin: "tsi", config: {} }] });
  await route("hot-pumps", "refuses-everything", "PATCH('/temperature') > 80");
  await route("to-the-lake", "key-was-rotated", "type = 'Microsoft.DigitalTwins.Twin.Update' AND subject = 'pump-1'");
  await route("not-now", "historian", "type = 'microsoft.iot.telemetry'", { enabled: false });
  for (let n = 0; n < rounds; n++) {
    const events = [];
    for (let t = 1; t <= twins; t++) events.push(update("pump-" + t, "/temperature", 60 + ((t * 7 + n * 11) % 40)));
    await gateway.send(...events);
  }
  await until("the seeded events to go where they go", async () => {
    const { endpoints } = await gateway.api("GET", "/status");
    const of = (name) => endpoints.find((e) => e.name === name);
    return of("plant-hub")?.delivered >= twins * rounds && of("historian")?.delivered >= twins * rounds && of("refuses-everything")?.deadLetters > 0 && of("key-was-rotated")?.state === "failing";
  });
}

// What a browser does besides showing pages, and takes time from them.
const unused = ["PreloadTopChromeWebUI", "WebUIToolbar", "OnDeviceModel", "OptimizationGuideModelDownloading", "OptimizationHints", "OptimizationTargetPrediction", "OptimizationGuideOnDeviceModel", "TranslateUI", "Translate", "MediaRouter", "LensOverlay", "HttpsUpgrades", "PaintHolding", "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "GlobalMediaControls", "ThirdPartyStoragePartitioning", "RenderDocument"].join(",");
let browser;

/** The one browser of a test file; call closeBrowser in after(). */
export async function openBrowser() {
  browser ??= await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-features=" + unused],
  });
  return browser;
}

export async function closeBrowser() {
  await browser?.close();
  browser = undefined;
}

/**
 * A page of its own profile. Whatever the browser complains of (an error in the
 * console, an exception, a breach of the content security policy) fails check(),
 * which close() calls. `expect` are patterns of complaints that belong to the test.
 */
export async function newPage(gateway, { width = 1440, height = 900, theme = "light", expect = [], reducedMotion = "reduce" } = {}) {
  const b = await openBrowser();
  const context = await b.newContext({ baseURL: gateway.url, viewport: { width, height }, colorScheme: theme, reducedMotion, deviceScaleFactor: 1 });
  if (process.env.HEADGATE_UI === "dist") await context.route("**/*", fromDist(gateway));
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints = [];
  const complain = (text) => expect.some((e) => e.test(text)) || complaints.push(text);
  page.on("console", (m) => m.type() === "error" && complain("console: " + m.text() + " " + m.location().url));
  page.on("pageerror", (e) => complain("exception: " + (e.stack ?? e)));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (e) => console.error("CSP violation: " + e.violatedDirective + " " + e.blockedURI));
  });
  page.check = () => assert.deepEqual(complaints, [], "the browser complained");
  page.expectComplaint = (pattern) => expect.push(pattern);
  const close = page.close.bind(page);
  page.close = async () => {
    await close();
    await context.close();
    page.check();
  };
  return page;
}

const types = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json" };

/**
 * With HEADGATE_UI=dist the UI comes from web/dist/app in place of the binary, so
 * that a change of the UI needs no build of Go; the policy is the binary's.
 */
function fromDist(gateway) {
  let policy;
  return async (route) => {
    const url = new URL(route.request().url());
    if (url.origin !== gateway.url || (/^\/(api|events|webhooks|metrics|healthz|readyz)\b/.test(url.pathname) && !/^\/events\/\d+-\d+$/.test(url.pathname))) return route.fallback();
    policy ??= (await fetch(gateway.url + "/", { headers: { Accept: "text/html" } })).headers.get("content-security-policy") ?? "";
    const file = join(dist, url.pathname);
    const name = extname(file) && existsSync(file) ? file : join(dist, "index.html");
    return route.fulfill({ body: readFileSync(name), headers: { "Content-Type": types[extname(name)] ?? "application/octet-stream", "Content-Security-Policy": policy } });
  };
}

/** Fails on a serious or critical violation that axe finds in what the page shows, or in its colours alone. */
export async function accessible(page, where, { colours } = {}) {
  // The policy of the page lets no script in but its own: axe runs from outside of it.
  const client = await page.context().newCDPSession(page);
  const { frameTree } = await client.send("Page.getFrameTree");
  const { executionContextId } = await client.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  const run = async (expression) => {
    const { result, exceptionDetails } = await client.send("Runtime.evaluate", { contextId: executionContextId, expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error("axe: " + (exceptionDetails.exception?.description ?? exceptionDetails.text));
    return result.value;
  };
  // Fluent's sentinels pass the focus on as soon as they get it: nobody ever stands on one.
  await run(axe + "; undefined");
  const found = await run(`axe.run({ exclude: [["[data-tabster-dummy]"]] }, { resultTypes: ["violations"]${colours ? ', runOnly: ["color-contrast"]' : ""} }).then((r) => r.violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => v.id + ": " + v.help + "\\n" + v.nodes.slice(0, 5).map((n) => "  " + n.html.slice(0, 200) + "\\n    " + (n.any[0]?.message ?? "")).join("\\n")))`);
  await client.detach();
  assert.deepEqual(found, [], `${where}: what axe found`);
}

/**
 * Opens path, looks at it in every size and theme, checks each for accessibility,
 * and takes its picture. `ready` waits until the screen shows what it is about; it
 * is called for each look, since a phone may show something else first.
 */
export async function picture(gateway, name, path, ready, { token, only } = {}) {
  mkdirSync(pictures, { recursive: true });
  const wanted = looks.filter((look) => !only || only.includes(look.name));
  const page = await newPage(gateway, wanted[0]);
  if (token) await page.request.post(gateway.url + "/api/v1/session", { data: { token } });
  await page.goto(path);
  const widths = new Set();
  for (const look of wanted) {
    await page.setViewportSize({ width: look.width, height: look.height });
    await page.emulateMedia({ colorScheme: look.theme });
    // The frame is told first, and what Fluent draws follows.
    await page.waitForFunction((theme) => document.documentElement.dataset.theme === theme && getComputedStyle(document.querySelector(".fui-FluentProvider")).getPropertyValue("--colorNeutralForeground1").trim() === { light: "#242424", dark: "#ffffff" }[theme], look.theme);
    await ready(page);
    // Of a size that was looked at, another theme changes the colours alone.
    await accessible(page, `${name}, ${look.name}`, { colours: widths.has(look.width) });
    await noOverflow(page, `${name}, ${look.name}`);
    await page.screenshot({ path: join(pictures, `${name}-${look.name}.png`) });
    widths.add(look.width);
  }
  await page.close();
}

/** Fails when the page is wider than the window. */
export async function noOverflow(page, where) {
  const { wide, window: width } = await page.evaluate(() => ({ wide: Math.max(document.documentElement.scrollWidth, document.querySelector("#main")?.scrollWidth ?? 0), window: innerWidth }));
  assert.ok(wide <= width, `${where}: ${wide} px wide in a window of ${width} px`);
}
