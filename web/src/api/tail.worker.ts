/// <reference lib="webworker" />
import { kindOf } from "./kind";
import { Ring } from "./ring";
import type { components } from "./schema.gen";
import { follow, type Message, type StreamState } from "./sse";
import { shows, type TailCommand, type TailReport, type TailRow } from "./tail";

type Schemas = components["schemas"];

// The stream is read, parsed and kept here, so that the page only ever handles
// the rows that it shows.

interface Held {
  row: TailRow;
  text: string;
}

let ring = new Ring<Held>(1);
let ended = new AbortController();
let windowSize = 200;
let kinds: (TailRow["kind"])[] = [];
let text = "";
let frozenAt: number | undefined;
let dropped = 0;
let state: StreamState = "connecting";
let detail: string | undefined;
let deliveries: Schemas["DeliveryReport"][] = [];
let ticker: ReturnType<typeof setInterval> | undefined;
let told = -1; // the newest row that the page was told of
let arrivals: { at: number; n: number }[] = [];

const post = (report: TailReport) => self.postMessage(report);

function take(m: Message): void {
  switch (m.event) {
    case "accepted": {
      const stored = JSON.parse(m.data) as Schemas["StoredEvent"];
      ring.push((n) => ({ text: m.data, row: rowOf(n, stored, m.data.length) }));
      break;
    }
    case "delivery":
      deliveries.push(JSON.parse(m.data) as Schemas["DeliveryReport"]);
      if (deliveries.length > 1000) deliveries = deliveries.slice(-1000);
      break;
    case "dropped":
      dropped += (JSON.parse(m.data) as Schemas["Dropped"]).dropped;
  }
}

function rowOf(n: number, stored: Schemas["StoredEvent"], size: number): TailRow {
  const e = stored.event;
  const data = e.data !== undefined ? JSON.stringify(e.data) : e.data_base64 !== undefined ? "binary, base64: " + String(e.data_base64).slice(0, 60) : "";
  return {
    n, size, id: stored.id, acceptedAt: stored.acceptedAt,
    type: String(e.type), kind: kindOf(String(e.type)), subject: String(e.subject ?? ""), source: String(e.source), eventId: String(e.id),
    glance: data.length > 160 ? data.slice(0, 160) + "…" : data,
  };
}

function pass(h: Held): boolean {
  return shows(h.row, kinds, text);
}

function tick(): void {
  const now = Date.now();
  arrivals.push({ at: now, n: ring.newest + dropped });
  arrivals = arrivals.filter((a) => now - a.at <= 3000);
  const first = arrivals[0];
  const seconds = first ? (now - first.at) / 1000 : 0;
  post({
    is: "stats",
    stats: {
      state, detail, dropped, received: ring.newest, held: ring.size,
      rate: first && seconds > 0.5 ? (ring.newest + dropped - first.n) / seconds : 0,
      newer: frozenAt === undefined ? 0 : ring.newest - frozenAt,
    },
  });
  if (frozenAt === undefined && told !== ring.newest) tellRows();
  if (deliveries.length > 0) {
    post({ is: "deliveries", deliveries });
    deliveries = [];
  }
}

function tellRows(): void {
  told = ring.newest;
  post({ is: "rows", rows: ring.before((frozenAt ?? ring.newest) + 1, windowSize, pass).map((h) => h.row) });
}

self.onmessage = ({ data: command }: MessageEvent<TailCommand>) => {
  switch (command.do) {
    case "open":
      ended.abort();
      clearInterval(ticker);
      ended = new AbortController();
      ring = new Ring(command.capacity);
      windowSize = command.window;
      dropped = 0;
      told = -1;
      arrivals = [];
      frozenAt = undefined;
      ticker = setInterval(tick, command.every);
      void follow(command.url, {
        signal: ended.signal,
        onMessage: take,
        onState: (s, d) => {
          state = s;
          detail = d;
        },
      });
      break;
    case "freeze":
      frozenAt = command.frozen ? (frozenAt ?? ring.newest) : undefined;
      if (!command.frozen) tellRows();
      break;
    case "filter":
      kinds = command.kinds;
      text = command.text;
      tellRows();
      break;
    case "older":
      post({ is: "older", call: command.call, rows: ring.before(command.before, command.count, pass).map((h) => h.row) });
      break;
    case "event": {
      const held = ring.get(command.n);
      post({ is: "event", call: command.call, event: held && (JSON.parse(held.text) as Schemas["StoredEvent"]) });
      break;
    }
    case "close":
      ended.abort();
      clearInterval(ticker);
      self.close();
  }
};
