import { useNavigate } from "@tanstack/react-router";
import { DataTable, type Column } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { FilterText } from "~/parts/FilterEditor";
import { ResourceLink } from "~/parts/ResourceLink";
import { StateBadge } from "~/parts/StateBadge";
import type { Use } from "./data";

interface Row extends Use {
  key: string;
}

/** The routes that use a plugin, and how. */
export function UsedBy({ uses, active }: { uses: readonly Use[]; active: number }) {
  const navigate = useNavigate();
  const rows: Row[] = uses.map((u, i) => ({ ...u, key: `${u.route.id}/${i}` }));
  const columns: Column<Row>[] = [
    { id: "route", header: "Route", width: "minmax(120px, 1.2fr)", sort: (r) => r.route.id, cell: (r) => <ResourceLink kind="route" name={r.route.id} strong /> },
    { id: "as", header: "As", width: "90px", phone: "hide", sort: (r) => r.kind, cell: (r) => r.kind },
    { id: "version", header: "Version", width: "120px", sort: (r) => r.pin ?? "", cell: (r) => (r.pin === undefined ? <span>{active}, follows</span> : <span title={r.pin}>@{r.pin.startsWith("sha256:") ? r.pin.slice(7, 15) : r.pin}</span>) },
    { id: "config", header: "Configuration", width: "minmax(100px, 1.4fr)", phone: "whole", cell: (r) => <span className="mono">{JSON.stringify(r.config ?? {})}</span> },
    { id: "filter", header: "Filter", width: "minmax(100px, 1.6fr)", phone: "hide", cell: (r) => <FilterText text={r.route.filter} /> },
    { id: "endpoint", header: "Endpoint", width: "minmax(90px, 1fr)", phone: "hide", cell: (r) => r.route.endpointName },
    { id: "state", header: "State", width: "100px", phone: "hide", cell: (r) => <StateBadge state={r.route.enabled ? "enabled" : "disabled"} /> },
  ];
  return (
    <DataTable
      label="Routes that use it"
      rows={rows}
      columns={columns}
      rowKey={(r) => r.key}
      onOpen={(r) => void navigate({ to: "/routes/$id", params: { id: r.route.id } })}
      maxHeight="calc(100dvh - 280px)"
      empty={<EmptyState title="No route uses it">Put it into a route: it takes effect for every event from then on.</EmptyState>}
    />
  );
}
