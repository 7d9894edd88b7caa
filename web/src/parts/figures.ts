// Figures as people read them. The page is in English whatever the browser's
// language, and so are its numbers.

const plain = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 1,234,567; from 10 million on 12.3M. */
export function count(n: number): string {
  if (Math.abs(n) < 10_000_000) return plain.format(n);
  return (n / 1e6).toLocaleString("en-US", { maximumFractionDigits: 1 }) + "M";
}

/** 1,204/s; small rates keep a digit, unless so many decimals are asked for. */
export function rate(perSecond: number, digits = perSecond > 0 && perSecond < 9.95 ? 1 : 0): string {
  return perSecond.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }) + "/s";
}

/** "1 event", "3,120 events". */
export function plural(n: number, one: string, many = one + "s"): string {
  return count(n) + " " + (n === 1 ? one : many);
}

/** 1.9 MB, in steps of 1,000 as disks are sold, or as the unit says. */
export function bytes(n: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  let v = n;
  while (v >= 1000 && i < units.length - 1) {
    v /= 1000;
    i++;
  }
  return v.toLocaleString("en-US", { maximumFractionDigits: i > 0 && v < 100 ? 1 : 0 }) + " " + units[i];
}

/** 350 µs, 12 ms, 4.2 s, from nanoseconds. */
export function duration(ns: number): string {
  const steps: [number, string][] = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
  const [by, unit] = steps.find(([s]) => ns >= s) ?? [1, "ns"];
  const v = ns / by;
  return v.toLocaleString("en-US", { maximumFractionDigits: v < 10 ? 1 : 0 }) + " " + unit;
}

/** A duration of the API, such as 1m2.345678ms, with the digits that people read. */
export function tookWords(took: string): string {
  const units: Record<string, number> = { h: 3.6e12, m: 6e10, s: 1e9, ms: 1e6, µs: 1e3, us: 1e3, ns: 1 };
  let ns = 0;
  for (const [, n, unit] of took.matchAll(/([\d.]+)(ms|µs|us|ns|h|m|s)/g)) ns += Number(n) * (units[unit!] ?? 0);
  return ns > 0 ? duration(ns) : took;
}

export function percent(share: number): string {
  const p = share * 100;
  if (p > 0 && p < 0.1) return "<0.1 %";
  return p.toLocaleString("en-US", { maximumFractionDigits: p > 0 && p < 10 ? 1 : 0 }) + " %";
}
