import type { EventKind } from "./kind";
import { binarySize } from "./size";
import { isObject } from "~/parts/isObject";

const most = 160; // characters

/** What an event says, in one line: what changed, what was measured, else the start of its data. */
export function glanceOf(kind: EventKind, event: Record<string, unknown>): string {
  if (event.data_base64 !== undefined) return `binary, ${binarySize(String(event.data_base64)).toLocaleString("en-US")} bytes`;
  const data = event.data;
  if (!isObject(data)) return data === undefined ? "" : cut(brief(data));
  switch (kind) {
    case "update": {
      const changes = patchOf(data);
      if (changes) return cut(changes.map((c) => (c.gone ? `${c.path} removed` : `${c.path} → ${brief(c.value, 60)}`)).join(", "));
      break;
    }
    case "create":
    case "delete":
      return cut(String(modelOf(data) ?? brief(data)));
    case "relationship": {
      const changes = patchOf(data);
      if (changes) return cut(changes.map((c) => `${c.path} → ${brief(c.value, 60)}`).join(", "));
      if (data.$relationshipName !== undefined) return cut(`${String(data.$relationshipName)} → ${String(data.$targetId)}`);
      break;
    }
    case "telemetry":
      return cut(Object.entries(data).slice(0, 12).map(([k, v]) => `${k} ${brief(v, 60)}`).join(", "));
  }
  return cut(brief(data));
}

interface Change {
  path: string;
  value: unknown;
  gone: boolean;
}

/** The operations of an update's JSON Patch, undefined when its data has none. */
export function patchOf(data: unknown): Change[] | undefined {
  const list = isObject(data) ? data.patch : undefined;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  return list.slice(0, 12).filter(isObject).map((op) => ({ path: dotted(String(op.path ?? "")), value: op.value, gone: op.op === "remove" }));
}

/** A JSON Pointer, as people write it. */
function dotted(pointer: string): string {
  return pointer.replace(/^\//, "").replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
}

function modelOf(data: Record<string, unknown>): unknown {
  const meta = data.$metadata;
  return isObject(meta) ? meta.$model : undefined;
}

/** The start of a value's JSON, without walking through all of it. */
export function brief(value: unknown, budget = most): string {
  if (typeof value === "string") return JSON.stringify(value.length > budget ? value.slice(0, budget) + "…" : value);
  if (typeof value !== "object" || value === null) return String(value);
  const list = Array.isArray(value);
  let out = list ? "[" : "{";
  let first = true;
  for (const key in value) {
    if (out.length > budget) return out + "…";
    const inner = brief((value as Record<string, unknown>)[key], Math.max(0, budget - out.length));
    out += (first ? "" : ", ") + (list ? "" : key.slice(0, budget) + ": ") + inner;
    first = false;
  }
  return out + (list ? "]" : "}");
}

function cut(s: string): string {
  return s.length > most ? s.slice(0, most) + "…" : s;
}
