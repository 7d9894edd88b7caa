import { useEffect, useRef, useSyncExternalStore } from "react";

/** A key or two that do something on this page. */
export interface Shortcut {
  /** Such as "g r", "/", "mod+k"; mod is ⌘ on a Mac and Ctrl elsewhere. */
  keys: string;
  label: string;
  group: string;
  run: () => void;
}

let all: readonly Shortcut[] = [];
const watchers = new Set<() => void>();

function change(next: readonly Shortcut[]): void {
  all = next;
  for (const w of watchers) w();
}

/** What works now, the latest first: a screen's shortcut hides the frame's. */
export function useShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    (w) => {
      watchers.add(w);
      return () => watchers.delete(w);
    },
    () => all,
  );
}

/** Makes keys work while the component is there and they are not disabled. */
export function useShortcut(keys: string, label: string, run: () => void, o: { group?: string; disabled?: boolean } = {}): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  const { group = "This page", disabled = false } = o;
  useEffect(() => {
    if (disabled) return;
    const mine: Shortcut = { keys, label, group, run: () => latest.current() };
    change([mine, ...all]);
    return () => change(all.filter((s) => s !== mine));
  }, [keys, label, group, disabled]);
}

const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/** Keys as people write them. */
export function keyWords(keys: string): string[] {
  return keys.split(" ").map((k) => k.replace("mod+", isMac ? "⌘" : "Ctrl ").replace("escape", "Esc").replace(/^([a-z])$/, (c) => c.toUpperCase()).replace(/k$/, "K"));
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !/^(checkbox|radio|button)$/.test((target as HTMLInputElement).type);
}

/** Whether keys belong to what is open over the page: a dialog, or a menu or list that has the focus. */
function covered(target: EventTarget | null): boolean {
  return document.querySelector('[aria-modal="true"]') !== null || (target instanceof Element && target.closest("[role=menu], [role=listbox]") !== null);
}

/** Listens for the keys of the whole page. Rendered once. */
export function useKeyboard(): void {
  useEffect(() => {
    let first = "";
    let since = 0;
    const pressed = (e: KeyboardEvent) => {
      if (e.defaultPrevented || e.altKey || e.isComposing) return;
      const mod = isMac ? e.metaKey : e.ctrlKey;
      const key = (mod ? "mod+" : "") + (e.key.length === 1 ? e.key.toLowerCase() : e.key.toLowerCase());
      if (!mod && (e.metaKey || e.ctrlKey)) return;
      if (!mod && (typing(e.target) || covered(e.target))) return;
      const sequence = performance.now() - since < 1200 ? first + " " + key : "";
      const hit = all.find((s) => s.keys === sequence) ?? all.find((s) => s.keys === key);
      first = key;
      since = performance.now();
      if (!hit) return;
      e.preventDefault();
      first = "";
      hit.run();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, []);
}
