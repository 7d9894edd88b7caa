import { useSyncExternalStore } from "react";

// One clock for all times on a page: it ticks each second while any is shown.
let now = Date.now();
const watchers = new Set<() => void>();
let ticker: ReturnType<typeof setInterval> | undefined;

function watch(w: () => void): () => void {
  watchers.add(w);
  now = Date.now();
  ticker ??= setInterval(() => {
    now = Date.now();
    for (const each of watchers) each();
  }, 1000);
  return () => {
    watchers.delete(w);
    if (watchers.size === 0) {
      clearInterval(ticker);
      ticker = undefined;
    }
  };
}

const absolute = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** "now", "12 s ago", "3 min ago", "in 4 s". */
export function relative(at: number, from: number): string {
  const s = Math.round((from - at) / 1000);
  const abs = Math.abs(s);
  if (abs < 2) return "now";
  const text = abs < 60 ? `${abs} s` : abs < 3600 ? `${Math.floor(abs / 60)} min` : abs < 86_400 ? `${Math.floor(abs / 3600)} h` : `${Math.floor(abs / 86_400)} d`;
  return s > 0 ? text + " ago" : "in " + text;
}

export function absoluteTime(at: string | Date): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : absolute.format(date);
}

/** A time as people say it, the exact one on hover. Changes at most once a second. */
export function RelativeTime({ at }: { at: string | Date }) {
  const date = new Date(at);
  const text = useSyncExternalStore(watch, () => relative(date.getTime(), now));
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() <= 1) return <span className="quiet">never</span>;
  return (
    <time dateTime={date.toISOString()} title={absolute.format(date)} className="nums" style={{ whiteSpace: "nowrap" }}>
      {text}
    </time>
  );
}
