import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import type { Schemas } from "./queries";

export type Trap = Schemas["Trap"];
export type TrapGroup = Schemas["TrapGroup"];

/** The traps of plugins, of which a letter that was never rendered is one. */
export const trapsQuery = queryOptions({
  queryKey: ["traps", "list"],
  queryFn: async ({ signal }) => (await api.get("/traps", { signal })).data.items,
});

/** The traps that are kept, by their cause, of all plugins. */
export const trapGroupsQuery = queryOptions({
  queryKey: ["traps", "groups"],
  queryFn: async ({ signal }) => (await api.get("/traps/groups", { signal })).data.items,
  refetchInterval: 5000,
});

/** How many traps are kept of a version. */
export function countTraps(groups: readonly TrapGroup[], name: string, version: number): number {
  return groups.filter((g) => g.plugin === `${name}@${version}`).reduce((n, g) => n + g.count, 0);
}
