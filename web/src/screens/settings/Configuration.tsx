import { Switch } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api } from "~/api/client";
import type { Schemas } from "~/api/queries";
import { CopyAs } from "~/parts/CopyAs";
import { DataTable, type Column } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { count } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { SearchField } from "~/parts/SearchField";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import styles from "./Settings.module.css";

type Setting = Schemas["Setting"];

/** Every setting of the process as it is in force; those that are not the default stand out. */
export function Configuration({ q, changed, onSearch }: { q: string | undefined; changed: true | undefined; onSearch: (s: { q?: string; changed?: true }) => void }) {
  const { data, error } = useQuery({ queryKey: ["config"], queryFn: async ({ signal }) => (await api.get("/config", { signal })).data });
  const shown = useMemo(() => (data?.items ?? []).filter((s) => (!changed || s.changed) && (!q || [s.name, s.env, s.value, s.usage].some((t) => t.toLowerCase().includes(q.toLowerCase())))), [data, q, changed]);
  const columns = useMemo(
    (): Column<Setting>[] => [
      { id: "name", header: "Setting", width: "minmax(150px, 1fr)", sort: (s) => s.name, cell: (s) => <span className="mono" style={s.changed ? { fontWeight: 600 } : undefined}>{s.name}</span> },
      { id: "value", header: "In force", width: "minmax(120px, 1.2fr)", cell: (s) => (s.value === "" ? <span className="quiet">not set</span> : <span className="mono" title={s.value}>{s.value}</span>) },
      { id: "default", header: "Default", width: "minmax(90px, 0.8fr)", phone: "hide", cell: (s) => (s.default === "" ? <span className="quiet">none</span> : <span className="mono quiet">{s.default}</span>) },
      { id: "env", header: "Variable", width: "minmax(150px, 1.1fr)", phone: "hide", cell: (s) => <span className="mono quiet">{s.env}</span> },
      { id: "usage", header: "What it does", width: "minmax(160px, 2fr)", phone: "whole", cell: (s) => <span title={s.usage}>{s.usage}</span> },
    ],
    [],
  );
  if (!data) return error ? <ProblemBar problem={error} /> : <Skeleton lines={8} />;
  const own = data.items.filter((s) => s.changed && !s.secret);
  return (
    <>
      <div className={styles.bar} data-search role="search">
        <SearchField className={styles.search} aria-label="Search settings" placeholder="Search settings" value={q} onChange={(q) => onSearch({ q })} />
        <Switch label="Only what is not the default" checked={changed === true} onChange={(_, d) => onSearch({ changed: d.checked || undefined })} />
        <span className={styles.count} role="status">
          {count(shown.length)} of {count(data.items.length)}
        </span>
        <CopyAs cli={() => command("headgate", "serve", ...own.flatMap((s) => ["--" + s.name, s.value]))} value={Object.fromEntries(own.map((s) => [s.name, s.value]))} size="small" />
      </div>
      <p className="quiet">Given by a flag, else by the variable, else by the file of --config. What is changed takes effect when the gateway starts anew.</p>
      <DataTable label="Configuration in force" rows={shown} columns={columns} rowKey={(s) => s.name} maxHeight="calc(100dvh - 330px)" empty={<EmptyState title="No setting is like that" />} />
    </>
  );
}
