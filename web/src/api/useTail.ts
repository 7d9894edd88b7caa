import { useCallback, useEffect, useRef, useState } from "react";
import { urlOf } from "./client";
import type { components } from "./schema.gen";
import type { TailCommand, TailReport, TailRow, TailStats } from "./tail";

type Schemas = components["schemas"];

const idle: TailStats = { state: "connecting", received: 0, dropped: 0, sampled: 0, unmatched: 0, gaps: [], rate: 0, toldRate: 0, held: 0, newer: 0 };

export interface Tail {
  rows: TailRow[];
  stats: TailStats;
  /** Rows older than row n, newest first. */
  older: (n: number, count: number) => Promise<TailRow[]>;
}

/**
 * Follows what is accepted, in a worker that keeps the latest `capacity` events.
 * While frozen, rows stay where they are and stats.newer counts; what becomes of
 * them is still told.
 */
export function useTail(o: {
  /** A text in the filter language, which the server evaluates. */
  filter?: string;
  /** The most events a second; the server picks them evenly, and stats counts the others. */
  sample?: number;
  /** Tells what becomes of the events. */
  deliveries?: boolean;
  capacity?: number;
  window?: number;
  frozen?: boolean;
  onDeliveries?: (deliveries: Schemas["DeliveryReport"][]) => void;
}): Tail {
  const [rows, setRows] = useState<TailRow[]>([]);
  const [stats, setStats] = useState<TailStats>(idle);
  const worker = useRef<Worker | undefined>(undefined);
  const calls = useRef(new Map<number, (rows: TailRow[]) => void>());
  const nextCall = useRef(1);
  const onDeliveries = useRef(o.onDeliveries);
  useEffect(() => {
    onDeliveries.current = o.onDeliveries;
  });

  const tell = useCallback((c: TailCommand) => worker.current?.postMessage(c), []);
  const { filter = "", sample, deliveries = false, capacity = 5000, window = 200, frozen = false } = o;

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
      }
    };
    return () => {
      w.postMessage({ do: "close" } satisfies TailCommand);
      pending.clear();
      worker.current = undefined;
    };
  }, []);

  useEffect(() => {
    const whole = (path: string, query?: object) => new URL(urlOf(path, undefined, query), location.href).href;
    tell({ do: "open", url: whole("/events/stream", { filter, sample, deliveries: deliveries || undefined }), test: whole("/routes:test"), filter, capacity, window, every: 250 });
  }, [tell, filter, sample, deliveries, capacity, window]);
  useEffect(() => tell({ do: "freeze", frozen }), [tell, frozen]);

  const older = useCallback(
    (n: number, count: number) =>
      new Promise<TailRow[]>((resolve) => {
        const call = nextCall.current++;
        calls.current.set(call, resolve);
        tell({ do: "older", before: n, count, call });
      }),
    [tell],
  );
  return { rows, stats, older };
}
