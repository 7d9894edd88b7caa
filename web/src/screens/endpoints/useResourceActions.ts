import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { asProblem } from "~/api/problem";
import { deleteResource, putResource, specOf, type Endpoint, type ResourceSpec, type Side, type Source, type Tagged } from "~/api/resources";
import { useToasts } from "~/parts/Toasts";

/** Changes of endpoints and sources, each told in a notice, with the way back. */
export function useResourceActions(side: Side) {
  const queries = useQueryClient();
  const { notify } = useToasts();
  return useMemo(() => {
    const changed = (name: string) => Promise.all([queries.invalidateQueries({ queryKey: [side + "s"] }), queries.invalidateQueries({ queryKey: [side, name] }), queries.invalidateQueries({ queryKey: ["status"] })]);
    const failed = (title: string) => (error: unknown) => {
      const p = asProblem(error);
      notify({ title, body: p.conflict ? `Someone changed the ${side} meanwhile. Look at it again, then repeat.` : p.message, intent: "error" });
    };
    /** Saves a spec over what the tag names; throws what the server says. */
    const save = async (name: string, before: ResourceSpec, after: ResourceSpec, ifMatch: string | undefined, said = `${name} is saved`): Promise<Tagged<Endpoint | Source>> => {
      const now = await putResource(side, name, after, { ifMatch });
      await changed(name);
      notify({
        title: said,
        undo: () => void putResource(side, name, before, { ifMatch: now.etag }).then(() => changed(name)).then(() => notify({ title: `${name} is as it was` }), failed("It could not be undone")),
      });
      return now;
    };
    /** A secret cannot be brought back, so this cannot be undone. */
    const remove = async (resource: Endpoint | Source): Promise<void> => {
      await deleteResource(side, resource.name, `"${resource.revision}"`);
      // Its page, which may still be there, does not ask for it again.
      await Promise.all([queries.invalidateQueries({ queryKey: [side + "s"] }), queries.invalidateQueries({ queryKey: ["status"] })]);
      queries.removeQueries({ queryKey: [side, resource.name], type: "inactive" });
      notify({ title: `${resource.name} is deleted` });
    };
    const setEnabled = async (source: Source, enabled: boolean): Promise<void> => {
      const before = specOf("source", source);
      await save(source.name, before, { ...before, enabled }, `"${source.revision}"`, `${source.name} ${enabled ? "fetches events again" : "fetches no more events"}`).catch(failed(`${source.name} could not be changed`));
    };
    const setPaused = async (endpoint: Endpoint, paused: boolean): Promise<void> => {
      const before = specOf("endpoint", endpoint);
      await save(endpoint.name, before, { ...before, paused: paused || undefined }, `"${endpoint.revision}"`, paused ? `${endpoint.name} is paused: what it is owed waits` : `${endpoint.name} is sent what it is owed`).catch(failed(`${endpoint.name} could not be changed`));
    };
    return { save, remove, setEnabled, setPaused, changed };
  }, [queries, notify, side]);
}
