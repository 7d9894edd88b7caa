import { Button, Checkbox, ToggleButton } from "@fluentui/react-components";
import { Dismiss16Regular, Filter16Regular, Pause16Regular, Play16Regular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { kinds as allKinds, kindWords } from "~/api/kind";
import { Problem } from "~/api/problem";
import { tailFilter, type TailRow, type TailStats } from "~/api/tail";
import { useTail } from "~/api/useTail";
import { useCommand } from "~/app/commands";
import { useShortcut } from "~/app/shortcuts";
import { CopyAs } from "~/parts/CopyAs";
import { DataTable } from "~/parts/DataTable";
import { EmptyState } from "~/parts/EmptyState";
import { EventKindIcon } from "~/parts/EventKindIcon";
import { FilterEditor, FilterText } from "~/parts/FilterEditor";
import { count, plural, rate } from "~/parts/figures";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { SearchField } from "~/parts/SearchField";
import { command } from "~/parts/shell";
import { WithPanel } from "~/parts/SidePanel";
import { useFreeze } from "~/parts/useFreeze";
import { clock } from "~/parts/Verdict";
import { SendEvents } from "./SendEvents";
import { columnsOf } from "./columns";
import { EventPeek, EventPeekTitle } from "~/parts/EventPeek";
import { useDebounced } from "~/parts/useDebounced";
import { liveRoute, type LiveSearch } from "./route";
import styles from "./Live.module.css";

const sample = 200; // events a second that are told; the others are counted
const page = 200;
const most = 5000;

/** What is accepted, as it is accepted. */
export function Live() {
  const search = liveRoute.useSearch();
  const navigate = useNavigate({ from: "/live" });
  const change = useCallback((next: Partial<LiveSearch>, o: { replace?: boolean } = { replace: true }) => void navigate({ search: (s) => ({ ...s, ...next }), ...o }), [navigate]);
  const freeze = useFreeze();
  const { release } = freeze;
  const chosen = useMemo(() => search.kinds ?? [], [search.kinds]);
  const q = useDebounced(search.q ?? "", 250);
  const filter = useMemo(() => tailFilter(chosen, q, search.filter ?? ""), [chosen, q, search.filter]);
  const { rows, stats, older } = useTail({ filter, sample, deliveries: search.deliveries, capacity: most, window: page, frozen: freeze.frozen });
  useEffect(() => release(), [filter, release]);

  // Rows behind the newest are asked for while the list holds still.
  const [more, setMore] = useState<TailRow[]>([]);
  const asked = useRef(0);
  useEffect(() => {
    if (freeze.frozen) return;
    asked.current++;
    setMore((m) => (m.length > 0 ? [] : m));
  }, [freeze.frozen, rows]);
  const shown = useMemo(() => (more.length > 0 ? [...rows, ...more.filter((m) => m.n < (rows.at(-1)?.n ?? 0))] : rows), [rows, more]);
  const busy = useRef(false);
  const onEnd = useCallback(() => {
    const last = shown.at(-1);
    if (!freeze.frozen || !last || busy.current || shown.length >= most) return;
    busy.current = true;
    const call = asked.current;
    void older(last.n, page).then((found) => {
      busy.current = false;
      if (call === asked.current && found.length > 0) setMore((m) => [...m, ...found]);
    });
  }, [shown, freeze.frozen, older]);

  const columns = useMemo(() => columnsOf({ deliveries: !!search.deliveries, narrow: !!search.event }), [search.deliveries, search.event]);
  const open = useCallback((r: TailRow) => change({ event: r.id }), [change]);
  const cli = command("headgate", "tail", ...(filter ? ["--filter", filter] : []), ...(search.deliveries ? ["--deliveries"] : []), "--sample", String(sample));
  useShortcut("f", "Freeze or go on", () => (freeze.frozen ? release() : freeze.hold(true)));
  useCommand("Freeze the live events", () => freeze.hold(true));
  const asking = chosen.length > 0 || q !== "" || !!search.filter;

  return (
    <>
      <PageHead title="Live events" sentence={<Sentence stats={stats} asking={asking} />} actions={<CopyAs cli={cli} />} />
      <div className={styles.bar}>
        <div className={styles.tools}>
          <div className={styles.chips} role="group" aria-label="Kinds of events">
            {allKinds.map((k) => (
              <ToggleButton
                key={k}
                size="small"
                shape="circular"
                className={styles.chip}
                checked={chosen.includes(k)}
                icon={<EventKindIcon kind={k} bare />}
                onClick={() => change({ kinds: chosen.includes(k) ? chosen.filter((x) => x !== k) : [...chosen, k] })}
              >
                {k === "other" ? "Others" : kindWords[k]}
              </ToggleButton>
            ))}
          </div>
          <span data-search="" className={styles.search}>
            <SearchField size="small" style={{ width: "100%" }} placeholder="Part of a twin's name" aria-label="Part of a twin's name" value={search.q} onChange={(q) => change({ q })} />
          </span>
          <Checkbox label="Deliveries" checked={!!search.deliveries} onChange={(_, d) => change({ deliveries: d.checked === true || undefined })} />
        </div>
        <FilterLine value={search.filter} onChange={(f) => change({ filter: f })} />
      </div>
      {stats.state === "refused" && <ProblemBar problem={new Problem(undefined, { detail: stats.detail })} title="The gateway refuses this stream" />}
      <WithPanel
        panel={
          search.event === undefined
            ? undefined
            : { title: <EventPeekTitle id={search.event} />, label: "Event " + search.event, children: <EventPeek id={search.event} />, onClose: () => change({ event: undefined }) }
        }
      >
        <Counts stats={stats} freeze={freeze} />
        <div {...freeze.on}>
          <DataTable
            label="Live events, the latest first"
            rows={shown}
            columns={columns}
            rowKey={rowKey}
            onOpen={open}
            openKey={search.event}
            onEnd={onEnd}
            ordered
            rowHeight={36}
            maxHeight="max(320px, calc(100dvh - 356px))"
            empty={<Nothing stats={stats} asking={asking} filter={filter} />}
          />
        </div>
      </WithPanel>
    </>
  );
}

const rowKey = (r: TailRow) => r.id;

/** Says how much is shown of what there is. */
function Sentence({ stats, asking }: { stats: TailStats; asking: boolean }) {
  if (stats.state !== "open") return <>{stats.state === "connecting" ? "Connecting…" : stats.state === "refused" ? "Nothing is followed." : "The connection was lost; it is tried again by itself. What is listed stays."}</>;
  if (stats.rate === 0) return <>{asking ? "Nothing that you ask for came in the last seconds." : "Nothing came in the last seconds."}</>;
  const all = stats.toldRate > stats.rate * 0.98;
  return <>{all ? <>{rate(stats.rate)} {asking ? "match what you ask for" : "come in"}; all are shown.</> : <>Showing {count(Math.round(stats.toldRate))} of {rate(stats.rate)}{asking && " that match"}, evenly picked.</>}</>;
}

function Counts({ stats, freeze }: { stats: TailStats; freeze: ReturnType<typeof useFreeze> }) {
  return (
    <div className={styles.counts}>
      <span>
        <strong>{count(stats.received)}</strong> {stats.sampled > 0 ? "picked" : "came"}
      </span>
      {stats.sampled > 0 && (
        <span title="More came than are shown a second. They were delivered like the others.">
          <strong>{count(stats.sampled)}</strong> not picked
        </span>
      )}
      {stats.dropped > 0 && (
        <span className={styles.missed} title="This browser was too slow for them. They were delivered like the others.">
          {count(stats.dropped)} missed
        </span>
      )}
      <Gaps gaps={stats.gaps} />
      {stats.unmatched > 0 && (
        <span>
          <strong>{count(stats.unmatched)}</strong> did not match
        </span>
      )}
      <span className={styles.release + " row"}>
        <span role="status" className={styles.frozen}>
          {freeze.frozen && <>Frozen: {freeze.why}</>}
        </span>
        {freeze.frozen && stats.newer > 0 && (
          <Button size="small" appearance="primary" onClick={freeze.release}>
            {count(stats.newer)} new
          </Button>
        )}
        <Button size="small" icon={freeze.held ? <Play16Regular /> : <Pause16Regular />} onClick={() => (freeze.held ? freeze.release() : freeze.hold(true))}>
          {freeze.held ? "Go on" : "Freeze"}
        </Button>
      </span>
    </div>
  );
}

/** What nobody counted: events that came while the connection was lost. */
function Gaps({ gaps }: { gaps: TailStats["gaps"] }) {
  const last = gaps.at(-1);
  if (!last) return null;
  const words = (g: typeof last) => `from ${clock(new Date(g.from))} to ${clock(new Date(g.to))}`;
  return (
    <span className={styles.missed} title={"They were delivered like the others. The connection was lost:\n" + gaps.map(words).join("\n")}>
      {plural(gaps.length, "gap")}: not shown is what came {words(last)}, when the connection was lost{gaps.length > 1 && ", and before"}
    </span>
  );
}

/** The filter in force, and its editor while it is changed. */
function FilterLine({ value, onChange }: { value: string | undefined; onChange: (f: string | undefined) => void }) {
  const [draft, setDraft] = useState<string>();
  const [valid, setValid] = useState(false);
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    setDraft(undefined);
  }
  if (draft === undefined) {
    return value === undefined ? (
      <div>
        <Button size="small" icon={<Filter16Regular />} onClick={() => setDraft("")}>
          Filter in the filter language
        </Button>
      </div>
    ) : (
      <div className={styles.filter}>
        <div style={{ alignSelf: "center", minWidth: 0 }}>
          <FilterText text={value} />
        </div>
        <Button size="small" icon={<Filter16Regular />} onClick={() => setDraft(value)}>
          Change
        </Button>
        <Button size="small" icon={<Dismiss16Regular />} onClick={() => onChange(undefined)}>
          Remove
        </Button>
      </div>
    );
  }
  const apply = () => {
    const next = draft.trim() || undefined;
    setDraft(undefined);
    onChange(next);
  };
  return (
    <div className={styles.filter}>
      <FilterEditor value={draft} onChange={(t) => (setDraft(t), setValid(false))} onParsed={(p) => setValid(p?.valid === true)} onSubmit={() => (valid || draft.trim() === "") && apply()} label="Filter of the live events" autoFocus />
      <Button appearance="primary" disabled={!valid && draft.trim() !== ""} onClick={apply}>
        Apply
      </Button>
      <Button onClick={() => setDraft(undefined)}>Cancel</Button>
    </div>
  );
}

function Nothing({ stats, asking, filter }: { stats: TailStats; asking: boolean; filter: string }) {
  if (stats.state !== "open") return <EmptyState title={stats.state === "refused" ? "Nothing is followed" : "Connecting to the gateway…"} />;
  if (asking) {
    return (
      <EmptyState title="Nothing that came since matches">
        {stats.unmatched > 0 ? <p>{plural(stats.unmatched, "event")} came, and none matches:</p> : <p>No event came yet. This waits for:</p>}
        <FilterText text={filter} wrap />
      </EmptyState>
    );
  }
  return (
    <EmptyState title="Waiting for events">
      <p>What the gateway accepts appears here at once. Send it an event:</p>
      <SendEvents />
    </EmptyState>
  );
}
