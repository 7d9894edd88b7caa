import { Button } from "@fluentui/react-components";
import { ArrowDownload20Regular, ChevronDown16Regular, ChevronRight16Regular } from "@fluentui/react-icons";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { api, urlOf } from "~/api/client";
import { trapGroupsQuery, type TrapGroup } from "~/api/traps";
import { CopyAs } from "~/parts/CopyAs";
import { EmptyState } from "~/parts/EmptyState";
import { EventLink } from "~/parts/EventFate";
import { count, plural } from "~/parts/figures";
import { JsonView } from "~/parts/JsonView";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import { visible } from "~/parts/visible";
import { refParts } from "~/parts/pluginRef";
import type { Plugin } from "./data";
import styles from "./PluginPage.module.css";

/** Where a plugin failed, by cause: each with the event, the configuration, the trace, and all that shows it again. */
export function Traps({ plugin, group, onGroup }: { plugin: Plugin; group: string | undefined; onGroup: (group: string | undefined) => void }) {
  const groups = useQuery(trapGroupsQuery);
  const mine = useMemo(() => groups.data?.filter((g) => refParts(g.plugin).name === plugin.name), [groups.data, plugin.name]);
  if (groups.isError && !groups.data) return <ProblemBar problem={groups.error} action={<Button onClick={() => void groups.refetch()}>Try again</Button>} />;
  if (!mine) return <Skeleton lines={5} />;
  if (mine.length === 0) return <EmptyState title="It has not trapped">When an event makes a plugin fail, the event becomes a dead letter, and what is needed to see the failure again is kept here.</EmptyState>;
  return (
    <ul className={styles.groups}>
      {mine.map((g) => (
        <Cause key={g.id} group={g} open={g.id === group} onToggle={() => onGroup(g.id === group ? undefined : g.id)} />
      ))}
    </ul>
  );
}

function Cause({ group: g, open, onToggle }: { group: TrapGroup; open: boolean; onToggle: () => void }) {
  return (
    <li className={styles.group}>
      <button type="button" className={styles.groupHead} aria-expanded={open} onClick={onToggle}>
        <span aria-hidden>{open ? <ChevronDown16Regular /> : <ChevronRight16Regular />}</span>
        <span className={styles.cause}>{visible(g.cause === "" ? g.fault : `${g.fault}: ${g.cause}`)}</span>
        <span className="nums">{plural(g.count, "time")}</span>
        <span className="quiet">
          {g.plugin}, as a {g.kind}
        </span>
        <span className="quiet">
          last <RelativeTime at={g.last} />
          {g.count > 1 && (
            <>
              , first <RelativeTime at={g.first} />
            </>
          )}
        </span>
      </button>
      {open && <Latest group={g} />}
    </li>
  );
}

interface Bundle {
  config?: unknown;
  event?: { position?: string; event?: unknown };
  trap?: { func?: string; at?: string; trace?: string; text?: string };
}

/** The latest trap of a cause, with all that is known of it. */
function Latest({ group: g }: { group: TrapGroup }) {
  const { id, position } = g.latest;
  const bundle = useQuery({
    queryKey: ["trap", id],
    queryFn: async ({ signal }) => (await api.get("/traps/{id}", { path: { id }, signal })).data as Bundle,
    staleTime: Infinity,
  });
  const b = bundle.data;
  return (
    <div className={styles.groupBody}>
      <div className={styles.facts}>
        {g.at && (
          <span>
            in <span className="mono">{visible(g.at)}</span>
          </span>
        )}
        <span className="nums">{count(g.latest.fuel)} fuel used</span>
        <span>
          latest <RelativeTime at={g.latest.time} />
        </span>
        {position && <EventLink id={position} />}
      </div>
      <div className="row">
        <Button as="a" href={urlOf("/traps/{id}", { id })} download={id} icon={<ArrowDownload20Regular />}>
          Download the bundle
        </Button>
        <CopyAs label="Copy the command that shows it again" cli={command("headgate", "plugin", "repro", id, "--module", `${refParts(g.plugin).name}.wasm`)} />
        <Link to="/dead-letters">See the dead letters</Link>
      </div>
      {bundle.isError && <ProblemBar problem={bundle.error} />}
      {bundle.isPending && <Skeleton lines={5} />}
      {b && (
        <>
          {g.latest.text && <p className={styles.problem}>{visible(g.latest.text)}</p>}
          {b.trap?.trace && (
            <div>
              <h3>Trace</h3>
              <pre className={styles.trace} tabIndex={0} aria-label="Trace">
                {visible(b.trap.trace).slice(0, 20_000)}
              </pre>
            </div>
          )}
          <div className={styles.two}>
            <div>
              <h3>The event</h3>
              {b.event?.event !== undefined ? <JsonView value={b.event.event} label="The event" open={4} /> : <p className="quiet">It failed before it saw one.</p>}
            </div>
            <div>
              <h3>The configuration</h3>
              <JsonView value={b.config ?? {}} label="The configuration" open={4} />
            </div>
          </div>
        </>
      )}
    </div>
  );
}
