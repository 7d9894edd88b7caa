// Measures what the UI costs: how long a page takes to answer a key or a click
// with 10,000 routes, and what a tail of 1,000 events a second costs. Numbers
// depend on the machine: they are printed, and fail nothing.
import { cpus } from "node:os";
import { closeBrowser, Gateway, newPage, openBrowser, update } from "./world.mjs";

const rows = [["what", "measured", "goal"]];
const gateway = await Gateway.start();
try {
  await gateway.api("PUT", "/endpoints/out", { kind: "file", settings: { path: gateway.dir + "/out.ndjson" } });
  const documents = Array.from({ length: 10_000 }, (_, i) => ({ kind: "Route", name: "route-" + i, spec: { endpointName: "out", filter: `subject = 'twin-${i}'` } }));
  for (let i = 0; i < documents.length; i += 2_500) await gateway.api("POST", "/catalog:apply", { documents: documents.slice(i, i + 2_500) });
  await interactions();
  await tail();
} finally {
  await closeBrowser();
  await gateway.stop();
}
console.log(`${cpus().length} × ${cpus()[0].model.trim()}`);
const widths = rows[0].map((_, c) => Math.max(...rows.map((r) => r[c].length)));
for (const r of rows) console.log(r.map((cell, c) => cell.padEnd(widths[c])).join("  "));

/** The interaction to next paint, as browsers measure it, of keys in the search, sorting, and opening a route. */
async function interactions() {
  const page = await newPage(gateway, { reducedMotion: "no-preference" });
  await page.addInitScript(() => {
    globalThis.seen = [];
    new PerformanceObserver((list) => {
      for (const e of list.getEntries()) if (e.interactionId) globalThis.seen.push([e.name, e.duration]);
    }).observe({ type: "event", durationThreshold: 16, buffered: true });
  });
  await page.goto("/routes");
  await page.getByText("10,000 routes").first().waitFor();
  const worst = async (what, act) => {
    await page.evaluate(() => (globalThis.seen = []));
    await act();
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const seen = await page.evaluate(() => globalThis.seen.map(([, ms]) => ms).sort((a, b) => b - a));
    rows.push([`10,000 routes: ${what}, longest of ${seen.length} interactions`, seen.length ? `${seen[0]} ms` : "under 16 ms", "< 200 ms"]);
  };
  const search = page.getByRole("searchbox", { name: "Search routes" });
  await search.click();
  await worst("a key in the search", () => page.keyboard.type("route-1234", { delay: 120 }));
  await search.fill("");
  await page.getByText("10,000 routes").first().waitFor();
  await worst("sorting", async () => {
    for (let i = 0; i < 3; i++) await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
  });
  await worst("moving in the list", async () => {
    await page.keyboard.press("j");
    for (let i = 0; i < 10; i++) await page.keyboard.press("ArrowDown");
  });
  await worst("opening a route", async () => {
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/routes\/route-/);
  });
  await page.close();
}

/** The processor time of the browser's processes while events are shown as they come. */
async function tail() {
  const page = await newPage(gateway, { reducedMotion: "no-preference" });
  await page.goto("/live");
  const system = await (await openBrowser()).newBrowserCDPSession();
  const used = async () => (await system.send("SystemInfo.getProcessInfo")).processInfo;
  const perSecond = 1_000, seconds = 20;
  let sent = 0;
  const begin = Date.now();
  const pump = setInterval(() => {
    const due = Math.min(500, Math.floor(((Date.now() - begin) / 1000) * perSecond) - sent);
    if (due <= 0) return;
    sent += due;
    void gateway.send(...Array.from({ length: due }, (_, i) => update("twin-" + (i % 100), "/temperature", sent + i)));
  }, 100);
  await page.getByText(/^twin-\d+$/).first().waitFor();
  await new Promise((resolve) => setTimeout(resolve, 3_000)); // what is loaded once is not counted
  const before = await used();
  const sentBefore = sent, at = Date.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const after = await used();
  const took = (Date.now() - at) / 1_000;
  clearInterval(pump);
  const cpu = (type) => after.filter((p) => !type || p.type === type).reduce((n, p) => n + p.cpuTime - (before.find((b) => b.id === p.id)?.cpuTime ?? 0), 0) / took;
  const rate = Math.round((sent - sentBefore) / took);
  rows.push([`tail at ${rate} events/s: the page's own process`, `${(cpu("renderer") * 100).toFixed(0)} % of a core`, "< 100 %"]);
  rows.push([`tail at ${rate} events/s: all of the browser, drawing without a graphics card`, `${(cpu() * 100).toFixed(0)} % of a core`, ""]);
  await page.close();
}
