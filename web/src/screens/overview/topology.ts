import type { Schemas } from "~/api/queries";
import type { StateName } from "~/parts/StateBadge";
import { latest } from "./rates";

/** One thing that events pass, in one of four columns: where they come from, the journal, routes, endpoints. */
export interface Station {
  id: string;
  column: 0 | 1 | 2 | 3;
  row: number;
  label: string;
  /** How many things it stands for, when they are folded. */
  folds?: number;
  link?: { kind: "source" | "route" | "endpoint"; name: string };
  state: StateName;
  /** Events a second; undefined where it is not counted yet. */
  rate: number | undefined;
}

export interface Flow {
  id: string;
  from: string;
  to: string;
  rate: number | undefined;
  /** Which part of it fails, from 0 to 1. */
  failing: number;
}

export interface Topology {
  stations: Station[];
  flows: Flow[];
  rows: number;
}

/** A column with more than this folds. */
export const most = 20;
const open = 5; // failing routes of one endpoint that stay open

interface Given {
  status: Schemas["Status"];
  routes: readonly Schemas["Route"][];
  rates: Schemas["Rates"] | undefined;
}

/**
 * What flows where now. With more than 20 routes those of one endpoint fold into
 * one, but failing ones stay open; with more than 20 endpoints, or sources, the
 * failing and the busiest are shown, and the others as one.
 */
export function topologyOf({ status, routes, rates }: Given): Topology {
  const step = rates?.stepSeconds ?? 10;
  const per = (series: Schemas["Series"] | undefined) => {
    const n = latest(series);
    return n === undefined ? undefined : n / step;
  };
  const byRoute = new Map(rates?.routes.map((r) => [r.id, r]));
  const byEndpoint = new Map(rates?.endpoints.map((e) => [e.name, e]));
  const bySource = new Map(rates?.sources.map((s) => [s.name, s]));

  const stations: Station[] = [];
  const flows: Flow[] = [];
  const flow = (from: string, to: string, rate: number | undefined, failing = 0) => flows.push({ id: `${from} → ${to}`, from, to, rate, failing });

  // Where events come from.
  const accepted = per(rates?.gateway.in);
  const rateOf = (s: Schemas["SourceStatus"]) => per(bySource.get(s.name)?.received);
  const away = (s: Schemas["SourceStatus"]) => (s.state === "failing" || s.state === "stopped" ? 1 : 0);
  const fetched = sum(status.sources.map(rateOf)) ?? 0;
  const shownSources = foremost(status.sources, away, rateOf);
  for (const s of status.sources) {
    if (!shownSources.has(s.name)) continue;
    stations.push({ id: "source " + s.name, column: 0, row: 0, label: s.name, link: { kind: "source", name: s.name }, state: s.state, rate: rateOf(s) });
    flow("source " + s.name, "journal", rateOf(s), away(s));
  }
  const otherSources = status.sources.filter((s) => !shownSources.has(s.name));
  if (otherSources.length > 0) {
    const rate = sum(otherSources.map(rateOf));
    stations.push({ id: "sources", column: 0, row: 0, label: "other sources", folds: otherSources.length, state: worst(otherSources.map((s) => s.state)), rate });
    flow("sources", "journal", rate, Math.max(...otherSources.map(away)));
  }
  const http = accepted === undefined ? undefined : Math.max(0, accepted - fetched);
  stations.push({ id: "http", column: 0, row: 0, label: "HTTP", state: http ? "healthy" : "idle", rate: http });
  flow("http", "journal", http);
  stations.push({ id: "journal", column: 1, row: 0, label: "Accepted", state: status.journal.full ? "failing" : accepted ? "healthy" : "idle", rate: accepted });

  // Where they go: by name, so that nothing moves when rates change.
  const ends = [...status.endpoints].sort((a, b) => (a.name < b.name ? -1 : 1));
  const byName = new Map(ends.map((e) => [e.name, e]));
  const shownEnds = foremost(ends, (e) => (e.state === "failing" ? 1 : 0), (e) => per(byEndpoint.get(e.name)?.delivered));
  const others = ends.filter((e) => !shownEnds.has(e.name));
  const endId = (name: string) => (shownEnds.has(name) ? "endpoint " + name : "endpoints");
  const failingPart = (name: string) => {
    const e = byName.get(name);
    const failed = per(byEndpoint.get(name)?.failed) ?? 0;
    const delivered = per(byEndpoint.get(name)?.delivered) ?? 0;
    return failed > 0 ? failed / (failed + delivered) : e?.state === "failing" ? 1 : 0;
  };
  for (const e of ends) {
    if (shownEnds.has(e.name)) stations.push({ id: "endpoint " + e.name, column: 3, row: 0, label: e.name, link: { kind: "endpoint", name: e.name }, state: e.state, rate: per(byEndpoint.get(e.name)?.delivered) });
  }
  if (others.length > 0) {
    stations.push({ id: "endpoints", column: 3, row: 0, label: "other endpoints", folds: others.length, state: worst(others.map((e) => e.state)), rate: sum(others.map((e) => per(byEndpoint.get(e.name)?.delivered))) });
  }

  // Routes in between, next to their endpoint.
  const stateOf = (r: Schemas["Route"]): StateName => {
    if (!r.enabled) return "disabled";
    const end = byName.get(r.endpointName)?.state;
    return end === "failing" || end === "catching up" || end === "paused" ? end : per(byRoute.get(r.id)?.matched) ? "healthy" : "idle";
  };
  const groups = new Map<string, Schemas["Route"][]>();
  for (const r of [...routes].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const key = endId(r.endpointName);
    const group = groups.get(key);
    if (group) group.push(r);
    else groups.set(key, [r]);
  }
  for (const end of stations.filter((s) => s.column === 3).map((s) => s.id)) {
    const mine = groups.get(end) ?? [];
    const failing = mine.filter((r) => stateOf(r) === "failing").slice(0, open);
    const alone = routes.length <= most ? mine : mine.length === 1 ? mine : failing;
    const apart = new Set(alone);
    const folded = mine.filter((r) => !apart.has(r));
    for (const r of alone) {
      const counted = byRoute.get(r.id);
      const rate = per(counted?.matched);
      const errors = per(counted?.errors) ?? 0;
      stations.push({ id: "route " + r.id, column: 2, row: 0, label: r.id, link: { kind: "route", name: r.id }, state: stateOf(r), rate });
      flow("journal", "route " + r.id, rate, rate && errors ? Math.min(1, errors / rate) : 0);
      flow("route " + r.id, end, per(counted?.outputs), failingPart(r.endpointName));
    }
    if (folded.length > 0) {
      const id = "routes of " + end;
      const matched = sum(folded.map((r) => per(byRoute.get(r.id)?.matched)));
      stations.push({ id, column: 2, row: 0, label: alone.length > 0 ? "other routes" : "routes", folds: folded.length, state: worst(folded.map(stateOf)), rate: matched });
      flow("journal", id, matched, 0);
      flow(id, end, sum(folded.map((r) => per(byRoute.get(r.id)?.outputs))), Math.max(...folded.map((r) => failingPart(r.endpointName))));
    }
  }
  return placed(stations, flows);
}

/** Gives each station its row: columns are centred on the longest. */
function placed(stations: Station[], flows: Flow[]): Topology {
  const columns = [0, 1, 2, 3].map((c) => stations.filter((s) => s.column === c));
  const rows = Math.max(...columns.map((c) => c.length));
  for (const c of columns) c.forEach((s, i) => (s.row = i + (rows - c.length) / 2));
  return { stations, flows, rows };
}

/** The names of those that are shown: all, or of too many the failing and the busiest. */
function foremost<T extends { name: string }>(all: readonly T[], failing: (one: T) => number, rate: (one: T) => number | undefined): Set<string> {
  const weight = (one: T) => 1e12 * failing(one) + (rate(one) ?? 0);
  const shown = all.length > most ? [...all].sort((a, b) => weight(b) - weight(a)).slice(0, most) : all;
  return new Set(shown.map((one) => one.name));
}

const order: StateName[] = ["failing", "catching up", "paused", "healthy", "idle", "disabled"];

function worst(states: readonly StateName[]): StateName {
  return order.find((s) => states.includes(s)) ?? "idle";
}

function sum(all: readonly (number | undefined)[]): number | undefined {
  const known = all.filter((n) => n !== undefined);
  return known.length > 0 ? known.reduce((a, b) => a + b, 0) : undefined;
}
