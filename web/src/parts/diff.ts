import { isObject } from "./isObject";

/** A place where two JSON values differ. */
export interface Difference {
  /** A JSON pointer, "" for the whole. */
  path: string;
  /** undefined where it was not there. */
  before?: unknown;
  after?: unknown;
}

/** Where two JSON values differ, deepest places first named, in the order of their members. */
export function differences(before: unknown, after: unknown, path = ""): Difference[] {
  if (Object.is(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const out: Difference[] = [];
    for (let i = 0; i < Math.max(before.length, after.length); i++) out.push(...differences(before[i], after[i], `${path}/${i}`));
    return out;
  }
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((n) => differences(own(before, n), own(after, n), `${path}/${n.replaceAll("~", "~0").replaceAll("/", "~1")}`));
  }
  return [{ path, before, after }];
}

function own(o: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(o, name) ? o[name] : undefined;
}

/** A JSON pointer as people read it: data.patch[0].value. */
export function pathWords(pointer: string): string {
  return pointer
    .split("/")
    .slice(1)
    .map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((out, s) => (/^\d+$/.test(s) ? `${out}[${s}]` : /^[\w$-]+$/.test(s) ? (out ? out + "." : "") + s : `${out}[${JSON.stringify(s)}]`), "");
}
