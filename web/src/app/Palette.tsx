import { Dialog, DialogSurface } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { endpointsQuery, pluginsQuery, routesQuery, sourcesQuery } from "~/api/queries";
import { useCommands } from "./commands";
import { places } from "./nav";
import styles from "./Palette.module.css";
import { keyWords, useShortcuts } from "./shortcuts";
import { themeWords, useTheme, type ThemeChoice } from "./theme";

interface Entry {
  id: string;
  label: string;
  group: string;
  keys?: string;
  run: () => void;
}

const shown = 40;

/** ⌘K: go to anything, do anything. */
export default function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(-1); // nothing: what Enter does is first asked for, by a letter or an arrow
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const entries = useEntries(text);
  const found = useMemo(() => rank(entries, text).slice(0, shown), [entries, text]);
  const current = Math.min(at, found.length - 1);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [current, text]);
  const run = (e: Entry | undefined) => {
    if (!e) return;
    onClose();
    e.run();
  };
  const pressed = (e: KeyboardEvent) => {
    if (e.key === "ArrowDown") setAt((current + 1) % Math.max(1, found.length));
    else if (e.key === "ArrowUp") setAt(current > 0 ? current - 1 : found.length - 1);
    else if (e.key === "Enter") run(found[current]);
    else return;
    e.preventDefault();
  };
  return (
    <Dialog open onOpenChange={(_, d) => !d.open && onClose()}>
      <DialogSurface className={styles.surface} aria-label="Find or do anything">
        <input
          className={styles.input}
          role="combobox"
          aria-label="Find or do anything"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={found[current] && id + current}
          placeholder="A name, an event's id, a page, something to do…"
          value={text}
          onChange={(e) => (setText(e.target.value), setAt(e.target.value.trim() === "" ? -1 : 0))}
          onKeyDown={pressed}
          autoFocus
        />
        <div className={styles.list} id={id} role="listbox" aria-label="Found" ref={list}>
          {found.map((e, i) => (
            <div key={e.id} id={id + i} role="option" aria-selected={i === current} className={styles.option} onMouseMove={() => setAt(i)} onClick={() => run(e)}>
              <span className="cut">{e.label}</span>
              <span className={styles.group}>{e.keys ? keyWords(e.keys).map((k) => <kbd key={k}>{k}</kbd>) : e.group}</span>
            </div>
          ))}
        </div>
        {found.length === 0 && <p className={styles.none}>Nothing is called “{text}”.</p>}
      </DialogSurface>
    </Dialog>
  );
}

function useEntries(text: string): Entry[] {
  const navigate = useNavigate();
  const shortcuts = useShortcuts();
  const { choose } = useTheme();
  const commands = useCommands();
  const routes = useQuery(routesQuery).data;
  const plugins = useQuery(pluginsQuery).data;
  const endpoints = useQuery(endpointsQuery).data;
  const sources = useQuery(sourcesQuery).data;
  const name = text.trim();
  return useMemo(() => {
    const go = (to: string, params?: Record<string, string>, search?: Record<string, string>) => () => void navigate({ to, params, search } as never);
    const out: Entry[] = [
      ...commands.map((c) => ({ id: "c" + c.label, label: c.label, group: "Do", run: c.run })),
      ...places.map((p) => ({ id: p.to, label: p.label, group: "Go to", keys: p.keys, run: go(p.to) })),
      ...shortcuts.filter((s) => s.group !== "Go to" && s.keys !== "mod+k" && s.keys !== "/" && !/^[jk]$/.test(s.keys)).map((s) => ({ id: "k" + s.keys + s.label, label: s.label, group: s.group, keys: s.keys, run: s.run })),
      ...(Object.keys(themeWords) as ThemeChoice[]).map((c) => ({ id: "theme" + c, label: "Theme: " + themeWords[c].toLowerCase(), group: "Do", run: () => choose(c) })),
    ];
    if (name !== "") {
      for (const r of routes ?? []) out.push({ id: "r" + r.id, label: r.id, group: "Route", run: go("/routes/$id", { id: r.id }) });
      for (const p of plugins ?? []) out.push({ id: "p" + p.name, label: p.name, group: "Plugin", run: go("/plugins/$name", { name: p.name }) });
      for (const e of endpoints ?? []) out.push({ id: "e" + e.name, label: e.name, group: "Endpoint", run: go("/endpoints/$name", { name: e.name }) });
      for (const s of sources ?? []) out.push({ id: "s" + s.name, label: s.name, group: "Source", run: go("/sources/$name", { name: s.name }) });
      if (/^\d+-\d+$/.test(name)) out.push({ id: "event", label: name, group: "Event", run: go("/events/$id", { id: name }) });
      out.push({ id: "twin", label: `Look for the twin ${name}`, group: "Twin", run: go("/twins", undefined, { key: name }) });
    }
    return out;
  }, [shortcuts, commands, routes, plugins, endpoints, sources, choose, navigate, name]);
}

/** Those that hold every word of text, those that start with it first. */
function rank(entries: Entry[], text: string): Entry[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const whole = words.join(" ");
  const score = (e: Entry) => {
    const label = e.label.toLowerCase();
    return label === whole ? 0 : label.startsWith(whole) ? 1 : label.includes(whole) ? 2 : 3;
  };
  return entries
    .filter((e) => words.every((w) => (e.label + " " + e.group).toLowerCase().includes(w)))
    .map((e, i) => ({ e, i, s: score(e) }))
    .sort((a, b) => a.s - b.s || a.i - b.i)
    .map(({ e }) => e);
}
