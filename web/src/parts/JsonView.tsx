import { Button, Tab, TabList } from "@fluentui/react-components";
import { useMemo, useState } from "react";
import { binarySize } from "~/api/size";
import { CopyButton } from "./CopyId";
import styles from "./JsonView.module.css";
import { visible } from "./visible";

const fold = 240; // characters of a string before it is folded
const page = 100; // members shown at a time
const most = 200_000; // characters of the raw text

/**
 * Any JSON value, inert: nothing in it is ever read as HTML or as a link. Long
 * strings and lists are folded; base64 and characters that do not print are
 * shown as what they are.
 */
export function JsonView({ value, open = 2, label = "Value" }: { value: unknown; open?: number; label?: string }) {
  const [view, setView] = useState<"tree" | "raw">("tree");
  return (
    <div className={styles.box}>
      <div className={styles.bar}>
        <TabList size="small" selectedValue={view} onTabSelect={(_, d) => setView(d.value as "tree" | "raw")} aria-label={label}>
          <Tab value="tree">Tree</Tab>
          <Tab value="raw">Raw</Tab>
        </TabList>
        <CopyButton text={() => JSON.stringify(value, undefined, 2)} label="Copy the JSON" />
      </div>
      <div className={styles.body} tabIndex={0} role="region" aria-label={label}>
        {view === "tree" ? <Node value={value} depth={0} open={open} /> : <Raw value={value} />}
      </div>
    </div>
  );
}

function Raw({ value }: { value: unknown }) {
  const text = useMemo(() => visible(JSON.stringify(value, undefined, 2) ?? "undefined"), [value]);
  return (
    <pre className={styles.raw}>
      {text.slice(0, most)}
      {text.length > most && `\n… ${(text.length - most).toLocaleString("en-US")} more characters; copy has them all`}
    </pre>
  );
}

function Node({ value, depth, open, name }: { value: unknown; depth: number; open: number; name?: string }) {
  const [wide, setWide] = useState(depth < open);
  const [shown, setShown] = useState(page);
  const key = name !== undefined && <span className={styles.key}>{visible(name)}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div className={styles.line}>
        {key}
        <Leaf value={value} name={name} />
      </div>
    );
  }
  const list = Array.isArray(value);
  const entries = list ? value.map((v, i) => [String(i), v] as const) : Object.entries(value);
  if (entries.length === 0) {
    return (
      <div className={styles.line}>
        {key}
        {list ? "[]" : "{}"}
      </div>
    );
  }
  const size = list ? `${entries.length} ${entries.length === 1 ? "item" : "items"}` : `${entries.length} ${entries.length === 1 ? "member" : "members"}`;
  return (
    <div>
      <button type="button" className={styles.toggle} aria-expanded={wide} onClick={() => setWide(!wide)}>
        <span aria-hidden className={styles.arrow}>
          {wide ? "▾" : "▸"}
        </span>
        {key}
        <span className={styles.size}>
          {list ? "[" : "{"} {size} {list ? "]" : "}"}
        </span>
      </button>
      {wide && (
        <div className={styles.inner}>
          {entries.slice(0, shown).map(([k, v]) => (
            <Node key={k} name={k} value={v} depth={depth + 1} open={open} />
          ))}
          {entries.length > shown && (
            <Button size="small" appearance="subtle" onClick={() => setShown(shown + 10 * page)}>
              {(entries.length - shown).toLocaleString("en-US")} more
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function Leaf({ value, name }: { value: unknown; name?: string }) {
  const [all, setAll] = useState(false);
  if (typeof value !== "string") return <span className={styles[typeof value] ?? styles.null}>{String(value)}</span>;
  const binary = name === "data_base64";
  const text = visible(value);
  return (
    <span className={styles.string}>
      {binary ? <span className={styles.size}>binary, {binarySize(value).toLocaleString("en-US")} bytes: </span> : "\""}
      {all || text.length <= fold ? text : text.slice(0, fold) + "…"}
      {!binary && "\""}
      {text.length > fold && (
        <button type="button" className={styles.more} onClick={() => setAll(!all)}>
          {all ? "fold" : `all ${text.length.toLocaleString("en-US")} characters`}
        </button>
      )}
    </span>
  );
}
