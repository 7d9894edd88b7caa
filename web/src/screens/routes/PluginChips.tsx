import type { PluginRef } from "~/api/routes";
import { refParts } from "~/parts/pluginRef";
import styles from "./Routes.module.css";

/** The plugins of a route in their order, each with the version that it runs. */
export function PluginChips({ refs, active }: { refs: readonly PluginRef[]; active: ReadonlyMap<string, number> }) {
  if (refs.length === 0) return <span className="quiet">none</span>;
  return (
    <span className={styles.chips}>
      {refs.map((r, i) => {
        const { name, pin } = refParts(r.plugin);
        const version = pin === undefined ? active.get(name) : pin.startsWith("sha256:") ? pin.slice(7, 13) : pin;
        return (
          <span key={i} className={styles.chip} title={pin === undefined ? `${name}, the active version${version ? `: ${version}` : ""}` : `${name}, pinned to ${pin}`}>
            <span className="cut">{name}</span>
            {version !== undefined && <span className={styles.version}>{pin !== undefined ? "@" + version : version}</span>}
          </span>
        );
      })}
    </span>
  );
}
