import { Button, ToggleButton } from "@fluentui/react-components";
import { ArrowSync16Regular } from "@fluentui/react-icons";
import { useMemo, type ReactNode } from "react";
import { glanceOf } from "~/api/glance";
import { kindOf } from "~/api/kind";
import { DataTable, type Column } from "~/parts/DataTable";
import { usePhone } from "~/parts/usePhone";
import { EmptyState } from "~/parts/EmptyState";
import { EventFate, fateOf, fates, type Tried } from "~/parts/EventFate";
import { EventKindIcon } from "~/parts/EventKindIcon";
import { count, plural } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { Skeleton } from "~/parts/Skeleton";
import { visible } from "~/parts/visible";
import styles from "./Preview.module.css";
import type { PreviewSearch } from "./route";
import type { Preview } from "./usePreview";

/**
 * What a draft makes of the latest events: how many match, each of them, and of
 * the one that is looked at what went in, what comes out, or why nothing does.
 */
export function PreviewPanel({ preview: p, search, onSearch, title = "Preview", note }: { preview: Preview; search: PreviewSearch; onSearch: (s: PreviewSearch) => void; title?: string; note?: ReactNode }) {
  const { events, data, error, sampled, waits, stale } = p;
  const all = data?.tried ?? [];
  const shown = useMemo(() => (search.show ? all.filter((t) => fateOf(t.result) === search.show) : all), [all, search.show]);
  const chosen = all.find((t) => t.event.id === search.event) ?? (p.picking ? undefined : shown[0]);
  const phone = usePhone();

  if (events.isError && !events.data) return <ProblemBar problem={events.error} title="The latest events could not be read" action={<Button onClick={() => void events.refetch()}>Try again</Button>} />;
  return (
    <section className={styles.panel} aria-labelledby="preview-title">
      <div className={styles.head}>
        <h2 id="preview-title">{title}</h2>
        <Counts preview={p} search={search} onSearch={onSearch} />
        <span className={styles.spring} />
        <span className={styles.from}>
          {sampled ? "No event came yet: these are samples." : events.data && <>The latest {plural(events.data.length, "event")}{events.data[0] && <>, up to <RelativeTime at={events.data[0].acceptedAt} /></>}</>}
        </span>
        <Button size="small" appearance="subtle" icon={<ArrowSync16Regular />} onClick={() => void events.refetch()} disabled={events.isFetching}>
          Take the latest
        </Button>
      </div>
      {note}
      {p.gone && <p className="quiet">Event <span className="mono">{search.event}</span> is no longer kept.</p>}
      {error && <ProblemBar problem={error} title="This cannot be tried yet" />}
      {data && stale && !waits && <p className="quiet">What you see came of the draft before its last change.</p>}
      {data === undefined ? (
        !error && <Skeleton lines={6} height={240} />
      ) : (
        <div className={styles.split + (stale ? " " + styles.stale : "")}>
          <div className={styles.list}>
            <DataTable
              label="Events"
              rows={shown}
              columns={columns}
              rowKey={keyOf}
              openKey={chosen?.event.id}
              onOpen={(t) => onSearch({ ...search, event: t.event.id })}
              rowHeight={36}
              maxHeight={phone ? "300px" : "460px"}
              empty={<EmptyState title={search.show === "match" ? "No event matches" : search.show === "fail" ? "No plugin fails" : "Every event matches"} />}
            />
          </div>
          <div className={styles.detail}>{chosen && data && <EventFate tried={chosen} filter={data.draft.filter} />}</div>
        </div>
      )}
    </section>
  );
}

/** How many match and do not, each a button that shows those alone. */
function Counts({ preview: { data: d, waits, stale }, search, onSearch }: { preview: Preview; search: PreviewSearch; onSearch: (s: PreviewSearch) => void }) {
  if (!d) return null;
  return (
    <span className={styles.counts + (stale ? " " + styles.stale : "")} role="group" aria-label="How the events fare" aria-busy={waits}>
      {(["match", "miss", "fail"] as const).map((f) => {
        const { icon: Icon, colour, word } = fates[f];
        if (f === "fail" && d.fail === 0 && search.show !== "fail") return null;
        return (
          <ToggleButton key={f} size="small" shape="circular" checked={search.show === f} onClick={() => onSearch({ ...search, show: search.show === f ? undefined : f })} icon={<Icon style={{ color: `var(--state-${colour})` }} aria-hidden />}>
            <span className="nums">{count(d[f])}</span>&nbsp;{f === "match" && d[f] === 1 ? "matches" : f === "miss" && d[f] === 1 ? "does not" : f === "fail" && d[f] === 1 ? "fails" : word}
          </ToggleButton>
        );
      })}
      <span className="unseen" role="status">
        {!stale && `${plural(d.match, "event")} match, ${count(d.miss)} do not${d.fail > 0 ? `, ${count(d.fail)} fail` : ""}`}
      </span>
    </span>
  );
}

const keyOf = (t: Tried) => t.event.id;

const columns: Column<Tried>[] = [
  {
    id: "fate",
    header: "",
    label: "Fate",
    width: "18px",
    cell: ({ result }) => {
      const { icon: Icon, colour, label } = fates[fateOf(result)];
      return <Icon style={{ color: `var(--state-${colour})`, verticalAlign: "middle" }} aria-label={label} title={label} />;
    },
  },
  { id: "kind", header: "", label: "Kind", width: "18px", cell: ({ event }) => <EventKindIcon kind={kindOf(event.event.type)} /> },
  {
    id: "event",
    header: "Event",
    cell: ({ event: { event: e } }) => {
      const kind = kindOf(e.type);
      const what = typeof e.subject === "string" && e.subject !== "" ? e.subject : e.source;
      return (
        <span title={visible(`${what} ${kind === "other" ? e.type : ""}`)}>
          <strong className={styles.subject}>{visible(what)}</strong> <span className="quiet">{visible(kind === "other" ? e.type + " " : "") + visible(glanceOf(kind, e))}</span>
        </span>
      );
    },
  },
];
