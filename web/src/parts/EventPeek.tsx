import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { eventQuery, settled } from "~/api/events";
import { twinKey } from "~/api/kind";
import { EventData } from "./EventData";
import { EventKindToken } from "./EventKindIcon";
import { plural } from "./figures";
import { ProblemBar } from "./ProblemBar";
import { RelativeTime } from "./RelativeTime";
import { ResourceLink } from "./ResourceLink";
import { Skeleton } from "./Skeleton";
import { TwinLink } from "./TwinLink";
import { VerdictCard, WhyNot } from "./Verdict";
import { asProblem } from "~/api/problem";

const first = 8; // routes that did not match which are shown

export function EventPeekTitle({ id }: { id: string }) {
  const { data } = useQuery(eventQuery(id));
  return data ? <TwinLink id={twinKey(data.event)} className="cut" /> : <span className="mono">{id}</span>;
}

/** One event beside a list: what each route made of it, before → after, and why not. */
export function EventPeek({ id }: { id: string }) {
  const { data, error } = useQuery(eventQuery(id));
  if (!data) return error ? <ProblemBar problem={error} title={asProblem(error).status === 404 ? "This event is no longer kept" : undefined} /> : <Skeleton lines={10} />;
  const { matched, others } = settled(data.routes);
  return (
    <>
      <div className="row" style={{ justifyContent: "space-between" }}>
        <span className="row">
          <EventKindToken type={data.event.type} />
          <span className="quiet">
            <RelativeTime at={data.acceptedAt} />
          </span>
        </span>
        <Link to="/events/$id" params={{ id }}>
          Open its page
        </Link>
      </div>
      <EventData event={data.event} open={3} />
      <h3>{matched.length === 0 ? "No route took it" : matched.length === 1 ? "One route took it" : plural(matched.length, "route") + " took it"}</h3>
      {matched.map((v) => (
        <VerdictCard key={v.route} verdict={v} />
      ))}
      {others.length > 0 && <h3>Why not the others</h3>}
      {others.slice(0, first).map((v) => (
        <div key={v.route} className="stack" style={{ gap: 4 }}>
          <ResourceLink kind="route" name={v.route} strong />
          {v.disabled && <span className="quiet">This route is disabled.</span>}
          <WhyNot verdict={v} />
        </div>
      ))}
      {others.length > first && (
        <Link to="/events/$id" params={{ id }}>
          {plural(others.length - first, "more route")}
        </Link>
      )}
    </>
  );
}
