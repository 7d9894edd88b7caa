/// <reference lib="webworker" />
import { glanceOf } from "./glance";
import { kindOf, twinKey } from "./kind";
import { Ring } from "./ring";
import type { components } from "./schema.gen";
import { follow, type Gap, type Message, type StreamState } from "./sse";
import type { Outcome, TailCommand, TailReport, TailRow } from "./tail";

type Schemas = components["schemas"];

// The stream is read, parsed and kept here, so that the page only ever handles
// the rows that it shows.

const textBudget = 32 << 20; // characters of events that are kept whole
const siftMost = 300; // rows that stay when the filter changes, if they match

interface Held {
  row: TailRow;
  /** The event's JSON, for a filter that comes later; undefined once it is too old. */
  text: string | undefined;
  /** The state of each delivery, by route and output. */
  deliveries?: Map<string, "delivered" | "retrying" | "dead">;
}

let ring = new Ring<Held>(1);
let byId = new Map<string, Held>();
let texts = 0; // characters held
let oldestText = 1; // the first row that may have its text
let ended = new AbortController();
let windowSize = 200;
let filter = "";
let frozenAt: number | undefined;
let state: StreamState = "connecting";
let detail: string | undefined;
let deliveries: Schemas["DeliveryReport"][] = [];
let ticker: ReturnType<typeof setInterval> | undefined;
let told = -1; // the newest row that the page was told of
let view: Held[] = []; // what the page was told; while frozen it stays, though the ring moves on
let stale = false; // rows that the page has were changed since
let received = 0;
let left = { dropped: 0, sampled: 0, unmatched: 0 };
let gaps: Gap[] = [];
let arrivals: { at: number; told: number; all: number }[] = [];

const post = (report: TailReport) => self.postMessage(report);

function take(m: Message): void {
  switch (m.event) {
    case "accepted":
      received++;
      keep(JSON.parse(m.data) as Schemas["StoredEvent"], m.data);
      break;
    case "delivery":
      note(JSON.parse(m.data) as Schemas["DeliveryReport"]);
      break;
    case "dropped": {
      const d = JSON.parse(m.data) as Schemas["Dropped"];
      left.dropped += d.dropped;
      left.sampled += d.sampled ?? 0;
      left.unmatched += d.unmatched ?? 0;
    }
  }
}

function keep(stored: Schemas["StoredEvent"], text: string): void {
  if (ring.size === ring.capacity) {
    const gone = ring.get(ring.oldest);
    if (gone) {
      byId.delete(gone.row.id);
      texts -= gone.text?.length ?? 0;
    }
  }
  const n = ring.push((n) => ({ text, row: rowOf(n, stored, text.length) }));
  byId.set(stored.id, ring.get(n)!);
  texts += text.length;
  for (oldestText = Math.max(oldestText, ring.oldest); texts > textBudget && oldestText < n; oldestText++) {
    const old = ring.get(oldestText);
    if (old) {
      texts -= old.text?.length ?? 0;
      old.text = undefined;
    }
  }
}

function note(d: Schemas["DeliveryReport"]): void {
  deliveries.push(d);
  if (deliveries.length > 1000) deliveries = deliveries.slice(-1000);
  const held = byId.get(d.id) ?? view.find((h) => h.row.id === d.id);
  if (!held) return;
  held.deliveries ??= new Map();
  held.deliveries.set(`${d.route}\n${d.output}`, d.outcome === "delivered" ? "delivered" : d.dead ? "dead" : "retrying");
  const states = [...held.deliveries.values()];
  const of = (s: string) => states.filter((x) => x === s).length;
  const endpoints = held.row.outcome?.endpoints ?? [];
  const outcome: Outcome = {
    delivered: of("delivered"), retrying: of("retrying"), dead: of("dead"),
    endpoints: endpoints.includes(d.endpoint) ? endpoints : [...endpoints, d.endpoint],
    error: d.error ?? held.row.outcome?.error,
  };
  held.row = { ...held.row, outcome };
  if (view.includes(held)) stale = true;
}

function rowOf(n: number, stored: Schemas["StoredEvent"], size: number): TailRow {
  const e = stored.event as Record<string, unknown> & Schemas["CloudEvent"];
  const kind = kindOf(String(e.type));
  return {
    n, size, kind, id: stored.id, acceptedAt: stored.acceptedAt, type: String(e.type),
    subject: String(e.subject ?? ""), source: String(e.source), twin: twinKey(e), glance: glanceOf(kind, e),
  };
}

function tick(): void {
  const now = Date.now();
  arrivals.push({ at: now, told: received, all: received + left.dropped + left.sampled });
  arrivals = arrivals.filter((a) => now - a.at <= 3000);
  const first = arrivals[0]!;
  const seconds = (now - first.at) / 1000;
  const perSecond = (n: number) => (seconds > 0.5 ? n / seconds : 0);
  post({
    is: "stats",
    stats: {
      state, detail, received, ...left, gaps, held: ring.size,
      rate: perSecond(received + left.dropped + left.sampled - first.all), toldRate: perSecond(received - first.told),
      newer: frozenAt === undefined ? 0 : ring.newest - frozenAt,
    },
  });
  if (stale || (frozenAt === undefined && told !== ring.newest)) tellRows();
  if (deliveries.length > 0) {
    post({ is: "deliveries", deliveries });
    deliveries = [];
  }
}

function tellRows(): void {
  if (frozenAt === undefined) {
    told = ring.newest;
    view = ring.before(told + 1, windowSize, () => true);
  }
  stale = false;
  post({ is: "rows", rows: view.map((h) => h.row) });
}

function empty(capacity: number): void {
  ring = new Ring(capacity);
  byId = new Map();
  texts = 0;
  oldestText = 1;
  frozenAt = undefined;
  told = -1;
}

/** Empties the ring but for the latest rows that match the filter, which the server decides. */
async function sift(test: string, wanted: string, capacity: number, signal: AbortSignal): Promise<void> {
  const latest = ring.before(ring.newest + 1, siftMost, (h) => h.text !== undefined).reverse();
  empty(capacity);
  tellRows();
  if (latest.length === 0) return;
  const events = latest.map((h) => (JSON.parse(h.text!) as Schemas["StoredEvent"]).event);
  const answer = await fetch(test, { method: "POST", headers: { "Content-Type": "application/json" }, credentials: "same-origin", body: JSON.stringify({ route: { filter: wanted }, events }), signal });
  if (!answer.ok || signal.aborted) return; // the stream, refused for the same reason, says why
  const { results } = (await answer.json()) as Schemas["TestResponse"];
  const newer = ring.before(ring.newest + 1, ring.size, () => true).reverse();
  empty(capacity);
  const known = new Set(newer.map((h) => h.row.id));
  for (const h of [...latest.filter((h, i) => results[i]?.matched && !known.has(h.row.id)), ...newer]) {
    const n = ring.push((n) => ({ ...h, row: { ...h.row, n } }));
    byId.set(h.row.id, ring.get(n)!);
    texts += h.text?.length ?? 0;
  }
  tellRows();
}

self.onmessage = ({ data: command }: MessageEvent<TailCommand>) => {
  switch (command.do) {
    case "open": {
      ended.abort();
      clearInterval(ticker);
      ended = new AbortController();
      const { signal } = ended;
      windowSize = command.window;
      received = 0;
      left = { dropped: 0, sampled: 0, unmatched: 0 };
      gaps = [];
      arrivals = [];
      if (ring.capacity !== command.capacity) empty(command.capacity);
      else if (command.filter !== filter && command.filter !== "") void sift(command.test, command.filter, command.capacity, signal).catch(() => undefined);
      filter = command.filter;
      ticker = setInterval(tick, command.every);
      void follow(command.url, {
        signal,
        onMessage: take,
        onGap: (gap) => gaps.push(gap),
        onState: (s, d) => {
          state = s;
          detail = d;
        },
      });
      break;
    }
    case "freeze":
      frozenAt = command.frozen ? (frozenAt ?? Math.max(told, 0)) : undefined;
      if (!command.frozen) tellRows();
      break;
    case "older":
      post({ is: "older", call: command.call, rows: ring.before(command.before, command.count, () => true).map((h) => h.row) });
      break;
    case "close":
      ended.abort();
      clearInterval(ticker);
      self.close();
  }
};
