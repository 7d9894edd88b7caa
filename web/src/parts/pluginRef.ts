import type { Schemas } from "~/api/queries";

type Plugin = Schemas["Plugin"];

/** A reference to a plugin, taken apart: without a pin it follows the active version. */
export function refParts(plugin: string): { name: string; pin?: string } {
  const at = plugin.indexOf("@");
  return at < 0 ? { name: plugin } : { name: plugin.slice(0, at), pin: plugin.slice(at + 1) };
}

/** The version of a plugin that a reference means. */
export function versionOf(plugin: Plugin | undefined, pin: string | undefined): Schemas["Version"] | undefined {
  if (!plugin) return undefined;
  if (pin === undefined) return plugin.versions.find((v) => v.version === plugin.active);
  return plugin.versions.find((v) => String(v.version) === pin || v.digest === pin);
}
