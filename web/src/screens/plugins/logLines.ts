import type { Schemas } from "~/api/queries";

export type Line = Schemas["PluginLogLine"] & { key: string };

/** Lines, the latest first, with keys that stay theirs while new ones come and old ones go: they have no id. */
export function keyed(lines: readonly Schemas["PluginLogLine"][]): Line[] {
  const seen = new Map<string, number>();
  return lines
    .toReversed()
    .map((l) => {
      const says = [l.at, l.version, l.from, l.position, l.text].join(" ");
      const n = seen.get(says) ?? 0;
      seen.set(says, n + 1);
      return { ...l, key: `${says} ${n}` };
    })
    .toReversed();
}

/** How many of the lines came after those that are shown. */
export function newerThan(shown: readonly Line[], lines: readonly Line[]): number {
  const i = lines.findIndex((l) => l.key === shown[0]?.key);
  return i < 0 ? lines.length : i;
}
