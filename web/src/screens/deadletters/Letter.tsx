import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { letterQuery, type Letter as DeadLetter } from "~/api/letters";
import { trapsQuery } from "~/api/traps";
import { kindOf, twinKey } from "~/api/kind";
import { asProblem } from "~/api/problem";
import { urlOf } from "~/api/client";
import { CopyAs } from "~/parts/CopyAs";
import { DiffView } from "~/parts/DiffView";
import { EmptyState } from "~/parts/EmptyState";
import { EventKindToken } from "~/parts/EventKindIcon";
import { plural } from "~/parts/figures";
import { JsonView } from "~/parts/JsonView";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { absoluteTime, RelativeTime } from "~/parts/RelativeTime";
import { ResourceLink } from "~/parts/ResourceLink";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import { TwinLink } from "~/parts/TwinLink";
import { Attempts } from "~/parts/Verdict";
import { visible } from "~/parts/visible";
import { PurgeButton, RedriveButton } from "./Actions";
import styles from "./DeadLetters.module.css";
import { letterRoute } from "./route";

/** One dead letter: what was to be sent, why it was given up, how it was tried. */
export function Letter() {
  const { id } = letterRoute.useParams();
  const navigate = useNavigate();
  const { data: l, error } = useQuery(letterQuery(id));
  if (!l) {
    if (!error) return <Skeleton lines={12} />;
    const { status } = asProblem(error);
    if (status !== 404 && status !== 400) return <ProblemBar problem={error} />;
    return (
      <EmptyState title="There is no such dead letter" action={<Link to="/dead-letters">See those there are</Link>}>
        It was redriven or purged meanwhile. A letter that failed again has a new id.
      </EmptyState>
    );
  }
  const came = l.origin ?? l.event;
  return (
    <>
      <PageHead
        title={<TwinLink id={twinKey(came)} />}
        badge={<EventKindToken type={came.type} />}
        sentence={
          <>
            Given up <RelativeTime at={l.deadAt} /> after {plural(l.attempts, "attempt")}, on the way from <ResourceLink kind="route" name={l.route} /> to <ResourceLink kind="endpoint" name={l.endpoint} />.
          </>
        }
        actions={
          <>
            <RedriveButton primary selection={{ ids: [id] }} label="Redrive…" />
            <PurgeButton selection={{ ids: [id] }} count={1} of={l.endpoint} label="Purge…" onDone={() => void navigate({ to: "/dead-letters" })} />
            <CopyAs cli={command("headgate", "dead-letters", "redrive", id)} value={l} />
          </>
        }
      />
      <div className={styles.columns}>
        <section className={styles.column} aria-labelledby="why">
          <h2 id="why">Why it was given up</h2>
          <pre className={"card " + styles.reason} tabIndex={0}>
            {visible(l.reason)}
          </pre>
          {l.unrendered && <Trace letter={l} />}
          {l.history.length > 0 && (
            <>
              <h3>
                {l.attempts > l.history.length ? `The latest ${l.history.length} of ${plural(l.attempts, "attempt")}` : plural(l.attempts, "attempt")}
              </h3>
              <Attempts attempts={l.history} />
            </>
          )}
          <h3>About it</h3>
          <dl className={styles.facts}>
            <dt>Id of the letter</dt>
            <dd className="mono">{l.id}</dd>
            <dt>Event</dt>
            <dd>
              <Link to="/events/$id" params={{ id: l.position }} className="mono">
                {l.position}
              </Link>
              , output {l.output + 1}
            </dd>
            <dt>Accepted</dt>
            <dd className="nums">{absoluteTime(l.acceptedAt)}</dd>
            <dt>Given up</dt>
            <dd className="nums">{absoluteTime(l.deadAt)}</dd>
            {l.key !== undefined && (
              <>
                <dt>Kept in order by</dt>
                <dd className="mono">{visible(l.key)}</dd>
              </>
            )}
          </dl>
        </section>
        <section className={styles.column} aria-labelledby="what">
          {l.origin && (
            <>
              <h2>What the route changed</h2>
              <DiffView before={l.origin} after={l.event} labels={["As it came", "As it was to leave"]} />
            </>
          )}
          <h2 id="what">{l.unrendered ? "The event as it came" : "What was to be sent"}</h2>
          <JsonView value={l.event} label="Event" open={kindOf(l.event.type) === "other" ? 2 : 4} />
          {l.properties && Object.keys(l.properties).length > 0 && (
            <>
              <h3>Properties of the delivery</h3>
              <JsonView value={l.properties} label="Properties" />
            </>
          )}
        </section>
      </div>
    </>
  );
}

/** The trap of the plugin that failed on the event, where it is still kept. */
function Trace({ letter: l }: { letter: DeadLetter }) {
  const { data } = useQuery(trapsQuery);
  const all = data?.filter((t) => t.position === l.position) ?? [];
  // An event may have made several plugins fail, of several routes: the reason names the one.
  const trap = all.find((t) => l.reason.includes(t.plugin)) ?? (all.length === 1 ? all[0] : undefined);
  if (!data) return null;
  if (!trap) return <p className="quiet">A plugin failed on it. The trace of that is no longer kept.</p>;
  return (
    <div className="card stack" style={{ gap: 8 }}>
      <h3>
        Plugin <ResourceLink kind="plugin" name={trap.plugin.split("@")[0] ?? trap.plugin} /> <span className="mono">{trap.plugin}</span> failed: {trap.fault}
      </h3>
      {trap.text && (
        <pre className={styles.reason} tabIndex={0}>
          {visible(trap.text)}
        </pre>
      )}
      {trap.at && (
        <p>
          In <code>{visible(trap.at)}</code>
        </p>
      )}
      <div className="row">
        <a href={urlOf("/traps/{id}", { id: trap.id })} download={trap.id}>
          Download it to fail at your desk
        </a>
        <CopyAs cli={command("headgate", "plugin", "traps", trap.id)} size="small" />
      </div>
    </div>
  );
}
