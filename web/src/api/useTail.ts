import { useCallback, useEffect, useRef, useState } from "react";
import { base } from "./client";
import type { EventKind } from "./kind";
import type { components } from "./schema.gen";
import type { TailCommand, TailReport, TailRow, TailStats } from "./tail";

type Schemas = components["schemas"];

const idle: TailStats = { state: "connecting", received: 0, dropped: 0, rate: 0, held: 0, newer: 0 };

export interface Tail {
  rows: TailRow[];
  stats: TailStats;
  /** Whole rows older than row n, from the ring. */
  older: (n: number, count: number) => Promise<TailRow[]>;
  /** The event of row n, undefined when it has left the ring. */
  event: (n: number) => Promise<Schemas["StoredEvent"] | undefined>;
}

/**
 * Follows what is accepted, in a worker that keeps the latest `capacity` events.
 * While frozen, rows stay as they are and stats.newer counts.
 */
export function useTail(o: {
  query?: string;
  capacity?: number;
  window?: number;
  frozen?: boolean;
  kinds?: readonly EventKind[];
  text?: string;
  onDeliveries?: (deliveries: Schemas["DeliveryReport"][]) => void;
}): Tail {
  const [rows, setRows] = useState<TailRow[]>([]);
  const [stats, setStats] = useState<TailStats>(idle);
  const worker = useRef<Worker | undefined>(undefined);
  const calls = useRef(new Map<number, (answer: unknown) => void>());
  const nextCall = useRef(1);
  const onDeliveries = useRef(o.onDeliveries);
  useEffect(() => {
    onDeliveries.current = o.onDeliveries;
  });

  const tell = useCallback((c: TailCommand) => worker.current?.postMessage(c), []);
  const { query = "", capacity = 5000, window = 200, frozen = false, text = "" } = o;
  const kinds = (o.kinds ?? []).join(",");

  useEffect(() => {
    const w = new Worker(new URL("./tail.worker.ts", import.meta.url), { type: "module" });
    const pending = calls.current;
    worker.current = w;
    w.onmessage = ({ data }: MessageEvent<TailReport>) => {
      switch (data.is) {
        case "stats":
          setStats(data.stats);
          break;
        case "rows":
          setRows(data.rows);
          break;
        case "deliveries":
          onDeliveries.current?.(data.deliveries);
          break;
        case "older":
          pending.get(data.call)?.(data.rows);
          pending.delete(data.call);
          break;
        case "event":
          pending.get(data.call)?.(data.event);
          pending.delete(data.call);
      }
    };
    w.postMessage({ do: "open", url: new URL(base + "/events/stream" + (query && "?" + query), location.href).href, capacity, window, every: 250 } satisfies TailCommand);
    return () => {
      w.postMessage({ do: "close" } satisfies TailCommand);
      pending.clear();
      worker.current = undefined;
    };
  }, [query, capacity, window]);

  useEffect(() => tell({ do: "filter", kinds: kinds === "" ? [] : (kinds.split(",") as EventKind[]), text }), [tell, kinds, text, query, capacity, window]);
  useEffect(() => tell({ do: "freeze", frozen }), [tell, frozen, query, capacity, window]);

  const ask = useCallback(
    <T,>(make: (call: number) => TailCommand) =>
      new Promise<T>((resolve) => {
        const call = nextCall.current++;
        calls.current.set(call, resolve as (answer: unknown) => void);
        tell(make(call));
      }),
    [tell],
  );
  const older = useCallback((n: number, count: number) => ask<TailRow[]>((call) => ({ do: "older", before: n, count, call })), [ask]);
  const event = useCallback((n: number) => ask<Schemas["StoredEvent"] | undefined>((call) => ({ do: "event", n, call })), [ask]);
  return { rows, stats, older, event };
}
