import { useMemo } from "react";
import type { Schemas } from "~/api/queries";
import { DataTable, type Column } from "~/parts/DataTable";
import { count, rate } from "~/parts/figures";
import { FilterText } from "~/parts/FilterEditor";
import { ResourceLink } from "~/parts/ResourceLink";
import { Sparkline } from "~/parts/Sparkline";
import { StateBadge } from "~/parts/StateBadge";
import styles from "./Overview.module.css";
import { latest, rateNow, whole } from "./rates";
import { topologyOf, type Station } from "./topology";

interface Line {
  route: Schemas["Route"];
  rates?: Schemas["RouteRates"];
  endpoint?: Schemas["EndpointStatus"];
  endpointRates?: Schemas["EndpointRates"];
}

/** Where events come from, and where they go: each route, what it matches, and how its endpoint is. */
export function Flow({ status, routes, rates }: { status: Schemas["Status"]; routes: Schemas["Route"][]; rates: Schemas["Rates"] | undefined }) {
  const lines = useMemo(() => {
    const counted = new Map(rates?.routes.map((r) => [r.id, r]));
    const ends = new Map(status.endpoints.map((e) => [e.name, e]));
    const endsCounted = new Map(rates?.endpoints.map((e) => [e.name, e]));
    return routes.map((route): Line => ({ route, rates: counted.get(route.id), endpoint: ends.get(route.endpointName), endpointRates: endsCounted.get(route.endpointName) }));
  }, [routes, rates, status]);
  const sources = useMemo(() => topologyOf({ status, routes, rates }).stations.filter((s) => s.column === 0), [status, routes, rates]);
  const step = rates?.stepSeconds ?? 10;
  const columns = useMemo((): Column<Line>[] => [
    { id: "route", header: "Route", width: "minmax(120px, 1.4fr)", sort: (l) => l.route.id, cell: (l) => <ResourceLink kind="route" name={l.route.id} strong /> },
    { id: "filter", header: "Filter", width: "minmax(120px, 2fr)", phone: "whole", cell: (l) => <FilterText text={l.route.filter || "true"} /> },
    { id: "rate", header: "Matched", width: "72px", number: true, sort: (l) => latest(l.rates?.matched) ?? -1, cell: (l) => rateNow(l.rates?.matched, step) },
    { id: "series", header: "15 minutes", width: "96px", phone: "hide", cell: (l) => <Sparkline values={whole(l.rates?.matched)} errors={l.rates && whole(l.rates.errors)} width={96} label={`${l.route.id}: matched events of 15 minutes`} /> },
    { id: "endpoint", header: "Endpoint", width: "minmax(110px, 1.2fr)", phone: "hide", sort: (l) => l.route.endpointName, cell: (l) => <ResourceLink kind="endpoint" name={l.route.endpointName} /> },
    { id: "delivered", header: "Delivered", label: "Delivered by its endpoint", width: "112px", number: true, phone: "hide", sort: (l) => latest(l.endpointRates?.delivered) ?? -1, cell: (l) => <Delivered rates={l.endpointRates} step={step} /> },
    { id: "waiting", header: "Retrying", width: "76px", number: true, phone: "hide", sort: retryingOf, cell: (l) => count(retryingOf(l)) },
    { id: "state", header: "State", width: "112px", sort: (l) => stateOf(l), cell: (l) => <StateBadge state={stateOf(l)} /> },
  ], [step]);
  return (
    <>
      <section className={styles.flow} aria-labelledby="sources">
        <h2 id="sources">Where events come from</h2>
        <DataTable label="Sources" rows={sources} columns={sourceColumns} rowKey={(s) => s.id} maxHeight="260px" quiet />
      </section>
      <section className={styles.flow} aria-labelledby="flow">
        <h2 id="flow">Where events go</h2>
        <DataTable label="Routes and their endpoints" rows={lines} columns={columns} rowKey={(l) => l.route.id} maxHeight="440px" />
      </section>
    </>
  );
}

const sourceColumns: Column<Station>[] = [
  { id: "source", header: "Source", width: "minmax(120px, 1fr)", sort: (s) => s.label, cell: (s) => (s.link ? <ResourceLink kind={s.link.kind} name={s.link.name} strong /> : s.label) },
  { id: "rate", header: "Accepted", width: "84px", number: true, sort: (s) => s.rate ?? -1, cell: (s) => (s.rate === undefined ? "–" : rate(s.rate)) },
  { id: "state", header: "State", width: "112px", sort: (s) => s.state, cell: (s) => <StateBadge state={s.state} /> },
];

/** What its endpoint delivers now, for all routes, and what fails there. */
function Delivered({ rates, step }: { rates: Schemas["EndpointRates"] | undefined; step: number }) {
  const failed = latest(rates?.failed) ?? 0;
  return (
    <>
      {rateNow(rates?.delivered, step)}
      {failed > 0 && <span style={{ color: "var(--state-failing)" }}>, {rate(failed / step)} fail</span>}
    </>
  );
}

function retryingOf(l: Line): number {
  return l.endpoint?.retrying ?? 0;
}

function stateOf(l: Line) {
  return l.route.enabled ? (l.endpoint?.state ?? "idle") : "disabled";
}
