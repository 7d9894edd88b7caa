import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeBrowser, Gateway, newPage, picture, Receiver, seed, until, update } from "./world.mjs";

let gateway, receiver, pump;

before(async () => {
  receiver = await Receiver.start();
  gateway = await Gateway.start();
  await seed(gateway, receiver);
  pump = (await gateway.api("GET", "/events?subject=pump-1&latest=true&limit=1")).items[0].id;
});
after(async () => {
  await closeBrowser();
  await gateway.stop();
  await receiver.stop();
});

const some = ["wide-light", "phone-dark"];

test("the tail looks right, with what became of its events", () =>
  picture(gateway, "live", "/live?deliveries=true", async (page) => {
    await page.getByText(/^Nothing came in the last seconds|come in; all are shown/).waitFor();
    await gateway.send(update("pump-1", "/temperature", 95), update("pump-2", "/temperature", 20), update("a-twin-whose-name-is-rather-long-so-that-it-does-not-fit-in-a-row", "/pressure/of/the/outer/hull", 3.25));
    await page.getByRole("row").filter({ hasText: "a-twin-whose-name" }).first().waitFor();
  }));

test("one event, with every verdict and attempt, looks right", () => picture(gateway, "event", "/events/" + pump, (page) => page.getByRole("heading", { name: "What became of it" }).waitFor()));

test("one twin over time looks right", () =>
  picture(gateway, "twin", "/twins?key=pump-1", async (page) => {
    await page.getByRole("heading", { name: "Its events" }).waitFor();
    await page.locator("canvas").first().waitFor();
  }));

test("dead letters by cause look right", () => picture(gateway, "dead-letters", "/dead-letters", (page) => page.getByRole("link", { name: /400 Bad Request/ }).first().waitFor()));

test("the letters of a cause, one of them, and what a redrive would send, look right", async () => {
  const { items } = await gateway.api("GET", "/dead-letters/groups");
  const [letter] = (await gateway.api("GET", "/dead-letters?limit=1")).items;
  await picture(gateway, "dead-letters-cause", "/dead-letters?group=" + items[0].id, (page) => page.getByRole("grid", { name: /of this cause/ }).waitFor(), { only: some });
  await picture(gateway, "dead-letter", "/dead-letters/" + letter.id, (page) => page.getByRole("heading", { name: "What was to be sent" }).waitFor(), { only: some });
  await picture(gateway, "redrive", "/dead-letters/redrive?group=" + items[0].id, (page) => page.getByText("sent as before").first().waitFor(), { only: some });
});

test("an event appears as it is accepted, inert, and leads to its page", async () => {
  const page = await newPage(gateway);
  await page.goto("/live");
  await page.getByText("Waiting for events").waitFor();
  await gateway.send(update("pump-<img src=x onerror=alert(1)>", "/temperature", "<script>alert(1)</script>"));
  await page.getByText('temperature → "<script>').waitFor();
  assert.equal(await page.locator("#main img, #main script").count(), 0);
  await page.getByText('temperature → "<script>').click();
  await page.getByRole("link", { name: "Open its page" }).click();
  await page.getByRole("heading", { name: "What became of it" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "What became of it" }).waitFor();
  // It can be taken elsewhere, also when it is not among the latest any more.
  await gateway.send(...Array.from({ length: 101 }, (_, i) => update("room-" + i, "/temperature", i)));
  await page.getByRole("button", { name: "Use this event" }).click();
  await page.getByRole("menuitem", { name: "Make a route for it" }).click();
  await page.getByRole("region", { name: "Preview" }).getByText("pump-<img").first().waitFor();
  page.expectComplaint(/status of 404/);
  await page.goto("/new-route?event=999999-0");
  await page.getByText("is no longer kept").waitFor();
  await page.close();
});

test("the tail takes a filter, says what it leaves out, and stands still while it is read", async () => {
  const page = await newPage(gateway);
  await page.goto("/live");
  await page.getByRole("button", { name: "Filter in the filter language" }).click();
  const editor = page.getByRole("textbox", { name: "Filter of the live events" });
  await editor.fill("PATCH('/temperature') > ");
  assert.equal(await page.getByRole("button", { name: "Apply" }).isDisabled(), true, "a filter that is not one can be applied");
  await editor.fill("PATCH('/temperature') > 80");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("button", { name: "Change" }).waitFor();
  await page.reload(); // the filter is in the URL
  await page.getByRole("button", { name: "Change" }).waitFor();
  await page.getByText("This waits for").waitFor();
  await gateway.send(update("hot-1", "/temperature", 90), update("cold-1", "/temperature", 10), update("cold-2", "/temperature", 11));
  await page.getByRole("row").filter({ hasText: "hot-1" }).waitFor();
  await page.getByText("2 did not match").waitFor();
  assert.equal(await page.getByText("cold-1").count(), 0);
  // The mouse on the list freezes it; what comes is counted, and shown when asked for.
  await page.getByRole("row").filter({ hasText: "hot-1" }).hover();
  await page.getByText(/^Frozen/).waitFor();
  await gateway.send(update("hot-2", "/temperature", 91), update("hot-3", "/temperature", 92));
  await page.getByRole("button", { name: "2 new" }).waitFor();
  assert.equal(await page.getByText("hot-2").count(), 0, "a row came under the mouse");
  await page.getByRole("button", { name: "2 new" }).click();
  await page.getByRole("row").filter({ hasText: "hot-3" }).waitFor();
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByRole("button", { name: "Filter in the filter language" }).waitFor();
  await page.close();
});

test("with the keyboard: a row, its event beside the list, its page, its twin, and a number over time", async () => {
  const page = await newPage(gateway);
  await page.goto("/live");
  await page.getByText("Waiting for events").waitFor();
  await gateway.send(update("pump-1", "/temperature", 41.5));
  await page.getByRole("row").filter({ hasText: "pump-1" }).waitFor();
  const focused = page.locator("[role=row]:focus");
  await until("the row to have the focus", async () => {
    await page.keyboard.press("j");
    return focused.count();
  });
  await focused.press("Enter");
  await page.getByLabel(/^Event \d+-0$/).getByText("everything").first().waitFor();
  await page.getByRole("link", { name: "Open its page" }).press("Enter");
  await page.getByRole("heading", { name: "What became of it" }).waitFor();
  const became = page.getByRole("region", { name: "What became of it" });
  await became.getByText("tsi-plant-a").waitFor();
  await page.getByText("Why not the other").waitFor();
  await page.getByRole("heading", { level: 1 }).getByRole("link").press("Enter");
  await page.getByRole("heading", { name: "Its events" }).waitFor();
  await page.getByRole("region", { name: "Its numbers" }).or(page.getByRole("region", { name: "Numbers" })).getByText("temperature").first().waitFor();
  await page.getByText("41.5").first().waitFor();
  await page.close();
});

test("letters are purged after the words were written", async () => {
  const before = (await gateway.api("GET", "/dead-letters?limit=500")).items.length;
  assert.ok(before > 1);
  const page = await newPage(gateway);
  await page.goto("/dead-letters");
  await page.getByRole("link", { name: /400 Bad Request/ }).first().click();
  await page.getByRole("grid", { name: /of this cause/ }).getByRole("checkbox").nth(1).click();
  await page.getByRole("button", { name: "Purge 1 picked…" }).click();
  const dialog = page.getByRole("alertdialog");
  const purge = dialog.getByRole("button", { name: "Purge 1" });
  assert.equal(await purge.isDisabled(), true);
  await dialog.getByRole("textbox").fill("purge 1");
  await purge.click();
  await page.getByText("1 dead letter was purged").first().waitFor();
  await until("one letter less", async () => (await gateway.api("GET", "/dead-letters?limit=500")).items.length === before - 1);

  // One that comes while somebody writes the words stays.
  const group = new URL(page.url()).searchParams.get("group");
  const letters = async () => (await gateway.api("GET", `/dead-letters?limit=500&group=${group}`)).items;
  const known = await letters();
  await page.getByRole("button", { name: "Purge all…" }).click();
  await dialog.getByText("Letters that come meanwhile stay.").waitFor();
  await gateway.send(update("pump-1", "/temperature", 99));
  await until("another letter", async () => (await letters()).length > known.length);
  await dialog.getByRole("textbox").fill(`purge ${known.length}`);
  await dialog.getByRole("button", { name: `Purge ${known.length}` }).click();
  await until("those that were known to be gone, and them alone", async () => {
    const left = await letters();
    return left.length > 0 && !left.some((l) => known.some((k) => k.id === l.id));
  });
  await page.close();
});

test("a list that is scrolled holds still, and goes on at its top", async () => {
  const page = await newPage(gateway);
  await page.goto("/live");
  await page.getByText("Waiting for events").waitFor();
  await gateway.send(...Array.from({ length: 60 }, (_, i) => update("fan-" + i, "/speed", i)));
  const list = page.getByRole("grid", { name: "Live events, the latest first" });
  await list.getByText("fan-59").waitFor();
  await list.getByRole("presentation").evaluate((e) => (e.scrollTop = 900));
  await page.getByText("Frozen: it is scrolled").waitFor();
  await gateway.send(update("fan-new", "/speed", 1));
  await page.getByRole("button", { name: "1 new" }).click();
  await list.getByText("fan-new").waitFor();
  assert.equal(await list.getByRole("presentation").evaluate((e) => e.scrollTop), 0);
  assert.equal(await page.getByText(/^Frozen/).count(), 0);
  await page.close();
});

test("dead letters: cause, letters, preview, redrive, and none is left", async () => {
  const page = await newPage(gateway);
  await page.goto("/dead-letters");
  await page.getByRole("link", { name: /400 Bad Request/ }).first().click();
  receiver.answer = () => 200;
  await page.getByRole("button", { name: /^Redrive all/ }).click();
  await page.getByText("sent as before").first().waitFor();
  await page.getByRole("button", { name: /^Redrive \d+$/ }).click();
  await page.getByRole("heading", { name: "Redrive ended" }).waitFor();
  await page.getByRole("link", { name: "See the dead letters" }).click();
  await page.getByRole("heading", { name: "No dead letters" }).waitFor();
  await page.close();
});
