import type { Schemas } from "~/api/queries";
import type { Plugin, Version } from "./data";

/** The document that makes a version the active one, and leaves all else of the plugin as it is. */
export function documentOf(plugin: Plugin, version: Version): Schemas["Document"] {
  const { limits, grants, breaker } = plugin;
  return {
    kind: "Plugin",
    name: plugin.name,
    spec: { sha256: version.digest.replace(/^sha256:/, ""), ...(limits && { limits }), ...(grants && { grants }), ...(breaker && { breaker }) },
  };
}
