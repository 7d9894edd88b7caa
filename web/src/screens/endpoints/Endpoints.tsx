import { Button, Tab, TabList } from "@fluentui/react-components";
import { Add20Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useDeferredValue, useMemo } from "react";
import { useCommand } from "~/app/commands";
import { useShortcut } from "~/app/shortcuts";
import { endpointsQuery, routesQuery, sourcesQuery, useStatus, type Schemas } from "~/api/queries";
import { latestRate, perSecond, ratesQuery } from "~/api/rates";
import { emulatorQuery, type Endpoint, type Source } from "~/api/resources";
import { DataTable, type Column, type Sort } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { count, plural, rate } from "~/parts/figures";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { SearchField } from "~/parts/SearchField";
import { Skeleton } from "~/parts/Skeleton";
import { Sparkline } from "~/parts/Sparkline";
import { StateBadge } from "~/parts/StateBadge";
import { Emulator } from "./Emulator";
import styles from "./Endpoints.module.css";
import { KindToken, targetOf } from "./kinds";
import { endpointsRoute } from "./route";

/** Where events go, where they are fetched, and what lies in the local emulator. */
export function Endpoints() {
  const search = endpointsRoute.useSearch();
  const navigate = useNavigate();
  const to = (change: Partial<typeof search>) => void navigate({ from: "/endpoints", to: "/endpoints", search: (s) => ({ ...s, ...change }), replace: true });
  const { data: status } = useStatus();
  const endpoints = useQuery(endpointsQuery);
  const sources = useQuery(sourcesQuery);
  const { data: emulated } = useQuery(emulatorQuery);
  const newEndpoint = () => void navigate({ to: "/new-endpoint" });
  const newSource = () => void navigate({ to: "/new-source" });
  useCommand("New endpoint", newEndpoint);
  useCommand("New source", newSource);
  const tab = search.tab ?? "endpoints";
  useShortcut("n", tab === "sources" ? "New source" : "New endpoint", tab === "sources" ? newSource : newEndpoint);
  const wrong = endpoints.error ?? sources.error;
  if (!endpoints.data || !sources.data) return wrong ? <ProblemBar problem={wrong} action={<Button onClick={() => void Promise.all([endpoints.refetch(), sources.refetch()])}>Try again</Button>} /> : <Skeleton lines={8} />;
  return (
    <>
      <PageHead
        title="Endpoints & sources"
        sentence={status && <Sentence status={status} />}
        actions={
          <>
            <Button icon={<Add20Regular />} onClick={newSource}>
              New source
            </Button>
            <Button appearance="primary" icon={<Add20Regular />} onClick={newEndpoint}>
              New endpoint
            </Button>
          </>
        }
      />
      <TabList selectedValue={tab} onTabSelect={(_, d) => to({ tab: d.value === "endpoints" ? undefined : (d.value as typeof tab), sort: undefined, entity: undefined })}>
        <Tab value="endpoints">Endpoints {endpoints.data.length > 0 && <span className="quiet nums">{count(endpoints.data.length)}</span>}</Tab>
        <Tab value="sources">Sources {sources.data.length > 0 && <span className="quiet nums">{count(sources.data.length)}</span>}</Tab>
        {(emulated?.running || tab === "emulator") && <Tab value="emulator">Local emulator</Tab>}
      </TabList>
      {tab === "endpoints" && <EndpointTable endpoints={endpoints.data} search={search} onSearch={to} onNew={newEndpoint} />}
      {tab === "sources" && <SourceTable sources={sources.data} search={search} onSearch={to} onNew={newSource} />}
      {tab === "emulator" && <Emulator entity={search.entity} onEntity={(entity) => to({ entity })} />}
    </>
  );
}

/** What the user came for: whether all can be reached, and if not, which. */
function Sentence({ status }: { status: Schemas["Status"] }) {
  const failing = status.endpoints.filter((e) => e.state === "failing");
  const broken = status.sources.filter((s) => s.state === "failing" || s.state === "stopped");
  const paused = status.endpoints.filter((e) => e.state === "paused").length;
  const [first] = [...failing, ...broken];
  if (first) {
    const others = failing.length + broken.length - 1;
    return (
      <>
        <span className="mono">{first.name}</span> is {first.state}
        {first.since && (
          <>
            , which began <RelativeTime at={first.since} />
          </>
        )}
        : {first.reason ?? "it refuses what it is sent"}
        {others > 0 && <>; {plural(others, "other")} too</>}.
      </>
    );
  }
  if (status.endpoints.length === 0) return <>Events have nowhere to go yet.</>;
  const retrying = status.endpoints.reduce((n, e) => n + e.retrying, 0);
  return (
    <>
      {status.endpoints.length === 1 ? "The one endpoint takes" : `All ${plural(status.endpoints.length - paused, "endpoint")} take`} what is sent{retrying > 0 ? `; ${plural(retrying, "delivery", "deliveries")} wait for another try` : ", and nothing waits for another try"}
      {paused > 0 && `; ${count(paused)} paused`}.
    </>
  );
}

interface TableProps {
  search: { q?: string; sort?: string };
  onSearch: (s: { q?: string; sort?: string }) => void;
  onNew: () => void;
}

function Bar({ label, search, onSearch, shown, all, what }: { label: string; shown: number; all: number; what: string } & Pick<TableProps, "search" | "onSearch">) {
  return (
    <div className={styles.bar} data-search role="search">
      <SearchField className={styles.search} aria-label={label} placeholder="Search names, kinds, addresses" value={search.q} onChange={(q) => onSearch({ q })} />
      <span className={styles.count} role="status">
        {search.q ? `${count(shown)} of ${plural(all, what)}` : plural(all, what)}
      </span>
    </div>
  );
}

const sortOf = (text: string | undefined): Sort | undefined => (text ? (text.startsWith("-") ? { column: text.slice(1), down: true } : { column: text, down: false }) : undefined);
const sortText = (s: Sort | undefined) => s && (s.down ? "-" : "") + s.column;

interface EndpointRow {
  endpoint: Endpoint;
  status: Schemas["EndpointStatus"] | undefined;
  rates: Schemas["EndpointRates"] | undefined;
  routes: number;
}

function EndpointTable({ endpoints, search, onSearch, onNew }: { endpoints: readonly Endpoint[] } & TableProps) {
  const navigate = useNavigate();
  const { data: status } = useStatus();
  const { data: routes } = useQuery(routesQuery);
  const { data: rates } = useQuery(ratesQuery({ from: "30m", step: "1m", top: 0 }));
  const step = rates?.stepSeconds ?? 60;
  const rows = useMemo((): EndpointRow[] => {
    const states = new Map(status?.endpoints.map((e) => [e.name, e]));
    const counted = new Map(rates?.endpoints.map((e) => [e.name, e]));
    const used = new Map<string, number>();
    for (const r of routes ?? []) used.set(r.endpointName, (used.get(r.endpointName) ?? 0) + 1);
    return endpoints.map((endpoint) => ({ endpoint, status: states.get(endpoint.name), rates: counted.get(endpoint.name), routes: used.get(endpoint.name) ?? 0 }));
  }, [endpoints, status?.endpoints, rates?.endpoints, routes]);
  const q = useDeferredValue(search.q?.toLowerCase() ?? "");
  const shown = useMemo(() => rows.filter(({ endpoint: e }) => q === "" || [e.name, e.kind, targetOf(e.settings)].some((s) => s.toLowerCase().includes(q))), [rows, q]);
  const columns = useMemo(
    (): Column<EndpointRow>[] => [
      {
        id: "name", header: "Name", width: "minmax(120px, 1.2fr)", sort: (r) => r.endpoint.name,
        cell: (r) => (
          <Link to="/endpoints/$name" params={{ name: r.endpoint.name }} className={styles.name} title={r.endpoint.name}>
            {r.endpoint.name}
          </Link>
        ),
      },
      { id: "kind", header: "Kind", width: "136px", phone: "hide", sort: (r) => r.endpoint.kind, cell: (r) => <KindToken kind={r.endpoint.kind} /> },
      { id: "target", header: "Where", width: "minmax(120px, 1.8fr)", phone: "whole", cell: (r) => <span className="mono quiet" title={targetOf(r.endpoint.settings)}>{targetOf(r.endpoint.settings)}</span> },
      { id: "routes", header: "Routes", width: "64px", number: true, phone: "hide", sort: (r) => r.routes, cell: (r) => count(r.routes) },
      {
        id: "rate", header: "Delivered", width: "148px", number: true, phone: "hide", sort: (r) => (r.rates && latestRate(r.rates.delivered, step)) ?? 0,
        cell: (r) =>
          r.rates && (
            <span className={styles.rate}>
              <Sparkline values={perSecond(r.rates.delivered, step)} errors={perSecond(r.rates.failed, step)} width={72} height={22} label={`${r.endpoint.name}: deliveries over the last half hour`} />
              <span style={{ minWidth: 50 }}>{rate(latestRate(r.rates.delivered, step) ?? 0)}</span>
            </span>
          ),
      },
      { id: "backlog", header: "Behind", label: "Batches behind", width: "68px", number: true, phone: "hide", sort: (r) => r.status?.backlog ?? 0, cell: (r) => count(r.status?.backlog ?? 0) },
      { id: "retrying", header: "Retrying", width: "76px", number: true, phone: "hide", sort: (r) => r.status?.retrying ?? 0, cell: (r) => count(r.status?.retrying ?? 0) },
      { id: "dead", header: "Dead", label: "Dead letters", width: "60px", number: true, phone: "hide", sort: (r) => r.status?.deadLetters ?? 0, cell: (r) => count(r.status?.deadLetters ?? 0) },
      { id: "state", header: "State", width: "116px", sort: (r) => r.status?.state ?? "idle", cell: (r) => <StateBadge state={r.status?.state ?? "idle"} /> },
    ],
    [step],
  );
  if (rows.length === 0) {
    return (
      <EmptyState title="No endpoint yet" action={<Button appearance="primary" onClick={onNew}>Make the first endpoint</Button>}>
        An endpoint is where events go: Event Hubs, Event Grid, Service Bus, a webhook, a file or a blob container. Routes say which events go there.
      </EmptyState>
    );
  }
  return (
    <>
      <Bar label="Search endpoints" search={search} onSearch={onSearch} shown={shown.length} all={rows.length} what="endpoint" />
      <DataTable
        label="Endpoints" rows={shown} columns={columns} rowKey={(r) => r.endpoint.name} sort={sortOf(search.sort)} onSort={(s) => onSearch({ sort: sortText(s) })} maxHeight="calc(100dvh - 300px)"
        onOpen={(r) => void navigate({ to: "/endpoints/$name", params: { name: r.endpoint.name } })}
        empty={<EmptyState title="No endpoint is like that" action={<Button onClick={() => onSearch({ q: undefined })}>Show all</Button>} />}
      />
    </>
  );
}

interface SourceRow {
  source: Source;
  status: Schemas["SourceStatus"] | undefined;
  rates: Schemas["SourceRates"] | undefined;
}

function SourceTable({ sources, search, onSearch, onNew }: { sources: readonly Source[] } & TableProps) {
  const navigate = useNavigate();
  const { data: status } = useStatus();
  const { data: rates } = useQuery(ratesQuery({ from: "30m", step: "1m", top: 0 }));
  const step = rates?.stepSeconds ?? 60;
  const rows = useMemo((): SourceRow[] => {
    const states = new Map(status?.sources.map((s) => [s.name, s]));
    const counted = new Map(rates?.sources.map((s) => [s.name, s]));
    return sources.map((source) => ({ source, status: states.get(source.name) ?? source.status, rates: counted.get(source.name) }));
  }, [sources, status?.sources, rates?.sources]);
  const q = useDeferredValue(search.q?.toLowerCase() ?? "");
  const shown = useMemo(() => rows.filter(({ source: s }) => q === "" || [s.name, s.kind, targetOf(s.settings)].some((t) => t.toLowerCase().includes(q))), [rows, q]);
  const columns = useMemo(
    (): Column<SourceRow>[] => [
      {
        id: "name", header: "Name", width: "minmax(120px, 1.2fr)", sort: (r) => r.source.name,
        cell: (r) => (
          <Link to="/sources/$name" params={{ name: r.source.name }} className={styles.name} title={r.source.name}>
            {r.source.name}
          </Link>
        ),
      },
      { id: "kind", header: "Kind", width: "136px", phone: "hide", sort: (r) => r.source.kind, cell: (r) => <KindToken kind={r.source.kind} /> },
      { id: "target", header: "From", width: "minmax(120px, 1.8fr)", phone: "whole", cell: (r) => <span className="mono quiet" title={targetOf(r.source.settings)}>{targetOf(r.source.settings)}</span> },
      {
        id: "rate", header: "Accepted", width: "148px", number: true, phone: "hide", sort: (r) => (r.rates && latestRate(r.rates.received, step)) ?? 0,
        cell: (r) =>
          r.rates && (
            <span className={styles.rate}>
              <Sparkline values={perSecond(r.rates.received, step)} width={72} height={22} label={`${r.source.name}: events over the last half hour`} />
              <span style={{ minWidth: 50 }}>{rate(latestRate(r.rates.received, step) ?? 0)}</span>
            </span>
          ),
      },
      { id: "refused", header: "Refused", width: "84px", number: true, phone: "hide", sort: (r) => r.status?.refused ?? 0, cell: (r) => count(r.status?.refused ?? 0) },
      { id: "last", header: "Latest", width: "96px", phone: "hide", sort: (r) => r.status?.lastReceivedAt ?? "", cell: (r) => (r.status?.lastReceivedAt ? <RelativeTime at={r.status.lastReceivedAt} /> : <span className="quiet">none yet</span>) },
      { id: "state", header: "State", width: "116px", sort: (r) => r.status?.state ?? "connecting", cell: (r) => <StateBadge state={r.status?.state ?? "connecting"} /> },
    ],
    [step],
  );
  if (rows.length === 0) {
    return (
      <EmptyState title="No source yet" action={<Button appearance="primary" onClick={onNew}>Make the first source</Button>}>
        A source fetches events from an event hub, a queue or a subscription. Without one, events come in over HTTP: at <code>/events</code>, and from Event Grid at <code>/webhooks/eventgrid</code>.
      </EmptyState>
    );
  }
  return (
    <>
      <Bar label="Search sources" search={search} onSearch={onSearch} shown={shown.length} all={rows.length} what="source" />
      <DataTable
        label="Sources" rows={shown} columns={columns} rowKey={(r) => r.source.name} sort={sortOf(search.sort)} onSort={(s) => onSearch({ sort: sortText(s) })} maxHeight="calc(100dvh - 300px)"
        onOpen={(r) => void navigate({ to: "/sources/$name", params: { name: r.source.name } })}
        empty={<EmptyState title="No source is like that" action={<Button onClick={() => onSearch({ q: undefined })}>Show all</Button>} />}
      />
    </>
  );
}
