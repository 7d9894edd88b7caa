import type { components } from "./schema.gen";
import type { EventKind } from "./kind";
import type { StreamState } from "./sse";

type Schemas = components["schemas"];

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
  eventId: string;
  /** Bytes of its JSON as it came. */
  size: number;
  /** The start of its data, in one line. */
  glance: string;
}

export interface TailStats {
  state: StreamState;
  detail?: string;
  /** Events that came since the follower started. */
  received: number;
  /** Events that the server left out because this follower was too slow, or samples. */
  dropped: number;
  /** Events a second, over the last three. */
  rate: number;
  /** Rows that can still be shown. */
  held: number;
  /** Rows that came since the view was frozen. */
  newer: number;
}

/** To the worker. */
export type TailCommand =
  | { do: "open"; url: string; capacity: number; window: number; every: number }
  | { do: "freeze"; frozen: boolean }
  | { do: "filter"; kinds: EventKind[]; text: string }
  | { do: "older"; before: number; count: number; call: number }
  | { do: "event"; n: number; call: number }
  | { do: "close" };

/** From the worker. */
export type TailReport =
  | { is: "stats"; stats: TailStats }
  /** The newest rows, newest first, in place of those told before. */
  | { is: "rows"; rows: TailRow[] }
  | { is: "deliveries"; deliveries: Schemas["DeliveryReport"][] }
  | { is: "older"; rows: TailRow[]; call: number }
  | { is: "event"; event: Schemas["StoredEvent"] | undefined; call: number };

/** Whether a row is one that the chips and the text ask for. */
export function shows(row: TailRow, kinds: readonly EventKind[], text: string): boolean {
  if (kinds.length > 0 && !kinds.includes(row.kind)) return false;
  if (text === "") return true;
  const needle = text.toLowerCase();
  return [row.subject, row.type, row.source, row.eventId, row.glance].some((s) => s.toLowerCase().includes(needle));
}
