// Search parameters are plain text in the URL, so that links can be read and
// written by hand. A route's validateSearch turns them into its own type with
// these; each takes what a URL or a navigation may hold, and never throws.

type Values = Record<string, unknown>;

export function parseSearch(text: string): Values {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(values: Values): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === "" || value === false) continue;
    if (Array.isArray(value)) {
      if (value.length > 0) out.set(name, value.join(","));
    } else out.set(name, String(value));
  }
  const all = out.toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");
  return all && "?" + all;
}

/** A text, undefined when empty. */
export function text(v: unknown): string | undefined {
  return v === undefined || v === null || v === "" ? undefined : String(v);
}

/** A whole number within bounds. */
export function whole(v: unknown, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
  const n = Number(text(v));
  return text(v) !== undefined && Number.isInteger(n) && n >= min && n <= max ? n : undefined;
}

export function flag(v: unknown): true | undefined {
  return v === true || v === "true" || v === "1" ? true : undefined;
}

export function oneOf<T extends string>(v: unknown, all: readonly T[]): T | undefined {
  return all.find((x) => x === v);
}

export function someOf<T extends string>(v: unknown, all: readonly T[]): T[] | undefined {
  const given = Array.isArray(v) ? v.map(String) : (text(v)?.split(",") ?? []);
  const found = all.filter((x) => given.includes(x));
  return found.length > 0 ? found : undefined;
}
