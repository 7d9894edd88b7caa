import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { emulatorQuery } from "~/api/resources";
import { DataTable, type Column } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { count } from "~/parts/figures";
import { JsonView } from "~/parts/JsonView";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { WithPanel } from "~/parts/SidePanel";
import { Skeleton } from "~/parts/Skeleton";
import { entityOf, serviceOf, type Entity, type Message } from "./emulated";
import styles from "./Endpoints.module.css";

/** What lies in the emulator that runs with this gateway: its entities, and in each the messages. */
export function Emulator({ entity, onEntity }: { entity: string | undefined; onEntity: (id: string | undefined) => void }) {
  const { data, error } = useQuery(emulatorQuery);
  const entities = useMemo(() => data?.items.map(entityOf), [data]);
  const open = entities?.find((e) => e.id === entity);
  const columns = useMemo(
    (): Column<Entity>[] => [
      { id: "name", header: "Entity", width: "minmax(110px, 1.2fr)", sort: (e) => e.name, cell: (e) => <strong>{e.name}</strong> },
      { id: "service", header: "Service", width: "120px", sort: (e) => e.service, cell: (e) => serviceOf(e.service) },
      { id: "what", header: "What it is", width: "minmax(120px, 1.3fr)", phone: "hide", cell: (e) => e.what },
      { id: "figures", header: "What lies there", width: "minmax(150px, 2fr)", phone: "whole", cell: (e) => <Figures entity={e} /> },
    ],
    [],
  );
  if (error && data === undefined) return <ProblemBar problem={error} />;
  if (data === undefined) return <Skeleton lines={5} />;
  if (!entities || !data.running) {
    return (
      <EmptyState title="No emulator runs with this gateway">
        The demo brings one along: <code>headgate demo</code>. On its own it is started by <code>headgate emulator</code>, which has its own list of what lies in each queue.
      </EmptyState>
    );
  }
  return (
    <WithPanel panel={open && { title: open.name, label: `What lies in ${open.name}`, onClose: () => onEntity(undefined), children: <Contents key={open.id} entity={open} /> }}>
      <DataTable label="Entities of the emulator" rows={entities} columns={columns} rowKey={(e) => e.id} openKey={entity} onOpen={(e) => onEntity(e.id)} maxHeight="calc(100dvh - 260px)" empty={<EmptyState title="Nothing is there yet">Queues, topics and event hubs appear here when they are first used.</EmptyState>} />
    </WithPanel>
  );
}

function Figures({ entity }: { entity: Entity }) {
  const told = entity.figures.filter(([, n], i) => i === 0 || n > 0);
  return <span className="nums">{told.map(([label, n]) => `${count(n)} ${label}`).join(", ")}</span>;
}

/** The messages of an entity as they were when it was opened: they do not move while they are read. */
function Contents({ entity }: { entity: Entity }) {
  const [frozen, setFrozen] = useState(entity);
  const newer = entity.figures[0]?.[1] !== frozen.figures[0]?.[1];
  return (
    <div className="stack">
      <p className="quiet">
        {serviceOf(entity.service)} {entity.what}: <Figures entity={entity} />.{" "}
        {newer && (
          <button type="button" style={{ border: 0, background: "none", padding: 0, font: "inherit", color: "var(--colorBrandForegroundLink)", cursor: "pointer", textDecoration: "underline" }} onClick={() => setFrozen(entity)}>
            Show what is there now
          </button>
        )}
      </p>
      {frozen.messages.length === 0 && frozen.dead.length === 0 && <p className="quiet">Nothing lies there.</p>}
      <Messages title={frozen.service === "serviceBus" ? "Next to be received" : "Latest"} messages={frozen.messages} />
      <Messages title="Dead letters" messages={frozen.dead} />
    </div>
  );
}

function Messages({ title, messages }: { title: string; messages: readonly Message[] }) {
  const [open, setOpen] = useState<string>();
  if (messages.length === 0) return null;
  return (
    <section className="stack" style={{ gap: 8 }} aria-label={title}>
      <h3>{title}</h3>
      <ul className={styles.entities}>
        {messages.map((m) => (
          <li key={m.key}>
            <button type="button" className={styles.entityHead} aria-expanded={open === m.key} onClick={() => setOpen(open === m.key ? undefined : m.key)}>
              <span className="mono">{m.key}</span>
              <span className="cut">{m.where}</span>
              {m.state && <span className="quiet">{m.state}</span>}
              <span className={styles.spring} />
              {m.at && (
                <span className="quiet">
                  <RelativeTime at={m.at} />
                </span>
              )}
            </button>
            {open === m.key && (
              <div className="stack" style={{ gap: 8, marginTop: 6 }}>
                <JsonView value={m.body} label="Body" open={3} />
                <JsonView value={m.properties} label="Properties" open={2} />
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
