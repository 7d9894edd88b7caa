import type { RouteDraft } from "~/api/routes";

/** A change that is not saved yet. */
export interface KeptDraft {
  draft: RouteDraft;
  /** The state that it changes, so that a save does not undo what others did meanwhile. */
  etag: string | undefined;
}

const key = (id: string | undefined) => "headgate.draft.route/" + (id ?? "");

/** The change that this tab was at: a reload, or a look at another page, loses nothing. */
export function keptDraft(id: string | undefined): KeptDraft | undefined {
  try {
    const text = sessionStorage.getItem(key(id));
    return text === null ? undefined : (JSON.parse(text) as KeptDraft);
  } catch {
    return undefined;
  }
}

export function keepDraft(id: string | undefined, kept: KeptDraft | undefined): void {
  try {
    if (kept === undefined) sessionStorage.removeItem(key(id));
    else sessionStorage.setItem(key(id), JSON.stringify(kept));
  } catch {
    // where storage is forbidden the change lasts as long as the page
  }
}
