import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { storedEventQuery } from "./events";
import { latestEventsQuery } from "./routes";

/** The latest events, and before them the one at the position that is picked, where it is not one of them. */
export function useLatestEvents(picked: string | undefined) {
  const latest = useQuery(latestEventsQuery);
  const away = picked !== undefined && /^\d+-\d+$/.test(picked) && latest.data !== undefined && !latest.data.some((e) => e.id === picked);
  const one = useQuery({ ...storedEventQuery(picked ?? ""), enabled: away });
  const first = away ? one.data : undefined;
  const list = useMemo(() => (first && latest.data ? [first, ...latest.data] : latest.data), [first, latest.data]);
  return {
    latest,
    list,
    /** The list holds one more than the latest. */
    added: first?.id,
    /** Where the picked event is asked for, and whether it is no longer kept. */
    picking: away && one.isPending,
    gone: away && one.isError,
  };
}
