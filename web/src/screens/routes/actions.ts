import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { asProblem } from "~/api/problem";
import { deleteRoute, draftOf, putRoute, type Route, type RouteDraft } from "~/api/routes";
import { command } from "~/parts/shell";
import { useToasts } from "~/parts/Toasts";

/** The command that makes a route what the draft says. */
export function cliOf(d: RouteDraft): string {
  const ref = (flag: string) => (r: RouteDraft["filters"][number]) => [flag, r.config === undefined || JSON.stringify(r.config) === "{}" ? r.plugin : `${r.plugin}=${JSON.stringify(r.config)}`];
  return command(
    "headgate", "put", "route", d.id || "NAME", "--endpoint", d.endpointName || "ENDPOINT",
    ...(d.filter.trim() === "true" ? [] : ["--filter", d.filter]),
    ...d.filters.flatMap(ref("--filter-plugin")), ...d.transforms.flatMap(ref("--transform")),
    d.enabled ? undefined : "--disabled",
  );
}

/** Changes of routes that can be undone, each told in a notice. */
export function useRouteActions() {
  const queries = useQueryClient();
  const { notify } = useToasts();
  return useMemo(() => {
    const changed = (id: string) => Promise.all([queries.invalidateQueries({ queryKey: ["routes"] }), queries.invalidateQueries({ queryKey: ["route", id] })]);
    const failed = (what: string) => (error: unknown) => {
      const p = asProblem(error);
      notify({ title: what, body: p.conflict ? "Someone changed the route meanwhile. Look at it again, then repeat." : p.message, intent: "error" });
    };
    const setEnabled = async (route: Route, enabled: boolean, undone = false): Promise<void> => {
      try {
        const now = await putRoute({ ...draftOf(route), enabled }, { ifMatch: `"${route.revision}"` });
        await changed(route.id);
        notify({
          title: `${route.id} is ${enabled ? "enabled" : "disabled"}${undone ? " again" : ""}`,
          body: enabled ? "It takes the events that come from now on." : "It takes no more events. What it took already is still delivered.",
          undo: undone ? undefined : () => void setEnabled(now.route, !enabled, true),
        });
      } catch (error) {
        failed(`${route.id} could not be ${enabled ? "enabled" : "disabled"}`)(error);
        await changed(route.id);
      }
    };
    /** Throws what the server says, for the dialog that asked. */
    const remove = async (route: Route): Promise<void> => {
      await deleteRoute(route.id, `"${route.revision}"`);
      // Its page, which may still be there, does not ask for it again.
      await queries.invalidateQueries({ queryKey: ["routes"] });
      notify({
        title: `${route.id} is deleted`,
        undo: () => void putRoute(draftOf(route), { onlyCreate: true }).then(() => changed(route.id)).then(() => notify({ title: `${route.id} is back` }), failed(`${route.id} could not be brought back`)),
      });
    };
    return { setEnabled, remove, changed };
  }, [queries, notify]);
}
