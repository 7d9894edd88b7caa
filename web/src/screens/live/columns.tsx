import { CheckmarkCircle16Filled, CircleHalfFill16Regular, Triangle16Filled } from "@fluentui/react-icons";
import { kindWords } from "~/api/kind";
import type { Outcome, TailRow } from "~/api/tail";
import type { Column } from "~/parts/DataTable";
import { EventKindIcon } from "~/parts/EventKindIcon";
import { absoluteTime } from "~/parts/RelativeTime";
import { TwinLink } from "~/parts/TwinLink";
import { clock } from "~/parts/Verdict";
import { visible } from "~/parts/visible";
import styles from "./Live.module.css";

/** The columns of the tail. */
export function columnsOf({ deliveries, narrow }: { deliveries: boolean; narrow: boolean }): Column<TailRow>[] {
  const columns: Column<TailRow>[] = [
    { id: "time", header: "Accepted", width: "96px", cell: (r) => <span className={styles.time} title={absoluteTime(r.acceptedAt)}>{clock(r.acceptedAt)}</span> },
    { id: "kind", header: "Kind", width: "minmax(120px, 150px)", phone: "hide", cell: (r) => <Kind row={r} /> },
    { id: "twin", header: "Twin", width: narrow ? "minmax(110px, 1fr)" : "minmax(140px, 1fr)", cell: (r) => <TwinLink id={r.twin} /> },
    { id: "glance", header: "What it says", width: narrow ? "minmax(100px, 1.4fr)" : "minmax(200px, 2.6fr)", phone: "whole", cell: (r) => <span className={styles.glance} title={r.glance}>{visible(r.glance)}</span> },
  ];
  if (deliveries) columns.push({ id: "outcome", header: "Deliveries", width: narrow ? "96px" : "minmax(110px, 200px)", phone: "hide", cell: (r) => <Became outcome={r.outcome} names={!narrow} /> });
  return columns;
}

function Kind({ row }: { row: TailRow }) {
  return (
    <span className={styles.kind} title={row.type}>
      <EventKindIcon kind={row.kind} bare />
      <span>{row.kind === "other" ? visible(row.type) : kindWords[row.kind]}</span>
    </span>
  );
}

function Became({ outcome: o, names }: { outcome: Outcome | undefined; names: boolean }) {
  if (!o) return <span className="quiet">–</span>;
  return (
    <span className={styles.outcome} title={[o.endpoints.join(", "), o.error].filter(Boolean).join("\n")}>
      {o.delivered > 0 && (
        <span>
          <CheckmarkCircle16Filled style={{ color: "var(--state-healthy)" }} aria-label="delivered" /> {o.delivered}
        </span>
      )}
      {o.retrying > 0 && (
        <span>
          <CircleHalfFill16Regular style={{ color: "var(--state-busy)" }} aria-label="tried again" /> {o.retrying}
        </span>
      )}
      {o.dead > 0 && (
        <span>
          <Triangle16Filled style={{ color: "var(--state-failing)" }} aria-label="dead letters" /> {o.dead} dead
        </span>
      )}
      {names && o.endpoints.length === 1 && <span className="cut">{o.endpoints[0]}</span>}
    </span>
  );
}
