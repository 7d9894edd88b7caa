import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger } from "@fluentui/react-components";
import { ArrowClockwise20Regular, MoreHorizontal20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem } from "~/api/problem";
import type { Schemas } from "~/api/queries";
import { blockedQuery, retry, skip } from "~/api/resources";
import { ConfirmDialog } from "~/parts/ConfirmDialog";
import { CopyAs } from "~/parts/CopyAs";
import { DataTable, type Column } from "~/parts/DataTable";
import { count, plural } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { ResourceLink } from "~/parts/ResourceLink";
import { command } from "~/parts/shell";
import { useToasts } from "~/parts/Toasts";
import { visible } from "~/parts/visible";
import styles from "./Endpoints.module.css";

type Key = Schemas["BlockedKey"];

/** What holds up the deliveries to an endpoint, and what a person can do about it. */
export function Blocked({ name }: { name: string }) {
  const { data, error } = useQuery(blockedQuery(name));
  const queries = useQueryClient();
  const { notify } = useToasts();
  const [skipped, setSkipped] = useState<Key>();
  const changed = () => Promise.all([queries.invalidateQueries({ queryKey: ["endpoint", name] }), queries.invalidateQueries({ queryKey: ["status"] })]);
  const again = async () => {
    try {
      await retry(name);
      notify({ title: "What failed is tried again now" });
      await changed();
    } catch (e) {
      notify({ title: "It could not be tried again", body: asProblem(e).message, intent: "error" });
    }
  };
  const columns: Column<Key>[] = [
    { id: "key", header: "Key", width: "minmax(110px, 1fr)", cell: (k) => (k.key ? <span className="mono" title={k.key}>{visible(k.key)}</span> : <span className="quiet">by itself</span>) },
    { id: "behind", header: "Behind it", width: "80px", number: true, cell: (k) => count(k.behind) },
    { id: "event", header: "Event", width: "100px", phone: "hide", cell: (k) => <Link to="/events/$id" params={{ id: k.position }} className="mono">{k.position}</Link> },
    { id: "route", header: "Route", width: "minmax(80px, 0.7fr)", phone: "hide", cell: (k) => <ResourceLink kind="route" name={k.route} /> },
    { id: "tries", header: "Tries", width: "56px", number: true, phone: "hide", cell: (k) => count(k.tries) },
    { id: "next", header: "Next try", width: "84px", cell: (k) => (k.underWay ? "under way" : <RelativeTime at={k.next} />) },
    { id: "why", header: "Why", width: "minmax(140px, 2fr)", phone: "hide", cell: (k) => (k.error ? <span title={k.error} style={{ color: "var(--state-failing)" }}>{visible(k.error)}</span> : <span className="quiet" title={k.note}>{k.note}</span>) },
    {
      id: "more", header: "", label: "Actions", width: "36px",
      cell: (k) => (
        <Menu>
          <MenuTrigger disableButtonEnhancement>
            <Button appearance="subtle" size="small" icon={<MoreHorizontal20Regular />} aria-label={`More for ${k.key || k.position}`} />
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              <MenuItem disabled={k.underWay} onClick={() => setSkipped(k)}>Skip it…</MenuItem>
            </MenuList>
          </MenuPopover>
        </Menu>
      ),
    },
  ];
  if (error && !data) return <ProblemBar problem={error} />;
  if (!data || data.keys === 0) return null;
  return (
    <section className="card stack" aria-labelledby="blocked">
      <div className={styles.chartHead}>
        <h2 id="blocked">{data.keys === 1 ? "One key is held up" : `${count(data.keys)} keys are held up`}</h2>
        <span className="row">
          <CopyAs cli={() => command("headgate", "endpoints", "blocked", name)} commands={{ "Try again now": command("headgate", "endpoints", "retry", name) }} value={data} size="small" />
          <Button size="small" icon={<ArrowClockwise20Regular />} onClick={() => void again()}>
            Try again now
          </Button>
        </span>
      </div>
      <p className="quiet">The first delivery of a key failed. What came behind it waits, so that the order is kept; other keys go on.</p>
      <DataTable label="Keys that are held up, the most first" rows={data.items} columns={columns} quiet maxHeight="320px" rowKey={(k) => `${k.position} ${k.route} ${k.output}`} />
      {data.keys > data.items.length && <p className="quiet">These are the {count(data.items.length)} that hold up the most.</p>}
      <ConfirmDialog
        open={skipped !== undefined} title="Skip this delivery?" verb="Skip it" onClose={() => setSkipped(undefined)}
        cli={() => command("headgate", "endpoints", "skip", name, skipped?.position ?? "", "--route", skipped?.route ?? "", ...(skipped && skipped.output > 0 ? ["--output", String(skipped.output)] : []))}
        onConfirm={async () => {
          if (!skipped) return;
          await skip(name, skipped);
          notify({ title: "It is among the dead letters", body: skipped.behind > 0 ? `${plural(skipped.behind, "delivery", "deliveries")} behind it ${skipped.behind === 1 ? "goes" : "go"} on.` : undefined });
          await changed();
        }}
      >
        <p>
          Event <code>{skipped?.position}</code> by route <code>{skipped?.route}</code> becomes a dead letter: it is kept, and can be redriven. What waits behind it goes on, ahead of it.
        </p>
      </ConfirmDialog>
    </section>
  );
}
