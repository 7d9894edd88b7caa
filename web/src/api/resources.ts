import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import type { Schemas } from "./queries";

export type Endpoint = Schemas["Endpoint"];
export type Source = Schemas["Source"];
export type EmulatedEntity = Schemas["EmulatedEntity"];

/** Where events go to, and where they are fetched from: two kinds of resources that are handled alike. */
export type Side = "endpoint" | "source";

/** What a person decides of an endpoint or a source. */
export interface ResourceSpec {
  kind: string;
  settings: Record<string, unknown>;
  /** Of endpoints. */
  delivery?: Schemas["Delivery"];
  /** Of endpoints: nothing is sent, and what is owed waits. */
  paused?: true;
  /** Of sources. */
  enabled?: boolean;
}

/** An endpoint or a source, with the tag that guards a change of it. */
export interface Tagged<T> {
  resource: T;
  etag: string | undefined;
}

export const endpointQuery = (name: string) =>
  queryOptions({
    queryKey: ["endpoint", name],
    queryFn: async ({ signal }): Promise<Tagged<Endpoint>> => {
      const { data, etag } = await api.get("/endpoints/{name}", { path: { name }, signal });
      return { resource: data, etag };
    },
  });

export const sourceQuery = (name: string) =>
  queryOptions({
    queryKey: ["source", name],
    queryFn: async ({ signal }): Promise<Tagged<Source>> => {
      const { data, etag } = await api.get("/sources/{name}", { path: { name }, signal });
      return { resource: data, etag };
    },
  });

/** What a resource was at some time. */
export interface Revision<T> {
  revision: number;
  at: string;
  by?: string;
  deleted?: boolean;
  state?: T;
}

/** What a resource was, the newest first. */
export const revisionsQuery = (side: Side, name: string) =>
  queryOptions({
    queryKey: [side, name, "revisions"],
    queryFn: async ({ signal }): Promise<Revision<Endpoint | Source>[]> => {
      const path = { name };
      return side === "endpoint" ? (await api.get("/endpoints/{name}/revisions", { path, signal })).data.items : (await api.get("/sources/{name}/revisions", { path, signal })).data.items;
    },
    staleTime: 0,
  });

/** The latest attempts of an endpoint to deliver that the gateway remembers, the latest first. */
export const attemptsQuery = (name: string, failed: boolean) =>
  queryOptions({
    queryKey: ["endpoint", name, "attempts", failed],
    queryFn: async ({ signal }) => (await api.get("/endpoints/{name}/attempts", { path: { name }, query: { failed, limit: 100 }, signal })).data.items,
    refetchInterval: 5_000,
  });

/** What holds up the deliveries of an endpoint, the most first. */
export const blockedQuery = (name: string) =>
  queryOptions({
    queryKey: ["endpoint", name, "blocked"],
    queryFn: async ({ signal }) => (await api.get("/endpoints/{name}/blocked", { path: { name }, query: { limit: 100 }, signal })).data,
    refetchInterval: 5_000,
  });

/** Makes a delivery that holds up its key a dead letter. */
export async function skip(endpoint: string, { position, route, output }: Schemas["DeliveryName"]): Promise<void> {
  await api.post("/endpoints/{name}/skip", { path: { name: endpoint }, body: { position, route, output } });
}

/** Tries at once what failed. */
export async function retry(endpoint: string): Promise<void> {
  await api.post("/endpoints/{name}/retry", { path: { name: endpoint } });
}

export function specOf(side: Side, r: Endpoint | Source): ResourceSpec {
  return side === "endpoint" ? { kind: r.kind, settings: r.settings, delivery: (r as Endpoint).delivery, ...((r as Endpoint).paused && { paused: true as const }) } : { kind: r.kind, settings: r.settings, enabled: (r as Source).enabled };
}

/** Puts a resource: onto the state that the tag names, or as a new one. */
export async function putResource(side: Side, name: string, spec: ResourceSpec, o: { ifMatch?: string; onlyCreate?: boolean }): Promise<Tagged<Endpoint | Source>> {
  const { kind, settings, delivery, paused, enabled } = spec;
  const path = { name };
  const { data, etag } = side === "endpoint" ? await api.put("/endpoints/{name}", { path, body: { kind, settings, delivery, paused }, ...o }) : await api.put("/sources/{name}", { path, body: { kind, settings, enabled: enabled ?? true }, ...o });
  return { resource: data, etag };
}

export async function deleteResource(side: Side, name: string, ifMatch?: string): Promise<void> {
  const path = { name };
  if (side === "endpoint") await api.delete("/endpoints/{name}", { path, ifMatch });
  else await api.delete("/sources/{name}", { path, ifMatch });
}

/** What came of a try, which delivers and takes nothing, unless it sent an event. */
export interface Tried {
  ok: boolean;
  said: string;
  tookMs: number;
  /** The id of the event that was sent. */
  eventId?: string;
}

/** Tries a resource; with send an endpoint by one event, which its consumers get. */
export async function tryResource(side: Side, name: string, send: boolean, signal?: AbortSignal): Promise<Tried> {
  const path = { name };
  return side === "endpoint" ? (await api.post("/endpoints/{name}:test", { path, body: { send }, signal })).data : (await api.post("/sources/{name}:test", { path, signal })).data;
}

/** Takes an endpoint back to a time: what came since is delivered once more. */
export async function replay(name: string, from: string) {
  return (await api.post("/endpoints/{name}/replay", { path: { name }, body: { from } })).data;
}

/** What lies in the local emulator, when one runs with this gateway. */
export const emulatorQuery = queryOptions({
  queryKey: ["emulator"],
  queryFn: async ({ signal }) => (await api.get("/emulator", { query: { limit: 20 }, signal })).data,
  refetchInterval: (q) => (q.state.data?.running ? 2_000 : false),
});

/** The JSON Schema of documents, which says what each kind needs. */
export const schemaQuery = queryOptions({
  queryKey: ["schema"],
  queryFn: async ({ signal }) => (await api.get("/schema.json", { signal })).data as unknown as DocumentSchema,
  staleTime: Infinity,
});

export interface DocumentSchema {
  $defs: Record<string, Record<string, unknown>>;
}
