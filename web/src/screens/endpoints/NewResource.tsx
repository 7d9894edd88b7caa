import { Button, Field, Input } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { asProblem, type Problem } from "~/api/problem";
import { putResource, schemaQuery, type ResourceSpec, type Side } from "~/api/resources";
import { CopyAs } from "~/parts/CopyAs";
import { formSchema, hideSecrets, kindsOf, settingsName } from "~/parts/jsonSchema";
import { LeaveQuestion } from "~/parts/LeaveQuestion";
import { PageHead } from "~/parts/PageHead";
import { ProblemBar } from "~/parts/ProblemBar";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import { useToasts } from "~/parts/Toasts";
import { useValidity, Validity } from "~/parts/validity";
import styles from "./Endpoints.module.css";
import { KindToken, kindOf } from "./kinds";
import { newEndpointRoute, newSourceRoute } from "./route";
import { putCommand } from "./putCommand";
import { SettingsForm } from "./SettingsForm";
import { useResourceActions } from "./useResourceActions";

export function NewEndpoint() {
  const { kind } = newEndpointRoute.useSearch();
  const navigate = useNavigate();
  return <NewResource side="endpoint" kind={kind} onKind={(k) => void navigate({ to: "/new-endpoint", search: { kind: k } })} onMade={(name) => void navigate({ to: "/endpoints/$name", params: { name }, ignoreBlocker: true })} onCancel={() => void navigate({ to: "/endpoints" })} />;
}

export function NewSource() {
  const { kind } = newSourceRoute.useSearch();
  const navigate = useNavigate();
  return <NewResource side="source" kind={kind} onKind={(k) => void navigate({ to: "/new-source", search: { kind: k } })} onMade={(name) => void navigate({ to: "/sources/$name", params: { name }, ignoreBlocker: true })} onCancel={() => void navigate({ to: "/endpoints", search: { tab: "sources" } })} />;
}

interface Props {
  side: Side;
  kind: string | undefined;
  onKind: (kind: string | undefined) => void;
  onMade: (name: string) => void;
  onCancel: () => void;
}

/** First the kind, then its form. */
function NewResource({ side, kind, onKind, onMade, onCancel }: Props) {
  const { data: schema, error, refetch } = useQuery(schemaQuery);
  if (!schema) return error ? <ProblemBar problem={error} action={<Button onClick={() => void refetch()}>Try again</Button>} /> : <Skeleton lines={8} />;
  const kinds = kindsOf(schema.$defs, side);
  if (kind === undefined || !kinds.includes(kind)) {
    return (
      <>
        <PageHead title={`New ${side}`} sentence={side === "endpoint" ? "Where are events to go?" : "Where are events to be fetched?"} actions={<Button onClick={onCancel}>Cancel</Button>} />
        <ul className={styles.kinds}>
          {kinds.map((k) => (
            <li key={k}>
              <button type="button" className={styles.kind} onClick={() => onKind(k)}>
                <strong>
                  <KindToken kind={k} />
                </strong>
                <span className="quiet">{side === "endpoint" ? kindOf(k).words : sourceWords[k]}</span>
              </button>
            </li>
          ))}
        </ul>
      </>
    );
  }
  return <Form key={kind} side={side} kind={kind} onKind={onKind} onMade={onMade} onCancel={onCancel} />;
}

const sourceWords: Record<string, string> = {
  serviceBus: "A queue, or the subscription of a topic, with sessions or without. A message is settled once its event is on disk.",
  eventHub: "A consumer group of an event hub, all partitions. Checkpoints are kept in the journal or in a blob container.",
};

function Form({ side, kind, onKind, onMade, onCancel }: Props & { kind: string }) {
  const { data: schema } = useQuery(schemaQuery);
  const { changed } = useResourceActions(side);
  const { notify } = useToasts();
  const [name, setName] = useState("");
  const [first] = useState<ResourceSpec>({ kind, settings: {}, ...(side === "endpoint" ? { delivery: {} } : { enabled: true }) });
  const [spec, setSpec] = useState(first);
  const dirty = name !== "" || JSON.stringify(spec) !== JSON.stringify(first);
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const { valid, report } = useValidity();
  const shown = { ...spec, settings: hideSecrets(schema && formSchema(schema.$defs, settingsName(side, kind)), spec.settings) };
  const taken = problem?.conflict === true;
  const make = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      await putResource(side, name, spec, { onlyCreate: true });
      await changed(name);
      notify({ title: `${name} is made`, body: side === "endpoint" ? "Try the connection, then make a route to it." : "Its state says how it fares." });
      onMade(name);
    } catch (e) {
      setProblem(asProblem(e));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="stack"
      onSubmit={(e) => {
        e.preventDefault();
        if (name !== "" && valid) void make();
      }}
    >
      <LeaveQuestion dirty={dirty || !valid} />
      <PageHead
        title={`New ${side}`}
        sentence={
          <>
            {kindOf(kind).label}.{" "}
            <Button size="small" type="button" onClick={() => onKind(undefined)}>
              Another kind
            </Button>
          </>
        }
        actions={
          <>
            <CopyAs cli={() => command(...putCommand(side, name, shown))} value={{ name: name || "NAME", spec: shown }} kind={side === "endpoint" ? "Endpoint" : "Source"} />
            <Button type="button" onClick={onCancel}>
              Cancel
            </Button>
            <Button type="submit" appearance="primary" disabled={busy || !valid || name === ""}>
              {busy ? "Making…" : `Make the ${side}`}
            </Button>
          </>
        }
      />
      {problem && <ProblemBar problem={problem} title={taken ? `There is a ${side} of this name` : "It was not made"} />}
      <section className={styles.pane}>
        <Field label="Name" required hint="Letters, digits, “.”, “_” and “-”. It cannot be changed later." validationState={taken || problem?.field === "name" ? "error" : "none"} validationMessage={taken ? "Choose another name." : problem?.field === "name" ? problem.message : undefined}>
          <Input
            value={name}
            autoFocus
            onChange={(_, d) => {
              setName(d.value.trim());
              setProblem(undefined);
            }}
          />
        </Field>
      </section>
      <Validity value={report}>
        <SettingsForm
          side={side} spec={spec} problem={problem} stamp="new"
          onChange={(s) => {
            setSpec(s);
            setProblem(undefined);
          }}
        />
      </Validity>
    </form>
  );
}
