import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { accessible, closeBrowser, Gateway, newPage, picture, Receiver, seed, until, update } from "./world.mjs";

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

test("settings look right", () => picture(gateway, "settings", "/settings", (page) => page.getByRole("heading", { name: "Settings" }).waitFor()));

test("the overview looks right", () =>
  picture(gateway, "overview", "/", async (page) => {
    await page.getByRole("heading", { name: "Where events go" }).waitFor();
    await page.getByRole("row", { name: /tsi-plant-a/ }).waitFor();
    await page.getByRole("region", { name: "What needs somebody" }).getByText("key-was-rotated").waitFor();
  }));

test("an empty gateway teaches, and ticks what it saw", async () => {
  const own = await Gateway.start();
  const ready = (page) => page.getByRole("heading", { name: "Three steps to a route" }).waitFor();
  await picture(own, "start", "/", ready, { only: ["wide-light", "phone-dark"] });
  const page = await newPage(own);
  await page.goto("/");
  await ready(page);
  await page.getByLabel("done").waitFor({ state: "detached" });
  await own.send(update("pump-1", "/temperature", 1));
  await page.getByRole("listitem").filter({ hasText: "Send events here" }).getByLabel("done").waitFor();
  await page.close();
  await own.stop();
});

test("a path that nothing is at says so, and leads back", async () => {
  const page = await newPage(gateway);
  await page.goto("/nothing/here");
  await page.getByText("There is no such page").waitFor();
  await page.getByRole("link", { name: "Go to the overview" }).waitFor();
  await page.close();
});

test("keys: places, palette, list of keys, skip link", async () => {
  const page = await newPage(gateway);
  await page.goto("/nothing");
  await page.getByText("There is no such page").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/settings");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Find or do anything").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("Control+k");
  await page.getByRole("option").first().waitFor();
  assert.equal(await page.getByRole("option", { selected: true }).count(), 0, "Enter alone does nothing");
  await page.getByRole("combobox", { name: "Find or do anything" }).fill("theme: dark");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await page.reload();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark", "the theme is kept, and there before the first paint");
  await page.close();
});

test("what lies over a page and fails is told there, and the page under it stays", async () => {
  const page = await newPage(gateway, { expect: [/./] });
  await page.route("**/api/v1/sources?*", (r) => r.fulfill({ contentType: "application/json", body: '{"items":[null]}' })); // nothing that a gateway says
  await page.goto("/settings");
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find or do anything" }).fill("pump");
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
  await page.unroute("**/api/v1/sources?*");
  await page.reload();
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find or do anything" }).waitFor();
  await page.close();
});

test("the system's theme is followed while none is chosen", async () => {
  const page = await newPage(gateway, { theme: "dark" });
  await page.goto("/settings");
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.waitForFunction(() => document.documentElement.dataset.theme === "light");
  await page.close();
});

test("where more contrast is asked for, the frame, lists and what is picked in them can be read", async () => {
  const page = await newPage(gateway);
  await page.emulateMedia({ contrast: "more" });
  await page.goto("/");
  await page.locator("html[data-theme=contrast]").waitFor();
  await page.getByText("is failing").first().waitFor();
  await accessible(page, "overview, contrast");
  await page.goto("/routes/tsi-plant-a/edit");
  await page.getByRole("region", { name: "Preview" }).getByText("pump-").first().waitFor();
  await accessible(page, "route-edit, contrast");
  await page.close();
});

test("a gateway that is gone: a banner, what was there stays, and it comes back", async () => {
  const own = await Gateway.start();
  const page = await newPage(own, { expect: [/ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED/] });
  await page.goto("/settings");
  await page.getByText(/Headgate .* started/).waitFor();
  await until("the screen that is gone to next to be loaded while there is time", () => page.evaluate(() => performance.getEntriesByType("resource").some((e) => /\/Plugins-/.test(e.name))));
  const port = new URL(own.url).port;
  own.keep = true;
  await own.stop();
  await page.getByText("The gateway does not answer since").waitFor();
  await page.getByText(/Headgate .* started/).waitFor();
  await page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name: "Plugins" }).click();
  await page.getByText("The gateway does not answer", { exact: true }).waitFor();
  const again = await Gateway.start({ dir: own.dir, args: ["--listen", "127.0.0.1:" + port] });
  await page.getByText("The gateway does not answer since").waitFor({ state: "detached" });
  again.keep = false;
  await page.close();
  await again.stop();
});

test("a part of the page that does not come is told of in its place, and tried again", async () => {
  const page = await newPage(gateway, { expect: [/ERR_FAILED/] });
  await page.goto("/settings");
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
  const parts = /\/assets\/(Plugins|Palette)-/;
  await page.route(parts, (r) => r.abort());
  await page.keyboard.press("Control+k");
  await page.getByText("This part of the page could not be loaded").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await page.keyboard.press("g");
  await page.keyboard.press("p");
  const again = page.getByRole("button", { name: "Try again" });
  await again.waitFor();
  await page.unroute(parts);
  await again.click();
  await page.getByRole("heading", { name: "Plugins", level: 1 }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find or do anything" }).waitFor();
  await page.close();
});

test("a session that ends takes nothing away that was typed, nor the dialog that is open", async () => {
  const own = await Gateway.start({ token: "correct-horse-battery-staple" });
  await own.api("PUT", "/endpoints/hub", { kind: "webhook", settings: { url: receiver.url } });
  const page = await newPage(own, { expect: [/401/] });
  const token = page.getByLabel("Token");
  const signIn = async () => {
    await token.fill("correct-horse-battery-staple");
    await token.press("Enter");
    await token.waitFor({ state: "detached" });
  };
  await page.goto("/endpoints/hub?tab=settings");
  await signIn();
  await page.getByLabel("Max attempts").fill("7");
  await page.getByRole("button", { name: "More for hub" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
  await page.getByRole("alertdialog").getByRole("textbox").fill("hu");
  await page.context().clearCookies();
  await signIn();
  const dialog = page.getByRole("alertdialog");
  assert.equal(await dialog.getByRole("textbox").inputValue(), "hu");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Save the settings" }).click();
  await page.getByText("hub is saved", { exact: true }).waitFor();
  assert.equal((await own.api("GET", "/endpoints/hub")).delivery.maxAttempts, 7);
  await page.close();
  await own.stop();
});

test("a token is asked for, a wrong one refused, and the page that was wanted shown", async () => {
  const own = await Gateway.start({ token: "correct-horse-battery-staple" });
  const page = await newPage(own, { expect: [/401/] });
  await page.goto("/settings");
  await page.getByLabel("Token").fill("wrong-token-of-somebody");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("This is not the token of this gateway").waitFor();
  await page.getByLabel("Token").fill("correct-horse-battery-staple");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
  const cookies = await page.context().cookies();
  assert.ok(cookies.every((c) => c.httpOnly && c.sameSite === "Strict"), "no script can read the cookie");
  await page.close();
  await own.stop();
});
