import { useEffect, useRef, useSyncExternalStore } from "react";

/** Something that the palette offers, while the screen that offers it is there. */
export interface Command {
  label: string;
  run: () => void;
}

let all: readonly Command[] = [];
const watchers = new Set<() => void>();

function change(next: readonly Command[]): void {
  all = next;
  for (const w of watchers) w();
}

export function useCommands(): readonly Command[] {
  return useSyncExternalStore(
    (w) => {
      watchers.add(w);
      return () => watchers.delete(w);
    },
    () => all,
  );
}

/** Adds a command to the palette. */
export function useCommand(label: string, run: () => void): void {
  const latest = useRef(run);
  useEffect(() => {
    latest.current = run;
  });
  useEffect(() => {
    const mine: Command = { label, run: () => latest.current() };
    change([...all, mine]);
    return () => change(all.filter((c) => c !== mine));
  }, [label]);
}
