import { Button } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { api } from "~/api/client";
import { spanIn } from "~/api/filters";
import { CopyAs } from "~/parts/CopyAs";
import { count, percent, plural } from "~/parts/figures";
import { FilterText } from "~/parts/FilterEditor";
import { ProblemBar } from "~/parts/ProblemBar";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import { visible } from "~/parts/visible";
import styles from "./RoutePage.module.css";

/** Why events match the route or not: which condition failed first, how often, and on what. */
export function Explain({ id, filter, enabled, onEvent }: { id: string; filter: string; enabled: boolean; onEvent: (event: string) => void }) {
  const explain = useQuery({
    queryKey: ["route", id, "explain", filter],
    queryFn: async ({ signal }) => (await api.get("/routes/{id}/explain", { path: { id }, query: { limit: 10_000 }, signal })).data,
    staleTime: 60_000,
  });
  const x = explain.data;
  return (
    <section className="card stack" aria-labelledby="explain">
      <div className={styles.chartHead}>
        <h2 id="explain">Why events match or not</h2>
        <span className="row">
          <Button size="small" appearance="subtle" disabled={explain.isFetching} onClick={() => void explain.refetch()}>
            Look again
          </Button>
          <CopyAs cli={command("headgate", "explain", "--route", id)} value={x} size="small" label="" />
        </span>
      </div>
      {explain.isError && <ProblemBar problem={explain.error} />}
      {explain.isPending && <Skeleton lines={4} height={120} />}
      {x && x.events === 0 && <p className="quiet">No event came yet.</p>}
      {x && x.events > 0 && (
        <>
          <p className="quiet">
            Of the latest {plural(x.events, "event")}
            {!enabled && ", were it enabled"}:
          </p>
          <ul className={styles.bars}>
            <Bar share={x.share} className={styles.took} head="pass the filter and its plugins" number={x.matched} />
            {x.conditions.map((c) => (
              <Bar
                key={c.start + c.text}
                share={c.share}
                number={c.count}
                head={<FilterText text={x.filter.length > 400 ? c.text : x.filter} mark={x.filter.length > 400 ? { start: 0, end: c.text.length } : spanIn(x.filter, c)} wrap />}
              >
                <span className={styles.values}>
                  {c.values.slice(0, 3).map((v, i) => (
                    <span key={i}>
                      {i > 0 && "; "}
                      {visible(v.text)} ({count(v.count)})
                    </span>
                  ))}
                  {c.examples[0] && (
                    <>
                      {" "}
                      <Example id={c.examples[0]} onEvent={onEvent} />
                    </>
                  )}
                </span>
              </Bar>
            ))}
            {x.plugins.filter((p) => p.dropped + p.failed > 0).map((p) => (
              <Bar key={p.plugin + p.kind} share={p.share} number={p.dropped + p.failed} className={p.failed > 0 ? styles.failed : undefined} head={<>{p.plugin} {p.failed > 0 ? (p.dropped > 0 ? `drops ${count(p.dropped)} and fails on ${count(p.failed)}` : "fails") : "drops them"}</>}>
                {p.error && <span className={styles.values}>{visible(p.error)}</span>}
              </Bar>
            ))}
          </ul>
          {x.note && <p className={styles.values}>{x.note}</p>}
        </>
      )}
    </section>
  );
}

function Bar({ share, number, head, className, children }: { share: number; number: number; head: React.ReactNode; className?: string; children?: React.ReactNode }) {
  return (
    <li>
      <span className={styles.barHead}>
        <span style={{ minWidth: 0 }}>{head}</span>
        <span className="nums" style={{ whiteSpace: "nowrap" }}>
          {count(number)} · {percent(share)}
        </span>
      </span>
      <span className={styles.track} aria-hidden>
        <span className={styles.fill + (className ? " " + className : "")} style={{ width: `${share * 100}%`, display: "block" }} />
      </span>
      {children}
    </li>
  );
}

function Example({ id, onEvent }: { id: string; onEvent: (id: string) => void }) {
  return (
    <button type="button" className={styles.link} onClick={() => onEvent(id)}>
      an example
    </button>
  );
}
