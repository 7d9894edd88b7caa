import { Checkbox, MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { routesQuery, type Schemas } from "~/api/queries";
import { attemptsQuery, type Endpoint, type Source } from "~/api/resources";
import { DataTable, type Column } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { count, plural, tookWords } from "~/parts/figures";
import { FilterText } from "~/parts/FilterEditor";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { ResourceLink } from "~/parts/ResourceLink";
import { StateBadge } from "~/parts/StateBadge";
import { Blocked } from "./Blocked";
import styles from "./Endpoints.module.css";

/** How an endpoint does: figures, rates, the latest attempts, and the routes that deliver to it. */
export function EndpointActivity({ endpoint, status, chart }: { endpoint: Endpoint; status: Schemas["EndpointStatus"] | undefined; chart: ReactNode }) {
  const { data: routes } = useQuery(routesQuery);
  const mine = routes?.filter((r) => r.endpointName === endpoint.name) ?? [];
  return (
    <>
      {status && (
        <dl className={styles.figures}>
          <Figure label="Delivered" value={count(status.delivered)} note="since the gateway started" />
          <Figure label="Attempts that failed" value={count(status.failed)} note="since the gateway started" />
          <Figure label="Waiting" value={count(status.waiting)} note={status.backlog > 0 ? `and ${plural(status.backlog, "batch", "batches")} behind them` : "for a first try"} />
          <Figure label="Waiting for another try" value={count(status.retrying)} note={status.nextAttempt ? <>the next <RelativeTime at={status.nextAttempt} /></> : status.retrying > 0 ? "failed, or behind what failed" : "nothing failed lately"} />
          <Figure
            label="Dead letters"
            value={
              status.deadLetters > 0 ? (
                <Link to="/dead-letters" search={{ endpoint: endpoint.name }}>
                  {count(status.deadLetters)}
                </Link>
              ) : (
                "0"
              )
            }
            note={status.deadLetterError ?? "given up, kept for you"}
          />
        </dl>
      )}
      {status?.lastRejection && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody style={{ overflowWrap: "anywhere" }}>
            <MessageBarTitle>The latest event that it refused</MessageBarTitle>
            {status.lastRejection}
            {status.lastRejectedAt && (
              <span className="quiet">
                {" "}
                (<RelativeTime at={status.lastRejectedAt} />)
              </span>
            )}
          </MessageBarBody>
        </MessageBar>
      )}
      {(status?.retrying ?? 0) > 0 && <Blocked name={endpoint.name} />}
      {chart}
      <div className={styles.two}>
        <Attempts name={endpoint.name} />
        <section className="card stack" aria-labelledby="used">
          <h2 id="used">{mine.length === 0 ? "No route delivers here" : `${plural(mine.length, "route")} ${mine.length === 1 ? "delivers" : "deliver"} here`}</h2>
          {mine.length === 0 && (
            <p>
              <Link to="/new-route" search={{ endpoint: endpoint.name }}>
                Make a route to it
              </Link>
              : it says which events come here.
            </p>
          )}
          <ul className={styles.routes}>
            {mine.slice(0, 200).map((r) => (
              <li key={r.id}>
                <ResourceLink kind="route" name={r.id} strong />
                {r.enabled ? <span /> : <StateBadge state="disabled" />}
                {r.filter.trim() === "true" ? <span className="quiet">every event</span> : <FilterText text={r.filter} />}
              </li>
            ))}
          </ul>
          {mine.length > 200 && (
            <Link to="/routes" search={{ endpoint: endpoint.name }}>
              All {count(mine.length)}
            </Link>
          )}
        </section>
      </div>
    </>
  );
}

type Attempt = Schemas["EndpointAttempt"];

const outcomes: Record<string, string> = { delivered: "delivered", event: "the event was refused", endpoint: "the endpoint failed", transient: "to be tried again" };

/** The latest attempts that the gateway remembers. */
function Attempts({ name }: { name: string }) {
  const [failed, setFailed] = useState(false);
  const { data, error } = useQuery(attemptsQuery(name, failed));
  const columns: Column<Attempt>[] = [
    { id: "at", header: "When", width: "88px", cell: (a) => <RelativeTime at={a.at} /> },
    { id: "outcome", header: "What came of it", width: "minmax(140px, 1.4fr)", cell: (a) => <span title={a.error} style={a.outcome === "delivered" ? undefined : { color: "var(--state-failing)" }}>{a.dead ? "given up" : (outcomes[a.outcome ?? ""] ?? a.outcome)}{a.error && `: ${a.error}`}</span> },
    { id: "event", header: "Event", width: "110px", phone: "hide", cell: (a) => <Link to="/events/$id" params={{ id: a.position }} className="mono">{a.position}</Link> },
    { id: "route", header: "Route", width: "minmax(80px, 0.8fr)", phone: "hide", cell: (a) => <ResourceLink kind="route" name={a.route} /> },
    { id: "try", header: "Try", width: "48px", number: true, phone: "hide", cell: (a) => count(a.attempt ?? 1) },
    { id: "took", header: "Took", width: "72px", number: true, phone: "hide", cell: (a) => a.took && tookWords(a.took) },
  ];
  return (
    <section className="card stack" aria-labelledby="attempts">
      <div className={styles.chartHead}>
        <h2 id="attempts">Latest attempts</h2>
        <Checkbox label="Only those that failed" checked={failed} onChange={(_, d) => setFailed(d.checked === true)} />
      </div>
      {error && !data ? (
        <ProblemBar problem={error} />
      ) : (
        <DataTable
          label="Latest attempts" rows={data ?? []} columns={columns} quiet maxHeight="380px" rowKey={(a) => `${a.position} ${a.route} ${a.output} ${a.attempt}`}
          empty={data && <EmptyState title={failed ? "None failed" : "Nothing was sent yet"}>{failed ? "Of the attempts that are remembered." : "Attempts since the gateway started appear here."}</EmptyState>}
        />
      )}
    </section>
  );
}

/** How a source does. */
export function SourceActivity({ source, status, chart }: { source: Source; status: Schemas["SourceStatus"] | undefined; chart: ReactNode }) {
  return (
    <>
      {status && (
        <dl className={styles.figures}>
          <Figure label="Accepted" value={count(status.received)} note="events since it was started" />
          <Figure label="Latest" value={status.lastReceivedAt ? <RelativeTime at={status.lastReceivedAt} /> : "–"} note={status.lastReceivedAt ? "when one was accepted" : "nothing came yet"} />
          <Figure label="Refused" value={count(status.refused)} note={status.lastRefusal ?? (source.kind === "serviceBus" ? "messages that were no events go to its dead-letter queue" : "messages that were no events are kept as headgate.undecodable")} />
        </dl>
      )}
      {chart}
    </>
  );
}

function Figure({ label, value, note }: { label: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="card">
      <dt>{label}</dt>
      <dd>
        {value}
        {note && <small>{note}</small>}
      </dd>
    </div>
  );
}
