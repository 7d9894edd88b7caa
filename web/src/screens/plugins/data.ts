import { queryOptions } from "@tanstack/react-query";
import { api } from "~/api/client";
import { live, type Schemas } from "~/api/queries";
import type { Route } from "~/api/routes";
import { refParts } from "~/parts/pluginRef";

export type Plugin = Schemas["Plugin"];
export type Version = Schemas["Version"];

export const pluginQuery = (name: string) =>
  queryOptions({
    queryKey: ["plugin", name],
    queryFn: async ({ signal }) => {
      const { data, etag } = await api.get("/plugins/{name}", { path: { name }, signal });
      return { plugin: data, etag };
    },
    refetchInterval: 5 * live,
  });

export async function activate(name: string, version: number, ifMatch?: string): Promise<Plugin> {
  return (await api.put("/plugins/{name}/active", { path: { name }, body: { version }, ifMatch })).data;
}

/** How a route uses a plugin. */
export interface Use {
  route: Route;
  kind: "filter" | "transform";
  /** undefined when it follows the active version. */
  pin: string | undefined;
  config: unknown;
}

export function usesOf(routes: readonly Route[], name: string): Use[] {
  return routes.flatMap((route) =>
    [...route.filters.map((r) => ({ kind: "filter" as const, r })), ...route.transforms.map((r) => ({ kind: "transform" as const, r }))]
      .filter(({ r }) => refParts(r.plugin).name === name)
      .map(({ kind, r }) => ({ route, kind, pin: refParts(r.plugin).pin, config: r.config })),
  );
}

/** How many routes use each plugin. */
export function countUses(routes: readonly Route[]): Map<string, number> {
  const out = new Map<string, number>();
  for (const route of routes) {
    for (const name of new Set([...route.filters, ...route.transforms].map((r) => refParts(r.plugin).name))) out.set(name, (out.get(name) ?? 0) + 1);
  }
  return out;
}
