import { Link } from "@tanstack/react-router";
import type { DeliveryState, Verdict } from "~/api/events";
import type { Schemas } from "~/api/queries";
import { DiffView } from "./DiffView";
import type { Difference } from "./diff";
import { plural, tookWords } from "./figures";
import { FilterText } from "./FilterEditor";
import { visible } from "./visible";
import { ResourceLink } from "./ResourceLink";
import { absoluteTime, RelativeTime } from "./RelativeTime";
import { spanIn } from "~/api/filters";
import { StateBadge, type StateName } from "./StateBadge";
import styles from "./Verdict.module.css";

/** What a route made of an event, and where its deliveries are. */
export function VerdictCard({ verdict: v }: { verdict: Verdict }) {
  return (
    <article className={styles.card} aria-label={`Route ${v.route}`}>
      <div className={styles.head}>
        <ResourceLink kind="route" name={v.route} strong />
        <span className="quiet">→</span>
        <ResourceLink kind="endpoint" name={v.endpoint} />
        <span className={styles.spring} />
        <VerdictBadge verdict={v} />
      </div>
      {v.note && <p className={styles.note}>{v.note}</p>}
      {v.matched ? <Steps plugins={v.plugins ?? []} /> : <WhyNot verdict={v} />}
      {v.error && <p className={styles.error}>{visible(v.error)}</p>}
      {v.outputs.map((o, i) => (
        <div key={i}>
          {v.outputs.length > 1 && <h4 className={styles.note}>Output {i + 1} of {v.outputs.length}</h4>}
          <DiffView changes={changesOf(o.diff ?? [])} labels={["As it came", "As it leaves"]} same="Passed on as it came." />
        </div>
      ))}
      {v.matched && v.outputs.length === 0 && !v.error && <p className={styles.note}>{v.why}</p>}
      {v.deliveries.map((d) => (
        <Delivery key={d.endpoint + d.output} delivery={d} many={v.outputs.length > 1} />
      ))}
    </article>
  );
}

/** Whether a route took an event, in a word with its sign. */
export function VerdictBadge({ verdict: v }: { verdict: Verdict }) {
  const states = v.deliveries.map((d) => d.state);
  if (states.includes("dead")) return <StateBadge state="failing" word="dead letter" />;
  if (states.includes("retrying")) return <StateBadge state="retrying" />;
  if (v.error) return <StateBadge state="failing" word="plugin failed" />;
  if (states.includes("waiting")) return <StateBadge state="waiting" />;
  if (states.length > 0 && states.every((s) => s === "delivered")) return <StateBadge state="healthy" word="delivered" />;
  if (v.disabled) return <StateBadge state="paused" word="disabled" />;
  if (v.gone) return <StateBadge state="idle" word="route deleted" />;
  if (v.matched) return <StateBadge state="enabled" word={v.outputs.length === 0 ? "matches, makes nothing" : "matches"} />;
  return <StateBadge state="idle" word="no match" />;
}

/** The filter with the condition that failed lit up, and what the event holds instead. */
export function WhyNot({ verdict: v, short }: { verdict: Pick<Verdict, "filter" | "condition" | "verdict" | "values" | "why">; short?: boolean }) {
  return (
    <div className={styles.why}>
      {v.filter !== "" && <FilterText text={v.filter} mark={v.condition && spanIn(v.filter, v.condition)} wrap={!short} />}
      {v.condition ? (
        <ul className={styles.values} style={{ listStyle: "none", padding: 0 }}>
          {(v.values ?? []).map((x) => (
            <li key={x.field}>
              <code>{visible(x.field)}</code> is <code>{visible(x.text)}</code>
            </li>
          ))}
          {(v.values ?? []).length === 0 && <li>{visible(v.why)}</li>}
        </ul>
      ) : (
        <p className={styles.note}>{visible(v.why)}</p>
      )}
    </div>
  );
}

function Steps({ plugins }: { plugins: readonly Schemas["PluginVerdict"][] }) {
  if (plugins.length === 0) return null;
  const words = { pass: "passes", drop: "drops it", outputs: "", nothing: "makes nothing", failed: "failed" };
  return (
    <div className={styles.steps}>
      <span>filter matches</span>
      {plugins.map((p, i) => (
        <span key={i} className={styles.step + (p.verdict === "failed" ? " " + styles.failed : "")} title={p.error ?? `${p.fuel.toLocaleString("en-US")} units of fuel`}>
          {p.plugin} {p.verdict === "outputs" ? "→ " + plural(p.outputs, "event") : words[p.verdict]}
        </span>
      ))}
    </div>
  );
}

const stateNames: Record<DeliveryState["state"], { state: StateName; word: string }> = {
  delivered: { state: "healthy", word: "Delivered" },
  waiting: { state: "waiting", word: "Waits for its first attempt" },
  retrying: { state: "retrying", word: "Tried again" },
  dead: { state: "failing", word: "Dead letter" },
  unknown: { state: "idle", word: "Settled; its attempts are no longer remembered" },
};

/** Where one output of a route is, with its attempts over time. */
export function Delivery({ delivery: d, many }: { delivery: DeliveryState; many?: boolean }) {
  const { state, word } = stateNames[d.state];
  return (
    <div className={styles.delivery}>
      <div className="row">
        <StateBadge state={state} word={(many ? `Output ${d.output + 1}: ` : "") + word} />
        {d.state === "retrying" && d.next && (
          <span className="quiet">
            <RelativeTime at={d.next} />
          </span>
        )}
        {d.tries > d.attempts.length && <span className="quiet">{plural(d.tries, "attempt")}, the latest {d.attempts.length} are remembered</span>}
        {d.letter && (
          <Link to="/dead-letters/$id" params={{ id: d.letter }}>
            Open the dead letter
          </Link>
        )}
      </div>
      {d.note && <p className={styles.note}>{d.note}</p>}
      {d.reason && d.attempts.length === 0 && <p className={styles.error}>{visible(d.reason)}</p>}
      <Attempts attempts={d.attempts} />
    </div>
  );
}

const blame: Record<string, string> = { event: "the event is to blame", endpoint: "the endpoint is to blame", transient: "nobody is to blame" };

/** Attempts, oldest first, each with when and what came of it. */
export function Attempts({ attempts }: { attempts: readonly { at: string; attempt?: number; took?: string; outcome?: string; error?: string }[] }) {
  if (attempts.length === 0) return null;
  return (
    <ol className={styles.line}>
      {attempts.map((a, i) => {
        const ok = a.outcome === "delivered" || (a.outcome === undefined && a.error === undefined);
        return (
          <li key={i} className={styles.try + (ok ? "" : " " + styles.missed)} style={{ ["--dot" as string]: `var(--state-${ok ? "healthy" : "failing"})` }}>
            <span className="nums" title={absoluteTime(a.at)}>
              {clock(a.at)}
            </span>{" "}
            {a.attempt !== undefined && <>attempt {a.attempt}, </>}
            {ok ? "delivered" : (blame[a.outcome ?? ""] ?? "failed")}
            {a.took !== undefined && <span className="quiet"> in {tookWords(a.took)}</span>}
            {a.error && <div className={styles.answer}>{visible(a.error)}</div>}
          </li>
        );
      })}
    </ol>
  );
}

/** 14:02:11.304, in the time of this browser. */
export function clock(at: string | Date): string {
  const d = new Date(at);
  if (Number.isNaN(d.getTime())) return String(at);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}

/** Differences as the API tells them, for a DiffView. */
export function changesOf(diff: readonly Schemas["EventChange"][]): Difference[] {
  return diff.map((d) => ({ path: d.part === "data" ? "/data" + d.path : d.part === "attribute" ? "/" + d.path : `properties: ${d.path}`, before: d.op === "add" ? undefined : d.before, after: d.op === "remove" ? undefined : d.after }));
}
