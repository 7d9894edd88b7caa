import { api } from "./client";
import type { components } from "./schema.gen";

/** What the filter language says of a text; its places are indices into the string. */
export type ParsedFilter = components["schemas"]["FilterCheck"];

type Request = components["schemas"]["FilterRequest"];

/** What the server says of a filter, given as text or as check-boxes. */
export async function parseFilter(request: Request, signal?: AbortSignal): Promise<ParsedFilter> {
  const { text = "", position } = request;
  const body = { ...request, position: position === undefined ? undefined : byteAt(text, position) };
  const check = (await api.post("/filters:parse", { body, signal })).data;
  return inCharacters(check);
}

const ascii = (text: string) => !/[^\x00-\x7f]/.test(text);

/** The API counts bytes of UTF-8, JavaScript UTF-16: the byte of a character. */
export function byteAt(text: string, index: number): number {
  return ascii(text) ? index : new TextEncoder().encode(text.slice(0, index)).length;
}

/** The index into text of a byte of its UTF-8. */
export function indexAt(text: string, byte: number): number {
  if (ascii(text)) return Math.min(byte, text.length);
  let bytes = 0;
  let index = 0;
  for (const c of text) {
    if (bytes >= byte) break;
    const code = c.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    index += c.length;
  }
  return index;
}

/** A span that the API gave, such as a failing condition, as indices into the filter's text. */
export function spanIn<T extends { start: number; end: number }>(text: string, span: T): T {
  return { ...span, start: indexAt(text, span.start), end: indexAt(text, span.end) };
}

function inCharacters(check: ParsedFilter): ParsedFilter {
  const { text } = check;
  if (ascii(text)) return check;
  const error = check.error && check.error.in === undefined ? spanIn(text, check.error) : check.error;
  if (error?.suggestion) error.suggestion = spanIn(text, error.suggestion);
  const found = check.completions;
  return {
    ...check,
    error,
    conditions: check.conditions.map((c) => spanIn(text, c)),
    hints: check.hints.map((h) => spanIn(text, h)),
    completions: found && { ...found, from: indexAt(text, found.from), to: indexAt(text, found.to) },
  };
}
