import { kindTypes, type EventKind } from "./kind";
import type { components } from "./schema.gen";
import type { Gap, StreamState } from "./sse";

type Schemas = components["schemas"];

/** What became of an event so far, over all of its deliveries. */
export interface Outcome {
  delivered: number;
  /** Whose last attempt failed, and that are tried again. */
  retrying: number;
  dead: number;
  /** The endpoints of those, in the order in which they came. */
  endpoints: string[];
  /** The latest failure, in the endpoint's words. */
  error?: string;
}

/** A line of the tail: what a list shows of an event. */
export interface TailRow {
  /** Counts up by one for every row this follower got. */
  n: number;
  /** Position in the journal. */
  id: string;
  acceptedAt: string;
  type: string;
  kind: EventKind;
  subject: string;
  source: string;
  /** The key of the twin that it is about. */
  twin: string;
  /** Bytes of its JSON as it came. */
  size: number;
  /** What it says, in one line. */
  glance: string;
  outcome?: Outcome;
}

export interface TailStats {
  state: StreamState;
  detail?: string;
  /** Events that came since the follower started. */
  received: number;
  /** What the server left out because this follower was too slow. */
  dropped: number;
  /** Events that match, beyond the sample that was asked for. */
  sampled: number;
  /** Events that do not match the filter. */
  unmatched: number;
  /** When the connection was lost: what came then is neither told nor counted. */
  gaps: Gap[];
  /** Matching events a second, told or not, over the last three. */
  rate: number;
  /** Of them, those that were told. */
  toldRate: number;
  /** Rows that can still be shown. */
  held: number;
  /** Rows that came since the view was frozen. */
  newer: number;
}

/** To the worker. */
export type TailCommand =
  /** Follows url. Rows that are there stay when they match filter, a text of the filter language. */
  | { do: "open"; url: string; test: string; filter: string; capacity: number; window: number; every: number }
  | { do: "freeze"; frozen: boolean }
  | { do: "older"; before: number; count: number; call: number }
  | { do: "close" };

/** From the worker. */
export type TailReport =
  | { is: "stats"; stats: TailStats }
  /** The newest rows, newest first, in place of those told before. */
  | { is: "rows"; rows: TailRow[] }
  | { is: "deliveries"; deliveries: Schemas["DeliveryReport"][] }
  | { is: "older"; rows: TailRow[]; call: number };

/**
 * The filter of events of the kinds, none of them being all, about a twin whose
 * name has text in it, and which match filter; "" when that is every event.
 */
export function tailFilter(kinds: readonly EventKind[], text: string, filter: string): string {
  const parts: string[] = [];
  if (kinds.length > 0) {
    const wanted = kinds.flatMap((k) => (k === "other" ? [] : kindTypes[k]));
    const all = Object.values(kindTypes).flat();
    const some = wanted.length > 0 ? `type IN [${wanted.map(literal).join(", ")}]` : "";
    const other = kinds.includes("other") ? `NOT type IN [${all.map(literal).join(", ")}]` : "";
    parts.push([some, other].filter(Boolean).join(" OR "));
  }
  if (text !== "") parts.push(`CONTAINS(subject, ${literal(text)}) OR CONTAINS(source, ${literal(text)})`);
  if (filter.trim() !== "") parts.push(filter.trim());
  return parts.length === 1 ? parts[0]! : parts.map((p) => `(${p})`).join(" AND ");
}

function literal(s: string): string {
  return "'" + s.replaceAll("'", "''") + "'";
}
