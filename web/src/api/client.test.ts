// @vitest-environment node
import { afterEach, expect, test, vi } from "vitest";
import { api, urlOf } from "./client";
import { byteAt, indexAt } from "./filters";
import { asProblem, Problem, Unreachable } from "./problem";

afterEach(() => vi.unstubAllGlobals());

function answering(status: number, body: string, headers: Record<string, string> = {}) {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    asked.push(new Request("http://here" + url, init));
    return Promise.resolve(new Response(status === 204 ? null : body, { status, headers }));
  });
  return asked;
}

test("paths and queries are escaped, and what is not given left out", () => {
  expect(urlOf("/routes/{id}", { id: "a/b:ü?" }, { limit: 5, after: undefined })).toBe("/api/v1/routes/a%2Fb%3A%C3%BC%3F?limit=5");
});

test("an answer comes with its tag", async () => {
  answering(200, '{"id":"r"}', { ETag: '"7"' });
  await expect(api.get("/routes/{id}", { path: { id: "r" } })).resolves.toEqual({ data: { id: "r" }, etag: '"7"', status: 200 });
});

test("an edit names the revision that it is of", async () => {
  const asked = answering(412, '{"title":"Precondition Failed","status":412,"detail":"it has revision 9"}');
  const error = await api.put("/routes/{id}", { path: { id: "r" }, body: { endpointName: "e" }, ifMatch: '"7"' }).catch(asProblem);
  expect(asked[0]?.headers.get("If-Match")).toBe('"7"');
  expect(error).toMatchObject({ conflict: true, message: "it has revision 9" });
});

test.each([
  ["a problem with its field", 400, '{"detail":"must be a URL","field":"settings.url"}', { field: "settings.url", message: "must be a URL" }],
  ["what a proxy says", 502, "<html>Bad Gateway</html>", { offline: true }],
  ["nothing", 500, "", { message: "500: no reason given. The server's log says more." }],
] as const)("an error is %s", async (_, status, body, want) => {
  answering(status, body);
  await expect(api.get("/status")).rejects.toMatchObject(want);
});

test("no connection says what to do", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  await expect(api.get("/status")).rejects.toMatchObject({ offline: true, message: expect.stringContaining("Check that it runs") });
});

test("what breaks off while the answer is read is no connection", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(new ReadableStream({ start: (c) => c.error(new TypeError("network error")) }))));
  await expect(api.get("/status")).rejects.toMatchObject({ offline: true });
});

test.each([
  ["a mistake of the page", new TypeError("x is undefined"), { offline: false, status: undefined, details: { title: "This page made a mistake" }, message: expect.stringContaining("x is undefined") }],
  ["what a form asks for", new Problem(undefined, { title: "A time is missing", detail: "Say from when on." }), { offline: false, details: { title: "A time is missing" }, message: "Say from when on." }],
  ["no connection", new Unreachable(), { offline: true, conflict: false }],
])("%s is told apart", (_, error, want) => expect(asProblem(error)).toMatchObject(want));

test("places in a filter are bytes there and characters here", () => {
  const text = "a = 'ü😀' AND b";
  for (let i = 0; i <= text.length; i++) {
    if (/[\udc00-\udfff]/.test(text[i] ?? "")) continue; // within a character
    expect(indexAt(text, byteAt(text, i))).toBe(i);
  }
  expect(byteAt(text, text.indexOf("AND"))).toBe(13);
});
