import { CheckmarkCircle16Filled, Circle16Regular, CircleHalfFill16Regular, Pause16Filled, PlugDisconnected16Regular, Triangle16Filled, type FluentIcon } from "@fluentui/react-icons";
import type { ReactNode } from "react";
import styles from "./StateBadge.module.css";

/** States of endpoints, sources, routes and plugins, in the API's words. */
export type StateName =
  | "healthy" | "running" | "active" | "enabled"
  | "catching up" | "connecting" | "waiting" | "retrying"
  | "failing" | "stopped" | "open"
  | "paused" | "disabled"
  | "idle";

const looks: Record<StateName, { icon: FluentIcon; colour: string }> = {
  healthy: { icon: CheckmarkCircle16Filled, colour: "healthy" },
  running: { icon: CheckmarkCircle16Filled, colour: "healthy" },
  active: { icon: CheckmarkCircle16Filled, colour: "healthy" },
  enabled: { icon: CheckmarkCircle16Filled, colour: "healthy" },
  "catching up": { icon: CircleHalfFill16Regular, colour: "busy" },
  connecting: { icon: CircleHalfFill16Regular, colour: "busy" },
  waiting: { icon: CircleHalfFill16Regular, colour: "busy" },
  retrying: { icon: CircleHalfFill16Regular, colour: "busy" },
  failing: { icon: Triangle16Filled, colour: "failing" },
  stopped: { icon: PlugDisconnected16Regular, colour: "failing" },
  open: { icon: Triangle16Filled, colour: "failing" },
  paused: { icon: Pause16Filled, colour: "paused" },
  disabled: { icon: Pause16Filled, colour: "paused" },
  idle: { icon: Circle16Regular, colour: "idle" },
};

/** A state: shape, colour and word, never colour alone. `word` says it otherwise. */
export function StateBadge({ state, word, wordClass }: { state: StateName; word?: ReactNode; wordClass?: string }) {
  const look = looks[state] ?? looks.idle;
  return (
    <span className={styles.badge}>
      <look.icon style={{ color: `var(--state-${look.colour})` }} aria-hidden />
      <span className={wordClass}>{word ?? state}</span>
    </span>
  );
}
