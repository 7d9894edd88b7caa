import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { testRoute, type RouteDraft, type StoredEvent } from "~/api/routes";
import { useLatestEvents } from "~/api/useLatestEvents";
import type { Tried } from "~/parts/EventFate";
import { sampleEvents } from "~/parts/sampleEvents";
import { useDebounced } from "~/parts/useDebounced";

export interface Previewed {
  /** The draft that was tried; it lags behind what is typed. */
  draft: RouteDraft;
  tried: readonly Tried[];
  match: number;
  miss: number;
  fail: number;
}

const samples: StoredEvent[] = sampleEvents.map((s) => ({ id: s.event.id, acceptedAt: s.event.time!, event: s.event }));

/** What decides of a result, whatever the draft is called. */
const essence = (d: RouteDraft) => JSON.stringify([d.filter, d.filters, d.transforms]);

/**
 * Tries a draft on the latest events, a moment after its last change; a try
 * that a later change overtook is cancelled. The events stay the same while the
 * draft changes, until they are asked for anew; an older one that is picked is
 * tried with them. Given `valid`, a draft is tried only when that is its filter:
 * the text that is known to be one. What is told is `stale` when it is not what
 * comes of the draft as it is now.
 */
export function usePreview(draft: RouteDraft, o: { pause?: number; valid?: string | null; picked?: string } = {}) {
  const { latest: events, list: kept, added, picking, gone } = useLatestEvents(o.picked);
  const rested = useDebounced(draft, o.pause ?? 250);
  const key = essence(rested);
  // Before the first event came, samples stand in, and are called so.
  const sampled = events.data?.length === 0;
  const list = sampled ? samples : kept;
  const test = useQuery({
    queryKey: ["routes:test", key, sampled ? "samples" : events.dataUpdatedAt, added],
    queryFn: async ({ signal }): Promise<Previewed> => {
      const results = await testRoute({ ...rested, id: "" }, list!.map((e) => e.event), signal);
      const tried = results.map((result, i) => ({ event: list![i]!, result }));
      const fail = results.filter((r) => r.error !== undefined).length;
      const match = results.filter((r) => r.matched && r.error === undefined).length;
      return { draft: rested, tried, match, fail, miss: results.length - match - fail };
    },
    enabled: list !== undefined && (o.valid === undefined || o.valid === rested.filter),
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
  });
  // The last result stays while another is waited for, and where none can be had.
  const [last, setLast] = useState<Previewed>();
  if (test.data && test.data !== last) setLast(test.data);
  const data = test.data ?? last;
  const { error } = test;
  const waits = test.isFetching || key !== essence(draft);
  const stale = waits || error !== null || (data !== undefined && essence(data.draft) !== essence(draft));
  return useMemo(() => ({ events, picking, gone, data, error, sampled, waits, stale }), [events, picking, gone, data, error, sampled, waits, stale]);
}

export type Preview = ReturnType<typeof usePreview>;
