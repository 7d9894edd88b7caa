/** What sort of event a CloudEvent is, by its type. */
export type EventKind = "update" | "create" | "delete" | "relationship" | "telemetry" | "other";

const adt = "Microsoft.DigitalTwins.";

export function kindOf(type: string): EventKind {
  const name = type.startsWith(adt) ? type.slice(adt.length) : type;
  switch (name) {
    case "Twin.Update":
      return "update";
    case "Twin.Create":
      return "create";
    case "Twin.Delete":
      return "delete";
    case "Relationship.Create":
    case "Relationship.Update":
    case "Relationship.Delete":
      return "relationship";
  }
  return name === "Telemetry" || type === "microsoft.iot.telemetry" ? "telemetry" : "other";
}

/** The words for each kind. */
export const kindWords: Record<EventKind, string> = {
  update: "Twin update",
  create: "Twin created",
  delete: "Twin deleted",
  relationship: "Relationship",
  telemetry: "Telemetry",
  other: "CloudEvent",
};
