import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import type { Schemas } from "./queries";

export type Explanation = Schemas["EventExplanation"];
export type Verdict = Schemas["RouteVerdict"];
export type DeliveryState = Schemas["DeliveryState"];

/** An accepted event, what the routes make of it, and where its deliveries are. */
export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: ["event", id],
    queryFn: async ({ signal }) => {
      const first = (await api.get("/events/{id}", { path: { id }, signal })).data;
      for (let next = first.next; next !== undefined; ) {
        const more = (await api.get("/events/{id}", { path: { id }, query: { after: next }, signal })).data;
        first.routes.push(...more.routes);
        next = more.next;
      }
      return first;
    },
    // What is under way goes on by itself; what is settled does not.
    refetchInterval: (q) => (q.state.data?.routes.some((r) => r.deliveries.some((d) => d.state === "waiting" || d.state === "retrying")) ? 2000 : false),
    staleTime: 1000,
  });

/** An accepted event by itself. */
export const storedEventQuery = (id: string) =>
  queryOptions({
    queryKey: ["event", id, "alone"],
    queryFn: async ({ signal }): Promise<Schemas["StoredEvent"]> => {
      const { event, acceptedAt } = (await api.get("/events/{id}", { path: { id }, query: { limit: 1 }, signal })).data;
      return { id, acceptedAt, event };
    },
    staleTime: Infinity,
    retry: false,
  });

/** What became of an event, counted over its deliveries. */
export function settled(routes: readonly Verdict[]): { matched: Verdict[]; others: Verdict[]; states: Map<DeliveryState["state"], number> } {
  const states = new Map<DeliveryState["state"], number>();
  for (const d of routes.flatMap((r) => r.deliveries)) states.set(d.state, (states.get(d.state) ?? 0) + 1);
  const took = (r: Verdict) => r.matched || r.error !== undefined || r.deliveries.length > 0;
  return { matched: routes.filter(took), others: routes.filter((r) => !took(r)), states };
}
