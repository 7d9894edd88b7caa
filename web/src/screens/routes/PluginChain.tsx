import { Button, Select, Tooltip } from "@fluentui/react-components";
import { ArrowDown16Regular, ArrowUp16Regular, ChevronDown16Regular, ChevronRight16Regular, Dismiss16Regular } from "@fluentui/react-icons";
import { Suspense, useRef, useState } from "react";
import type { Schemas } from "~/api/queries";
import type { PluginRef } from "~/api/routes";
import type { Schema } from "~/parts/ConfigForm";
import { JsonEditor } from "~/parts/JsonEditor";
import { lazy } from "~/parts/lazy";
import { Picker } from "~/parts/Picker";
import { refParts, versionOf } from "~/parts/pluginRef";
import { ResourceLink } from "~/parts/ResourceLink";
import { useValidity, useWrong, Validity } from "~/parts/validity";
import styles from "./Edit.module.css";
import { isObject } from "~/parts/isObject";

const ConfigForm = lazy(() => import("~/parts/ConfigForm"), "ConfigForm");

type Plugin = Schemas["Plugin"];
export type PluginKind = "filter" | "transform";

/** The plugins that have a version of the kind. */
function able(plugins: readonly Plugin[], kind: PluginKind): Plugin[] {
  return plugins.filter((p) => p.versions.some((v) => v.kinds.includes(kind)));
}

/** The plugins of one kind that an event goes through, in their order, each with its configuration. */
export function PluginChain({ kind, refs, plugins, onChange, problems }: { kind: PluginKind; refs: readonly PluginRef[]; plugins: readonly Plugin[]; onChange: (refs: PluginRef[]) => void; problems: Readonly<Record<string, string>> }) {
  // A key a step, which moves with it, so that what is being typed stays where it is.
  const keys = useRef<number[]>([]);
  const next = useRef(1);
  if (keys.current.length !== refs.length) keys.current = refs.map(() => next.current++);
  const [opened, setOpened] = useState<number>();
  const list = useRef<HTMLOListElement>(null);

  const move = (from: number, to: number) => {
    const r = [...refs];
    const k = [...keys.current];
    r.splice(to, 0, ...r.splice(from, 1));
    k.splice(to, 0, ...k.splice(from, 1));
    keys.current = k;
    onChange(r);
  };
  const add = (name: string) => {
    const key = next.current++;
    keys.current = [...keys.current, key];
    setOpened(key);
    onChange([...refs, { plugin: name, config: {} }]);
  };
  const remove = (i: number) => {
    keys.current = keys.current.filter((_, j) => j !== i);
    const section = list.current?.closest("section"); // the list goes with its last step
    onChange(refs.filter((_, j) => j !== i));
    // The keyboard goes on where it was, not at the top of the page.
    requestAnimationFrame(() => section?.querySelector<HTMLElement>("input[role=combobox]")?.focus());
  };
  const what = kind === "filter" ? "filter plugin" : "transform";
  return (
    <>
      {refs.length > 0 && (
        <ol className={styles.chain} ref={list} aria-label={kind === "filter" ? "Filter plugins" : "Transforms"}>
          {refs.map((r, i) => (
            <Step
              key={keys.current[i]}
              index={i}
              last={i === refs.length - 1}
              kind={kind}
              reference={r}
              plugin={plugins.find((p) => p.name === refParts(r.plugin).name)}
              openAtFirst={keys.current[i] === opened}
              problems={stepProblems(problems, `${kind}s[${i}]`)}
              onChange={(n) => onChange(refs.map((x, j) => (j === i ? n : x)))}
              onMove={(by) => move(i, i + by)}
              onRemove={() => remove(i)}
            />
          ))}
        </ol>
      )}
      <Picker
        bare
        label={`Add a ${what}`}
        placeholder={`Add a ${what}…`}
        value=""
        onChange={add}
        choices={able(plugins, kind).map((p) => ({ value: p.name, detail: <span className="quiet nums">version {p.active}</span> }))}
      />
    </>
  );
}

/** Problems below a path, by what is left of their paths. */
function stepProblems(problems: Readonly<Record<string, string>>, path: string): Record<string, string> {
  return Object.fromEntries(Object.entries(problems).filter(([k]) => k === path || k.startsWith(path + ".")).map(([k, v]) => [k.slice(path.length + 1), v]));
}

function Step({ index: i, last, kind, reference: r, plugin, onChange, onMove, onRemove, problems, openAtFirst }: { index: number; last: boolean; kind: PluginKind; reference: PluginRef; plugin: Plugin | undefined; onChange: (r: PluginRef) => void; onMove: (by: -1 | 1) => void; onRemove: () => void; problems: Record<string, string>; openAtFirst: boolean }) {
  const { name, pin } = refParts(r.plugin);
  const version = versionOf(plugin, pin);
  const schema = version?.configSchema as Schema | undefined;
  const faulty = Object.keys(problems).length > 0;
  const [open, setOpen] = useState(openAtFirst || JSON.stringify(r.config ?? {}) !== "{}");
  const config = r.config ?? {};
  const form: Record<string, string> = {};
  for (const [path, text] of Object.entries(problems)) if (path.startsWith("config")) form[path.slice("config.".length)] = text;
  const other = problems.plugin ?? problems[""] ?? (!plugin ? `There is no plugin ${name}: upload it, or take it out.` : !version ? `${name} has no version ${pin}.` : !version.kinds.includes(kind) ? `Version ${version.version} is no ${kind}.` : undefined);
  // A text that is in no value yet would be lost with its field.
  const { valid, report } = useValidity();
  useWrong(!valid);
  const shown = open || faulty || !valid;
  return (
    <li className={styles.step + (faulty || other ? " " + styles.faulty : "")}>
      <div className={styles.stepHead}>
        <button type="button" className={styles.fold} aria-expanded={shown} aria-label={`Configuration of ${name}`} onClick={() => setOpen(!open)}>
          {shown ? <ChevronDown16Regular /> : <ChevronRight16Regular />}
        </button>
        <span className={styles.stepName}>
          <ResourceLink kind="plugin" name={name} strong />
        </span>
        <Select size="small" className={styles.version} aria-label={`Version of ${name}`} value={pin ?? ""} onChange={(_, d) => onChange({ ...r, plugin: d.value === "" ? name : name + "@" + d.value })}>
          <option value="">active{plugin ? ` (${plugin.active})` : ""}</option>
          {plugin?.versions.toReversed().map((v) => (
            <option key={v.version} value={String(v.version)} disabled={!v.kinds.includes(kind)}>
              @{v.version}
            </option>
          ))}
          {pin !== undefined && !plugin?.versions.some((v) => String(v.version) === pin) && <option value={pin}>{pin.startsWith("sha256:") ? pin.slice(0, 15) + "…" : pin}</option>}
        </Select>
        <span className={styles.moves}>
          <Tooltip content="Earlier" relationship="label">
            <Button size="small" appearance="subtle" icon={<ArrowUp16Regular />} disabled={i === 0} onClick={() => onMove(-1)} aria-label={`Move ${name} up`} />
          </Tooltip>
          <Tooltip content="Later" relationship="label">
            <Button size="small" appearance="subtle" icon={<ArrowDown16Regular />} disabled={last} onClick={() => onMove(1)} aria-label={`Move ${name} down`} />
          </Tooltip>
          <Tooltip content="Take it out" relationship="label">
            <Button size="small" appearance="subtle" icon={<Dismiss16Regular />} onClick={onRemove} aria-label={`Take ${name} out`} />
          </Tooltip>
        </span>
      </div>
      {other && <p className={styles.problem}>{other}</p>}
      {shown && (
        <div className={styles.config}>
          <Validity value={report}>
            {isObject(config) ? (
              <Suspense>
                <ConfigForm schema={schema} value={config} onChange={(c) => onChange({ ...r, config: c })} problems={form} />
              </Suspense>
            ) : (
              <AnyConfig name={name} value={config} onChange={(c) => onChange({ ...r, config: c })} problem={form[""]} />
            )}
          </Validity>
        </div>
      )}
    </li>
  );
}

/** A configuration that is no object: no form can show it. */
function AnyConfig({ name, value, onChange, problem }: { name: string; value: unknown; onChange: (v: unknown) => void; problem?: string }) {
  const [text, setText] = useState(() => JSON.stringify(value, undefined, 2));
  const [wrong, setWrong] = useState<string>();
  useWrong(wrong !== undefined);
  return (
    <>
      <JsonEditor
        label={`Configuration of ${name}`}
        value={text}
        onChange={(t) => {
          setText(t);
          try {
            onChange(JSON.parse(t));
            setWrong(undefined);
          } catch (e) {
            setWrong("This is not JSON yet: " + (e as Error).message);
          }
        }}
      />
      {(wrong ?? problem) && <p className={styles.problem}>{wrong ?? problem}</p>}
    </>
  );
}
