import { Button, Select } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api } from "~/api/client";
import { live } from "~/api/queries";
import { DataTable, type Column } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { EventLink } from "~/parts/EventFate";
import { count, plural } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { Skeleton } from "~/parts/Skeleton";
import { useFreeze } from "~/parts/useFreeze";
import { visible } from "~/parts/visible";
import type { Plugin } from "./data";
import styles from "./PluginPage.module.css";
import { keyed, newerThan, type Line } from "./logLines";
import { levels, type PluginSearch } from "./route";


/** What a plugin wrote since the server started, the latest first. New lines wait while the list is looked at. */
export function Logs({ plugin, search, onSearch }: { plugin: Plugin; search: PluginSearch; onSearch: (s: PluginSearch) => void }) {
  const { level, version } = search;
  const freeze = useFreeze();
  const { release } = freeze;
  useEffect(() => release(), [level, version, release]);
  const logs = useQuery({
    queryKey: ["plugin", plugin.name, "logs", level, version],
    queryFn: async ({ signal }) => {
      const { data } = await api.get("/plugins/{name}/logs", { path: { name: plugin.name }, query: { level, version, limit: 1000 }, signal });
      return { dropped: data.dropped, items: keyed(data.items) };
    },
    refetchInterval: live,
  });
  const items = logs.data?.items;
  const [lines, setLines] = useState(items);
  if (!freeze.frozen && lines !== items) setLines(items);
  if (logs.isError && !logs.data) return <ProblemBar problem={logs.error} action={<Button onClick={() => void logs.refetch()}>Try again</Button>} />;
  const newer = lines && items ? newerThan(lines, items) : 0;
  return (
    <section className="stack" aria-label="Logs">
      <div className={styles.bar}>
        <Select aria-label="Level" value={level ?? ""} onChange={(_, d) => onSearch({ level: (d.value || undefined) as PluginSearch["level"] })}>
          <option value="">All levels</option>
          {levels.slice(1).map((l) => (
            <option key={l} value={l}>
              {l} and above
            </option>
          ))}
        </Select>
        <Select aria-label="Version" value={version === undefined ? "" : String(version)} onChange={(_, d) => onSearch({ version: d.value === "" ? undefined : Number(d.value) })}>
          <option value="">All versions</option>
          {plugin.versions.toReversed().map((v) => (
            <option key={v.version} value={String(v.version)}>
              Version {v.version}
            </option>
          ))}
        </Select>
        {newer > 0 && (
          <Button size="small" onClick={release}>
            {plural(newer, "new line")}
          </Button>
        )}
        {logs.data !== undefined && logs.data.dropped > 0 && <span className="quiet">{count(logs.data.dropped)} older lines made room</span>}
      </div>
      {logs.isPending ? (
        <Skeleton lines={6} />
      ) : (
        <div {...freeze.on}>
          <DataTable ordered label="Log lines" rows={lines ?? []} columns={columns} rowKey={(l) => l.key} rowHeight={34} maxHeight="calc(100dvh - 330px)" empty={<EmptyState title="It wrote nothing">Lines that a plugin logs, and what the gateway has to say of it, appear here.</EmptyState>} />
        </div>
      )}
    </section>
  );
}

const columns: Column<Line>[] = [
  { id: "at", header: "When", width: "90px", cell: (l) => <RelativeTime at={l.at} /> },
  { id: "level", header: "Level", width: "52px", cell: (l) => <span className={styles.level + (l.level === "error" ? " " + styles.error : l.level === "warn" ? " " + styles.warn : "")}>{l.level}</span> },
  { id: "version", header: "Version", width: "60px", phone: "hide", number: true, cell: (l) => l.version },
  { id: "from", header: "From", width: "64px", phone: "hide", cell: (l) => <span className="quiet">{l.from}</span> },
  {
    id: "text",
    header: "Text",
    phone: "whole",
    cell: (l) => (
      <span className={styles.message} title={visible(l.text)}>
        {visible(l.text)}
      </span>
    ),
  },
  { id: "event", header: "", label: "Event", width: "92px", phone: "hide", cell: (l) => (l.position ? <EventLink id={l.position}>the event</EventLink> : null) },
];
