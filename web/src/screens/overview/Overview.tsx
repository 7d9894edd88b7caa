import { Button } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { Suspense } from "react";
import { asProblem } from "~/api/problem";
import { auditQuery, endpointsQuery, routesQuery, useStatus, type Schemas } from "~/api/queries";
import { CopyAs } from "~/parts/CopyAs";
import { count, plural } from "~/parts/figures";
import { lazy } from "~/parts/lazy";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { RelativeTime } from "~/parts/RelativeTime";
import { Skeleton } from "~/parts/Skeleton";
import { Sparkline } from "~/parts/Sparkline";
import { StateBadge } from "~/parts/StateBadge";
import { usePhone } from "~/parts/usePhone";
import { Flow } from "./Flow";
import { Start } from "./Start";
import styles from "./Overview.module.css";
import { headline } from "./headline";
import { Problems } from "./Problems";
import { latest, overviewRates, rateNow, whole } from "./rates";
import { simulationQuery, useSimulation } from "./simulation";

const Topology = lazy(() => import("./Topology"), "default");

/** What needs somebody, then how much flows, then where. */
export function Overview() {
  const status = useStatus();
  const rates = useQuery(overviewRates);
  const routes = useQuery(routesQuery);
  const endpoints = useQuery(endpointsQuery);
  const phone = usePhone();
  if (!status.data) return status.error ? <ProblemBar problem={asProblem(status.error)} /> : <Skeleton lines={8} />;
  const s = status.data;
  return (
    <>
      <PageHead title="Overview" badge={<StateBadge state={s.state} />} sentence={headline(s)} />
      <Problems status={s} />
      {routes.data && routes.data.length > 0 && <Simulated />}
      <Figures status={s} rates={rates.data} />
      {routes.data && endpoints.data && (routes.data.length === 0 || endpoints.data.length === 0) ? (
        <Start endpoints={endpoints.data} routes={routes.data} received={s.journal.last > 0} />
      ) : (
        routes.data && (
          <>
            {!phone && (
              <section className={styles.flow} aria-labelledby="topology">
                <h2 id="topology">What flows now</h2>
                <Suspense fallback={<Skeleton lines={4} height={220} />}>
                  <Topology status={s} routes={routes.data} rates={rates.data} />
                </Suspense>
              </section>
            )}
            <Flow status={s} routes={routes.data} rates={rates.data} />
          </>
        )
      )}
      <Changes />
    </>
  );
}

/** That what is seen is not real, while simulated twins live. */
function Simulated() {
  const { data } = useQuery(simulationQuery);
  const { end } = useSimulation();
  if (!data?.running) return null;
  return (
    <div className={styles.simulated + " row"}>
      <span>
        Simulated twins send {plural(data.rate ?? 0, "event")} a second{data.endsAt && <>; they end <RelativeTime at={data.endsAt} /></>}.
      </span>
      <Button size="small" onClick={() => void end()}>
        End them
      </Button>
      <CopyAs cli="headgate simulation stop" value={data} size="small" label="" />
    </div>
  );
}

function Figures({ status, rates }: { status: Schemas["Status"]; rates: Schemas["Rates"] | undefined }) {
  const waiting = latest(rates?.gateway.waiting);
  const dead = status.endpoints.reduce((n, e) => n + e.deadLetters, 0);
  const g = rates?.gateway;
  const step = rates?.stepSeconds ?? 10;
  return (
    <section className={styles.figures} aria-label="Figures of the last 15 minutes">
      <Figure label="In" value={rateNow(g?.in, step)} series={g?.in} colour="var(--kind-update)" />
      <Figure label="Delivered" value={rateNow(g?.delivered, step)} series={g?.delivered} errors={g?.failed} colour="var(--kind-create)" />
      <Figure label="Waiting" value={waiting === undefined ? "–" : count(waiting)} series={g?.waiting} colour="var(--kind-relationship)" />
      <Figure label="Dead letters" value={count(dead)} series={g?.dead} colour="var(--kind-delete)" note="the chart: how many were added" />
    </section>
  );
}

function Figure({ label, value, series, errors, colour, note }: { label: string; value: string; series: Schemas["Series"] | undefined; errors?: Schemas["Series"]; colour: string; note?: string }) {
  return (
    <div className="card">
      <h2 className={styles.label}>{label}</h2>
      <p className={styles.value}>{value}</p>
      <div className={styles.chart}>
        <Sparkline values={whole(series)} errors={errors && whole(errors)} label={`${label}, the last 15 minutes${note ? "; " + note : ""}`} colour={colour} width={280} height={40} />
      </div>
    </div>
  );
}

const mostChanges = 200; // that are asked for

function Changes() {
  const { data } = useQuery(auditQuery(mostChanges));
  const since = Date.now() - 3600_000;
  const recent = data?.filter((e) => new Date(e.at).getTime() > since);
  if (!recent) return null;
  return (
    <section className="card stack" aria-labelledby="changes">
      <h2 id="changes">Changed in the last hour</h2>
      {recent.length === 0 ? (
        <p className="quiet">Nobody changed a route, an endpoint or a plugin.</p>
      ) : (
        <ul className={styles.changes}>
          {recent.slice(0, 8).map((e) => (
            <li key={`${e.revision} ${e.kind} ${e.name}`}>
              <span className={styles.what}>
                {verbs[e.action]} {e.kind} <span className="mono">{e.name}</span> {e.detail && <span className="quiet">{e.detail}</span>}
              </span>
              <span className="quiet">
                <RelativeTime at={e.at} />
                {e.by && ` by ${e.by}`}
              </span>
            </li>
          ))}
        </ul>
      )}
      {recent.length > 8 && <p className="quiet">and {recent.length === mostChanges && "at least "}{plural(recent.length - 8, "more change")}</p>}
    </section>
  );
}

const verbs: Record<Schemas["AuditEntry"]["action"], string> = { create: "Created", replace: "Changed", delete: "Deleted", upload: "Uploaded", activate: "Activated" };
