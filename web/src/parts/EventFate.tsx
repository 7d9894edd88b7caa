import { Tab, TabList } from "@fluentui/react-components";
import { Link } from "@tanstack/react-router";
import { CheckmarkCircle16Filled, Circle16Regular, Triangle16Filled } from "@fluentui/react-icons";
import { useState } from "react";
import type { StoredEvent, TestResult } from "~/api/routes";
import { DiffView } from "./DiffView";
import { EventKindToken } from "./EventKindIcon";
import { count, plural } from "./figures";
import { JsonView } from "./JsonView";
import { changesOf, WhyNot } from "./Verdict";
import { visible } from "./visible";
import styles from "./EventFate.module.css";

/** An event with what a route makes of it. */
export interface Tried {
  event: StoredEvent;
  result: TestResult;
}

/** How an event fares, with its sign and its words. */
export const fates = {
  match: { icon: CheckmarkCircle16Filled, colour: "healthy", word: "match", label: "Matches" },
  miss: { icon: Circle16Regular, colour: "idle", word: "do not", label: "Does not match" },
  fail: { icon: Triangle16Filled, colour: "failing", word: "fail", label: "A plugin fails" },
} as const;

export function fateOf(r: TestResult): keyof typeof fates {
  return r.error !== undefined ? "fail" : r.matched ? "match" : "miss";
}

/** What became of one event: why not, or what changed of it, and both as they are. */
export function EventFate({ tried: { event, result: r }, filter }: { tried: Tried; filter: string }) {
  const [view, setView] = useState<"fate" | "before" | "after">("fate");
  const fate = fateOf(r);
  const { icon: Icon, colour, label } = fates[fate];
  const e = event.event;
  return (
    <article className={styles.fate} aria-label={`Event ${visible(e.id)}`}>
      <div className={styles.verdict}>
        <Icon style={{ color: `var(--state-${colour})` }} aria-hidden />
        <strong>{fate === "match" ? (r.outputs.length === 0 ? "Matches, but nothing comes of it" : r.outputs.length === 1 ? "Matches" : `Matches, and becomes ${plural(r.outputs.length, "event")}`) : label}</strong>
        <EventKindToken type={e.type} />
        <span className={styles.spring} />
        <EventLink id={event.id} />
      </div>
      <TabList size="small" selectedValue={view} onTabSelect={(_, d) => setView(d.value as typeof view)}>
        <Tab value="fate">{fate === "miss" ? "Why not" : fate === "fail" ? "What failed" : "What changes"}</Tab>
        <Tab value="before">Before</Tab>
        {r.outputs.length > 0 && <Tab value="after">After</Tab>}
      </TabList>
      {view === "before" || (view === "after" && r.outputs.length === 0) ? (
        <JsonView value={e} label="The event as it came" open={4} />
      ) : view === "after" ? (
        r.outputs.map((o, i) => <JsonView key={i} value={o.properties ? { ...o.event, "→ properties": o.properties } : o.event} label={`Output ${i + 1}`} open={4} />)
      ) : (
        <>
          {fate === "miss" && <WhyNot verdict={{ filter, condition: r.condition, verdict: r.verdict, values: r.values, why: r.why }} />}
          <Steps tried={r.plugins ?? []} />
          {r.error !== undefined && <p className={styles.error}>{visible(r.error)}</p>}
          {fate === "match" && r.outputs.length === 0 && <p className="quiet">{visible(r.why)}</p>}
          {r.outputs.map((o, i) => (
            <div key={i} className={styles.output}>
              {r.outputs.length > 1 && <h3>Output {i + 1}</h3>}
              <DiffView changes={changesOf(o.diff ?? [])} labels={["Before", "After"]} same="It is passed on as it came." />
            </div>
          ))}
          {r.logs && r.logs.length > 0 && (
            <pre className={styles.logs} tabIndex={0} aria-label="What the plugins logged">
              {r.logs.map(visible).join("\n")}
            </pre>
          )}
        </>
      )}
    </article>
  );
}

const verdicts = { pass: "lets it pass", drop: "drops it", outputs: "", nothing: "makes nothing of it", failed: "fails" } as const;

/** What each plugin made of it, in order. */
export function Steps({ tried }: { tried: readonly { plugin: string; verdict: keyof typeof verdicts; outputs: number; fuel: number }[] }) {
  if (tried.length === 0) return null;
  return (
    <ol className={styles.steps}>
      {tried.map((p, i) => (
        <li key={i} className={p.verdict === "failed" ? styles.failed : undefined}>
          <strong>{p.plugin}</strong> {p.verdict === "outputs" ? "makes " + plural(p.outputs, "event") : verdicts[p.verdict]} <span className="quiet nums">{count(p.fuel)} fuel</span>
        </li>
      ))}
    </ol>
  );
}

/** The page of an event, where its id is a place in the journal. */
export function EventLink({ id, children = "Open the event" }: { id: string; children?: string }) {
  if (!/^\d+-\d+$/.test(id)) return null;
  return (
    <Link to="/events/$id" params={{ id }}>
      {children}
    </Link>
  );
}
