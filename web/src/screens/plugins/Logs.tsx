import { Button, Select } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "~/api/client";
import { live, type Schemas } from "~/api/queries";
import { DataTable, type Column } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { EventLink } from "~/parts/EventFate";
import { count, plural } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { Skeleton } from "~/parts/Skeleton";
import { visible } from "~/parts/visible";
import type { Plugin } from "./data";
import styles from "./PluginPage.module.css";
import { levels, type PluginSearch } from "./route";

type Line = Schemas["PluginLogLine"] & { key: string };

/** What a plugin wrote since the server started, the latest first. New lines wait while the list is looked at. */
export function Logs({ plugin, search, onSearch }: { plugin: Plugin; search: PluginSearch; onSearch: (s: PluginSearch) => void }) {
  const { level, version } = search;
  const [held, setHeld] = useState<Line[]>();
  const logs = useQuery({
    queryKey: ["plugin", plugin.name, "logs", level, version],
    queryFn: async ({ signal }) => {
      const { data } = await api.get("/plugins/{name}/logs", { path: { name: plugin.name }, query: { level, version, limit: 1000 }, signal });
      // Lines have no id: the place from the end stays theirs while new ones come in front.
      return { dropped: data.dropped, items: data.items.map((l, i): Line => ({ ...l, key: `${l.at}/${data.items.length - i}` })) };
    },
    refetchInterval: live,
  });
  if (logs.isError && !logs.data) return <ProblemBar problem={logs.error} action={<Button onClick={() => void logs.refetch()}>Try again</Button>} />;
  const lines = held ?? logs.data?.items ?? [];
  const newer = held && logs.data ? logs.data.items.findIndex((l) => l.at === held[0]?.at && l.text === held[0].text) : 0;
  return (
    <section className="stack" aria-label="Logs" onMouseEnter={() => setHeld((h) => h ?? logs.data?.items)} onMouseLeave={() => setHeld(undefined)}>
      <div className={styles.bar}>
        <Select aria-label="Level" value={level ?? ""} onChange={(_, d) => (setHeld(undefined), onSearch({ level: (d.value || undefined) as PluginSearch["level"] }))}>
          <option value="">All levels</option>
          {levels.slice(1).map((l) => (
            <option key={l} value={l}>
              {l} and above
            </option>
          ))}
        </Select>
        <Select aria-label="Version" value={version === undefined ? "" : String(version)} onChange={(_, d) => (setHeld(undefined), onSearch({ version: d.value === "" ? undefined : Number(d.value) }))}>
          <option value="">All versions</option>
          {plugin.versions.toReversed().map((v) => (
            <option key={v.version} value={String(v.version)}>
              Version {v.version}
            </option>
          ))}
        </Select>
        {newer > 0 && (
          <Button size="small" onClick={() => setHeld(logs.data?.items)}>
            {plural(newer, "new line")}
          </Button>
        )}
        {logs.data !== undefined && logs.data.dropped > 0 && <span className="quiet">{count(logs.data.dropped)} older lines made room</span>}
      </div>
      {logs.isPending ? (
        <Skeleton lines={6} />
      ) : (
        <DataTable label="Log lines" rows={lines} columns={columns} rowKey={(l) => l.key} rowHeight={34} maxHeight="calc(100dvh - 330px)" empty={<EmptyState title="It wrote nothing">Lines that a plugin logs, and what the gateway has to say of it, appear here.</EmptyState>} />
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
