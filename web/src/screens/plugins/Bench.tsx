import { Button, Field, Select } from "@fluentui/react-components";
import { ArrowSync16Regular } from "@fluentui/react-icons";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { glanceOf } from "~/api/glance";
import { kindOf } from "~/api/kind";
import type { Schemas } from "~/api/queries";
import { useLatestEvents } from "~/api/useLatestEvents";
import { emptyDraft, testRoute, type RouteDraft } from "~/api/routes";
import { ConfigForm, type Schema } from "~/parts/ConfigForm";
import { EventFate } from "~/parts/EventFate";
import { CopyAs } from "~/parts/CopyAs";
import { count } from "~/parts/figures";
import { JsonEditor } from "~/parts/JsonEditor";
import { ProblemBar } from "~/parts/ProblemBar";
import { sampleEvents } from "~/parts/sampleEvents";
import { command } from "~/parts/shell";
import { Skeleton } from "~/parts/Skeleton";
import { useDebounced } from "~/parts/useDebounced";
import { useValidity, Validity } from "~/parts/validity";
import { visible } from "~/parts/visible";
import { routeProblems } from "~/screens/routes/problems";
import type { Plugin, Use } from "./data";
import styles from "./PluginPage.module.css";
import type { PluginSearch } from "./route";
import { isObject } from "~/parts/isObject";

type CloudEvent = Schemas["CloudEvent"];
type Kind = "filter" | "transform";

/** One plugin, one event: what it makes of it, what that costs, and what it says. */
export function Bench({ plugin, search, onSearch, uses }: { plugin: Plugin; search: PluginSearch; onSearch: (s: PluginSearch) => void; uses: readonly Use[] }) {
  const navigate = useNavigate();
  const { list, picking, gone } = useLatestEvents(search.event);
  const version = plugin.versions.find((v) => v.version === (search.version ?? plugin.active)) ?? plugin.versions.at(-1)!;
  const [wanted, setWanted] = useState<Kind>();
  const kind: Kind = wanted && version.kinds.includes(wanted) ? wanted : ((version.kinds[0] as Kind | undefined) ?? "filter");
  const [config, setConfig] = useState<Record<string, unknown>>(() => (isObject(uses[0]?.config) ? uses[0].config : {}));
  const [written, setWritten] = useState<string>();
  const [runs, setRuns] = useState(0);
  const { valid, report } = useValidity();

  const choices = useMemo(() => [...(list ?? []).map((e) => ({ id: e.id, event: e.event, label: `${labelOf(e.event)}` })), ...sampleEvents.map((s) => ({ id: s.event.id, event: s.event, label: `Sample: ${s.label}` }))], [list]);
  const picked = choices.find((c) => c.id === search.event) ?? (picking ? undefined : choices[0]);
  const text = written ?? (picked ? JSON.stringify(picked.event, undefined, 2) : "");
  const event = useMemo(() => parsed(text), [text]);

  const ref = { plugin: `${plugin.name}@${version.version}`, config };
  const draft: RouteDraft = { ...emptyDraft, filters: kind === "filter" ? [ref] : [], transforms: kind === "transform" ? [ref] : [] };
  const ready = event.value !== undefined;
  const rested = useDebounced(useMemo(() => (ready ? JSON.stringify([draft, event.value, runs]) : undefined), [draft, event.value, ready, runs]), 300);
  const test = useQuery({
    queryKey: ["routes:test", "bench", rested],
    queryFn: async ({ signal }) => {
      const [d, e] = JSON.parse(rested!) as [RouteDraft, CloudEvent];
      return { event: e, result: (await testRoute(d, [e], signal))[0]! };
    },
    enabled: ready && rested !== undefined,
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 60_000,
  });
  const problems = configProblems(routeProblems(test.error), kind);
  const schema = version.configSchema as Schema | undefined;
  const r = test.data?.result;
  return (
    <div className={styles.bench}>
      <section className={styles.pane} aria-labelledby="bench-event">
        <h2 id="bench-event">Event</h2>
        <Select
          aria-label="Pick an event"
          value={written !== undefined ? "" : (picked?.id ?? "")}
          onChange={(_, d) => {
            setWritten(undefined);
            onSearch({ event: d.value || undefined });
          }}
        >
          {written !== undefined && <option value="">As written below</option>}
          {choices.map((c) => (
            <option key={c.id} value={c.id}>
              {c.label}
            </option>
          ))}
        </Select>
        <JsonEditor label="The event" value={text} onChange={(t) => t !== text && setWritten(t)} />
        {event.problem && <p className={styles.problem}>{event.problem}</p>}
        <p className="quiet">{gone ? <>Event <span className="mono">{search.event}</span> is no longer kept. </> : ""}Pick one of the latest events, or paste any CloudEvent.</p>
      </section>
      <section className={styles.pane} aria-labelledby="bench-plugin">
        <h2 id="bench-plugin">Plugin</h2>
        <Field label="Version">
          <Select value={String(version.version)} onChange={(_, d) => onSearch({ version: Number(d.value) === plugin.active ? undefined : Number(d.value) })}>
            {plugin.versions.toReversed().map((v) => (
              <option key={v.version} value={String(v.version)}>
                {v.version}
                {v.version === plugin.active ? " (active)" : ""}
              </option>
            ))}
          </Select>
        </Field>
        {version.kinds.length > 1 && (
          <Field label="As">
            <Select value={kind} onChange={(_, d) => setWanted(d.value as Kind)}>
              {version.kinds.map((k) => (
                <option key={k}>{k}</option>
              ))}
            </Select>
          </Field>
        )}
        <Validity value={report}>
          <ConfigForm key={version.version} schema={schema} value={config} onChange={setConfig} problems={problems} />
        </Validity>
        <div className="row">
          <Button appearance="primary" icon={<ArrowSync16Regular />} disabled={!ready || !valid} onClick={() => setRuns(runs + 1)}>
            Run
          </Button>
          <Button onClick={() => void navigate({ to: "/new-route", search: { plugin: plugin.name } })} disabled={!version.kinds.includes("transform")}>
            Make a route with it
          </Button>
          <CopyAs
            size="small"
            cli={() => command("headgate", "routes", "test", kind === "filter" ? "--filter-plugin" : "--transform", `${ref.plugin}=${JSON.stringify(config)}`, "--events", "-") + ` <<'EOF'\n${JSON.stringify(event.value ?? {})}\nEOF`}
            value={{ [kind + "s"]: [ref] }}
          />
        </div>
      </section>
      <section className={styles.pane + (test.isFetching ? " " + styles.stale : "")} aria-labelledby="bench-output" aria-busy={test.isFetching}>
        <h2 id="bench-output">What comes of it</h2>
        {test.isError && <ProblemBar problem={test.error} title="It cannot be tried so" />}
        {r === undefined && !test.isError && (ready ? <Skeleton lines={5} height={160} /> : <p className="quiet">There is no event to try it on yet.</p>)}
        {r && test.data && !test.isError && (
          <>
            <p className={styles.fuel}>
              <span>
                Fuel <strong className="nums">{count(r.fuel)}</strong>
              </span>
            </p>
            <EventFate tried={{ event: { id: String(test.data.event.id), acceptedAt: "", event: test.data.event }, result: r }} filter="true" />
            {(!r.logs || r.logs.length === 0) && <p className="quiet">It logged nothing.</p>}
          </>
        )}
      </section>
    </div>
  );
}

function labelOf(e: CloudEvent): string {
  const kind = kindOf(e.type);
  return visible(`${e.subject || e.source} · ${glanceOf(kind, e) || e.type}`).slice(0, 90);
}

/** The text as one event, or why it is none. */
function parsed(text: string): { value?: CloudEvent; problem?: string } {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value)) return { problem: "Write one CloudEvent: an object with id, source and type." };
    return { value: value as CloudEvent };
  } catch (e) {
    return { problem: "This is not JSON yet: " + (e as Error).message };
  }
}

function configProblems(problems: Record<string, string>, kind: Kind): Record<string, string> {
  const path = `${kind}s[0].config`;
  return Object.fromEntries(Object.entries(problems).filter(([k]) => k === path || k.startsWith(path + ".")).map(([k, v]) => [k.slice(path.length + 1), v]));
}
