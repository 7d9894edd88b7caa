import type { Schema } from "./ConfigForm";

type Node = Record<string, unknown>;

/**
 * A definition of the schema of documents, as forms need it: references are
 * followed, and what may stand for a value in Git alone is left out.
 */
export function formSchema(defs: Readonly<Record<string, Node>>, name: string): Schema | undefined {
  const found = defs[name];
  return found && (resolve(found, defs, []) as Schema);
}

/** The definition of the settings of a kind, such as endpointServiceBus. */
export function settingsName(side: "endpoint" | "source", kind: string): string {
  return side + kind.charAt(0).toUpperCase() + kind.slice(1);
}

/** The kinds that the schema of documents knows. */
export function kindsOf(defs: Readonly<Record<string, Node>>, side: "endpoint" | "source"): string[] {
  const kind = formSchema(defs, side)?.properties?.kind;
  return (kind?.enum ?? []).map(String);
}

function resolve(node: Node, defs: Readonly<Record<string, Node>>, within: readonly string[]): Node {
  const { $ref, anyOf, ...own } = node;
  let out: Node = own;
  if (typeof $ref === "string") {
    const name = $ref.replace("#/$defs/", "");
    const target = defs[name];
    if (!target || within.includes(name)) return own;
    out = { ...resolve(target, defs, [...within, name]), ...own };
  }
  if (Array.isArray(anyOf)) {
    const real = (anyOf as Node[]).filter((a) => a.$ref !== "#/$defs/reference").map((a) => resolve(a, defs, within));
    if (real.length === 1) out = { ...real[0], ...out };
    else out = { ...out, anyOf: real };
  }
  if (out.properties) out = { ...out, properties: Object.fromEntries(Object.entries(out.properties as Record<string, Node>).map(([k, v]) => [k, resolve(v, defs, within)])) };
  for (const k of ["items", "additionalProperties"]) {
    const v = out[k];
    if (typeof v === "object" && v !== null) out = { ...out, [k]: resolve(v as Node, defs, within) };
  }
  return out;
}

/** Settings as they may be looked at: in place of each secret that was written, that it is new. */
export function hideSecrets(schema: Schema | undefined, value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, schema?.properties?.[name]?.writeOnly ? hidden(v) : v]));
}

const stored = /\*\*\*/;

function hidden(v: unknown): unknown {
  if (typeof v === "string") return stored.test(v) ? v : "(a new secret)";
  if (typeof v === "object" && v !== null) return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, hidden(x)]));
  return v;
}
