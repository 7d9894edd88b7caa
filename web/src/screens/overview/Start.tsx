import { Button, Field, Input } from "@fluentui/react-components";
import { CheckmarkCircle20Filled, Circle20Regular } from "@fluentui/react-icons";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { api } from "~/api/client";
import { asProblem, type Problem } from "~/api/problem";
import type { Schemas } from "~/api/queries";
import { useCommand } from "~/app/commands";
import { CopyAs } from "~/parts/CopyAs";
import { CopyButton } from "~/parts/CopyId";
import { count } from "~/parts/figures";
import { ProblemBar } from "~/parts/ProblemBar";
import { command } from "~/parts/shell";
import { useToasts } from "~/parts/Toasts";
import styles from "./Overview.module.css";
import { simulationQuery, useSimulation } from "./simulation";

/** The way to a first route: three steps that tick when the gateway has seen them, by a click or a command each. */
export function Start({ endpoints, routes, received }: { endpoints: Schemas["Endpoint"][]; routes: Schemas["Route"][]; received: boolean }) {
  const queries = useQueryClient();
  const { notify } = useToasts();
  const { data: simulation } = useQuery(simulationQuery);
  const { simulate, end } = useSimulation();
  useCommand("Show me with simulated twins", () => void simulate());
  const [path, setPath] = useState("headgate-out.ndjson");
  const [busy, setBusy] = useState<string>();
  const [problem, setProblem] = useState<Problem>();
  const here = location.origin;
  const to = endpoints[0]?.name ?? "out";
  const act = (what: string, done: string, run: () => Promise<unknown>) => async () => {
    setBusy(what);
    setProblem(undefined);
    try {
      await run();
      notify({ title: done });
      await queries.invalidateQueries();
    } catch (e) {
      setProblem(asProblem(e));
    } finally {
      setBusy(undefined);
    }
  };
  const makeEndpoint = act("endpoint", "out is made", () => api.put("/endpoints/{name}", { path: { name: "out" }, body: { kind: "file", settings: { path } }, onlyCreate: true }));
  const makeRoute = act("route", "all is made: events flow", () => api.put("/routes/{id}", { path: { id: "all" }, body: { endpointName: to, filter: "true" }, onlyCreate: true }));
  return (
    <section className="card stack" aria-labelledby="start">
      <h2 id="start">Three steps to a route</h2>
      {problem && <ProblemBar problem={problem} />}
      <ol className={styles.steps}>
        <Step
          done={received} title="Send events here"
          code={`curl -s ${here}/events -H 'Content-Type: application/cloudevents+json' -d '{"specversion":"1.0","id":"1","source":"here","type":"note","subject":"room-101","data":{"t":21}}'`}
          action={
            simulation?.running ? (
              <span className="row">
                <span className="nums">{count(simulation.sent)} events of simulated twins so far</span>
                <Button disabled={busy !== undefined} onClick={() => void end()}>
                  End them
                </Button>
              </span>
            ) : (
              <span className="row">
                <Button appearance={received ? "secondary" : "primary"} disabled={busy !== undefined} onClick={() => void simulate()}>
                  Show me with simulated twins
                </Button>
                <CopyAs cli="headgate simulation start" label="" />
              </span>
            )
          }
        >
          Simulated twins send ten events a second for ten minutes. Or send your own: any CloudEvent will do; Event Grid, and so Azure Digital Twins, sends to <code>{here}/webhooks/eventgrid</code>, and a <Link to="/new-source">source</Link> fetches from Event Hubs and Service Bus. Where a token guards this gateway, add{" "}
          <code>-H "Authorization: Bearer TOKEN"</code>.
        </Step>
        <Step
          done={endpoints.length > 0} title="Add an endpoint" code={command("headgate", "put", "endpoint", "out", "--kind", "file", "--set", `path=${path}`)}
          action={
            endpoints.length === 0 && (
              <span className="row" style={{ alignItems: "flex-end" }}>
                <Field label="File on the server">
                  <Input value={path} onChange={(_, d) => setPath(d.value)} />
                </Field>
                <Button appearance={received ? "primary" : "secondary"} disabled={busy !== undefined || path.trim() === ""} onClick={() => void makeEndpoint()}>
                  Make this endpoint
                </Button>
              </span>
            )
          }
        >
          It is where events go. A file is the quickest; <Link to="/new-endpoint">other kinds</Link> are webhooks, Service Bus, Event Hubs, Event Grid and Blob storage.
        </Step>
        <Step
          done={routes.length > 0} title="Add a route" code={command("headgate", "put", "route", "all", "--endpoint", to)}
          action={
            routes.length === 0 && (
              <Button appearance={endpoints.length > 0 ? "primary" : "secondary"} disabled={busy !== undefined || endpoints.length === 0} onClick={() => void makeRoute()}>
                Make this route
              </Button>
            )
          }
        >
          It says which events go there: this one takes all. Or <Link to="/new-route">write a filter</Link>, with a preview on what came in.
        </Step>
      </ol>
    </section>
  );
}

function Step({ done, title, code, action, children }: { done: boolean; title: string; code: string; action: ReactNode; children: ReactNode }) {
  return (
    <li>
      <h3 className="row">
        {done ? <CheckmarkCircle20Filled style={{ color: "var(--state-healthy)" }} aria-label="done" /> : <Circle20Regular aria-label="to do" />}
        {title}
      </h3>
      <p>{children}</p>
      {action && <div>{action}</div>}
      <div className={styles.code}>
        <code>{code}</code>
        <CopyButton text={code} label={`Copy: ${title}`} />
      </div>
    </li>
  );
}
