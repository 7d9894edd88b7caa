import { infiniteQueryOptions, queryOptions, type QueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { Schemas } from "./queries";

export type Letter = Schemas["DeadLetter"];
export type Group = Schemas["DeadLetterGroup"];
export type Selection = Schemas["Selection"];
export type Job = Schemas["RedriveJob"];
export type Preview = Schemas["Preview"];

/** Dead letters by their cause, the largest group first. */
export const groupsQuery = (endpoint?: string) =>
  queryOptions({
    queryKey: ["dead-letters", "groups", endpoint],
    queryFn: async ({ signal }) => (await api.get("/dead-letters/groups", { query: { endpoint, limit: 1000, steps: 40 }, signal })).data,
    refetchInterval: 5000,
  });

/** The letters of a group, or of an endpoint, the oldest first. */
export const lettersQuery = (of: { group?: string; endpoint?: string }) =>
  infiniteQueryOptions({
    queryKey: ["dead-letters", "list", of.group, of.endpoint],
    queryFn: async ({ signal, pageParam }) => (await api.get("/dead-letters", { query: { ...of, after: pageParam, limit: 500 }, signal })).data,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (p) => p.next,
  });

export const letterQuery = (id: string) =>
  queryOptions({
    queryKey: ["dead-letters", "letter", id],
    queryFn: async ({ signal }) => (await api.get("/dead-letters/{id}", { path: { id }, signal })).data,
  });

/** What a redrive would send, for the first letters. Nothing is sent by asking. */
export const previewQuery = (selection: Selection, limit: number) =>
  queryOptions({
    queryKey: ["dead-letters", "preview", selection, limit],
    queryFn: async ({ signal }) => (await api.post("/dead-letters/preview", { body: { ...selection, limit }, signal })).data,
    staleTime: 0,
    refetchOnWindowFocus: false,
  });

const ended = (j: Job | undefined) => j === undefined || j.state === "done" || j.state === "stopped";

/** Redrives, the latest first; asked for often while one is under way. */
export const jobsQuery = queryOptions({
  queryKey: ["redrives"],
  queryFn: async ({ signal }) => (await api.get("/redrives", { signal })).data.items,
  refetchInterval: (q) => (q.state.data?.some((j) => !ended(j)) ? 1000 : 10_000),
});

export const jobQuery = (id: string) =>
  queryOptions({
    queryKey: ["redrives", id],
    queryFn: async ({ signal }) => (await api.get("/redrives/{id}", { path: { id }, signal })).data,
    refetchInterval: (q) => (ended(q.state.data) && q.state.data !== undefined ? false : 1000),
  });

export async function redrive(selection: Selection): Promise<Schemas["RedriveJob"] | undefined> {
  return (await api.post("/dead-letters/redrive", { body: selection })).data.job;
}

export async function stop(job: string): Promise<void> {
  await api.delete("/redrives/{id}", { path: { id: job } });
}

/** Removes letters for good. */
export async function purge(selection: Selection): Promise<number> {
  return (await api.post("/dead-letters/purge", { body: { ...selection, confirm: true } })).data.purged;
}

/** What is known of dead letters is asked for anew. */
export function forget(queries: QueryClient): void {
  void queries.invalidateQueries({ queryKey: ["dead-letters"], predicate: (q) => q.queryKey[1] !== "preview" });
  // One on the screen stays as it was decided on: its letters may be gone already.
  void queries.invalidateQueries({ queryKey: ["dead-letters", "preview"], refetchType: "none" });
  void queries.invalidateQueries({ queryKey: ["status"] });
  void queries.invalidateQueries({ queryKey: ["redrives"] });
}
