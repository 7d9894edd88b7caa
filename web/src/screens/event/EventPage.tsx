import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { eventQuery, settled, type Explanation, type Verdict } from "~/api/events";
import { kindOf, kindWords, twinKey } from "~/api/kind";
import { asProblem } from "~/api/problem";
import { dataSize } from "~/api/size";
import { CopyAs } from "~/parts/CopyAs";
import { CopyId } from "~/parts/CopyId";
import { DataTable, type Column } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { EventData } from "~/parts/EventData";
import { EventKindToken } from "~/parts/EventKindIcon";
import { bytes, plural } from "~/parts/figures";
import { FilterText } from "~/parts/FilterEditor";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { absoluteTime, RelativeTime } from "~/parts/RelativeTime";
import { ResourceLink } from "~/parts/ResourceLink";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import { spanIn } from "~/api/filters";
import { TwinLink } from "~/parts/TwinLink";
import { VerdictBadge, VerdictCard, WhyNot } from "~/parts/Verdict";
import { visible } from "~/parts/visible";
import { Carry } from "./Carry";
import styles from "./EventPage.module.css";
import { eventRoute } from "./route";

const shownWhole = 12; // routes that did not match which are shown with all their words

/** One event: what it holds, what every route made of it, and where its deliveries are. */
export function EventPage() {
  const { id } = eventRoute.useParams();
  const { data, error } = useQuery(eventQuery(id));
  if (!data) {
    if (!error) return <Skeleton lines={12} />;
    const { status } = asProblem(error);
    return status === 404 || status === 400 ? (
      <EmptyState title={status === 404 ? "This event is no longer kept" : "This is no event's id"} action={<Link to="/live">Go to the live events</Link>}>
        {status === 404 ? "The journal keeps events for as long as its limits say. The id may be of another gateway, too." : "An event's id is its place in the journal, such as 42-0."}
      </EmptyState>
    ) : (
      <ProblemBar problem={error} />
    );
  }
  const { matched, others } = settled(data.routes);
  return (
    <>
      <PageHead
        title={<TwinLink id={twinKey(data.event)}  />}
        badge={<EventKindToken type={data.event.type} />}
        sentence={<Sentence event={data} />}
        actions={
          <>
            <Carry event={data} />
            <CopyAs cli={command("headgate", "explain", "--event", id)} value={data.event} />
          </>
        }
      />
      {error !== null && <ProblemBar problem={error} title="What you see is from before" />}
      <div className={styles.columns}>
        <section className={styles.column} aria-labelledby="arrived">
          <h2 id="arrived">What came</h2>
          <Attributes event={data} />
          <EventData event={data.event} open={4} />
        </section>
        <section className={styles.column} aria-labelledby="became">
          <h2 id="became">What became of it</h2>
          {matched.length === 0 && <EmptyState title="No route takes it">{data.routes.length === 0 ? "There are no routes yet." : "Below is why, route by route."}</EmptyState>}
          {matched.map((v) => (
            <VerdictCard key={v.route} verdict={v} />
          ))}
        </section>
      </div>
      {others.length > 0 && (
        <section className="stack" aria-labelledby="others">
          <h2 id="others">Why not the other {others.length === 1 ? "route" : plural(others.length, "route")}</h2>
          {others.length <= shownWhole ? <Others verdicts={others} /> : <DataTable label="Routes that do not take it" rows={others} columns={columns} rowKey={(v) => v.route} maxHeight="70vh" />}
        </section>
      )}
    </>
  );
}

function Sentence({ event }: { event: Explanation }) {
  const { matched, states } = settled(event.routes);
  const n = (s: "delivered" | "dead" | "retrying" | "waiting") => states.get(s) ?? 0;
  const parts = [
    n("dead") > 0 && `${plural(n("dead"), "delivery is a dead letter", "deliveries are dead letters")}`,
    n("retrying") > 0 && `${plural(n("retrying"), "delivery is", "deliveries are")} tried again`,
    n("waiting") > 0 && `${plural(n("waiting"), "delivery waits", "deliveries wait")}`,
    n("delivered") > 0 && `${plural(n("delivered"), "delivery", "deliveries")} arrived`,
  ].filter(Boolean);
  return (
    <>
      Accepted <RelativeTime at={event.acceptedAt} />. {event.routes.length === 0 ? "There are no routes." : `${matched.length} of ${plural(event.routes.length, "route")} took it`}
      {parts.length > 0 ? ": " + parts.join(", ") + "." : event.routes.length > 0 ? "." : ""}
    </>
  );
}

function Attributes({ event: x }: { event: Explanation }) {
  const { data: _, data_base64: __, ...attributes } = x.event;
  const size = dataSize(x.event);
  return (
    <dl className={styles.attributes}>
      <dt>Place in the journal</dt>
      <dd>
        <CopyId id={x.id} label="place in the journal" />
      </dd>
      <dt>Kind</dt>
      <dd>{kindWords[kindOf(x.event.type)]}</dd>
      <dt>Accepted</dt>
      <dd className="nums">{absoluteTime(x.acceptedAt)}</dd>
      {Object.entries(attributes).map(([k, v]) => (
        <Attribute key={k} name={k} value={String(v)} />
      ))}
      <dt>Size of its data</dt>
      <dd>{size === undefined ? "none" : bytes(size)}</dd>
    </dl>
  );
}

function Attribute({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{visible(name)}</dt>
      <dd className="mono">{visible(value.length > 600 ? value.slice(0, 600) + "…" : value)}</dd>
    </>
  );
}

function Others({ verdicts }: { verdicts: readonly Verdict[] }) {
  return verdicts.map((v) => (
    <div key={v.route} className="card stack" style={{ gap: 8 }}>
      <div className="row">
        <ResourceLink kind="route" name={v.route} strong />
        <span className="quiet">→</span>
        <ResourceLink kind="endpoint" name={v.endpoint} />
        <span style={{ flex: 1 }} />
        <VerdictBadge verdict={v} />
      </div>
      {v.note && <p className="quiet">{v.note}</p>}
      <WhyNot verdict={v} />
    </div>
  ));
}

const columns: Column<Verdict>[] = [
  { id: "route", header: "Route", width: "minmax(140px, 1fr)", sort: (v) => v.route, cell: (v) => <ResourceLink kind="route" name={v.route} /> },
  { id: "filter", header: "Filter, with what failed", width: "minmax(200px, 3fr)", phone: "whole", cell: (v) => <FilterText text={v.filter} mark={v.condition && spanIn(v.filter, v.condition)} /> },
  { id: "why", header: "What it holds", width: "minmax(140px, 2fr)", phone: "hide", cell: (v) => <span title={v.why}>{visible((v.values ?? []).map((x) => `${x.field} is ${x.text}`).join(", ") || v.why)}</span> },
];
