// What an axis writes at its ticks.

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Times in milliseconds since 1970: with their days where there is more than one, with seconds where they are so fine. */
export function timeLabels(at: readonly number[]): string[] {
  const dates = at.map((t) => new Date(t));
  const two = (n: number) => String(n).padStart(2, "0");
  const days = new Set(dates.map((d) => d.toDateString())).size > 1;
  const fine = dates.some((d) => d.getSeconds() !== 0);
  return dates.map((d) => (days ? day.format(d) + " " : "") + `${two(d.getHours())}:${two(d.getMinutes())}` + (fine ? `:${two(d.getSeconds())}` : ""));
}

/** The decimals that numbers so far apart need, so that none is written twice. */
export function decimals(distance: number): number {
  let n = 0;
  while (n < 9 && Math.abs(distance * 10 ** n - Math.round(distance * 10 ** n)) > 1e-6 * distance * 10 ** n) n++;
  return n;
}
