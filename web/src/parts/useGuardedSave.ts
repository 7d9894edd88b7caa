import { useState } from "react";
import { asProblem, Problem } from "~/api/problem";

/** What is stored, with the tag that guards a change of it. */
export interface Stored<T> {
  value: T;
  etag: string | undefined;
}

/** Why nothing was saved: another change came first, or a problem. Undefined when it was. */
export type Refused<T> = { theirs: Stored<T> } | { problem: Problem } | undefined;

/**
 * Saves over what a tag names. When that is no longer what is stored, `read` tells
 * what is; without it a conflict is a problem as any other.
 */
export async function saveGuarded<T>(put: () => Promise<unknown>, read?: () => Promise<Stored<T>>): Promise<Refused<T>> {
  try {
    await put();
    return undefined;
  } catch (error) {
    const problem = asProblem(error);
    if (!problem.conflict || !read) return { problem };
    try {
      return { theirs: await read() };
    } catch (gone) {
      const now = asProblem(gone);
      return { problem: now.status === 404 ? new Problem(404, { title: "Someone deleted it meanwhile", detail: "It is not there any more, so nothing was saved. Copy your change as CLI, or make a new one of it." }) : now };
    }
  }
}

/** A save that shows what others stored meanwhile, in place of writing over it. */
export function useGuardedSave<T>(o: {
  /** Stores over what is given, which an undo brings back. */
  put: (over: Stored<T>) => Promise<unknown>;
  read?: () => Promise<Stored<T>>;
}) {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Refused<T>>();
  const theirs = refused && "theirs" in refused ? refused.theirs : undefined;
  return {
    busy,
    problem: refused && "problem" in refused ? refused.problem : undefined,
    /** What is stored now, when that is not what the change was made to. */
    theirs,
    /** Saves over what the change was made to, or over theirs once that was shown. */
    save: async (over: Stored<T>) => {
      setBusy(true);
      // Theirs stays in sight while it is saved over.
      setRefused(theirs && { theirs });
      const now = await saveGuarded(() => o.put(over), o.read);
      setRefused(now);
      setBusy(false);
      return now;
    },
    /** The change is another one now: what was wrong with it is told no more. */
    edited: () => setRefused(theirs && { theirs }),
    /** The change is given up. */
    clear: () => setRefused(undefined),
  };
}
