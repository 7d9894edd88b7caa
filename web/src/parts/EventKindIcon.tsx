import { CubeAdd20Regular, Delete16Regular, Edit16Regular, Link16Regular, Mail16Regular, Pulse20Regular, type FluentIcon } from "@fluentui/react-icons";
import { kindOf, kindWords, type EventKind } from "~/api/kind";
import styles from "./StateBadge.module.css";
import { visible } from "./visible";

const icons: Record<EventKind, FluentIcon> = {
  update: Edit16Regular,
  create: CubeAdd20Regular,
  delete: Delete16Regular,
  relationship: Link16Regular,
  telemetry: Pulse20Regular,
  other: Mail16Regular,
};

/** The sign of a kind of event, with its word for those who cannot see it. */
export function EventKindIcon({ kind, bare }: { kind: EventKind; bare?: boolean }) {
  const Icon = icons[kind];
  return <Icon style={{ color: `var(--kind-${kind})`, width: 16, height: 16, flex: "none" }} aria-label={bare ? undefined : kindWords[kind]} aria-hidden={bare} title={bare ? undefined : kindWords[kind]} />;
}

/** The kind of an event of this type, sign and word; a type of one's own is shown as it is. */
export function EventKindToken({ type }: { type: string }) {
  const kind = kindOf(type);
  return (
    <span className={styles.badge} title={visible(type)}>
      <EventKindIcon kind={kind} bare />
      <span>{kind === "other" ? visible(type) : kind === "relationship" ? "Relationship " + verb(type) : kindWords[kind]}</span>
    </span>
  );
}

function verb(type: string): string {
  return { Create: "created", Update: "update", Delete: "deleted" }[type.slice(type.lastIndexOf(".") + 1)] ?? "";
}
