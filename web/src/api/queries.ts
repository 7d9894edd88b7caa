import { queryOptions, useQuery } from "@tanstack/react-query";
import { api } from "./client";
import type { components } from "./schema.gen";

export type Schemas = components["schemas"];

/** How often what changes by itself is asked for again, in milliseconds. */
export const live = 2000;

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: async ({ signal }) => (await api.get("/status", { signal })).data,
  refetchInterval: live,
});

/** The state of the gateway, asked for every two seconds while the page is seen. */
export function useStatus() {
  return useQuery(statusQuery);
}

/** All pages of a list; the API gives at most 1,000 at a time. */
export async function everyPage<T>(page: (after: string | undefined) => Promise<{ items: T[]; next?: string }>): Promise<T[]> {
  const all: T[] = [];
  let after: string | undefined;
  do {
    const p = await page(after);
    all.push(...p.items);
    after = p.next;
  } while (after);
  return all;
}

export const routesQuery = queryOptions({
  queryKey: ["routes"],
  queryFn: ({ signal }) => everyPage(async (after) => (await api.get("/routes", { query: { limit: 1000, after }, signal })).data),
});

export const endpointsQuery = queryOptions({
  queryKey: ["endpoints"],
  queryFn: ({ signal }) => everyPage(async (after) => (await api.get("/endpoints", { query: { limit: 1000, after }, signal })).data),
});

export const sourcesQuery = queryOptions({
  queryKey: ["sources"],
  queryFn: ({ signal }) => everyPage(async (after) => (await api.get("/sources", { query: { limit: 1000, after }, signal })).data),
});

export const pluginsQuery = queryOptions({
  queryKey: ["plugins"],
  queryFn: ({ signal }) => everyPage(async (after) => (await api.get("/plugins", { query: { limit: 1000, after }, signal })).data),
});

export const auditQuery = (limit: number) =>
  queryOptions({
    queryKey: ["audit", limit],
    queryFn: async ({ signal }) => (await api.get("/audit", { query: { limit }, signal })).data.items,
    refetchInterval: 10_000,
  });
