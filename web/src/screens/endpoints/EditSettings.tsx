import { Button } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asProblem, type Problem } from "~/api/problem";
import { endpointQuery, schemaQuery, sourceQuery, specOf, type Endpoint, type Side, type Source, type Tagged } from "~/api/resources";
import { Conflict } from "~/parts/Conflict";
import { CopyAs } from "~/parts/CopyAs";
import { DiffView } from "~/parts/DiffView";
import { formSchema, hideSecrets, settingsName } from "~/parts/jsonSchema";
import { ProblemBar } from "~/parts/ProblemBar";
import { command } from "~/parts/shell";
import { putCommand } from "./putCommand";
import { SettingsForm } from "./SettingsForm";
import { useResourceActions } from "./useResourceActions";

/** The settings of what is there: changed, seen as a difference, saved, undone. */
export function EditSettings({ side, tagged }: { side: Side; tagged: Tagged<Endpoint | Source> }) {
  const queries = useQueryClient();
  const { save: put } = useResourceActions(side);
  const { name } = tagged.resource;
  const [base, setBase] = useState(() => ({ spec: specOf(side, tagged.resource), etag: tagged.etag }));
  const [draft, setDraft] = useState(base.spec);
  const [problem, setProblem] = useState<Problem>();
  const [theirs, setTheirs] = useState<typeof base>();
  const [busy, setBusy] = useState(false);
  const dirty = JSON.stringify(draft) !== JSON.stringify(base.spec);
  // What is stored may change while nothing is edited: then it is shown.
  if (!dirty && !busy && tagged.etag !== base.etag && !theirs) {
    const next = { spec: specOf(side, tagged.resource), etag: tagged.etag };
    setBase(next);
    setDraft(next.spec);
  }
  const { data: schema } = useQuery(schemaQuery);
  const shown = { ...draft, settings: hideSecrets(schema && formSchema(schema.$defs, settingsName(side, draft.kind)), draft.settings) };
  const save = async (ifMatch: string | undefined) => {
    setBusy(true);
    setProblem(undefined);
    try {
      const now = await put(name, base.spec, draft, ifMatch);
      const kept = { spec: specOf(side, now.resource), etag: now.etag };
      setBase(kept);
      setDraft(kept.spec);
      setTheirs(undefined);
    } catch (error) {
      const p = asProblem(error);
      if (p.conflict) {
        const now = side === "endpoint" ? await queries.fetchQuery({ ...endpointQuery(name), staleTime: 0 }) : await queries.fetchQuery({ ...sourceQuery(name), staleTime: 0 });
        setTheirs({ spec: specOf(side, now.resource), etag: now.etag });
      } else setProblem(p);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="stack">
      {theirs && (
        <Conflict
          theirs={theirs.spec}
          mine={shown}
          onKeepMine={() => void save(theirs.etag)}
          onTakeTheirs={() => {
            setBase(theirs);
            setDraft(theirs.spec);
            setTheirs(undefined);
          }}
        />
      )}
      {problem && <ProblemBar problem={problem} title="It was not saved" />}
      <SettingsForm
        side={side} spec={draft} problem={problem} stamp={base.etag ?? ""}
        onChange={(spec) => {
          setDraft(spec);
          setProblem(undefined);
        }}
      />
      {dirty && !theirs && (
        <section className="card stack" aria-labelledby="will-change">
          <h2 id="will-change">What will change</h2>
          <DiffView before={base.spec} after={shown} labels={["Now", "Then"]} />
        </section>
      )}
      <div className="row">
        <Button appearance="primary" disabled={!dirty || busy || theirs !== undefined} onClick={() => void save(base.etag)}>
          {busy ? "Saving…" : "Save the settings"}
        </Button>
        <Button
          disabled={!dirty || busy}
          onClick={() => {
            setDraft(base.spec);
            setProblem(undefined);
            setBase({ ...base });
          }}
        >
          Discard
        </Button>
        <CopyAs cli={() => command(...putCommand(side, name, shown))} value={{ name, spec: shown }} kind={side === "endpoint" ? "Endpoint" : "Source"} />
      </div>
    </div>
  );
}
