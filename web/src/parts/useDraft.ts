import { useMemo, useState } from "react";
import type { Stored } from "./useGuardedSave";
import { useValidity } from "./validity";

/**
 * A change that is being made to what is stored: to its state at the beginning,
 * not to what others make of it meanwhile. `kept` is a change from before.
 */
export function useDraft<T>(stored: Stored<T>, kept?: { draft: T; etag: string | undefined }) {
  const [state, setState] = useState(() => ({ base: kept ? { value: stored.value, etag: kept.etag } : stored, draft: kept ? kept.draft : stored.value, round: 0 }));
  const { base, draft } = state;
  const { valid, report } = useValidity();
  const changed = useMemo(() => JSON.stringify(draft) !== JSON.stringify(base.value), [draft, base.value]);
  // What is written but no value yet is a change too: it would be lost.
  const dirty = changed || !valid;
  const restart = (from: Stored<T>) => setState((s) => ({ base: from, draft: from.value, round: s.round + 1 }));
  // What is stored may change while nothing is edited: then it is shown.
  if (!dirty && stored.etag !== base.etag) restart(stored);
  return {
    ...state,
    dirty,
    valid,
    /** For the Validity around the fields. */
    report,
    change: (next: (draft: T) => T) => setState((s) => ({ ...s, draft: next(s.draft) })),
    /** Begins anew. Fields that hold text of their own take `round` as their key. */
    restart,
  };
}
