import { Button, Checkbox } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { api } from "~/api/client";
import { asProblem } from "~/api/problem";
import type { Schemas } from "~/api/queries";
import { ConfigForm } from "~/parts/ConfigForm";
import { Conflict } from "~/parts/Conflict";
import { CopyAs } from "~/parts/CopyAs";
import { DiffView } from "~/parts/DiffView";
import { LeaveQuestion } from "~/parts/LeaveQuestion";
import { ProblemBar } from "~/parts/ProblemBar";
import { useToasts } from "~/parts/Toasts";
import { useDraft } from "~/parts/useDraft";
import { useGuardedSave, type Stored } from "~/parts/useGuardedSave";
import { Validity } from "~/parts/validity";
import { pluginQuery, type Plugin } from "./data";
import styles from "./PluginPage.module.css";
import { setCommand } from "./setCommand";
import { breakerSchema, limitsSchema } from "./settingsSchema";

type PluginSettings = Schemas["PluginSettings"];

function settingsOf(p: Plugin): PluginSettings {
  return { ...(p.limits && { limits: p.limits }), ...(p.grants && { grants: p.grants }), ...(p.breaker && { breaker: p.breaker }) };
}

/** What an operator decides of a plugin: what it may use, what it is given, and when it is left alone. */
export function Settings({ plugin, etag }: { plugin: Plugin; etag: string | undefined }) {
  const queries = useQueryClient();
  const { notify } = useToasts();
  const { name } = plugin;
  const { base, draft, dirty, valid, report, round, change, restart } = useDraft<PluginSettings>({ value: settingsOf(plugin), etag });
  const put = async (settings: PluginSettings, ifMatch: string | undefined): Promise<Stored<PluginSettings>> => {
    const { data, etag: now } = await api.put("/plugins/{name}", { path: { name }, body: settings, ifMatch });
    queries.setQueryData(pluginQuery(name).queryKey, { plugin: data, etag: now });
    return { value: settingsOf(data), etag: now };
  };
  const { busy, problem, theirs, save, edited, clear } = useGuardedSave<PluginSettings>({
    put: async (over) => {
      const now = await put(draft, over.etag);
      restart(now);
      notify({
        title: `The settings of ${name} are saved`,
        body: "Every event from now on is under them.",
        undo: () => void put(over.value, now.etag).then(() => notify({ title: `The settings of ${name} are as they were` }), (e: unknown) => notify({ title: "It could not be undone", body: asProblem(e).message, intent: "error" })),
      });
    },
    read: async () => {
      const now = await queries.fetchQuery({ ...pluginQuery(name), staleTime: 0 });
      return { value: settingsOf(now.plugin), etag: now.etag };
    },
  });
  const begin = (from: Stored<PluginSettings>) => {
    restart(from);
    clear();
  };
  const part = (of: keyof PluginSettings, v: unknown) => {
    change((before) => {
      const next: Record<string, unknown> = { ...before };
      if (v === undefined || (typeof v === "object" && v !== null && Object.keys(v).length === 0)) delete next[of];
      else next[of] = v;
      return next as PluginSettings;
    });
    edited();
  };
  const problems = (prefix: string) => (problem?.field?.startsWith(prefix) ? { [problem.field.slice(prefix.length + 1) || (/\blimit (\w+):/.exec(problem.message)?.[1] ?? "")]: problem.message } : {});
  const grants = draft.grants ?? [];
  const grant = (name: "clock" | "random", on: boolean) => part("grants", on ? [...new Set([...grants, name])].sort() : grants.filter((g) => g !== name));
  return (
    <div className="stack">
      <LeaveQuestion dirty={dirty} />
      {theirs && <Conflict theirs={theirs.value} mine={draft} onKeepMine={valid && !busy ? () => void save(theirs) : undefined} onTakeTheirs={() => begin(theirs)} />}
      {problem && <ProblemBar problem={problem} />}
      <Validity value={report}>
        <div className={styles.settings}>
          <section className={styles.pane} aria-labelledby="breaker">
            <h2 id="breaker">When it keeps failing</h2>
            <ConfigForm key={"b" + round} schema={breakerSchema} value={(draft.breaker ?? {}) as Record<string, unknown>} onChange={(v) => part("breaker", v)} problems={problems("breaker")} />
          </section>
          <section className={styles.pane} aria-labelledby="grants">
            <h2 id="grants">What it is given</h2>
            <p className="quiet">Only where its module asks for it. Without, it sees a clock that stands still during an event, and random numbers that can be foreseen, so that a second run makes the same.</p>
            <Checkbox label="The real time" checked={grants.includes("clock")} onChange={(_, d) => grant("clock", d.checked === true)} />
            <Checkbox label="Random numbers that nobody can foresee" checked={grants.includes("random")} onChange={(_, d) => grant("random", d.checked === true)} />
          </section>
          <section className={styles.pane + " " + styles.limits} aria-labelledby="limits">
            <h2 id="limits">What it may use</h2>
            <p className="quiet">Empty: what the gateway gives to every plugin.</p>
            <ConfigForm key={"l" + round} schema={limitsSchema} value={(draft.limits ?? {}) as Record<string, unknown>} onChange={(v) => part("limits", v)} problems={problems("limits")} />
          </section>
        </div>
      </Validity>
      {dirty && !theirs && (
        <section className="card stack" aria-labelledby="will-change">
          <h2 id="will-change">What will change</h2>
          <DiffView before={base.value} after={draft} labels={["Now", "Then"]} />
        </section>
      )}
      <div className="row">
        <Button appearance="primary" disabled={!dirty || !valid || busy || theirs !== undefined} onClick={() => void save(base)}>
          {busy ? "Saving…" : "Save the settings"}
        </Button>
        <Button disabled={!dirty || busy} onClick={() => begin(base)}>
          Discard
        </Button>
        <CopyAs cli={() => setCommand(name, base.value, draft)} value={draft} />
      </div>
    </div>
  );
}
