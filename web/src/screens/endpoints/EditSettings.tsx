import { Button } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { endpointQuery, schemaQuery, sourceQuery, specOf, type Endpoint, type ResourceSpec, type Side, type Source, type Tagged } from "~/api/resources";
import { Conflict } from "~/parts/Conflict";
import { CopyAs } from "~/parts/CopyAs";
import { DiffView } from "~/parts/DiffView";
import { formSchema, hideSecrets, settingsName } from "~/parts/jsonSchema";
import { LeaveQuestion } from "~/parts/LeaveQuestion";
import { ProblemBar } from "~/parts/ProblemBar";
import { command } from "~/parts/shell";
import { useDraft } from "~/parts/useDraft";
import { useGuardedSave, type Stored } from "~/parts/useGuardedSave";
import { Validity } from "~/parts/validity";
import { putCommand } from "./putCommand";
import { SettingsForm } from "./SettingsForm";
import { useResourceActions } from "./useResourceActions";

const stored = (side: Side, { resource, etag }: Tagged<Endpoint | Source>): Stored<ResourceSpec> => ({ value: specOf(side, resource), etag });

/** The settings of what is there: changed, seen as a difference, saved, undone. */
export function EditSettings({ side, tagged }: { side: Side; tagged: Tagged<Endpoint | Source> }) {
  const queries = useQueryClient();
  const { save: put } = useResourceActions(side);
  const { name } = tagged.resource;
  const { base, draft, dirty, valid, report, round, change, restart } = useDraft(stored(side, tagged));
  const { busy, problem, theirs, save, edited, clear } = useGuardedSave<ResourceSpec>({
    put: async (over) => restart(stored(side, await put(name, over.value, draft, over.etag))),
    read: async () => stored(side, side === "endpoint" ? await queries.fetchQuery({ ...endpointQuery(name), staleTime: 0 }) : await queries.fetchQuery({ ...sourceQuery(name), staleTime: 0 })),
  });
  const begin = (from: Stored<ResourceSpec>) => {
    restart(from);
    clear();
  };
  const { data: schema } = useQuery(schemaQuery);
  const shown = { ...draft, settings: hideSecrets(schema && formSchema(schema.$defs, settingsName(side, draft.kind)), draft.settings) };
  return (
    <div className="stack">
      <LeaveQuestion dirty={dirty} />
      {theirs && <Conflict theirs={theirs.value} mine={shown} onKeepMine={valid && !busy ? () => void save(theirs) : undefined} onTakeTheirs={() => begin(theirs)} />}
      {problem && <ProblemBar problem={problem} title={problem.status === 404 ? undefined : "It was not saved"} />}
      <Validity value={report}>
        <SettingsForm
          side={side} spec={draft} problem={problem} stamp={String(round)}
          onChange={(spec) => {
            change(() => spec);
            edited();
          }}
        />
      </Validity>
      {dirty && !theirs && (
        <section className="card stack" aria-labelledby="will-change">
          <h2 id="will-change">What will change</h2>
          <DiffView before={base.value} after={shown} labels={["Now", "Then"]} />
        </section>
      )}
      <div className="row">
        <Button appearance="primary" disabled={!dirty || !valid || busy || theirs !== undefined} onClick={() => void save(base)}>
          {busy ? "Saving…" : "Save the settings"}
        </Button>
        <Button disabled={!dirty || busy} onClick={() => begin(base)}>
          Discard
        </Button>
        <CopyAs cli={() => command(...putCommand(side, name, shown))} value={{ name, spec: shown }} kind={side === "endpoint" ? "Endpoint" : "Source"} />
      </div>
    </div>
  );
}
