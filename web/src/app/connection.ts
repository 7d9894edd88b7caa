import { useSyncExternalStore } from "react";
import { onReach } from "~/api/client";

export interface Connection {
  /** When the gateway stopped to answer; undefined while it does. */
  goneSince: Date | undefined;
  /** The gateway wants a token, and has not been shown it. */
  signedOut: boolean;
}

let now: Connection = { goneSince: undefined, signedOut: false };
const watchers = new Set<() => void>();

function set(next: Connection): void {
  if (next.goneSince === now.goneSince && next.signedOut === now.signedOut) return;
  now = next;
  for (const w of watchers) w();
}

onReach((reached, status) => {
  set({
    goneSince: reached ? undefined : (now.goneSince ?? new Date()),
    signedOut: status === 401 ? true : reached && status < 400 ? false : now.signedOut,
  });
});

/** Whether the gateway answers, and lets this browser in. */
export function useConnection(): Connection {
  return useSyncExternalStore(
    (w) => {
      watchers.add(w);
      return () => watchers.delete(w);
    },
    () => now,
  );
}

/** Called after signing in. */
export function signedIn(): void {
  set({ ...now, signedOut: false });
}
