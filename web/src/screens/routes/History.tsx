import { useQuery } from "@tanstack/react-query";
import { asProblem } from "~/api/problem";
import type { Revision } from "~/api/resources";
import { draftOf, putRoute, routeRevisionsQuery, specOf, type Route, type TaggedRoute } from "~/api/routes";
import { ProblemBar } from "~/parts/ProblemBar";
import { Revisions } from "~/parts/Revisions";
import { Skeleton } from "~/parts/Skeleton";
import { useToasts } from "~/parts/Toasts";
import { cliOf, useRouteActions } from "./actions";

/** What a route was, and the way back. */
export function History({ tagged }: { tagged: TaggedRoute }) {
  const { route, etag } = tagged;
  const { data, error } = useQuery({ ...routeRevisionsQuery(route.id), staleTime: 0 });
  const { changed } = useRouteActions();
  const { notify } = useToasts();
  if (!data) return error ? <ProblemBar problem={error} /> : <Skeleton lines={5} />;
  const revert = async (r: Revision<Route>, state: Route) => {
    const before = draftOf(route);
    const now = await putRoute(draftOf(state), { ifMatch: etag });
    await changed(route.id);
    notify({
      title: `${route.id} is as it was in revision ${r.revision}`,
      undo: () => void putRoute(before, { ifMatch: now.etag }).then(() => changed(route.id)).then(undefined, (e: unknown) => notify({ title: "It could not be undone", body: asProblem(e).message, intent: "error" })),
    });
  };
  return <Revisions all={data} now={route} spec={(r) => specOf(draftOf(r))} same="Nothing that an event would notice." cli={(r) => cliOf(draftOf(r))} onBack={revert} />;
}
