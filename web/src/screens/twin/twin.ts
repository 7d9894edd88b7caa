import { api } from "~/api/client";
import { infiniteQueryOptions } from "@tanstack/react-query";
import type { Schemas } from "~/api/queries";

export type TwinPage = Schemas["TwinPage"];
export type TwinEvent = Schemas["TwinEvent"];

/** What the journal holds of a twin, the latest first, part by part. */
export const twinQuery = (key: string, from?: string, to?: string) =>
  infiniteQueryOptions({
    queryKey: ["twin", key, from, to],
    queryFn: async ({ signal, pageParam }) => (await api.get("/twins", { query: { key, from, to, after: pageParam, limit: 500 }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (p: TwinPage) => p.next,
    staleTime: Infinity, // while it is shown it changes when someone asks for it
    refetchOnMount: "always",
  });

export interface Whole {
  items: TwinEvent[];
  series: { path: string; points: [number, number][]; truncated: boolean }[];
  events: number;
  complete: boolean;
  /** The time that was looked at, in milliseconds since 1970; undefined when nothing was. */
  from: number | undefined;
  to: number | undefined;
}

/** All parts as one. */
export function whole(pages: readonly TwinPage[]): Whole {
  const series = new Map<string, { path: string; points: [number, number][]; truncated: boolean }>();
  for (const page of [...pages].reverse()) {
    for (const s of page.series) {
      const have = series.get(s.path) ?? { path: s.path, points: [], truncated: false };
      have.points.push(...(s.points as [number, number][]));
      have.truncated ||= s.truncated ?? false;
      series.set(s.path, have);
    }
  }
  for (const s of series.values()) s.points.sort((a, b) => a[0] - b[0]);
  const times = pages.flatMap((p) => [p.covered.fromTime, p.covered.toTime]).filter((t) => t !== undefined).map((t) => Date.parse(t));
  return {
    items: pages.flatMap((p) => p.items),
    series: [...series.values()].sort((a, b) => b.points.length - a.points.length || a.path.localeCompare(b.path)),
    events: pages.reduce((n, p) => n + p.covered.events, 0),
    complete: pages.at(-1)?.covered.complete === true && pages.at(-1)?.next === undefined,
    from: times.length > 0 ? Math.min(...times) : undefined,
    to: times.length > 0 ? Math.max(...times) : undefined,
  };
}

export type Fate = "delivered" | "retrying" | "dead" | "event";

const worst: readonly Fate[] = ["dead", "retrying", "delivered"];

export interface Lane {
  /** A route; "" for the events themselves. */
  route: string;
  endpoints: string[];
  marks: { at: number; id: string; fate: Fate }[];
}

/** A lane for the events, and one for each route that sent any of them on. */
export function lanes(items: readonly TwinEvent[]): Lane[] {
  const events: Lane = { route: "", endpoints: [], marks: [] };
  const byRoute = new Map<string, Lane>();
  for (const item of items) {
    const at = Date.parse(item.time);
    events.marks.push({ at, id: item.id, fate: "event" });
    const outputs = new Map<string, Map<string, Fate>>(); // what became of each output of a route: its latest attempt says
    for (const d of item.deliveries) {
      const lane = byRoute.get(d.route) ?? { route: d.route, endpoints: [], marks: [] };
      byRoute.set(d.route, lane);
      if (!lane.endpoints.includes(d.endpoint)) lane.endpoints.push(d.endpoint);
      const mine = outputs.get(d.route) ?? new Map<string, Fate>();
      outputs.set(d.route, mine.set(`${d.output} ${d.endpoint}`, d.outcome === "delivered" ? "delivered" : d.dead ? "dead" : "retrying"));
    }
    for (const [route, mine] of outputs) byRoute.get(route)!.marks.push({ at, id: item.id, fate: worst.find((f) => [...mine.values()].includes(f))! });
  }
  return [events, ...[...byRoute.values()].sort((a, b) => a.route.localeCompare(b.route, "en", { numeric: true }))];
}

export interface Bin {
  from: number;
  to: number;
  count: number;
  fates: Map<Fate, number>;
  id: string;
}

/** The marks of a lane in steps of the range, those with none left out. */
export function bins(lane: Lane, from: number, to: number, steps: number): Bin[] {
  const size = Math.max(1, to - from) / steps;
  const out = new Map<number, Bin>();
  for (const m of lane.marks) {
    if (m.at < from || m.at > to) continue;
    const i = Math.min(steps - 1, Math.floor((m.at - from) / size));
    const bin = out.get(i) ?? { from: from + i * size, to: from + (i + 1) * size, count: 0, fates: new Map(), id: m.id };
    bin.count++;
    bin.fates.set(m.fate, (bin.fates.get(m.fate) ?? 0) + 1);
    out.set(i, bin);
  }
  return [...out.values()].sort((a, b) => a.from - b.from);
}
