import { Button, Tab, TabList } from "@fluentui/react-components";
import { Edit20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Suspense, useMemo, type ReactNode } from "react";
import { useShortcut } from "~/app/shortcuts";
import { pluginsQuery, useStatus } from "~/api/queries";
import { latestRate, rangeSteps, rangeWords, ratesQuery, total, type RouteRates } from "~/api/rates";
import { draftOf, isMissing, routeQuery, specOf, type Route } from "~/api/routes";
import { CopyAs } from "~/parts/CopyAs";
import { EmptyState } from "~/parts/EmptyState";
import { count, percent, plural, rate } from "~/parts/figures";
import { FilterText } from "~/parts/FilterEditor";
import { JsonView } from "~/parts/JsonView";
import { lazy } from "~/parts/lazy";
import { PageHead } from "~/parts/PageHead";
import { refParts } from "~/parts/pluginRef";
import { ProblemBar } from "~/parts/ProblemBar";
import { RangedChart, type Counted } from "~/parts/RangedChart";
import { RelativeTime } from "~/parts/RelativeTime";
import { ResourceLink } from "~/parts/ResourceLink";
import { Skeleton } from "~/parts/Skeleton";
import { StateBadge } from "~/parts/StateBadge";
import { cliOf } from "./actions";
import { Explain } from "./Explain";
import { routeRoute } from "./route";
import { RouteMenu } from "./RouteMenu";
import styles from "./RoutePage.module.css";
import { matchShare, stateOf } from "./state";
import { usePreview } from "./usePreview";

const History = lazy(() => import("./History"), "History");
const PreviewPanel = lazy(() => import("./Preview"), "PreviewPanel");

/** One route: how it does, what it makes of events, and what it was before. */
export function RoutePage() {
  const { id } = routeRoute.useParams();
  const search = routeRoute.useSearch();
  const navigate = useNavigate();
  const to = (change: Partial<typeof search>) => void navigate({ from: "/routes/$id", to: "/routes/$id", params: { id }, search: (s) => ({ ...s, ...change }), replace: true });
  const { data, error, refetch } = useQuery({ ...routeQuery(id), refetchInterval: 10_000 });
  const { data: status } = useStatus();
  const range = search.range ?? "1h";
  const { data: rates } = useQuery(ratesQuery({ from: range, step: rangeSteps[range], route: id }));
  const mine = rates?.routes.find((r) => r.id === id);
  const edit = () => void navigate({ to: "/routes/$id/edit", params: { id } });
  useShortcut("e", "Edit the route", edit);

  if (!data && error) {
    return isMissing(error) ? (
      <EmptyState title={`There is no route ${id}`} action={<Button onClick={() => void navigate({ to: "/routes" })}>All routes</Button>}>
        It may have been deleted.
      </EmptyState>
    ) : (
      <ProblemBar problem={error} action={<Button onClick={() => void refetch()}>Try again</Button>} />
    );
  }
  if (!data) return <Skeleton lines={8} />;
  const { route } = data;
  const endpoint = status?.endpoints.find((e) => e.name === route.endpointName);
  const state = stateOf(route, endpoint, mine);
  const tab = search.tab ?? "overview";
  return (
    <>
      <PageHead
        title={route.id}
        badge={<StateBadge state={state} />}
        sentence={<Sentence route={route} reason={endpoint?.state === "failing" ? endpoint.reason : undefined} since={endpoint?.since} backlog={endpoint?.backlog ?? 0} rates={mine} step={rates?.stepSeconds} range={rangeWords[range]} />}
        actions={
          <>
            <CopyAs cli={() => cliOf(draftOf(route))} value={{ name: route.id, spec: specOf(draftOf(route)) }} kind="Route" />
            <Button icon={<Edit20Regular />} appearance="primary" onClick={edit}>
              Edit
            </Button>
            <RouteMenu route={route} full onDeleted={() => void navigate({ to: "/routes" })} />
          </>
        }
      />
      <TabList selectedValue={tab} onTabSelect={(_, d) => to({ tab: d.value as typeof tab })}>
        <Tab value="overview">Overview</Tab>
        <Tab value="events">Events and verdicts</Tab>
        <Tab value="history">History</Tab>
      </TabList>
      {tab === "overview" && (
        <>
          <RangedChart key={id} title="Events a second" rates={rates} of={(r) => counted(r.routes.find((x) => x.id === id))} range={range} onRange={(r) => to({ range: r })} />
          <div className={styles.two}>
            <Definition route={route} />
            <Explain id={id} filter={route.filter} enabled={route.enabled} onEvent={(event) => to({ tab: "events", event, show: undefined })} />
          </div>
        </>
      )}
      <Suspense fallback={<Skeleton lines={6} />}>
        {tab === "events" && <Events route={route} search={search} onSearch={to} />}
        {tab === "history" && <History tagged={data} />}
      </Suspense>
    </>
  );
}

function Sentence({ route, reason, since, backlog, rates, step, range }: { route: Route; reason: string | undefined; since: string | undefined; backlog: number; rates: RouteRates | undefined; step: number | undefined; range: string }) {
  const end = (
    <span className="mono">
      <ResourceLink kind="endpoint" name={route.endpointName} />
    </span>
  );
  if (!route.enabled) return <>Takes no events: it is disabled since <RelativeTime at={route.updatedAt} />.</>;
  if (reason !== undefined) {
    return (
      <>
        Cannot deliver to {end}
        {since && (
          <>
            {" "}
            since <RelativeTime at={since} />
          </>
        )}
        : {reason}
      </>
    );
  }
  const now = rates && step ? latestRate(rates.matched, step) : undefined;
  const share = matchShare(rates);
  const errors = rates ? total(rates.errors) : 0;
  return (
    <>
      {now !== undefined && now > 0 ? <>Delivering to {end}, {rate(now)} matched</> : rates && total(rates.matched) > 0 ? <>Delivers to {end}; nothing matched just now</> : <>Delivers to {end}; nothing matched in the last {range}</>}
      {share !== undefined && share > 0 && <>, {percent(share)} of events</>}
      {backlog > 0 && <>, {plural(backlog, "batch", "batches")} behind</>}
      {errors > 0 && <>; plugins failed on {plural(errors, "event")}</>}.
    </>
  );
}

const counted = (r: RouteRates | undefined): Counted[] => [
  { label: "Matched", counts: r?.matched, colour: "--kind-update" },
  { label: "Deliveries made", counts: r?.outputs, colour: "--kind-telemetry", as: "line" },
  { label: "Plugin failures", counts: r?.errors, colour: "--state-failing", as: "bars" },
];

/** What the route says, in its three parts. */
function Definition({ route: r }: { route: Route }) {
  const { data: plugins } = useQuery(pluginsQuery);
  const active = (name: string) => plugins?.find((p) => p.name === name)?.active;
  const steps = (refs: Route["filters"], none: ReactNode) =>
    refs.length === 0
      ? none
      : refs.map((p, i) => {
          const { name, pin } = refParts(p.plugin);
          return (
            <div key={i} className={styles.step}>
              <span className="row">
                <ResourceLink kind="plugin" name={name} strong />
                <span className="quiet">{pin === undefined ? `active version${active(name) ? ", " + active(name) : ""}` : "pinned to " + (pin.startsWith("sha256:") ? pin.slice(0, 15) + "…" : pin)}</span>
              </span>
              {p.config !== undefined && JSON.stringify(p.config) !== "{}" && <JsonView value={p.config} label={`Configuration of ${name}`} />}
            </div>
          );
        });
  return (
    <section className="card stack" aria-labelledby="definition">
      <h2 id="definition">What it does</h2>
      <dl className={styles.facts}>
        <dt>Which events</dt>
        <dd>
          {r.filter.trim() === "true" ? "Every event" : <FilterText text={r.filter} wrap />}
          {steps(r.filters, null)}
        </dd>
        <dt>What happens</dt>
        <dd>{steps(r.transforms, "They leave as they came.")}</dd>
        <dt>Where to</dt>
        <dd>
          <ResourceLink kind="endpoint" name={r.endpointName} />
        </dd>
        <dt>Changed</dt>
        <dd>
          <span>
            <RelativeTime at={r.updatedAt} />, revision {count(r.revision)}
          </span>
        </dd>
      </dl>
    </section>
  );
}

function Events({ route, search, onSearch }: { route: Route; search: ReturnType<typeof routeRoute.useSearch>; onSearch: (s: Partial<ReturnType<typeof routeRoute.useSearch>>) => void }) {
  const draft = useMemo(() => draftOf(route), [route]);
  const preview = usePreview(draft, { pause: 0, picked: search.event });
  return <PreviewPanel title="What it makes of the latest events" preview={preview} search={search} onSearch={onSearch} note={route.enabled ? undefined : <p className="quiet">The route is disabled: this is what it would make of them.</p>} />;
}
