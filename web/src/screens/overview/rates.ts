import type { Schemas } from "~/api/queries";
import { ratesQuery } from "~/api/rates";
import { rate } from "~/parts/figures";

/** What was counted in the last 15 minutes, in steps of ten seconds. */
export const overviewRates = { ...ratesQuery({ from: "15m", step: "10s", top: 1000 }), refetchInterval: 5000 };

/** A series without its last step, which is still under way. */
export function whole(series: Schemas["Series"] | undefined): Schemas["Series"] {
  return (series ?? []).slice(0, -1);
}

/** The latest step that is whole; undefined when nothing is known of it. */
export function latest(series: Schemas["Series"] | undefined): number | undefined {
  return whole(series).at(-1) ?? undefined;
}

/** The latest count of a series as a rate, for people. */
export function rateNow(series: Schemas["Series"] | undefined, stepSeconds: number): string {
  const n = latest(series);
  return n === undefined ? "–" : rate(n / stepSeconds);
}
