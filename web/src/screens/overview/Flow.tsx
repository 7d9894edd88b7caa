import { useMemo } from "react";
import type { Schemas } from "~/api/queries";
import { DataTable, type Column } from "~/parts/DataTable";
import { count, rate } from "~/parts/figures";
import { FilterText } from "~/parts/FilterEditor";
import { ResourceLink } from "~/parts/ResourceLink";
import { Sparkline } from "~/parts/Sparkline";
import { StateBadge } from "~/parts/StateBadge";
import styles from "./Overview.module.css";
import { latest, whole } from "./rates";

interface Line {
  route: Schemas["Route"];
  rates?: Schemas["RouteRates"];
  endpoint?: Schemas["EndpointStatus"];
}

/** Where events go: each route, what it matches, and how its endpoint is. */
export function Flow({ status, routes, rates }: { status: Schemas["Status"]; routes: Schemas["Route"][]; rates: Schemas["Rates"] | undefined }) {
  const lines = useMemo(() => {
    const counted = new Map(rates?.routes.map((r) => [r.id, r]));
    const ends = new Map(status.endpoints.map((e) => [e.name, e]));
    return routes.map((route): Line => ({ route, rates: counted.get(route.id), endpoint: ends.get(route.endpointName) }));
  }, [routes, rates, status]);
  const step = rates?.stepSeconds ?? 10;
  const columns = useMemo((): Column<Line>[] => [
    { id: "route", header: "Route", width: "minmax(120px, 1.4fr)", sort: (l) => l.route.id, cell: (l) => <ResourceLink kind="route" name={l.route.id} strong /> },
    { id: "filter", header: "Filter", width: "minmax(120px, 2fr)", phone: "whole", cell: (l) => <FilterText text={l.route.filter || "true"} /> },
    { id: "rate", header: "Matched", width: "72px", number: true, sort: (l) => latest(l.rates?.matched) ?? -1, cell: (l) => (latest(l.rates?.matched) === undefined ? "–" : rate((latest(l.rates?.matched) ?? 0) / step)) },
    { id: "series", header: "15 minutes", width: "120px", phone: "hide", cell: (l) => <Sparkline values={whole(l.rates?.matched)} errors={l.rates && whole(l.rates.errors)} label={`${l.route.id}: matched events of 15 minutes`} /> },
    { id: "endpoint", header: "Endpoint", width: "minmax(110px, 1.2fr)", phone: "hide", sort: (l) => l.route.endpointName, cell: (l) => <ResourceLink kind="endpoint" name={l.route.endpointName} /> },
    { id: "waiting", header: "Retrying", width: "76px", number: true, phone: "hide", sort: retryingOf, cell: (l) => count(retryingOf(l)) },
    { id: "state", header: "State", width: "112px", sort: (l) => stateOf(l), cell: (l) => <StateBadge state={stateOf(l)} /> },
  ], [step]);
  return (
    <section className={styles.flow} aria-labelledby="flow">
      <h2 id="flow">Where events go</h2>
      <DataTable label="Routes and their endpoints" rows={lines} columns={columns} rowKey={(l) => l.route.id} maxHeight="440px" />
    </section>
  );
}

function retryingOf(l: Line): number {
  return l.endpoint?.retrying ?? 0;
}

function stateOf(l: Line) {
  return l.route.enabled ? (l.endpoint?.state ?? "idle") : "disabled";
}
