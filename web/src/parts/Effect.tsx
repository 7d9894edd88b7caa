import type { Schemas } from "~/api/queries";
import { DiffView } from "./DiffView";
import { EventLink } from "./EventFate";
import { count, plural } from "./figures";
import { StateBadge } from "./StateBadge";
import { visible } from "./visible";
import styles from "./Effect.module.css";

type Traffic = Schemas["Traffic"];
type RouteTraffic = Schemas["RouteTraffic"];

/** What a change means for the latest events, route by route. */
export function Effect({ traffic, routes, nothing, isNew, disabled }: { traffic: Traffic | undefined; routes?: readonly string[]; nothing?: boolean; isNew?: boolean; disabled?: boolean }) {
  if (nothing) return <p className="quiet">It is so already: saving changes nothing.</p>;
  if (!traffic || traffic.events === 0) return <p className="quiet">No event came yet, so there is nothing to show the effect on.</p>;
  const shown = traffic.routes.filter((r) => !r.untouched && (routes === undefined || routes.includes(r.route)));
  if (shown.length === 0) return <p className="quiet">{disabled ? "The route is disabled: it takes no events." : `Nothing changes for the latest ${plural(traffic.events, "event")}.`}</p>;
  return (
    <>
      {shown.map((r) => (
        <RouteEffect key={r.route} traffic={r} events={traffic.events} isNew={isNew ?? false} named={shown.length > 1 || routes === undefined} />
      ))}
    </>
  );
}

function RouteEffect({ traffic: t, events, isNew, named }: { traffic: RouteTraffic; events: number; isNew: boolean; named: boolean }) {
  const parts = [
    t.gained > 0 && !isNew && `${count(t.gained)} more`,
    t.lost > 0 && `${count(t.lost)} no longer`,
    t.changed > 0 && `${count(t.changed)} made into something else`,
  ].filter(Boolean);
  return (
    <section className="stack" aria-label={`Effect on ${t.route}`}>
      {named && <h3>{t.route}</h3>}
      {t.error !== undefined ? (
        <p className={styles.problem}>{visible(t.error)}</p>
      ) : (
        <>
          <p className={styles.effect}>
            <span>
              Of the latest {plural(events, "event")} it {isNew ? "takes" : "took"}{" "}
              {!isNew && (
                <>
                  <span className={styles.big}>{count(t.before?.matched ?? 0)}</span> and would take{" "}
                </>
              )}
              <span className={styles.big}>{count(t.after?.matched ?? 0)}</span>
              {!isNew && (parts.length > 0 ? `: ${parts.join(", ")}` : ", the same ones, and makes the same of them")}.
            </span>
            {t.trapped > 0 && <StateBadge state="failing" word={`a plugin fails on ${plural(t.trapped, "event")}`} />}
          </p>
          {t.examples.length > 0 && (
            <details open={t.trapped > 0 || !isNew}>
              <summary>Examples</summary>
              <ul className={styles.examples} style={{ marginTop: 8 }}>
                {t.examples.map((e, i) => (
                  <li key={i}>
                    <span>
                      <strong>{words[e.what]}</strong> {visible(e.subject ?? e.eventId)} <span className="quiet">{e.type}</span> <EventLink id={e.id} />
                    </span>
                    {e.what === "changed" && <DiffView changes={(e.diff ?? []).map((d) => ({ path: d.path, before: d.before, after: d.after }))} labels={["Made now", "Made then"]} />}
                    {e.what === "trapped" && <span className={styles.problem}>{visible(e.after?.error ?? "")}</span>}
                    {e.what === "lost" && e.after?.why && <span className="quiet">{visible(e.after.why)}</span>}
                  </li>
                ))}
              </ul>
            </details>
          )}
        </>
      )}
    </section>
  );
}

const words = { gained: "Taken:", lost: "No longer:", changed: "Changed:", trapped: "Fails:" } as const;
