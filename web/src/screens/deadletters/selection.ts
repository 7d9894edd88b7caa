import type { Selection } from "~/api/letters";
import { command } from "~/parts/shell";

/** The selection that a URL names; undefined when it names none. */
export function selectionOf(search: { endpoint?: string; group?: string; all?: true }, hash: string): Selection | undefined {
  if (search.group !== undefined) return { group: search.group };
  if (search.endpoint !== undefined) return { endpoint: search.endpoint };
  if (search.all) return { all: true };
  const ids = hash.split(",").filter((id) => /^\d+-\d+$/.test(id));
  return ids.length > 0 ? { ids } : undefined;
}

/** The command that does the same to the selection. */
export function cliOf(verb: "redrive" | "purge", s: Selection): string {
  const of = s.group !== undefined ? ["--group", s.group] : s.endpoint !== undefined ? ["--endpoint", s.endpoint] : s.all ? ["--all"] : (s.ids ?? []);
  return command("headgate", "dead-letters", verb, ...of, ...(s.through === undefined ? [] : ["--through", s.through]), verb === "purge" ? "--yes" : undefined);
}
