import { CheckmarkCircle20Filled, Circle20Regular } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import type { Schemas } from "~/api/queries";
import { CopyButton } from "~/parts/CopyId";
import styles from "./Overview.module.css";

/** The way to a first route: three steps that tick when the gateway has seen them. */
export function Start({ endpoints, routes, received }: { endpoints: Schemas["Endpoint"][]; routes: Schemas["Route"][]; received: boolean }) {
  const here = location.origin;
  const to = endpoints[0]?.name ?? "out";
  return (
    <section className="card stack" aria-labelledby="start">
      <h2 id="start">Three steps to a route</h2>
      <ol className={styles.steps}>
        <Step done={received} title="Send events here" code={`curl -s ${here}/events -H 'Content-Type: application/cloudevents+json' -d '{"specversion":"1.0","id":"1","source":"here","type":"note","subject":"room-101","data":{"t":21}}'`}>
          Any CloudEvent will do. Event Grid sends to <code>{here}/webhooks/eventgrid</code>. Where a token guards this gateway, add <code>-H "Authorization: Bearer TOKEN"</code>.
        </Step>
        <Step done={endpoints.length > 0} title="Add an endpoint" code={`headgate put endpoint out --kind file --set path=/tmp/out.ndjson`}>
          It is where events go: a file, a webhook, Service Bus, Event Hubs, Event Grid or a blob container.
        </Step>
        <Step done={routes.length > 0} title="Add a route" code={`headgate put route all --endpoint ${to} --filter true`}>
          It says which events go there. The filter <code>true</code> takes all of them.
        </Step>
      </ol>
    </section>
  );
}

function Step({ done, title, code, children }: { done: boolean; title: string; code: string; children: ReactNode }) {
  return (
    <li>
      <h3 className="row">
        {done ? <CheckmarkCircle20Filled style={{ color: "var(--state-healthy)" }} aria-label="done" /> : <Circle20Regular aria-label="to do" />}
        {title}
      </h3>
      <p>{children}</p>
      <div className={styles.code}>
        <code>{code}</code>
        <CopyButton text={code} label={`Copy: ${title}`} />
      </div>
    </li>
  );
}
