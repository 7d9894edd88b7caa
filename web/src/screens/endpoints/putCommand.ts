import type { ResourceSpec, Side } from "~/api/resources";

/** The command that makes a resource what the spec says; secrets are left to be written. */
export function putCommand(side: Side, name: string, spec: ResourceSpec): (string | undefined)[] {
  const of = (flag: string, values: Readonly<Record<string, unknown>> | undefined) => Object.entries(values ?? {}).flatMap(([k, v]) => [flag, `${k}=${typeof v === "string" ? v : JSON.stringify(v)}`]);
  return ["headgate", "put", side, name || "NAME", "--kind", spec.kind, ...of("--set", spec.settings), ...(side === "endpoint" ? of("--delivery", spec.delivery as Record<string, unknown>) : []), spec.paused ? "--paused" : undefined, spec.enabled === false ? "--disabled" : undefined];
}
