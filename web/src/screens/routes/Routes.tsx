import { Button, Select } from "@fluentui/react-components";
import { Add20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useMemo } from "react";
import { useCommand } from "~/app/commands";
import { useShortcut } from "~/app/shortcuts";
import { pluginsQuery, routesQuery, useStatus, type Schemas } from "~/api/queries";
import { latestRate, perSecond, ratesQuery, total, type RouteRates } from "~/api/rates";
import type { Route } from "~/api/routes";
import { DataTable, type Column, type Sort } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { count, percent, plural, rate } from "~/parts/figures";
import { FilterText } from "~/parts/FilterEditor";
import { PageHead } from "~/parts/PageHead";
import { refParts } from "~/parts/pluginRef";
import { ProblemBar } from "~/parts/ProblemBar";
import { SearchField } from "~/parts/SearchField";
import { Skeleton } from "~/parts/Skeleton";
import { Sparkline } from "~/parts/Sparkline";
import { StateBadge } from "~/parts/StateBadge";
import { PluginChips } from "./PluginChips";
import { routesRoute, routeStates, type RouteState } from "./route";
import { RouteMenu } from "./RouteMenu";
import styles from "./Routes.module.css";
import { matchShare, stateOf } from "./state";

const busiest = 1000; // routes whose rates one answer holds

/** A route with what is known of it now. */
interface Row {
  route: Route;
  state: RouteState;
  /** undefined when it is none of the busiest, and they are not all. */
  rates: RouteRates | undefined;
  share: number | undefined;
  perSecond: number;
}

/** All routes: what each takes, what it makes of it, and where that goes. */
export function Routes() {
  const search = routesRoute.useSearch();
  const navigate = useNavigate();
  const to = (change: Partial<typeof search>) => void navigate({ from: "/routes", to: "/routes", search: (s) => ({ ...s, ...change }), replace: true });
  const routes = useQuery(routesQuery);
  const { data: plugins } = useQuery(pluginsQuery);
  const { data: rates } = useQuery(ratesQuery({ from: "30m", step: "1m", top: busiest }));
  const { data: status } = useStatus();
  const create = () => void navigate({ to: "/new-route" });
  useShortcut("n", "New route", create);
  useCommand("New route", create);

  const active = useMemo(() => new Map(plugins?.map((p) => [p.name, p.active])), [plugins]);
  const rows = useMemo(() => rowsOf(routes.data ?? [], status?.endpoints ?? [], rates), [routes.data, status?.endpoints, rates]);
  const q = useDeferredValue(search.q?.toLowerCase() ?? "");
  const shown = useMemo(
    () =>
      rows.filter(
        ({ route: r, state }) =>
          (!search.endpoint || r.endpointName === search.endpoint) &&
          (!search.state || state === search.state) &&
          (!search.plugin || [...r.filters, ...r.transforms].some((p) => refParts(p.plugin).name === search.plugin)) &&
          (q === "" || [r.id, r.endpointName, r.filter, ...[...r.filters, ...r.transforms].map((p) => p.plugin)].some((s) => s.toLowerCase().includes(q))),
      ),
    [rows, q, search.endpoint, search.state, search.plugin],
  );
  const endpoints = useMemo(() => [...new Set(rows.map((r) => r.route.endpointName))].sort(), [rows]);
  const step = rates?.stepSeconds ?? 60;
  const columns = useMemo(() => columnsOf(active, step, rates !== undefined), [active, step, rates !== undefined]);
  const filtered = !!(search.q || search.endpoint || search.state || search.plugin);

  if (routes.isPending) return <Skeleton lines={8} />;
  if (routes.isError && !routes.data) return <ProblemBar problem={routes.error} action={<Button onClick={() => void routes.refetch()}>Try again</Button>} />;
  return (
    <>
      <PageHead
        title="Routes"
        sentence={<Sentence rows={rows} />}
        actions={
          <Button appearance="primary" icon={<Add20Regular />} onClick={create}>
            New route
          </Button>
        }
      />
      {rows.length === 0 ? (
        <EmptyState
          title="No routes yet"
          action={
            <Button appearance="primary" onClick={create}>
              Make the first route
            </Button>
          }
        >
          A route says which events go to an endpoint, and what plugins make of them on the way. Events that no route takes go nowhere.
        </EmptyState>
      ) : (
        <>
          <div className={styles.bar} data-search role="search">
            <SearchField className={styles.search} aria-label="Search routes" placeholder="Search names, filters, plugins" value={search.q} onChange={(q) => to({ q })} />
            <Select className={styles.select} aria-label="Endpoint" value={search.endpoint ?? ""} onChange={(_, d) => to({ endpoint: d.value || undefined })}>
              <option value="">All endpoints</option>
              {endpoints.map((e) => (
                <option key={e}>{e}</option>
              ))}
            </Select>
            <Select className={styles.select} aria-label="State" value={search.state ?? ""} onChange={(_, d) => to({ state: (d.value || undefined) as RouteState | undefined })}>
              <option value="">All states</option>
              {routeStates.map((s) => (
                <option key={s}>{s}</option>
              ))}
            </Select>
            {search.plugin && (
              <Button size="small" onClick={() => to({ plugin: undefined })}>
                Plugin {search.plugin} ✕
              </Button>
            )}
            <span className={styles.count} role="status">
              {filtered ? `${count(shown.length)} of ${plural(rows.length, "route")}` : plural(rows.length, "route")}
            </span>
          </div>
          <DataTable
            label="Routes"
            rows={shown}
            columns={columns}
            rowKey={keyOf}
            onOpen={(r) => void navigate({ to: "/routes/$id", params: { id: r.route.id } })}
            sort={sortOf(search.sort)}
            onSort={(s) => to({ sort: s && (s.down ? "-" : "") + s.column })}
            maxHeight="calc(100dvh - 270px)"
            empty={
              <EmptyState title="No route is like that" action={<Button onClick={() => to({ q: undefined, endpoint: undefined, state: undefined, plugin: undefined })}>Show all</Button>}>
                Nothing matches what you search for.
              </EmptyState>
            }
          />
        </>
      )}
    </>
  );
}

const keyOf = (r: Row) => r.route.id;

function sortOf(text: string | undefined): Sort | undefined {
  if (!text) return undefined;
  return text.startsWith("-") ? { column: text.slice(1), down: true } : { column: text, down: false };
}

/** What the user came for: whether all is well, and if not, where. */
function Sentence({ rows }: { rows: readonly Row[] }) {
  const failing = rows.filter((r) => r.state === "failing");
  const off = rows.filter((r) => r.state === "disabled").length;
  const ends = [...new Set(failing.map((r) => r.route.endpointName))];
  if (rows.length === 0) return null;
  if (failing.length > 0) {
    return (
      <>
        {plural(failing.length, "route")} of {count(rows.length)} cannot deliver: {ends.length === 1 ? "endpoint" : "endpoints"} <span className="mono">{ends.slice(0, 3).join(", ")}</span>
        {ends.length > 3 && ` and ${ends.length - 3} more`} {ends.length === 1 ? "is" : "are"} failing.
      </>
    );
  }
  const flowing = rows.filter((r) => r.state === "healthy" || r.state === "catching up").length;
  return (
    <>
      {flowing > 0 ? `${plural(flowing, "route")} of ${count(rows.length)} took events in the last half hour` : "No route took an event in the last half hour"}
      {off > 0 && `; ${count(off)} ${off === 1 ? "is" : "are"} disabled`}.
    </>
  );
}

const none: RouteRates = { id: "", evaluated: [], matched: [], outputs: [], errors: [] };

function rowsOf(routes: readonly Route[], endpoints: readonly Schemas["EndpointStatus"][], rates: Schemas["Rates"] | undefined): Row[] {
  const ends = new Map(endpoints.map((e) => [e.name, e]));
  const counted = new Map(rates?.routes.map((r) => [r.id, r]));
  // The answer has the busiest routes: while it is not full, all others did nothing.
  const last = rates?.routes.at(-1);
  const all = rates !== undefined && (rates.routes.length < busiest || (last !== undefined && total(last.matched) === 0));
  return routes.map((route) => {
    const r = counted.get(route.id) ?? (all ? none : undefined);
    return { route, rates: r, state: stateOf(route, ends.get(route.endpointName), r), share: matchShare(r), perSecond: (r && rates && latestRate(r.matched, rates.stepSeconds)) ?? 0 };
  });
}

function columnsOf(active: ReadonlyMap<string, number>, step: number, counted: boolean): Column<Row>[] {
  return [
    {
      id: "name",
      header: "Name",
      width: "minmax(120px, 1.3fr)",
      sort: (r) => r.route.id,
      cell: ({ route: r }) => (
        <Link to="/routes/$id" params={{ id: r.id }} className={styles.name} title={r.id}>
          {r.id}
        </Link>
      ),
    },
    { id: "filter", header: "Filter", width: "minmax(160px, 2.4fr)", phone: "whole", cell: ({ route: r }) => (r.filter === "true" ? <span className="quiet">every event</span> : <FilterText text={r.filter} />) },
    { id: "plugins", header: "Plugins", width: "minmax(90px, 1fr)", phone: "hide", cell: ({ route: r }) => <PluginChips refs={[...r.filters, ...r.transforms]} active={active} /> },
    {
      id: "endpoint",
      header: "Endpoint",
      width: "minmax(90px, 1fr)",
      sort: (r) => r.route.endpointName,
      phone: "hide",
      cell: ({ route: r }) => <span title={r.endpointName}>{r.endpointName}</span>,
    },
    ...(counted
      ? [
          {
            id: "rate",
            header: "Matched",
            width: "148px",
            number: true,
            phone: "hide" as const,
            sort: (r: Row) => r.perSecond,
            cell: (r: Row) =>
              r.rates === undefined ? (
                <span className={"quiet " + styles.few} title={`Not among the ${count(busiest)} routes that matched most`}>
                  few
                </span>
              ) : (
                <span className={styles.rate}>
                  <Sparkline values={perSecond(r.rates.matched, step)} errors={perSecond(r.rates.errors, step)} width={72} height={22} label={`Matched over the last half hour, now ${rate(r.perSecond)}`} />
                  <span style={{ minWidth: 50 }}>{rate(r.perSecond)}</span>
                </span>
              ),
          },
          {
            id: "share",
            header: "Match",
            width: "72px",
            number: true,
            phone: "hide" as const,
            sort: (r: Row) => r.share ?? -1,
            cell: (r: Row) => (r.share === undefined ? <span className="quiet">–</span> : percent(r.share)),
          },
        ]
      : []),
    { id: "state", header: "State", width: "116px", sort: (r) => r.state, cell: (r) => <StateBadge state={r.state} /> },
    { id: "more", header: "", label: "Actions", width: "32px", cell: ({ route }) => <RouteMenu route={route} /> },
  ];
}
