import { Button, Checkbox } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "~/api/queries";
import { schemaQuery, type ResourceSpec, type Side } from "~/api/resources";
import { ConfigForm } from "~/parts/ConfigForm";
import { formSchema, settingsName } from "~/parts/jsonSchema";
import { ProblemBar } from "~/parts/ProblemBar";
import { Skeleton } from "~/parts/Skeleton";
import styles from "./Endpoints.module.css";
import { kindOf } from "./kinds";
import type { Problem } from "~/api/problem";

/** The settings of an endpoint or a source as forms, made from the schema that editors use. */
export function SettingsForm({ side, spec, onChange, problem, stamp }: { side: Side; spec: ResourceSpec; onChange: (spec: ResourceSpec) => void; problem: Problem | undefined; stamp: string }) {
  const { data: schema, error, refetch } = useQuery(schemaQuery);
  if (!schema) return error ? <ProblemBar problem={error} action={<Button onClick={() => void refetch()}>Try again</Button>} /> : <Skeleton lines={8} />;
  const of = (part: string) => (problem?.field?.startsWith(part + ".") ? { [problem.field.slice(part.length + 1)]: problem.message } : problem?.field === part ? { "": problem.message } : {});
  return (
    <div className={styles.form}>
      <section className={styles.pane} aria-labelledby="settings">
        <h2 id="settings">{kindOf(spec.kind).label}</h2>
        <ConfigForm key={stamp + spec.kind} schema={formSchema(schema.$defs, settingsName(side, spec.kind))} value={spec.settings} onChange={(settings) => onChange({ ...spec, settings })} problems={of("settings")} />
      </section>
      <div className="stack">
        {side === "endpoint" ? (
          <section className={styles.pane} aria-labelledby="delivery">
            <h2 id="delivery">How deliveries are tried</h2>
            <ConfigForm key={stamp} schema={formSchema(schema.$defs, "delivery")} value={(spec.delivery ?? {}) as Record<string, unknown>} onChange={(v) => onChange({ ...spec, delivery: v as Schemas["Delivery"] })} problems={of("delivery")} />
          </section>
        ) : (
          <section className={styles.pane} aria-labelledby="running">
            <h2 id="running">Whether it runs</h2>
            <Checkbox label="Fetch events" checked={spec.enabled !== false} onChange={(_, d) => onChange({ ...spec, enabled: d.checked === true })} />
            <p className="quiet">Switched off, it takes nothing; what is at the broker stays there until it is on again.</p>
          </section>
        )}
      </div>
    </div>
  );
}
