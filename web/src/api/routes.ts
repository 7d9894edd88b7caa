import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import { asProblem } from "./problem";
import type { Schemas } from "./queries";

export type Route = Schemas["Route"];
export type PluginRef = Schemas["PluginRef"];
export type StoredEvent = Schemas["StoredEvent"];
export type TestResult = Schemas["TestResult"];

/** What a person decides of a route; an id and an endpoint may be wanting while it is made. */
export interface RouteDraft {
  id: string;
  endpointName: string;
  filter: string;
  filters: PluginRef[];
  transforms: PluginRef[];
  enabled: boolean;
}

export const emptyDraft: RouteDraft = { id: "", endpointName: "", filter: "true", filters: [], transforms: [], enabled: true };

export function draftOf(route: Route): RouteDraft {
  const { id, endpointName, filter, filters, transforms, enabled } = route;
  return { id, endpointName, filter, filters, transforms, enabled };
}

type Spec = Omit<Schemas["RouteInput"], "enabled"> & { enabled?: boolean };

/** A draft as the API takes it, without what says nothing. */
export function specOf(draft: RouteDraft): Spec {
  const ref = (r: PluginRef) => ({ plugin: r.plugin, config: r.config });
  return {
    endpointName: draft.endpointName,
    filter: draft.filter,
    ...(draft.filters.length > 0 && { filters: draft.filters.map(ref) }),
    ...(draft.transforms.length > 0 && { transforms: draft.transforms.map(ref) }),
    ...(!draft.enabled && { enabled: false }),
  };
}

/** A route with the tag that guards a change of it. */
export interface TaggedRoute {
  route: Route;
  etag: string | undefined;
}

export const routeQuery = (id: string) =>
  queryOptions({
    queryKey: ["route", id],
    queryFn: async ({ signal }): Promise<TaggedRoute> => {
      const { data, etag } = await api.get("/routes/{id}", { path: { id }, signal });
      return { route: data, etag };
    },
  });

export const routeRevisionsQuery = (id: string) =>
  queryOptions({
    queryKey: ["route", id, "revisions"],
    queryFn: async ({ signal }) => (await api.get("/routes/{id}/revisions", { path: { id }, signal })).data.items,
  });

/** How many events a preview is about. */
export const previewed = 100;

/** The latest events, the latest first. They stay as they are while they are shown, until they are asked for anew. */
export const latestEventsQuery = queryOptions({
  queryKey: ["events", "latest", previewed],
  queryFn: async ({ signal }) => (await api.get("/events", { query: { latest: true, limit: previewed }, signal })).data.items.reverse(),
  staleTime: Infinity,
  refetchOnMount: "always",
  refetchOnWindowFocus: false,
});

/** What a draft makes of events, in their order. */
export async function testRoute(draft: RouteDraft, events: readonly Schemas["CloudEvent"][], signal?: AbortSignal): Promise<TestResult[]> {
  const { id, filter, filters, transforms } = draft;
  return (await api.post("/routes:test", { body: { route: { ...(id && { id }), filter, filters, transforms, enabled: true }, events: [...events] }, signal })).data.results;
}

/** Puts a draft: onto the state that the tag names, or as a new route where there is none. */
export async function putRoute(draft: RouteDraft, o: { ifMatch?: string; onlyCreate?: boolean }): Promise<TaggedRoute> {
  const { data, etag } = await api.put("/routes/{id}", { path: { id: draft.id }, body: { ...specOf(draft), enabled: draft.enabled }, ...o });
  return { route: data, etag };
}

export async function deleteRoute(id: string, ifMatch?: string): Promise<void> {
  await api.delete("/routes/{id}", { path: { id }, ifMatch });
}

/** What putting a resource would change, and what that means for the latest events. */
export async function planOf(document: Schemas["Document"], events: number, signal?: AbortSignal): Promise<Schemas["Planned"]> {
  return (await api.post("/catalog:plan", { body: { documents: [document], events, prune: false }, signal })).data;
}

/** Whether an answer says that a route is not there. */
export function isMissing(error: unknown): boolean {
  return asProblem(error).status === 404;
}
