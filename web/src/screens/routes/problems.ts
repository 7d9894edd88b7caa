import { asProblem } from "~/api/problem";

/** What is wrong, by the member of the route: paths without the request's, words without the path. */
export function routeProblems(...errors: unknown[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const error of errors) {
    if (!error) continue;
    const p = asProblem(error);
    if (p.status !== 400 || !p.field) continue;
    const path = p.field.replace(/^(?:route|documents\[0\](?:\.spec)?)\.?/, "");
    const text = p.message.startsWith(p.field + ": ") ? p.message.slice(p.field.length + 2) : p.message;
    out[path] ??= text;
  }
  return out;
}
