import type { Schemas } from "~/api/queries";
import { command } from "~/parts/shell";

type PluginSettings = Schemas["PluginSettings"];

/** The command that makes the settings of a plugin what `after` says, where they are `before`. */
export function setCommand(name: string, before: PluginSettings, after: PluginSettings): string {
  const values = (flag: string, old: object | undefined, now: object | undefined) => {
    const gone = Object.keys(old ?? {}).filter((k) => !(k in (now ?? {})));
    return [...Object.entries(now ?? {}).map(([k, v]) => `${k}=${v}`), ...gone.map((k) => `${k}=`)].flatMap((v) => [flag, v]);
  };
  const grants = after.grants ?? [];
  return command(
    "headgate", "plugin", "set", name, ...values("--limit", before.limits, after.limits),
    ...(grants.length > 0 || (before.grants ?? []).length > 0 ? ["--grant", grants.join(",")] : []),
    ...values("--breaker", before.breaker, after.breaker),
  );
}
