import { Button, Checkbox, Field, Input, Select, Textarea } from "@fluentui/react-components";
import { Add16Regular, Dismiss16Regular } from "@fluentui/react-icons";
import { useId, useState } from "react";
import styles from "./ConfigForm.module.css";
import { JsonEditor } from "./JsonEditor";
import { useWrong } from "./validity";
import { isObject } from "./isObject";

/** The part of JSON Schema that forms are made of; the rest is edited as JSON. */
export interface Schema {
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
  writeOnly?: boolean;
  examples?: unknown[];
  [other: string]: unknown;
}

export interface ConfigFormProps {
  schema: Schema | undefined;
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
  /** What is wrong, by the path of its member: { "tables.twins": "…" }. */
  problems?: Readonly<Record<string, string>>;
  disabled?: boolean;
}

/** What the server keeps instead of showing it. */
export const kept = "***";

/**
 * A form made from a JSON Schema: its titles, help texts and defaults. Members
 * that no field can show are edited as JSON, so nothing is lost. A secret is
 * never shown: leave it to keep it, write to replace it. Within a Validity it
 * tells whether a text is no JSON yet, and so in no value.
 */
export function ConfigForm({ schema, value, onChange, problems = {}, disabled }: ConfigFormProps) {
  const known = schema?.properties;
  if (!known || Object.keys(known).length === 0) {
    return schema?.additionalProperties === false ? <p className="quiet">There is nothing to configure.</p> : <AsJson label="Configuration" value={value} onChange={(v) => onChange((v ?? {}) as Record<string, unknown>)} problem={problems[""]} disabled={disabled} />;
  }
  return <Members schema={schema} value={value} onChange={onChange} problems={problems} path="" disabled={disabled} />;
}

interface Part<T> {
  schema: Schema;
  value: T;
  onChange: (v: T) => void;
  problems: Readonly<Record<string, string>>;
  path: string;
  disabled?: boolean;
}

function Members({ schema, value, onChange, problems, path, disabled }: Part<Record<string, unknown>>) {
  const known = schema.properties ?? {};
  const others = Object.keys(value).filter((k) => !(k in known));
  const set = (name: string) => (v: unknown) => {
    const next = { ...value };
    if (v === undefined) delete next[name];
    else next[name] = v;
    onChange(next);
  };
  return (
    <div className={styles.form}>
      {Object.entries(known).map(([name, s]) => (
        <Member key={name} name={name} required={schema.required?.includes(name) ?? false} schema={s} value={value[name]} onChange={set(name)} problems={problems} path={path ? path + "." + name : name} disabled={disabled} />
      ))}
      {others.map((name) => (
        <AsJson key={name} label={name} hint="Not part of what is known here; kept as it is." value={value[name]} onChange={set(name)} problem={problems[path ? path + "." + name : name]} disabled={disabled} />
      ))}
    </div>
  );
}

function Member({ name, required, schema: s, value, onChange, problems, path, disabled }: Part<unknown> & { name: string; required: boolean }) {
  const label = s.title ?? words(name);
  const problem = problems[path];
  const field = { label, required, hint: hint(s), validationMessage: problem, validationState: problem ? ("error" as const) : ("none" as const) };
  const types = typeof s.type === "string" ? [s.type] : (s.type ?? []);
  const preset = s.default === undefined ? undefined : typeof s.default === "string" ? s.default : JSON.stringify(s.default);

  if (s.enum && s.enum.every((x) => ["string", "number", "boolean"].includes(typeof x))) {
    const current = value === undefined ? "" : JSON.stringify(value);
    return (
      <Field {...field}>
        <Select value={current} disabled={disabled} onChange={(_, d) => onChange(d.value === "" ? undefined : (JSON.parse(d.value) as unknown))}>
          {(!required || value === undefined) && <option value="">{preset !== undefined ? `${preset} (default)` : "—"}</option>}
          {s.enum.map((x) => (
            <option key={String(x)} value={JSON.stringify(x)}>
              {String(x)}
            </option>
          ))}
          {value !== undefined && !s.enum.some((x) => x === value) && <option value={current}>{String(value)} (not allowed)</option>}
        </Select>
      </Field>
    );
  }
  if (types.includes("boolean")) {
    return (
      <Field hint={field.hint} validationMessage={field.validationMessage} validationState={field.validationState}>
        <Checkbox label={label} disabled={disabled} checked={typeof value === "boolean" ? value : s.default === true} onChange={(_, d) => onChange(d.checked === (s.default === true) && !required ? undefined : d.checked === true)} />
      </Field>
    );
  }
  if ((types.includes("integer") || types.includes("number")) && !isObject(value)) return <NumberField field={field} integer={types.includes("integer")} value={value} preset={preset} schema={s} onChange={onChange} disabled={disabled} />;
  if (types.includes("string") && (value === undefined || typeof value === "string")) {
    if (s.writeOnly || s.format === "password" || value === kept) return <Secret field={field} value={value} onChange={onChange} disabled={disabled} />;
    const input = { value: value ?? "", disabled, placeholder: preset ?? (s.examples?.[0] !== undefined ? String(s.examples[0]) : undefined) };
    const changed = (text: string) => onChange(text === "" ? undefined : text);
    return <Field {...field}>{value && (value.length > 80 || value.includes("\n")) ? <Textarea {...input} resize="vertical" onChange={(_, d) => changed(d.value)} /> : <Input {...input} onChange={(_, d) => changed(d.value)} />}</Field>;
  }
  if (types.includes("array") && s.items?.type === "string" && !s.items.enum && (value === undefined || (Array.isArray(value) && value.every((x) => typeof x === "string")))) {
    return <Lines field={field} value={value} onChange={onChange} disabled={disabled} />;
  }
  if (types.includes("object") && (value === undefined || isObject(value))) {
    if (s.properties) {
      return (
        <fieldset className={styles.group}>
          <legend>{label}</legend>
          {s.description && <p className={styles.hint}>{sentence(s.description)}</p>}
          {problem && <p className={styles.problem}>{problem}</p>}
          <Members schema={s} value={value ?? {}} onChange={(v) => onChange(Object.keys(v).length === 0 && !required ? undefined : v)} problems={problems} path={path} disabled={disabled} />
        </fieldset>
      );
    }
    const of = s.additionalProperties;
    if (isObject(of) && of.type === "string" && (value === undefined || Object.values(value).every((x) => typeof x === "string"))) {
      return <Pairs field={field} secret={!!s.writeOnly} value={value as Record<string, string> | undefined} onChange={onChange} disabled={disabled} />;
    }
  }
  return <AsJson label={label} required={required} hint={field.hint} preset={preset} value={value} onChange={onChange} problem={problem} disabled={disabled} />;
}

interface Look {
  label: string;
  required: boolean;
  hint?: string;
  validationMessage?: string;
  validationState: "error" | "none";
}

function NumberField({ field, integer, value, preset, schema, onChange, disabled }: { field: Look; integer: boolean; value: unknown; preset?: string; schema: Schema; onChange: (v: unknown) => void; disabled?: boolean }) {
  const [text, setText] = useState(value === undefined ? "" : String(value));
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    if (Number(text) !== value) setText(value === undefined ? "" : String(value));
  }
  const wrong = text.trim() !== "" && !(integer ? /^\s*-?\d+\s*$/.test(text) : Number.isFinite(Number(text)));
  return (
    <Field {...field} validationMessage={wrong ? `Write a ${integer ? "whole number" : "number"}.` : field.validationMessage} validationState={wrong ? "error" : field.validationState}>
      <Input
        value={text}
        inputMode={integer ? "numeric" : "decimal"}
        disabled={disabled}
        placeholder={preset ?? (schema.minimum !== undefined ? `at least ${schema.minimum}` : undefined)}
        onChange={(_, d) => {
          setText(d.value);
          const n = d.value.trim() === "" ? undefined : Number(d.value);
          // What is no number is sent as it is: the server refuses it at this field.
          const next = n === undefined ? undefined : Number.isFinite(n) ? n : d.value;
          setSeen(next);
          onChange(next);
        }}
      />
    </Field>
  );
}

function Secret({ field, value, onChange, disabled }: { field: Look; value: string | undefined; onChange: (v: unknown) => void; disabled?: boolean }) {
  const [initial] = useState(value); // what is stored, as far as it may be seen
  const stored = initial !== undefined && initial.includes(kept);
  const keeps = stored && value !== undefined && value.includes(kept);
  return (
    <Field {...field} hint={[field.hint, stored ? "A secret is stored. Leave this empty to keep it." : "Stored, and never shown again."].filter(Boolean).join(" ")}>
      <Input type="password" autoComplete="new-password" disabled={disabled} value={keeps ? "" : (value ?? "")} placeholder={stored ? (initial === kept ? "••••••••" : initial) : undefined} onChange={(_, d) => onChange(d.value !== "" ? d.value : stored ? kept : undefined)} />
    </Field>
  );
}

function Lines({ field, value, onChange, disabled }: { field: Look; value: string[] | undefined; onChange: (v: unknown) => void; disabled?: boolean }) {
  const [text, setText] = useState((value ?? []).join("\n"));
  return (
    <Field {...field} hint={[field.hint, "One a line."].filter(Boolean).join(" ")}>
      <Textarea
        value={text}
        rows={Math.min(8, Math.max(2, text.split("\n").length))}
        disabled={disabled}
        resize="vertical"
        onChange={(_, d) => {
          setText(d.value);
          const all = d.value.split("\n").map((l) => l.trim()).filter(Boolean);
          onChange(all.length === 0 ? undefined : all);
        }}
      />
    </Field>
  );
}

function Pairs({ field, value, onChange, disabled, secret }: { field: Look; value: Record<string, string> | undefined; onChange: (v: unknown) => void; disabled?: boolean; secret: boolean }) {
  const [rows, setRows] = useState<[string, string][]>(() => Object.entries(value ?? {}));
  const id = useId();
  const change = (next: [string, string][]) => {
    setRows(next);
    const given = next.filter(([k]) => k.trim() !== "");
    onChange(given.length === 0 ? undefined : Object.fromEntries(given));
  };
  return (
    <div role="group" aria-labelledby={id} className={styles.pairs}>
      <span id={id} className={styles.label}>
        {field.label}
        {field.required && <span className={styles.star}> *</span>}
      </span>
      {rows.map(([k, v], i) => (
        <div key={i} className={styles.pair}>
          <Input aria-label={`${field.label}, name ${i + 1}`} value={k} disabled={disabled} onChange={(_, d) => change(rows.map((r, j) => (j === i ? [d.value, r[1]] : r)))} />
          <Input
            aria-label={`${field.label}, value ${i + 1}`}
            type={secret ? "password" : "text"}
            placeholder={v === kept ? "stored; write to replace" : undefined}
            value={v === kept ? "" : v}
            disabled={disabled}
            onChange={(_, d) => change(rows.map((r, j) => (j === i ? [r[0], d.value] : r)))}
          />
          <Button icon={<Dismiss16Regular />} appearance="subtle" disabled={disabled} aria-label={`Remove ${k || "row " + (i + 1)}`} onClick={() => change(rows.filter((_, j) => j !== i))} />
        </div>
      ))}
      <div>
        <Button size="small" icon={<Add16Regular />} disabled={disabled} onClick={() => setRows([...rows, ["", ""]])}>
          Add
        </Button>
      </div>
      {field.validationMessage && <p className={styles.problem}>{field.validationMessage}</p>}
      {field.hint && <p className={styles.hint}>{field.hint}</p>}
    </div>
  );
}

function AsJson({ label, required, hint: help, preset, value, onChange, problem, disabled }: { label: string; required?: boolean; hint?: string; preset?: string; value: unknown; onChange: (v: unknown) => void; problem?: string; disabled?: boolean }) {
  const [text, setText] = useState(() => (value === undefined ? "" : JSON.stringify(value, undefined, 2)));
  const [wrong, setWrong] = useState<string>();
  useWrong(wrong !== undefined);
  return (
    <div role="group" aria-label={label} className={styles.pairs}>
      <span className={styles.label}>
        {label}
        {required && <span className={styles.star}> *</span>}
      </span>
      <JsonEditor
        value={text}
        label={label}
        readOnly={disabled}
        onChange={(t) => {
          setText(t);
          if (t.trim() === "") {
            setWrong(undefined);
            onChange(undefined);
            return;
          }
          try {
            onChange(JSON.parse(t));
            setWrong(undefined);
          } catch (e) {
            setWrong("This is not JSON yet: " + (e as Error).message);
          }
        }}
      />
      {(wrong ?? problem) && <p className={styles.problem}>{wrong ?? problem}</p>}
      <p className={styles.hint}>{[help, "JSON.", preset && `Without it: ${preset}`].filter(Boolean).join(" ")}</p>
    </div>
  );
}

/** recordRemovals → Record removals; connectionString → Connection string. */
export function words(name: string): string {
  const text = name.replace(/([a-z\d])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ").toLowerCase().replace(/\b(id|url|uri|ttl|ca)\b/g, (w) => w.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function sentence(text: string): string {
  const s = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(s) ? s : s + ".";
}

function hint(s: Schema): string | undefined {
  return s.description ? sentence(s.description) : undefined;
}
