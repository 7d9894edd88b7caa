import { useQuery } from "@tanstack/react-query";
import { revisionsQuery, specOf, type Endpoint, type Side, type Source, type Tagged } from "~/api/resources";
import { ProblemBar } from "~/parts/ProblemBar";
import { Revisions } from "~/parts/Revisions";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import { putCommand } from "./putCommand";
import { useResourceActions } from "./useResourceActions";

/** What an endpoint or a source was, and the way back. Secrets are not kept: those of now stay. */
export function History({ side, tagged }: { side: Side; tagged: Tagged<Endpoint | Source> }) {
  const { resource, etag } = tagged;
  const { data, error } = useQuery(revisionsQuery(side, resource.name));
  const { save } = useResourceActions(side);
  if (!data) return error ? <ProblemBar problem={error} /> : <Skeleton lines={5} />;
  const spec = (r: Endpoint | Source) => specOf(side, r);
  return (
    <Revisions
      all={data} now={resource} spec={spec} same="Nothing that is shown: a secret was replaced, or nothing."
      note="Secrets of the past are not kept: where one was stored, the one of now stays."
      cli={(r) => command(...putCommand(side, resource.name, spec(r)))}
      onBack={(r, state) => save(resource.name, spec(resource), spec(state), etag, `${resource.name} is as it was in revision ${r.revision}`)}
    />
  );
}
