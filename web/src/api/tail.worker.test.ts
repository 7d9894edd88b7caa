// @vitest-environment node
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TailCommand, TailReport } from "./tail";

let stream: ReadableStreamDefaultController<Uint8Array>;
let reports: TailReport[] = [];

const say = (text: string) => stream.enqueue(new TextEncoder().encode(text));
const accepted = (from: number, to: number) => {
  for (let i = from; i <= to; i++) {
    const stored = { id: `${i}-0`, acceptedAt: "2026-01-01T00:00:00Z", event: { specversion: "1.0", id: String(i), source: "s", type: "t" } };
    say(`id: ${i}-0\nevent: accepted\ndata: ${JSON.stringify(stored)}\n\n`);
  }
};
const delivered = (i: number) => say(`event: delivery\ndata: ${JSON.stringify({ id: `${i}-0`, route: "r", output: "r", endpoint: "hub", outcome: "delivered" })}\n\n`);
const tell = (data: TailCommand) => (self.onmessage as (e: { data: TailCommand }) => void)({ data });
const ticked = () => vi.advanceTimersByTimeAsync(250);
const rows = () => reports.findLast((r) => r.is === "rows")!.rows;
const stats = () => reports.findLast((r) => r.is === "stats")!.stats;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.resetModules();
  reports = [];
  vi.stubGlobal("self", { postMessage: (r: TailReport) => reports.push(r), close: () => undefined });
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(new ReadableStream({ start: (c) => void (stream = c) }))));
  await import("./tail.worker");
  tell({ do: "open", url: "/stream", test: "/test", filter: "", capacity: 10, window: 4, every: 250 });
  await ticked();
});
afterEach(() => {
  tell({ do: "close" });
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("what is frozen stays, and what becomes of it is told, though more came than is kept", async () => {
  accepted(1, 6);
  await ticked();
  expect(rows().map((r) => r.id)).toEqual(["6-0", "5-0", "4-0", "3-0"]);
  tell({ do: "freeze", frozen: true });
  accepted(7, 30);
  delivered(30);
  delivered(5);
  await ticked();
  expect(rows().map((r) => [r.id, r.outcome?.delivered])).toEqual([["6-0", undefined], ["5-0", 1], ["4-0", undefined], ["3-0", undefined]]);
  expect(stats()).toMatchObject({ received: 30, newer: 24 });
  tell({ do: "freeze", frozen: false });
  expect(rows().map((r) => [r.id, r.outcome?.delivered])).toEqual([["30-0", 1], ["29-0", undefined], ["28-0", undefined], ["27-0", undefined]]);
});

test("a connection that was lost is told as a gap until another stream is asked for", async () => {
  accepted(1, 2);
  await ticked();
  const from = Date.now();
  stream.close();
  await vi.advanceTimersByTimeAsync(2000);
  accepted(3, 3);
  await ticked();
  expect(stats()).toMatchObject({ state: "open", received: 3, gaps: [{ from: from - 250, to: from + 1000 }] });
  expect(rows().map((r) => r.id)).toEqual(["3-0", "2-0", "1-0"]);
  tell({ do: "open", url: "/stream", test: "/test", filter: "", capacity: 10, window: 4, every: 250 });
  await ticked();
  expect(stats().gaps).toEqual([]);
});
