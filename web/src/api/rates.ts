import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import type { Schemas } from "./queries";

export type Rates = Schemas["Rates"];
export type RouteRates = Schemas["RouteRates"];

/** The ranges of time that a page shows, with the step of each. */
export const ranges = ["15m", "1h", "6h", "24h"] as const;
export type Range = (typeof ranges)[number];
export const rangeWords = { "15m": "15 min", "1h": "1 h", "6h": "6 h", "24h": "24 h" } as const;
export const rangeSteps = { "15m": "10s", "1h": "30s", "6h": "2m", "24h": "10m" } as const;

/** Counts over time, asked for again as they grow. */
export const ratesQuery = (q: { from: string; step?: string; route?: string; endpoint?: string; top?: number }) =>
  queryOptions({
    queryKey: ["rates", q],
    queryFn: async ({ signal }) => {
      const { route, endpoint, ...rest } = q;
      return (await api.get("/rates", { query: { ...rest, ...(route !== undefined && { route: [route] }), ...(endpoint !== undefined && { endpoint: [endpoint] }) }, signal })).data;
    },
    refetchInterval: 10_000,
    placeholderData: keepPreviousData,
  });

/** The sum of what is known of a series. */
export function total(series: readonly (number | null)[]): number {
  return series.reduce<number>((sum, v) => sum + (v ?? 0), 0);
}

/** A series of counts as rates a second. */
export function perSecond(series: readonly (number | null)[], stepSeconds: number): (number | null)[] {
  return series.map((v) => (v === null ? null : v / stepSeconds));
}

/** The rate over the last whole steps, undefined where nothing is known. */
export function latestRate(series: readonly (number | null)[], stepSeconds: number, steps = 3): number | undefined {
  const known = series.slice(0, -1).slice(-steps).filter((v) => v !== null);
  return known.length > 0 ? total(known) / (known.length * stepSeconds) : undefined;
}
