import type { RouteDraft } from "~/api/routes";

/** A change that is not saved yet. */
export interface KeptDraft {
  draft: RouteDraft;
  /** The state that it changes, so that a save does not undo what others did meanwhile. */
  etag: string | undefined;
}

/** What a draft is of: a route that there is, or a new one, by what it began with. */
export type DraftOf = { id: string } | { like?: string; endpoint?: string; plugin?: string };

/** The same for the same route, or the same beginning: a draft of one is never taken for that of another. */
export function draftKey(of: DraftOf): string {
  if ("id" in of) return "headgate.draft.route/" + of.id;
  const { like, endpoint, plugin } = of;
  return "headgate.draft.new-route/" + new URLSearchParams(Object.entries({ like, endpoint, plugin }).filter((e): e is [string, string] => e[1] !== undefined)).toString();
}

/** The change that this tab was at: a reload, or a look at another page, loses nothing. */
export function keptDraft(key: string): KeptDraft | undefined {
  try {
    const text = sessionStorage.getItem(key);
    return text === null ? undefined : (JSON.parse(text) as KeptDraft);
  } catch {
    return undefined;
  }
}

export function keepDraft(key: string, kept: KeptDraft | undefined): void {
  try {
    if (kept === undefined) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // where storage is forbidden the change lasts as long as the page
  }
}
