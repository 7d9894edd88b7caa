import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { closeBrowser, Gateway, newPage, Receiver, seed, update } from "./world.mjs";

let gateway, receiver;

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
  await page.goto("/new-route?event=999999-0");
  await page.getByText("is no longer kept").waitFor();
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
