// @vitest-environment node
import { expect, test, vi } from "vitest";
import { follow, MessageParser, type Gap, type Message } from "./sse";

test.each([
  ["one", ["data: a\n\n"], [{ event: "message", id: "", data: "a" }]],
  ["named, with an id", ["id: 7-0\nevent: accepted\ndata: {}\n\n"], [{ event: "accepted", id: "7-0", data: "{}" }]],
  ["many lines", ["data: a\ndata: b\n\n"], [{ event: "message", id: "", data: "a\nb" }]],
  ["cut anywhere", ["da", "ta: a", "\r", "\n\r", "\ndata:b\n\n"], [{ event: "message", id: "", data: "a" }, { event: "message", id: "", data: "b" }]],
  ["comments and an empty event", [": alive\n\nevent: x\n\ndata: c\n\n"], [{ event: "message", id: "", data: "c" }]],
  ["the id stays", ["id: 1\ndata: a\n\ndata: b\n\n"], [{ event: "message", id: "1", data: "a" }, { event: "message", id: "1", data: "b" }]],
  ["an unfinished event is none", ["data: a\n"], []],
] as [string, string[], Message[]][])("parses %s", (_, chunks, want) => {
  const parser = new MessageParser();
  expect(chunks.flatMap((c) => parser.push(c))).toEqual(want);
});

function stream(text: string): Response {
  return new Response(text, { status: 200 });
}

test("connects again, and tells of the gap", async () => {
  const over = new AbortController();
  const answers = [() => stream("id: 5\ndata: a\n\n"), () => Promise.reject(new TypeError("gone")), () => new Response("{}", { status: 401 }), () => stream("data: b\n\n")];
  vi.stubGlobal("fetch", () => Promise.resolve(answers.shift()?.()));
  const got: string[] = [];
  const states: string[] = [];
  const gaps: Gap[] = [];
  const began = Date.now();
  await follow("/x", {
    retry: 1, signal: over.signal,
    onGap: (g) => gaps.push(g),
    onState: (s) => states.push(s),
    onMessage: (m) => {
      got.push(m.data);
      if (m.data === "b") over.abort();
    },
  });
  const ended = Date.now();
  vi.unstubAllGlobals();
  expect(got).toEqual(["a", "b"]);
  expect(gaps).toHaveLength(1);
  const times = [began, gaps[0]!.from, gaps[0]!.to, ended];
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(states).toEqual(["connecting", "open", "waiting", "connecting", "waiting", "connecting", "waiting", "connecting", "open"]);
});

test("a refusal ends it", async () => {
  vi.stubGlobal("fetch", () => Promise.resolve(new Response('{"detail":"this filter is none"}', { status: 400 })));
  const states: [string, string?][] = [];
  await follow("/x", { signal: new AbortController().signal, onMessage: () => undefined, onState: (...s) => states.push(s) });
  vi.unstubAllGlobals();
  expect(states).toEqual([["connecting"], ["refused", "this filter is none"]]);
});
