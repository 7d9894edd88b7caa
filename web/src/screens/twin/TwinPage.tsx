import { Button, Checkbox, Input } from "@fluentui/react-components";
import { ArrowClockwise20Regular, Search16Regular } from "@fluentui/react-icons";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { glanceOf } from "~/api/glance";
import { kindOf } from "~/api/kind";
import { Chart } from "~/parts/Chart";
import { CopyAs } from "~/parts/CopyAs";
import { DataTable, type Column } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { EventKindToken } from "~/parts/EventKindIcon";
import { EventPeek, EventPeekTitle } from "~/parts/EventPeek";
import { count, plural } from "~/parts/figures";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { absoluteTime, RelativeTime } from "~/parts/RelativeTime";
import { command } from "~/parts/shell";
import { WithPanel } from "~/parts/SidePanel";
import { Skeleton } from "~/parts/Skeleton";
import { StateBadge } from "~/parts/StateBadge";
import { clock } from "~/parts/Verdict";
import { visible } from "~/parts/visible";
import { Lanes } from "./Lanes";
import { twinRoute, type TwinSearch } from "./route";
import { lanes as lanesOf, twinQuery, whole, type TwinEvent, type Whole } from "./twin";
import styles from "./TwinPage.module.css";

const shownAtOnce = 6; // charts

/** One twin over time: its events, what routes made of them, its numbers. */
export function TwinPage() {
  const { key } = twinRoute.useSearch();
  return key === undefined ? <NoTwin /> : <Twin key={key} name={key} />;
}

function NoTwin() {
  return (
    <>
      <PageHead title="A twin" sentence="All that happened to one twin: its events, what routes made of them, and its numbers over time." />
      <EmptyState title="Which twin?" action={<Find />}>
        Write its id, as it is in the subject of its events. In the live events every twin is a link to this page.
      </EmptyState>
    </>
  );
}

function Find() {
  const navigate = useNavigate();
  const [text, setText] = useState("");
  return (
    <form
      className={styles.find}
      data-search=""
      onSubmit={(e) => {
        e.preventDefault();
        if (text.trim() !== "") void navigate({ to: "/twins", search: { key: text.trim() } });
      }}
    >
      <Input contentBefore={<Search16Regular />} placeholder="Id of a twin" aria-label="Id of a twin" value={text} onChange={(_, d) => setText(d.value)} />
      <Button type="submit" disabled={text.trim() === ""}>
        Show it
      </Button>
    </form>
  );
}

function Twin({ name }: { name: string }) {
  const search = twinRoute.useSearch();
  const navigate = useNavigate({ from: "/twins" });
  const change = useCallback((next: Partial<TwinSearch>, replace = true) => void navigate({ search: (s) => ({ ...s, ...next }), replace }), [navigate]);
  const query = useInfiniteQuery(twinQuery(name, search.from, search.to));
  const { data, error, hasNextPage, isFetching, fetchNextPage, refetch } = query;
  const all = useMemo(() => (data ? whole(data.pages) : undefined), [data]);
  const lanes = useMemo(() => (all ? lanesOf(all.items) : []), [all]);
  const range = useMemo(() => (all ? rangeOf(all, search) : undefined), [all, search]);
  const open = useCallback((id: string) => change({ event: id }), [change]);
  const zoom = useCallback((from: number, to: number) => change({ from: new Date(Math.floor(from)).toISOString(), to: new Date(Math.ceil(to)).toISOString() }, false), [change]);
  return (
    <>
      <PageHead
        title={visible(name)}
        mono
        sentence={all && <Sentence all={all} />}
        actions={
          <>
            <Find />
            <Button icon={<ArrowClockwise20Regular />} disabled={isFetching} onClick={() => void refetch()}>
              Look again
            </Button>
            <CopyAs cli={command("headgate", "twin", name)} value={all && { key: name, series: all.series }} />
          </>
        }
      />
      <Ranges from={search.from} to={search.to} onChange={(from) => change({ from, to: undefined }, false)} />
      {error && <ProblemBar problem={error} />}
      {!all && !error && <Skeleton lines={12} />}
      {all && range && (
        <WithPanel panel={search.event === undefined ? undefined : { title: <EventPeekTitle id={search.event} />, label: "Event " + search.event, children: <EventPeek id={search.event} />, onClose: () => change({ event: undefined }) }}>
          <div className="stack">
            {all.items.length === 0 ? (
              <EmptyState title="No event of this twin in what was looked at" action={hasNextPage ? <Button onClick={() => void fetchNextPage()}>Look further back</Button> : undefined}>
                {hasNextPage ? "The journal is looked through part by part, the latest first." : "The whole range was looked at. Check the id: it minds upper and lower case."}
              </EmptyState>
            ) : (
              <>
                <section className="card stack" aria-labelledby="lanes">
                  <h2 id="lanes">What happened</h2>
                  <Lanes lanes={lanes} from={range.from} to={range.to} unknown={range.unknown} onOpen={open} />
                  {lanes.length === 1 && <p className="quiet">What routes made of these events is not remembered: attempts are kept since the gateway started, the latest 65,536 of them. Open an event to see what the routes would do now.</p>}
                </section>
                <Numbers all={all} range={range} onRange={zoom} />
                <section className="stack" aria-labelledby="events">
                  <h2 id="events">Its events</h2>
                  <DataTable label="Events of this twin, the latest first" rows={all.items} columns={columns} rowKey={(e) => e.id} rowHeight={38} maxHeight="60vh" openKey={search.event} onOpen={(e) => open(e.id)} />
                  {hasNextPage && (
                    <div className="row">
                      <Button disabled={isFetching} onClick={() => void fetchNextPage()}>
                        {isFetching ? "Looking…" : "Look further back"}
                      </Button>
                      <span className="quiet">The journal goes further back than what was looked at.</span>
                    </div>
                  )}
                </section>
              </>
            )}
          </div>
        </WithPanel>
      )}
    </>
  );
}

function Sentence({ all }: { all: Whole }) {
  const looked = `${plural(all.events, "event")} of the journal ${all.events === 1 ? "was" : "were"} looked at`;
  const span = all.from !== undefined && all.to !== undefined ? `, accepted ${absoluteTime(new Date(all.from))} to ${absoluteTime(new Date(all.to))}` : "";
  const latest = all.items[0];
  return (
    <>
      {latest ? (
        <>
          {plural(all.items.length, "event")}, the latest <RelativeTime at={latest.time} />.{" "}
        </>
      ) : null}
      {looked}
      {span}
      {all.complete ? "." : "; what is older was not."}
    </>
  );
}

const presets = [
  { label: "All that is kept", minutes: undefined },
  { label: "24 hours", minutes: 1440 },
  { label: "1 hour", minutes: 60 },
  { label: "15 minutes", minutes: 15 },
];

function Ranges({ from, to, onChange }: { from?: string; to?: string; onChange: (from: string | undefined) => void }) {
  return (
    <div className="row" role="group" aria-label="Range of time">
      {presets.map((p) => (
        <Button key={p.label} size="small" appearance={p.minutes === undefined && from === undefined && to === undefined ? "primary" : "secondary"} onClick={() => onChange(p.minutes === undefined ? undefined : new Date(Date.now() - p.minutes * 60_000).toISOString())}>
          {p.label}
        </Button>
      ))}
      {(from !== undefined || to !== undefined) && (
        <span className="quiet nums">
          from {from ? (Number.isNaN(Date.parse(from)) ? from : absoluteTime(from)) : "the oldest"} to {to ? (Number.isNaN(Date.parse(to)) ? to : absoluteTime(to)) : "the latest"}
        </span>
      )}
    </div>
  );
}

interface Range {
  from: number;
  to: number;
  unknown: { from: number; to: number }[];
}

/** The time that is shown: what was asked for, else what was looked at; of the rest nothing is known. */
function rangeOf(all: Whole, { from, to }: TwinSearch): Range {
  const times = all.items.map((i) => Date.parse(i.time)).filter((t) => !Number.isNaN(t));
  const begin = [all.from, ...times.slice(-1)].filter((t) => t !== undefined);
  const asked = (t: string | undefined) => (t === undefined || Number.isNaN(Date.parse(t)) ? undefined : Date.parse(t));
  const start = asked(from) ?? (begin.length > 0 ? Math.min(...begin) : Date.now() - 60_000);
  const end = asked(to) ?? Math.max(all.to ?? Date.now(), ...times.slice(0, 1));
  const unknown = [];
  if (all.from !== undefined && all.from > start) unknown.push({ from: start, to: all.from });
  if (all.to !== undefined && all.to < end) unknown.push({ from: all.to, to: end });
  return { from: start, to: Math.max(end, start + 1000), unknown };
}

function Numbers({ all, range, onRange }: { all: Whole; range: Range; onRange: (from: number, to: number) => void }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>();
  if (all.series.length === 0) return <p className="quiet">These events hold no numbers to chart.</p>;
  const shown = chosen ?? new Set(all.series.slice(0, shownAtOnce).map((s) => s.path));
  return (
    <section className="stack" aria-labelledby="numbers">
      <h2 id="numbers">Its numbers</h2>
      {all.series.length > 1 && (
        <div className="row" role="group" aria-label="Properties that are charted">
          {all.series.slice(0, 60).map((s) => (
            <Checkbox
              key={s.path}
              label={propertyWords(s.path)}
              checked={shown.has(s.path)}
              onChange={(_, d) => {
                const next = new Set(shown);
                if (d.checked) next.add(s.path);
                else next.delete(s.path);
                setChosen(next);
              }}
            />
          ))}
        </div>
      )}
      <div className={styles.charts}>
        {all.series.filter((s) => shown.has(s.path)).map((s) => {
          const values = s.points.map((p) => p[1]);
          const [low, high] = [Math.min(...values), Math.max(...values)];
          const last = values.at(-1) ?? 0;
          const property = propertyWords(s.path);
          return (
            <div key={s.path} className={"card " + styles.chart}>
              <div className={styles.figures}>
                <h3 className="mono">{property}</h3>
                <strong>{figure(last)}</strong>
                <span>
                  {figure(low)} to {figure(high)}
                </span>
                <span>{s.truncated ? `the latest ${plural(values.length, "value")}` : plural(values.length, "value")}</span>
              </div>
              <Chart
                series={[{ label: property, points: s.points, colour: s.path.startsWith("/telemetry/") ? "--kind-telemetry" : "--kind-update" }]}
                from={range.from}
                to={range.to}
                unknown={range.unknown}
                axis={property}
                line={s.path.startsWith("/telemetry/") ? "straight" : "step"}
                label={`${property} over time: ${plural(values.length, "value")} from ${figure(low)} to ${figure(high)}, the latest ${figure(last)}`}
                sync="twin"
                onRange={onRange}
              />
            </div>
          );
        })}
      </div>
      <p className="quiet">Mark a range in a chart to look at it alone. Hatched: not looked at.</p>
    </section>
  );
}

function propertyWords(path: string): string {
  return visible(path.replace(/^\//, "").replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~"));
}

function figure(n: number): string {
  return Math.abs(n) >= 1e7 ? count(n) : n.toLocaleString("en-US", { maximumSignificantDigits: 6 });
}

const columns: Column<TwinEvent>[] = [
  { id: "time", header: "When", width: "96px", cell: (e) => <span className="nums" title={absoluteTime(e.time)}>{clock(e.time)}</span> },
  { id: "kind", header: "Kind", width: "minmax(120px, 170px)", cell: (e) => <EventKindToken type={e.event.type} /> },
  { id: "says", header: "What it says", width: "minmax(160px, 3fr)", phone: "whole", cell: (e) => <span className="mono">{visible(glanceOf(kindOf(e.event.type), e.event))}</span> },
  { id: "became", header: "What became of it", width: "minmax(120px, 1fr)", phone: "hide", cell: (e) => <Became event={e} /> },
];

function Became({ event: e }: { event: TwinEvent }) {
  const last = new Map(e.deliveries.map((d) => [d.route + "\n" + d.output, d]));
  const all = [...last.values()];
  if (all.length === 0) return <span className="quiet">–</span>;
  const dead = all.filter((d) => d.dead).length;
  const failing = all.filter((d) => d.outcome !== "delivered" && !d.dead).length;
  if (dead > 0) return <StateBadge state="failing" word={plural(dead, "dead letter")} />;
  if (failing > 0) return <StateBadge state="retrying" word={plural(failing, "delivery", "deliveries") + " tried again"} />;
  return <StateBadge state="healthy" word={plural(all.length, "delivery", "deliveries")} />;
}
